"""Temperature and reliability threshold, fitted on validation rows."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import beta

from stance.bundle import LabelReliability, Reliability
from stance.calibration import softmax
from stance.training.recipe import ReliabilityChoice

NEVER = 1.01  # a confidence that no prediction reaches
COVERAGES = np.arange(0.20, 1.001, 0.02)  # tested in this order, fixed before the data are seen


def fit_temperature(logits: NDArray[np.floating], gold: NDArray[np.integer]) -> float:
    """Return the temperature with the least negative log-likelihood.

    Args:
        logits: (n, labels).
        gold: label ids, (n,).
    """

    def loss(log_temperature: float) -> float:
        scores = softmax(logits, float(np.exp(log_temperature)))
        return float(-np.log(scores[np.arange(len(gold)), gold] + 1e-12).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x))


def bound_accuracy(hits: int, n: int, level: float) -> float:
    """Return the lower Clopper-Pearson bound of an accuracy; 0 without rows."""
    return float(beta.ppf(1 - level, hits, n - hits + 1)) if hits else 0.0


def fit_reliability(
    confidence: NDArray[np.floating], correct: NDArray[np.bool_], choice: ReliabilityChoice
) -> Reliability:
    """Find the lowest confidence above which the accuracy is kept with the wanted certainty.

    Fixed sequence testing: candidate thresholds are the confidences at 20 %, 22 %, ... coverage,
    tested from the strictest on; the search stops at the first that fails, so the level holds
    for the threshold that is returned. A flag that covers less than a fifth is not worth having,
    and so few rows could hardly pass.

    Args:
        confidence: calibrated confidence, (n,).
        correct: whether the label was right, (n,).
        choice: the accuracy to keep and the certainty of keeping it.
    """
    ranked = np.sort(confidence)[::-1]
    n = len(ranked)
    threshold = NEVER
    for share in COVERAGES:
        candidate = ranked[max(1, round(n * share)) - 1]
        kept = confidence >= candidate
        hits, total = int(correct[kept].sum()), int(kept.sum())
        if bound_accuracy(hits, total, choice.level) < choice.accuracy:
            break
        threshold = float(candidate)
    coverage = float((confidence >= threshold).mean())
    return Reliability(threshold, choice.accuracy, choice.level, coverage, n)


def note_labels(
    fitted: Reliability,
    confidence: NDArray[np.floating],
    predicted: NDArray[np.integer],
    correct: NDArray[np.bool_],
    labels: tuple[str, ...],
) -> Reliability:
    """Return the same with what the threshold keeps of each predicted label.

    Args:
        fitted: the threshold.
        confidence: calibrated confidence, (n,).
        predicted: label ids by the model, (n,).
        correct: whether they were right, (n,).
        labels: the labels in the order of their ids.
    """
    kept = confidence >= fitted.threshold
    by_label: dict[str, LabelReliability] = {}
    for i, label in enumerate(labels):
        own = predicted == i
        both = own & kept
        by_label[label] = LabelReliability(
            n=int(own.sum()),
            coverage=float(kept[own].mean()) if own.any() else None,
            accuracy=float(correct[both].mean()) if both.any() else None,
        )
    return replace(fitted, by_label=by_label)


def describe_reliability(reliability: Reliability) -> str:
    """Return the card's table of the reliable flag on the validation rows, label by label."""
    lines = [
        f"| {label} | {part.n} | {format_share(part.coverage)} | {format_share(part.accuracy)} |"
        for label, part in (reliability.by_label or {}).items()
    ]
    said = (
        f"`reliable`: confidence of {reliability.threshold:.3f} or more, "
        f"{100 * reliability.coverage:.1f} % of {reliability.n} validation rows, the ones that the "
        f"threshold was fitted on for an accuracy of {100 * reliability.accuracy:.0f} %."
    )
    heads = "| predicted | rows | reliable | accuracy of these |\n| --- | --- | --- | --- |"
    return "\n".join(["", said, "", heads, *lines, ""])


def format_share(share: float | None) -> str:
    """Return a share in per cent; a dash where there is none."""
    return "-" if share is None else f"{100 * share:.1f} %"
