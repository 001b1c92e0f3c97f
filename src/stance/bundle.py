"""The model folder: what is in it, whether it is whole, how it is written."""

import hashlib
import json
from dataclasses import MISSING, asdict, dataclass, fields
from math import inf
from pathlib import Path
from typing import Any

from stance import files, objects
from stance.calibration import Calibration, Curve, Curves
from stance.cascade import CascadeFacts
from stance.errors import InputError
from stance.types import NEUTRAL

FORMAT = 1
SETTINGS = "stance.json"
ONNX = "onnx/model_quantized.onnx"
TOKENIZER = "tokenizer.json"
CARD = "README.md"
CASCADE = "cascade.safetensors"
"""The first stage of a cascade, which a model folder may have."""
FILES = (
    "config.json",
    "model.safetensors",
    "tagger.safetensors",
    TOKENIZER,
    "tokenizer_config.json",
    ONNX,
    CARD,
)
NOTED_LATER = (("reliability", "by_label"), ("reliability", "neutral"), ("", "curves"))
"""Keys of the settings that folders of the first versions lack, each with its table."""
AROUND = ("format", "files", "sha256")
"""Keys of ``stance.json`` that are not of the settings."""
REMEDY = "Install the package or download the model folder again."


@dataclass(frozen=True)
class LabelReliability:
    """What the flag does to the validation rows to which the model gives one label.

    Attributes:
        n: number of rows with that label by the model.
        coverage: share of them that were reliable, 0 to 1; None without rows.
        accuracy: share of the reliable ones that were right, 0 to 1; None without any.
    """

    n: int
    coverage: float | None
    accuracy: float | None


@dataclass(frozen=True)
class NeutralReliability:
    """When a neutral prediction counts as reliable, where stances have a promise of their own.

    Attributes:
        threshold: least confidence of a reliable neutral prediction; above 1 when none is.
        accuracy: accuracy that the reliable neutral predictions keep, 0 to 1.
    """

    threshold: float
    accuracy: float


@dataclass(frozen=True)
class Reliability:
    """When a prediction counts as reliable, and what was measured on validation rows.

    Attributes:
        threshold: least confidence of a reliable prediction; above 1 when none is.
        accuracy: accuracy that the reliable predictions keep, 0 to 1.
        level: probability with which all that is promised is kept (Clopper-Pearson bounds), 0 to 1.
        coverage: share of the validation rows that were reliable, 0 to 1.
        n: number of validation rows.
        by_label: the same by predicted label; None in folders of versions that did not note it.
        neutral: what holds of neutral predictions; the two values above are of the others then.
            None where one promise is made for all.
    """

    threshold: float
    accuracy: float
    level: float
    coverage: float
    n: int
    by_label: dict[str, LabelReliability] | None = None
    neutral: NeutralReliability | None = None

    def get_threshold(self, label: str) -> float:
        """Return the least confidence of a reliable prediction of a label."""
        return self.neutral.threshold if self.neutral and label == NEUTRAL else self.threshold


@dataclass(frozen=True)
class Settings:
    """What ``stance.json`` says, file hashes apart.

    Attributes:
        name: name of the model.
        labels: labels in the order of the scores; ``types.LABELS``, or a user's own.
        max_tokens: tokens the model reads at once, special ones included.
        temperature: divisor of the logits before the softmax; see ``calibration``.
        reliability: see ``Reliability``.
        recipe: the recipe's content.
        data: SHA-256 of the rows it was trained and validated on, by set and split.
        left_out: the article that it was not trained on, or None.
        encoder: the base encoder's name, revision and SHA-256.
        stance_version: version of the package that wrote the folder.
        cascade: see ``CascadeFacts``; None where the folder has no first stage.
        curves: what confidences are worth; None to leave them as the softmax gives them.
    """

    name: str
    labels: tuple[str, ...]
    max_tokens: int
    temperature: float
    reliability: Reliability
    recipe: dict[str, Any]
    data: dict[str, str]
    left_out: str | None
    encoder: dict[str, str]
    stance_version: str
    cascade: CascadeFacts | None = None
    curves: Curves | None = None

    @property
    def calibration(self) -> Calibration:
        """What turns logits into calibrated probabilities."""
        return Calibration(self.temperature, self.curves)


