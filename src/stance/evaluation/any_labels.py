"""F1 over labels of any kind, for a sample and its resamples at once."""

import numpy as np
from numpy.typing import NDArray

from stance.evaluation.intervals import Array, Resamples
from stance.evaluation.metrics import divide


def compute_label_f1(
    draws: Resamples, gold: NDArray[np.integer], found: NDArray[np.integer], labels: int
) -> Array:
    """Return F1 by label, (1 + resamples, labels); NaN for one neither gold nor found there.

    Args:
        draws: resamples of n rows.
        gold: label ids, (n,).
        found: label ids, (n,).
        labels: number of labels.
    """
    is_gold, is_found = np.eye(labels)[gold], np.eye(labels)[found]
    return divide(2 * draws.sum(is_gold * is_found), draws.sum(is_gold + is_found), np.nan)


def compute_macro(f1: Array, gold: NDArray[np.integer]) -> Array:
    """Return the mean F1 of the labels that rows have, (1 + resamples,).

    Args:
        f1: by label, (1 + resamples, labels).
        gold: label ids of the rows, (n,).
    """
    return np.asarray(np.nanmean(f1[:, np.unique(gold)], axis=1))
