"""Where data, models and recipes of an evaluation are."""

from dataclasses import dataclass
from pathlib import Path

from stance.errors import InputError


@dataclass(frozen=True)
class Place:
    """Where an evaluation finds things, and how it runs.

    Attributes:
        data: the repository's data folder, or None outside a clone.
        corpora: the corpora folder, or None.
        folds: folder of the models that sets need for themselves.
        recipe: recipe of these models, and of a scorer's baselines.
        device: ``auto``, ``cpu`` or ``cuda``.
        bars: whether to show progress bars.
    """

    data: Path | None
    corpora: Path | None = None
    folds: Path = Path("runs/folds")
    recipe: Path = Path("train/recipes/small.toml")
    device: str = "auto"
    bars: bool = False

    def get_data(self) -> Path:
        """Return the data folder.

        Raises:
            InputError: there is none.
        """
        if self.data is None:
            raise refuse_without_data()
        return self.data

    def get_corpora(self) -> Path:
        """Return the corpora folder.

        Raises:
            InputError: there is none.
        """
        if self.corpora is None:
            raise InputError(
                "corpora folder",
                expected="STANCE_CORPORA to name the folder with the corpora's texts",
                found="no such variable",
                remedy="Set it as data/README.md says, or leave the set out.",
            )
        return self.corpora


def refuse_without_data() -> InputError:
    """Return the error that a set needs the repository's data."""
    return InputError(
        "data folder",
        expected="a folder with articles.jsonl",
        found="none",
        remedy="Run in a clone of the repository, or name its data with --data-dir.",
    )