@dataclass(frozen=True)
class Bundle:
    """A model folder that was read and verified.

    Attributes:
        folder: where it lies.
        sha256: hash of the settings, which hold every file's hash: the model's identity. The
            model card is left out: it quotes figures of the model it describes.
        settings: what ``stance.json`` says.
    """

    folder: Path
    sha256: str
    settings: Settings


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with files.open_input(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def hash_settings(content: dict[str, Any]) -> str:
    """Return the SHA-256 of the settings without their own hash and the card's."""
    rest = {key: value for key, value in content.items() if key != "sha256"}
    rest["files"] = {name: value for name, value in rest["files"].items() if name != CARD}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def read_bundle(folder: str | Path) -> Bundle:
    """Read a model folder and check every file against its SHA-256.

    Raises:
        InputError: the folder or a file is missing, or a checksum differs.
    """
    root = Path(folder)
    if not root.is_dir():
        found = "a file" if root.exists() else "no such folder"
        raise InputError(str(root), expected="a model folder", found=found, remedy=REMEDY)
    content = read_settings(root)
    settings = parse_settings(content, root / SETTINGS)
    for name in list_files(settings):
        check_file(root / name, content["files"].get(name))
    return Bundle(root, content["sha256"], settings)


def list_files(settings: Settings) -> tuple[str, ...]:
    """Return the names of the files that a model folder has beside ``stance.json``."""
    return (*FILES, CASCADE) if settings.cascade else FILES


def read_settings(root: Path) -> dict[str, Any]:
    """Return the content of ``stance.json`` once its own hash is right."""
    path = root / SETTINGS
    if not path.is_file():
        raise InputError(str(path), expected="the file", found="no such file", remedy=REMEDY)
    with files.open_input(path) as stream:
        raw = b"".join(stream)
    content = objects.parse_object(files.decode_line(raw, str(path), 1), str(path))
    if content.get("format") != FORMAT:
        found = f"format {content.get('format')!r}"
        remedy = "Use a version of this package that knows it."
        raise InputError(str(path), expected=f"format {FORMAT}", found=found, remedy=remedy)
    if not isinstance(content.get("files"), dict):
        raise InputError(
            str(path), expected="the SHA-256 of each file", found="no table 'files'", remedy=REMEDY
        )
    if content.get("sha256") != hash_settings(content):
        raise InputError(
            str(path), expected="the content it was written with", found="another", remedy=REMEDY
        )
    return content


def check_file(path: Path, expected: str | None) -> None:
    """Raise unless the file is there and has the expected SHA-256."""
    if not path.is_file():
        raise InputError(str(path), expected="the file", found="no such file", remedy=REMEDY)
    found = hash_file(path)
    if found != expected:
        raise InputError(
            str(path), expected=f"sha256 {expected}", found=f"sha256 {found}", remedy=REMEDY
        )


def parse_settings(content: dict[str, Any], path: Path) -> Settings:
    """Turn the settings' content into ``Settings``."""
    try:
        known = fields(Settings)
        if strange := content.keys() - {*(entry.name for entry in known), *AROUND}:
            raise ValueError(f"also {', '.join(sorted(strange))}")  # it could mean other scores
        values = {entry.name: content[entry.name] for entry in known if entry.default is MISSING}
        values["labels"] = tuple(values["labels"])
        values["curves"] = parse_curves(content.get("curves"))
        if not 0 < values["temperature"] < inf:
            raise ValueError(f"temperature {values['temperature']}")
        if values["curves"] and NEUTRAL not in values["labels"]:
            raise ValueError("curves without a label neutral")
        values["reliability"] = parse_reliability(values["reliability"])
        if content.get("cascade"):
            values["cascade"] = CascadeFacts.parse(content["cascade"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            str(path), expected="the fields of format 1", found=str(error), remedy=REMEDY
        ) from None
    labels = values["labels"]
    if len(set(labels)) < max(2, len(labels)) or not all(isinstance(x, str) for x in labels):
        raise InputError(
            str(path), expected="at least two different labels", found=repr(labels), remedy=REMEDY
        )
    return Settings(**values)


def parse_curves(content: dict[str, Any] | None) -> Curves | None:
    """Turn what the settings say of curves into ``Curves``."""
    if content is None:
        return None
    curves = {
        kind: Curve(**{name: tuple(knots) for name, knots in curve.items()})
        for kind, curve in content.items()
    }
    return Curves(**curves)


def parse_reliability(content: dict[str, Any]) -> Reliability:
    """Turn what the settings say of reliability into ``Reliability``."""
    parts = content.get("by_label")
    by_label = parts and {label: LabelReliability(**part) for label, part in parts.items()}
    neutral = content.get("neutral") and NeutralReliability(**content["neutral"])
    return Reliability(**{**content, "by_label": by_label, "neutral": neutral})


def write_settings(folder: Path, settings: Settings) -> Bundle:
    """Write ``stance.json`` over a folder whose other files are complete.

    Raises:
        InputError: a file of the format is missing.
    """
    for name in list_files(settings):
        if not (folder / name).is_file():
            raise InputError(
                str(folder / name), expected="the file", found="no such file", remedy="Write it."
            )
    content = {
        "format": FORMAT,
        **asdict(settings),
        "files": {name: hash_file(folder / name) for name in list_files(settings)},
    }
    content = json.loads(json.dumps(content))
    for part, name in NOTED_LATER:  # a folder without them stays the same model
        place = content[part] if part else content
        if place[name] is None:
            del place[name]
    content["sha256"] = hash_settings(content)
    files.write_json(folder / SETTINGS, content)
    return Bundle(folder, content["sha256"], settings)
