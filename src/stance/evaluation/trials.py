"""The sections of train/README.md on recipes compared and changes tried, if there are figures."""

import json
from collections.abc import Mapping
from pathlib import Path

from stance.evaluation import table
from stance.types import LABELS

METRICS = ("macro_f1", "accuracy", "polarity_flip_rate", "holder_share", "source_share")

ABLATIONS = """## Changes tried

One change of `recipes/compare.toml` at a time (`python train/ablate.py --runs runs/ablations`), on
the {n:,} rows of real-news validation, with 95 % intervals over documents; the last column is
paired, and an interval that holds 0 shows no difference. Of {looks} looks at the same rows some
find something by chance: what is taken from here is measured on test once.

"""

RECIPES = """## Recipes compared

By `python train/compare_recipes.py`, figures with 95 % intervals over documents; the last column is
paired:

"""


def format_ablations(path: Path) -> str:
    """Return the section with the table change x (macro-F1, F1 by label, difference to the base).

    Without the file it is empty.
    """
    if not path.is_file():
        return ""
    runs = json.loads(path.read_text(encoding="utf-8"))["runs"]
    rows = []
    for name, entry in runs.items():
        scores = [table.format_interval(entry["f1"][label]).split(" ")[0] for label in LABELS]
        more = "" if name == "base" else table.format_interval(entry["minus_base"], signed=True)
        rows.append([entry["why"], table.format_interval(entry["macro_f1"]), *scores, more])
    heads = ("recipe", "macro-F1", *LABELS, "macro-F1 minus the first")
    lead = ABLATIONS.format(n=runs["base"]["n"], looks=len(runs) - 1)
    return lead + table.format_rows(heads, rows)


def format_recipes(path: Path, titles: Mapping[str, str]) -> str:
    """Return the section with the table recipe x set x metric; without the file it is empty.

    Args:
        path: what ``train/compare_recipes.py`` wrote.
        titles: how each set is called.
    """
    if not path.is_file():
        return ""
    rows = []
    for number, model in enumerate(json.loads(path.read_text(encoding="utf-8"))["models"]):
        for name, entry in model["sets"].items():
            figures = [
                table.format_interval(
                    entry["metrics"].get(metric, table.NOTHING), percent=metric in table.PERCENT
                )
                for metric in METRICS
            ]
            lead = table.format_interval(entry["minus_first"], signed=True) if number else ""
            rows.append([model["name"], titles[name], f"{entry['n']:,}", *figures, lead])
    heads = ("recipe", "set", "rows", "macro-F1", "accuracy", "polarity flips", "holder found",
             "source found", "macro-F1 minus the first")  # fmt: skip
    return RECIPES + table.format_rows(heads, rows)
