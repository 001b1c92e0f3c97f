"""Metrics over a fixed label list, each for a sample and its resamples at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stance.errors import InputError
from stance.evaluation.intervals import Array, Interval, Resamples, bound_f1
from stance.types import LABELS

FAVOR, CONDITIONAL, AGAINST, NEUTRAL = range(len(LABELS))
BINS = 15
COVERAGES = (70, 80, 90)  # per cent of the statements, the most confident ones
MATCH_IOU = 0.5
MEANS = {
    "macro_f1": (FAVOR, CONDITIONAL, AGAINST, NEUTRAL),
    "macro_f1_three": (FAVOR, AGAINST, NEUTRAL),
    "f1_favor_against": (FAVOR, AGAINST),
}
"""Means of F1. ``macro_f1_three`` leaves ``conditional`` out of the mean, not out of the rows."""
SHARES = ("accuracy", "polarity_flip_rate")  # of all rows, among the metrics of a confusion


def count_confusion(
    gold: Sequence[int] | NDArray[np.integer],
    predicted: Sequence[int] | NDArray[np.integer],
    weights: NDArray[np.floating] | None = None,
) -> Array:
    """Count label pairs.

    Args:
        gold: label ids, (n,).
        predicted: label ids, (n,).
        weights: weight of each row, (n,); None for 1 each.

    Returns:
        (labels, labels): rows are gold, columns predicted.

    Raises:
        InputError: there are no labels, or not as many of one kind as of the other.
    """
    size = len(LABELS)
    counts = np.bincount(pair_labels(gold, predicted), weights=weights, minlength=size**2)
    return np.asarray(counts, dtype=np.float64).reshape(size, size)


def sum_confusions(
    draws: Resamples, gold: NDArray[np.integer], predicted: NDArray[np.integer]
) -> Array:
    """Return one confusion matrix for each resample, (1 + resamples, labels, labels)."""
    size = len(LABELS)
    return draws.sum(np.eye(size**2)[pair_labels(gold, predicted)]).reshape(-1, size, size)


def pair_labels(
    gold: Sequence[int] | NDArray[np.integer], predicted: Sequence[int] | NDArray[np.integer]
) -> NDArray[np.int64]:
    """Return the cell of the confusion matrix that each row falls into, (n,)."""
    if not len(gold) or len(gold) != len(predicted):  # numpy would stretch one label to all rows
        raise InputError(
            "metrics",
            expected="gold and predicted labels, one of each a row",
            found=f"{len(gold)} and {len(predicted)}",
            remedy="Give both for the same rows.",
        )
    return np.asarray(gold, dtype=np.int64) * len(LABELS) + np.asarray(predicted, dtype=np.int64)


def compute_f1(confusion: Array) -> Array:
    """Return F1 by label, (..., labels); 0 for a label that is neither gold nor predicted."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    return divide(2 * hits, confusion.sum(axis=-1) + confusion.sum(axis=-2))


def compute_metrics(confusion: Array) -> dict[str, Array]:
    """Return the metrics that a confusion matrix holds.

    Args:
        confusion: (..., labels, labels); leading axes are resamples.

    Returns:
        By name, arrays of the leading shape: ``MEANS`` and ``SHARES``.
    """
    f1 = compute_f1(confusion)
    total = confusion.sum(axis=(-2, -1))
    flips = confusion[..., FAVOR, AGAINST] + confusion[..., AGAINST, FAVOR]
    return {
        **{name: f1[..., labels].mean(axis=-1) for name, labels in MEANS.items()},
        "accuracy": divide(np.trace(confusion, axis1=-2, axis2=-1), total, np.nan),
        "polarity_flip_rate": divide(flips, total, np.nan),
    }


def bound_labels(
    draws: Resamples, gold: NDArray[np.integer], predicted: NDArray[np.integer]
) -> list[Interval | None]:
    """Return F1 with its bound by label where it is 0 or 1, which resamples cannot bound.

    A label that is neither gold nor predicted counts 0 in every sample. One document gives no
    bound: NaN. None: F1 is between.
    """
    found: list[Interval | None] = []
    counts = draws.weights > 0
    for label in range(len(LABELS)):
        is_gold, is_found = (gold == label) & counts, (predicted == label) & counts
        either, both = is_gold | is_found, is_gold & is_found
        if not either.any():
            found.append(Interval(0.0, 0.0, 0.0))
        elif not both.any() or (both == either).all():
            found.append(bound_f1(float(both.any()), draws.count_documents(either)))
        else:
            found.append(None)
    if draws.counts.shape[1] < 2:
        return [bound and Interval(bound.value, np.nan, np.nan) for bound in found]
    return found


def bound_means(
    draws: Resamples, gold: NDArray[np.integer], predicted: NDArray[np.integer]
) -> dict[str, Interval]:
    """Return by name the means in which each F1 is 0 or 1, with the means of the labels' bounds.

    These are wide: not all labels are so much worse than they look at once.
    """
    bounds = bound_labels(draws, gold, predicted)
    means = {name: [bounds[label] for label in labels] for name, labels in MEANS.items()}
    return {
        name: average_bounds([bound for bound in parts if bound])
        for name, parts in means.items()
        if all(parts)
    }


