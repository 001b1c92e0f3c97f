"""A recipe: one TOML file that says how one model is made."""

import tomllib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from stance import files
from stance.errors import InputError
from stance.sets import SETS
from stance.types import LABELS


@dataclass(frozen=True)
class EncoderChoice:
    """The base encoder.

    Attributes:
        name: a Hub id or a folder.
        revision: commit of the Hub repository; empty for a folder.
        package: module of an installed package that carries the encoder; may be empty.
        sha256: SHA-256 of its ``model.safetensors``; empty accepts any.
        max_tokens: tokens read at once, special ones included.
    """

    name: str
    revision: str = ""
    package: str = ""
    sha256: str = ""
    max_tokens: int = 128


@dataclass(frozen=True)
class DataChoice:
    """The rows.

    Attributes:
        train: data sets to train on.
        validation: data sets for early stopping and calibration.
        release: leave out corpora that ``licences.toml`` does not release.
        misspelled: share of the training rows of which a misspelled copy is added, 0 to 1.
    """

    train: tuple[str, ...] = ("articles", "written", "layers")
    validation: tuple[str, ...] = ("realnews",)
    release: bool = True
    misspelled: float = 0.0


@dataclass(frozen=True)
class LossChoice:
    """The loss.

    Attributes:
        label_weights: weight by label; empty for equal weights.
        label_smoothing: share of probability moved to the other labels, 0 to 1.
        span_weight: weight of the holder and source loss.
    """

    label_weights: dict[str, float] = field(default_factory=dict)
    label_smoothing: float = 0.0
    span_weight: float = 0.5


@dataclass(frozen=True)
class ReliabilityChoice:
    """What ``reliable`` promises.

    Attributes:
        accuracy: accuracy to keep on reliable predictions, 0 to 1.
        level: probability of keeping what is promised, 0 to 1.
        neutral_accuracy: accuracy to keep on reliable neutral predictions; ``accuracy`` is that of
            the others then. 0 for one promise for all labels.
    """

    accuracy: float = 0.95
    level: float = 0.95
    neutral_accuracy: float = 0.0


@dataclass(frozen=True)
class TrialChoice:
    """Ideas on trial (``train/ablations.toml``); each is off unless a recipe asks for it.

    Attributes:
        context: read the sentence before, where a pool holds it, after the statement.
        votes: learn the shares of the annotators' votes instead of the decided label.
        focal: exponent of the focal loss, 1 to 5: the more, the less sure rows weigh; 0 for none.
        layer_decay: learning rate of a layer relative to that of the layer above, above 0 to 1.
    """

    context: bool = False
    votes: bool = False
    focal: float = 0.0
    layer_decay: float = 1.0


