"""An earlier run as it lies on the disk: its per-row predictions, and the results.json beside."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stance import files
from stance.errors import InputError


@dataclass(frozen=True)
class Earlier:
    """What there is of an earlier run.

    Attributes:
        folder: the folder of its predictions.
        results: the results.json beside it, whether it is there or not.
        files: files of predictions by set; where results.json lists sets, theirs alone: others are
            left from runs before.
        model: who was judged, as results.json has it, or None.
        sets: what results.json says of each set, of whatever version; empty where it is not there.
    """

    folder: Path
    results: Path
    files: dict[str, Path]
    model: dict[str, str | None] | None
    sets: Mapping[str, Mapping[str, Any]]


def check_models(earlier: Earlier, name: str, models: set[str]) -> None:
    """Raise when a set's predictions are of other models than its results.json tells of.

    Args:
        earlier: the run.
        name: of the set.
        models: SHA-256 of the models, or scorers, that its predictions are of.
    """
    told = earlier.sets.get(name, {}).get("models")
    if told not in (None, sorted(models)):
        raise InputError(
            str(earlier.files[name]),
            expected=f"the predictions that {earlier.results.name} tells of",
            found="those of another model or scorer",
            remedy=f"Evaluate again, or take {earlier.results} away: figures without it have "
            "the name of their folder.",
        )


def find_earlier(path: Path) -> Earlier:
    """Return an earlier run that is named by its results.json or by its folder of predictions.

    Raises:
        InputError: the results.json is not JSON.
    """
    folder = path.with_suffix("") if path.suffix == ".json" and not path.is_dir() else path
    results = folder.parent / f"{folder.name}.json"
    found = {file.stem: file for file in sorted(folder.glob("*.jsonl"))}
    if not results.is_file():
        return Earlier(folder, results, found, None, {})
    content = files.read_object(results)
    model, sets = (value if isinstance(value := content.get(name), dict) else {}
                   for name in ("model", "sets"))  # fmt: skip
    sets = {name: entry for name, entry in sets.items() if isinstance(entry, dict)}
    listed = {name: file for name, file in found.items() if name in sets}
    return Earlier(folder, results, listed, model or None, sets)
