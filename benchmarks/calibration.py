"""How many groups the curves of the calibration need, by log-loss on rows they were not fitted on.

    STANCE_CORPORA=DIR python benchmarks/calibration.py

Ten folds of the real-news validation rows, whole documents together, in five orders: temperature
and curves are fitted on nine folds and judged on the tenth, on the outputs of the released file.
Prints the log-loss of each number of groups, and of the temperature alone. No test row is read.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold

from contenders import RELEASED
from stance.bundle import read_bundle
from stance.calibration import Calibration
from stance.layers import find_corpora
from stance.selection import Source, select_rows
from stance.sets import find_data
from stance.training.calibrate import fit_calibration, fit_temperature, score_validation
from stance.training.recipe import Recipe, build
from stance.types import LABELS

GROUPS = (3, 4, 5, 6, 8, 10, 12)
ORDERS = 5

Fit = Callable[[NDArray[np.floating], NDArray[np.integer]], Calibration]


def main() -> None:
    """Fit, judge, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    options = parser.parse_args()
    source = Source(find_data(options.data_dir), find_corpora(), release=True, left_out=None)
    rows = select_rows(source, train=(), validation=("realnews",))
    recipe: Recipe = build(Recipe, read_bundle(RELEASED).settings.recipe, str(RELEASED))
    logits = score_validation(RELEASED, recipe, rows)
    gold = np.array([LABELS.index(row.label) for row in rows.validation])
    documents = [row.document for row in rows.validation]
    fits: dict[str, Fit] = {"temperature alone": lambda x, y: Calibration(fit_temperature(x, y))}
    for groups in GROUPS:
        fits[f"{groups} groups"] = lambda x, y, n=groups: fit_calibration(x, y, LABELS, n)
    print(f"{len(gold)} rows of {len(set(documents))} documents; mean log-loss [least, most]")
    for name, fit in fits.items():
        losses = [judge(fit, logits, gold, documents, order) for order in range(ORDERS)]
        print(f"{name:18} {np.mean(losses):.4f} [{min(losses):.4f}, {max(losses):.4f}]")


def judge(
    fit: Fit, logits: NDArray[np.floating], gold: NDArray[np.integer], documents: list[str],
    order: int,
) -> float:  # fmt: skip
    """Return the log-loss of rows that are each judged by what was fitted without their document.

    Args:
        fit: makes a calibration of logits and label ids.
        logits: (n, labels).
        gold: label ids, (n,).
        documents: the rows' documents.
        order: which assignment of the documents to folds.
    """
    scores = np.empty(logits.shape)
    folds = GroupKFold(10, shuffle=True, random_state=order)
    for others, judged in folds.split(logits, groups=documents):
        scores[judged] = fit(logits[others], gold[others]).calibrate(logits[judged], LABELS)
    return float(log_loss(gold, scores))


if __name__ == "__main__":
    main()