def average_bounds(bounds: Sequence[Interval]) -> Interval:
    """Return the mean of values and of their bounds."""
    return Interval(*np.mean([(b.value, b.low, b.high) for b in bounds], axis=0).tolist())


def compute_ece(draws: Resamples, confidence: Array, correct: NDArray[np.bool_]) -> Array:
    """Return the expected calibration error, (1 + resamples,).

    Bins of equal mass, their edges quantiles of the sample's confidences; rows of one confidence
    share a bin. Read from few rows the error is too high, and resamples lie higher still: in a
    sample of a perfectly calibrated judge no percentile interval reaches 0, so none is reported.

    Args:
        draws: resamples of n rows.
        confidence: (n,).
        correct: (n,).
    """
    gaps = draws.sum(np.eye(BINS)[bin_rows(confidence)] * (correct - confidence)[:, None])
    return divide(np.abs(gaps).sum(axis=1), draws.sum(np.ones(len(confidence))), np.nan)


def bin_rows(confidence: Array) -> NDArray[np.int64]:
    """Return the bin of each row, (n,): ``BINS`` bins of equal mass."""
    edges = np.quantile(confidence, np.linspace(0, 1, BINS + 1)[1:-1])
    return np.searchsorted(edges, confidence, side="right")


def compute_brier(draws: Resamples, scores: Array, gold: NDArray[np.integer]) -> Array:
    """Return the Brier score (sum over labels, 0 to 2), (1 + resamples,)."""
    errors = ((scores - np.eye(len(LABELS))[gold]) ** 2).sum(axis=1)
    return divide(draws.sum(errors), draws.sum(np.ones(len(gold))), np.nan)


def compute_selective(
    draws: Resamples, confidence: Array, correct: NDArray[np.bool_]
) -> dict[str, Array]:
    """Return what answering only the most confident statements gives, (1 + resamples,) each.

    ``aurc`` is the area under the risk-coverage curve: the error rate among the answered, averaged
    over coverages; 0 is perfect. ``accuracy_at_80`` is the accuracy of the most confident 80 % of
    the weight. Rows of one confidence are answered together or not at all.
    """
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    last = np.searchsorted(-ranked, -ranked, side="right") - 1
    wrong = ~np.asarray(correct)[order]
    result: dict[str, list[Array]] = {"aurc": [], **{f"accuracy_at_{c}": [] for c in COVERAGES}}
    for weights in draws.blocks(order):
        answered = weights.cumsum(axis=1)
        total = answered[:, -1]
        risk = divide((weights * wrong).cumsum(axis=1), answered)[:, last]
        result["aurc"].append(divide((risk * weights).sum(axis=1), total, np.nan))
        for coverage in COVERAGES:
            wanted = total * coverage / 100 * (1 - 1e-12)  # 70 % of 10 rows are 7, not 8
            first = (answered < wanted[:, None]).sum(axis=1)
            result[f"accuracy_at_{coverage}"].append(1 - risk[np.arange(len(risk)), first])
    return {name: np.concatenate(parts) for name, parts in result.items()}


def compute_spans(
    draws: Resamples, gold: Sequence[dict[str, int] | None], found: Sequence[dict[str, int] | None]
) -> dict[str, Array]:
    """Return how well spans are found, (1 + resamples,) each.

    ``f1`` and ``exact`` count spans: a predicted one is a hit at a character overlap (IoU) of at
    least 0.5, or of 1. ``share`` counts the rows whose gold names the span: the share that has it
    at an overlap of at least 0.5; a row predicted neutral is a miss.
    """
    has_gold = np.array([span is not None for span in gold])
    has_found = np.array([span is not None for span in found])
    overlaps = np.array([compute_iou(a, b) for a, b in zip(gold, found, strict=True)])
    both = has_gold & has_found
    hits, exact = both & (overlaps >= MATCH_IOU), both & (overlaps == 1)
    sums = draws.sum(np.column_stack([hits, exact, has_gold, has_found]))
    spans = sums[:, 2] + sums[:, 3]
    return {
        "f1": divide(2 * sums[:, 0], spans, np.nan),
        "exact": divide(2 * sums[:, 1], spans, np.nan),
        "share": divide(sums[:, 0], sums[:, 2], np.nan),
    }


def compute_iou(left: dict[str, int] | None, right: dict[str, int] | None) -> float:
    """Return the character overlap of two spans over their union; 1 where both are None."""
    if left is None or right is None:
        return float(left is right)
    shared = min(left["end"], right["end"]) - max(left["start"], right["start"])
    if shared <= 0:
        return 0.0
    return shared / (right["end"] - right["start"] + left["end"] - left["start"] - shared)


def divide(above: ArrayLike, below: ArrayLike, otherwise: float = 0.0) -> Array:
    """Divide; where there is nothing to divide by, ``otherwise`` (0 for F1, as in scikit-learn)."""
    over, under = np.asarray(above, dtype=float), np.asarray(below, dtype=float)
    out = np.full(np.broadcast_shapes(over.shape, under.shape), otherwise)
    return np.asarray(np.divide(over, under, out=out, where=under > 0))