@dataclass(frozen=True)
class Recipe:
    """A whole recipe; ``training`` goes to ``transformers.TrainingArguments`` unchanged.

    Attributes:
        name: name of the model.
        patience: validations without a better macro-F1 before training stops.
        distillation: arguments of a first training on the teacher's probabilities, beside those
            of ``training``; empty for none.
        lesson_share: share of the weights after that first training in an average with those
            after the labels, 0 to 1; the tagger, which it does not teach, is left out.
        orders: trainings on the labels from one start, each with the rows in another order, whose
            weights are averaged.
        trial: ideas on trial.
    """

    name: str
    encoder: EncoderChoice
    data: DataChoice = field(default_factory=DataChoice)
    loss: LossChoice = field(default_factory=LossChoice)
    reliability: ReliabilityChoice = field(default_factory=ReliabilityChoice)
    patience: int = 2
    distillation: dict[str, Any] = field(default_factory=dict)
    lesson_share: float = 0.0
    orders: int = 1
    training: dict[str, Any] = field(default_factory=dict)
    trial: TrialChoice = field(default_factory=TrialChoice)

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as plain data; what is off as before it was there.

        Models made before a trial or a key was there stay of the same recipe.
        """
        content = asdict(self)
        if self.trial == TrialChoice():
            del content["trial"]
        if not self.data.misspelled:
            del content["data"]["misspelled"]
        if not self.lesson_share:
            del content["lesson_share"]
        if not self.reliability.neutral_accuracy:
            del content["reliability"]["neutral_accuracy"]
        if self.orders == 1:
            del content["orders"]
        return content


def read_recipe(path: str | Path) -> Recipe:
    """Read a recipe.

    Raises:
        InputError: the file is no TOML, a key is unknown, or a value is of the wrong kind.
    """
    with files.open_input(path) as stream:
        try:
            content = tomllib.load(stream)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(
                str(path), expected="a TOML file", found=str(error), remedy="Mend the line."
            ) from None
    content.setdefault("name", Path(path).stem)
    recipe: Recipe = build(Recipe, content, str(path))
    check_names(recipe, str(path))
    check_ranges(recipe, str(path))
    return recipe


def build(kind: Any, content: Any, where: str) -> Any:
    """Fill a dataclass from a table; every key must be known and of the right kind."""
    if not isinstance(content, dict):
        raise InputError(
            where, expected="a table", found=repr(content), remedy="Write key = value."
        )
    known = {entry.name: entry for entry in fields(kind)}
    for key in content:
        if key not in known:
            names = ", ".join(known)
            raise InputError(
                f"{where} key '{key}'", expected=f"one of {names}", found=key, remedy="Rename it."
            )
    if "encoder" in known and "encoder" not in content:
        raise InputError(
            where, expected="a table [encoder]", found="none", remedy="Name the base encoder."
        )
    values = {key: convert(known[key].type, value, f"{where} key '{key}'")
              for key, value in content.items()}  # fmt: skip
    try:
        return kind(**values)
    except TypeError as error:
        raise InputError(
            where, expected="all keys", found=str(error), remedy="Add the missing key."
        ) from None


def convert(kind: Any, value: Any, where: str) -> Any:
    """Return the value in the type of its field."""
    if hasattr(kind, "__dataclass_fields__"):
        return build(kind, value, where)
    if kind == tuple[str, ...] and isinstance(value, list):
        return tuple(value)
    plain: dict[Any, Any] = {str: str, int: int, float: (int, float), bool: bool}
    wanted = plain.get(kind, dict)
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
        name = getattr(kind, "__name__", "list")
        raise InputError(where, expected=name, found=repr(value), remedy="Change the value.")
    return value


def check_names(recipe: Recipe, where: str) -> None:
    """Raise when a recipe names a set or a label that does not exist."""
    for name in (*recipe.data.train, *recipe.data.validation):
        if name not in SETS:
            raise InputError(
                f"{where} [data]", expected="sets among " + ", ".join(SETS), found=name,
                remedy="Rename the set.",
            )  # fmt: skip
    for label in recipe.loss.label_weights:
        if label not in LABELS:
            raise InputError(
                f"{where} [loss]", expected="labels among " + ", ".join(LABELS), found=label,
                remedy="Rename the label.",
            )  # fmt: skip


def check_ranges(recipe: Recipe, where: str) -> None:
    """Raise when a number of a recipe is out of its range."""
    weights = recipe.loss.label_weights.values()
    numbers = all(isinstance(weight, int | float) and weight > 0 for weight in weights)
    for key, fits, expected in (
        ("max_tokens", 8 <= recipe.encoder.max_tokens <= 8192, "8 to 8192"),
        ("misspelled", 0 <= recipe.data.misspelled <= 1, "0 to 1"),
        ("lesson_share", 0 <= recipe.lesson_share <= 1, "0 to 1"),
        ("label_smoothing", 0 <= recipe.loss.label_smoothing < 1, "0 to below 1"),
        ("span_weight", recipe.loss.span_weight >= 0, "0 or more"),
        ("label_weights", numbers, "numbers above 0"),
        ("focal", recipe.trial.focal == 0 or 1 <= recipe.trial.focal <= 5, "0, or 1 to 5"),
        ("layer_decay", 0 < recipe.trial.layer_decay <= 1, "above 0 to 1"),
        ("accuracy", 0 < recipe.reliability.accuracy < 1, "between 0 and 1"),
        ("level", 0 < recipe.reliability.level < 1, "between 0 and 1"),
        ("neutral_accuracy", 0 <= recipe.reliability.neutral_accuracy < 1, "0 to below 1"),
        ("orders", 1 <= recipe.orders <= 20, "1 to 20"),
        ("patience", recipe.patience >= 1, "1 or more"),
    ):
        if not fits:
            raise InputError(
                f"{where} key '{key}'", expected=expected, found="another value",
                remedy="Change the value.",
            )  # fmt: skip
