"""Temperature, curves and reliability thresholds, fitted on validation rows."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.stats import beta
from sklearn.isotonic import IsotonicRegression

from stance.bundle import ONNX, TOKENIZER, LabelReliability, NeutralReliability, Reliability
from stance.calibration import Calibration, Curve, Curves, softmax
from stance.runtime import Runtime
from stance.selection import Rows
from stance.training.recipe import Recipe, ReliabilityChoice
from stance.types import NEUTRAL

MANY = 100  # rows from which a temperature is whatever they say
BOUNDS = (-2.0, 2.0)  # of its logarithm: 0.14 to 7.4
BOUNDS_OF_FEW = (0.0, 1.1)  # 1 to 3: a few rows prove neither much more confidence nor much less
NEVER = 1.01  # a confidence that no prediction reaches
GROUPS = 5  # of the curves; chosen by benchmarks/calibration.py
COVERAGES = np.arange(0.20, 1.001, 0.02)  # tested in this order, fixed before the data are seen

log = logging.getLogger(__name__)


def fit_temperature(logits: NDArray[np.floating], gold: NDArray[np.integer]) -> float:
    """Return the temperature with the least negative log-likelihood, 0.14 to 7.4.

    From fewer than ``MANY`` rows it is between 1 and 3.

    Args:
        logits: (n, labels).
        gold: label ids, (n,).
    """

    def loss(log_temperature: float) -> float:
        scores = softmax(logits, float(np.exp(log_temperature)))
        return float(-np.log(scores[np.arange(len(gold)), gold] + 1e-12).mean())

    bounds = BOUNDS if len(gold) >= MANY else BOUNDS_OF_FEW
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def fit_calibration(
    logits: NDArray[np.floating],
    gold: NDArray[np.integer],
    labels: tuple[str, ...],
    groups: int = GROUPS,
) -> Calibration:
    """Return a temperature, and curves for rows that are read as neutral and for the others.

    A model that was taught rows rich in stances is too sure of stances, and too little of neutral,
    and no temperature straightens that. Without neutral, or with too few rows of either kind,
    there is a temperature alone.

    Args:
        logits: (n, labels).
        gold: label ids, (n,).
        labels: the labels in the order of their ids.
        groups: see ``fit_curve``.
    """
    temperature = fit_temperature(logits, gold)
    found = logits.argmax(axis=1)
    neutral = found == (labels.index(NEUTRAL) if NEUTRAL in labels else -1)
    if min(neutral.sum(), (~neutral).sum()) < MANY:
        return Calibration(temperature)
    confidence, correct = softmax(logits, temperature).max(axis=1), found == gold
    stances, others = (
        fit_curve(confidence[part], correct[part], 1 / len(labels), groups)
        for part in (~neutral, neutral)
    )
    return Calibration(temperature, Curves(stances, others))


def fit_curve(
    confidence: NDArray[np.floating],
    correct: NDArray[np.bool_],
    chance: float,
    groups: int = GROUPS,
) -> Curve:
    """Return what confidences are worth, from groups of rows of equal size.

    The share of right rows of each group, one right and one wrong row added so that none is sure;
    groups out of order are pooled (centred isotonic regression: Oron and Flournoy 2017), so that
    the curve rises from knot to knot. It starts where nothing is known, at chance, and is flat
    beyond the last knot, where rows are ranked alike.

    Args:
        confidence: (n,).
        correct: whether the label was right, (n,).
        chance: 1 / labels, the lowest confidence there is.
        groups: number of the groups.
    """
    parts = np.array_split(np.argsort(confidence, kind="stable"), groups)
    sizes = np.array([len(part) for part in parts])
    centres = np.array([confidence[part].mean() for part in parts])
    shares = np.array([(correct[part].sum() + 1) / (len(part) + 2) for part in parts])
    rising = IsotonicRegression(y_min=chance).fit_transform(centres, shares, sample_weight=sizes)
    pooled = {
        float(level): float(np.average(centres[rising == level], weights=sizes[rising == level]))
        for level in np.unique(rising)
    }
    knots = [(x, level) for level, x in pooled.items() if min(x, level) > chance]
    confidences, accuracies = zip((chance, chance), *knots, strict=True)
    return Curve(confidences, accuracies)


def bound_accuracy(hits: int, n: int, level: float) -> float:
    """Return the lower Clopper-Pearson bound of an accuracy; 0 without rows."""
    return float(beta.ppf(1 - level, hits, n - hits + 1)) if hits else 0.0


def fit_reliability(
    confidence: NDArray[np.floating], correct: NDArray[np.bool_], accuracy: float, level: float
) -> Reliability:
    """Find the lowest confidence above which the accuracy is kept with the wanted certainty.

    Fixed sequence testing: candidate thresholds are the confidences at 20 %, 22 %, ... coverage,
    tested from the strictest on; the search stops at the first that fails, so the level holds
    for the threshold that is returned. A flag that covers less than a fifth is not worth having,
    and so few rows could hardly pass.

    Args:
        confidence: calibrated confidence, (n,).
        correct: whether the label was right, (n,).
        accuracy: the accuracy to keep.
        level: the certainty of keeping it.
    """
    ranked = np.sort(confidence)[::-1]
    n = len(ranked)
    threshold = NEVER
    for share in COVERAGES if n else ():
        candidate = ranked[max(1, round(n * share)) - 1]
        kept = confidence >= candidate
        hits, total = int(correct[kept].sum()), int(kept.sum())
        if bound_accuracy(hits, total, level) < accuracy:
            break
        threshold = float(candidate)
    coverage = float((confidence >= threshold).mean()) if n else 0.0
    return Reliability(threshold, accuracy, level, coverage, n)


def fit_promises(
    confidence: NDArray[np.floating],
    correct: NDArray[np.bool_],
    neutral: NDArray[np.bool_],
    choice: ReliabilityChoice,
) -> Reliability:
    """Find the confidences for neutral predictions and for stances, each with its promise.

    Both are kept together with the wanted certainty: each is tested with half the error
    (Bonferroni).

    Args:
        confidence: calibrated confidence, (n,).
        correct: whether the label was right, (n,).
        neutral: whether the label was neutral, (n,).
        choice: the accuracies to keep and the certainty of keeping them.
    """
    level = 1 - (1 - choice.level) / 2
    stances, others = (
        fit_reliability(confidence[part], correct[part], accuracy, level)
        for part, accuracy in ((~neutral, choice.accuracy), (neutral, choice.neutral_accuracy))
    )
    kept = confidence >= np.where(neutral, others.threshold, stances.threshold)
    return replace(
        stances,
        level=choice.level,
        coverage=float(kept.mean()),
        n=len(confidence),
        neutral=NeutralReliability(others.threshold, choice.neutral_accuracy),
    )


def flag(
    fitted: Reliability,
    confidence: NDArray[np.floating],
    predicted: NDArray[np.integer],
    labels: tuple[str, ...],
) -> NDArray[np.bool_]:
    """Return whether predictions are reliable, (n,).

    Args:
        fitted: the thresholds.
        confidence: calibrated confidence, (n,).
        predicted: label ids by the model, (n,).
        labels: the labels in the order of their ids.
    """
    thresholds = np.array([fitted.get_threshold(label) for label in labels])
    return np.asarray(confidence >= thresholds[predicted])


def note_labels(
    fitted: Reliability,
    confidence: NDArray[np.floating],
    predicted: NDArray[np.integer],
    correct: NDArray[np.bool_],
    labels: tuple[str, ...],
) -> Reliability:
    """Return the same with what the thresholds keep of each predicted label.

    Args:
        fitted: the thresholds.
        confidence: calibrated confidence, (n,).
        predicted: label ids by the model, (n,).
        correct: whether they were right, (n,).
        labels: the labels in the order of their ids.
    """
    kept = flag(fitted, confidence, predicted, labels)
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


def score_validation(out: Path, recipe: Recipe, rows: Rows) -> NDArray[np.floating]:
    """Return the logits of the validation rows as the ONNX file gives them, (n, labels)."""
    runtime = Runtime(
        out / ONNX,
        out / TOKENIZER,
        max_tokens=recipe.encoder.max_tokens,
        device="cpu",
        labels=rows.labels,
    )
    return np.stack([scores.logits for scores in runtime.score([r.text for r in rows.validation])])


def calibrate(
    logits: NDArray[np.floating], recipe: Recipe, rows: Rows
) -> tuple[Calibration, Reliability]:
    """Fit calibration and reliability thresholds on the logits of the validation rows."""
    gold = np.array([rows.labels.index(row.label) for row in rows.validation])
    fitted = fit_calibration(logits, gold, rows.labels)
    if len(gold) < MANY:
        log.warning("only %d validation rows: probabilities are hardly calibrated", len(gold))
    confidence = fitted.calibrate(logits, rows.labels).max(axis=1)
    predicted = logits.argmax(axis=1)
    correct = predicted == gold
    choice = recipe.reliability
    if choice.neutral_accuracy and NEUTRAL in rows.labels:
        neutral = predicted == rows.labels.index(NEUTRAL)
        reliability = fit_promises(confidence, correct, neutral, choice)
    else:
        reliability = fit_reliability(confidence, correct, choice.accuracy, choice.level)
    return fitted, note_labels(reliability, confidence, predicted, correct, rows.labels)
