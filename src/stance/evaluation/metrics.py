"""Metrics over a fixed label list."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stance.types import LABELS

FAVOR, CONDITIONAL, AGAINST, NEUTRAL = range(len(LABELS))


def count_confusion(
    gold: Sequence[int] | NDArray[np.integer],
    predicted: Sequence[int] | NDArray[np.integer],
    weights: NDArray[np.floating] | None = None,
) -> NDArray[np.float64]:
    """Count label pairs.

    Args:
        gold: label ids, (n,).
        predicted: label ids, (n,).
        weights: weight of each row, (n,); None for 1 each.

    Returns:
        (labels, labels): rows are gold, columns predicted.
    """
    size = len(LABELS)
    pairs = np.asarray(gold, dtype=np.int64) * size + np.asarray(predicted, dtype=np.int64)
    counts = np.bincount(pairs, weights=weights, minlength=size**2)
    return np.asarray(counts, dtype=np.float64).reshape(size, size)


def compute_f1(confusion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return F1 by label, (..., labels); 0 for a label that is neither gold nor predicted."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    total = confusion.sum(axis=-1) + confusion.sum(axis=-2)
    out = np.zeros(hits.shape)
    return np.asarray(np.divide(2 * hits, total, out=out, where=total > 0))


def compute_metrics(confusion: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return the metrics that a confusion matrix holds.

    Args:
        confusion: (..., labels, labels); leading axes are resamples.

    Returns:
        By name, arrays of the leading shape. ``macro_f1_three`` leaves the label
        ``conditional`` out of the mean, not out of the rows.
    """
    f1 = compute_f1(confusion)
    total = confusion.sum(axis=(-2, -1))
    flips = confusion[..., FAVOR, AGAINST] + confusion[..., AGAINST, FAVOR]
    return {
        "macro_f1": f1.mean(axis=-1),
        "macro_f1_three": f1[..., [FAVOR, AGAINST, NEUTRAL]].mean(axis=-1),
        "f1_favor_against": f1[..., [FAVOR, AGAINST]].mean(axis=-1),
        "accuracy": np.trace(confusion, axis1=-2, axis2=-1) / total,
        "polarity_flip_rate": flips / total,
    }


def sum_confusions(
    weights: NDArray[np.float64], gold: NDArray[np.integer], predicted: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Return one confusion matrix for each set of row weights.

    Args:
        weights: (m, n).
        gold: label ids, (n,).
        predicted: label ids, (n,).

    Returns:
        (m, labels, labels): rows are gold, columns predicted.
    """
    size = len(LABELS)
    cells = np.zeros((len(gold), size**2))
    cells[np.arange(len(gold)), np.asarray(gold) * size + np.asarray(predicted)] = 1.0
    return np.asarray(weights @ cells).reshape(-1, size, size)


def compute_ece(
    weights: NDArray[np.float64],
    confidence: NDArray[np.float64],
    correct: NDArray[np.bool_],
    bins: int = 15,
) -> NDArray[np.float64]:
    """Return the expected calibration error, equal-mass bins, for each set of weights, (m,).

    Args:
        weights: (m, n).
        confidence: (n,).
        correct: (n,).
        bins: number of bins; their edges are quantiles of the confidences.
    """
    edges = np.quantile(confidence, np.linspace(0, 1, bins + 1)[1:-1])
    members = np.eye(bins)[np.searchsorted(edges, confidence, side="right")]
    gaps = weights @ (members * (np.asarray(correct) - confidence)[:, None])
    return np.asarray(np.abs(gaps).sum(axis=1) / weights.sum(axis=1))


def compute_brier(
    weights: NDArray[np.float64], scores: NDArray[np.float64], gold: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Return the Brier score (sum over labels, 0 to 2) for each set of weights, (m,)."""
    errors = ((scores - np.eye(len(LABELS))[gold]) ** 2).sum(axis=1)
    return np.asarray(weights @ errors / weights.sum(axis=1))


def compute_aurc(
    weights: NDArray[np.float64], confidence: NDArray[np.float64], correct: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the area under the risk-coverage curve for each set of weights, (m,).

    Statements are answered from the most confident on; the curve is the error rate among the
    answered at each coverage. 0 is perfect.
    """
    order = np.argsort(-confidence, kind="stable")
    ranked = weights[:, order]
    answered = ranked.cumsum(axis=1)
    errors = (ranked * ~np.asarray(correct)[order]).cumsum(axis=1)
    risk = np.divide(errors, answered, out=np.zeros_like(errors), where=answered > 0)
    return np.asarray((risk * ranked).sum(axis=1) / ranked.sum(axis=1))


def compute_iou(left: dict[str, int] | None, right: dict[str, int] | None) -> float:
    """Return the character overlap of two spans over their union; 1 where both are None."""
    if left is None or right is None:
        return float(left is right)
    shared = min(left["end"], right["end"]) - max(left["start"], right["start"])
    if shared <= 0:
        return 0.0
    return shared / (right["end"] - right["start"] + left["end"] - left["start"] - shared)
