"""The metrics as ``evaluate.Metric`` classes, instantiated directly: nothing is fetched.

Predictions are scores of n statements, (n, 4), or where labels alone are looked at, label ids;
references are label ids in the order of ``LABELS``. Given scores, the classes work together in
``evaluate.combine``.
"""

from collections.abc import Callable
from typing import Any

import evaluate
import numpy as np
from evaluate.info import Features, Value
from numpy.typing import NDArray

from stance.calibration import softmax
from stance.errors import InputError
from stance.evaluation.intervals import draw_documents
from stance.evaluation.metrics import (
    compute_brier,
    compute_ece,
    compute_metrics,
    compute_selective,
    compute_spans,
    count_confusion,
)
from stance.evaluation.records import is_span
from stance.types import LABELS

OFFSETS = {"start": Value("int64"), "end": Value("int64")}
NO_SPAN = {"start": -1, "end": -1}
SCORES = Features({"predictions": [Value("float64")], "references": Value("int64")})
LABEL_IDS = Features({"predictions": Value("int64"), "references": Value("int64")})


def check_labels(name: str, values: Any) -> NDArray[np.int64]:
    """Return label ids, (n,).

    Raises:
        InputError: there are none, or one is no label id.
    """
    labels = np.asarray(values)
    if labels.ndim != 1 or not len(labels) or not np.isin(labels, range(len(LABELS))).all():
        strange = labels[~np.isin(labels, range(len(LABELS)))].tolist() if len(labels) else "none"
        raise InputError(
            name, expected=f"label ids from 0 to {len(LABELS) - 1}", found=str(strange)[:80],
            remedy="Give the places of the labels in stance.types.LABELS.",
        )  # fmt: skip
    return labels.astype(np.int64)


def check_scores(values: Any) -> NDArray[np.float64]:
    """Return probabilities, (n, 4).

    Raises:
        InputError: there are none, or a row is no distribution over the labels.
    """
    try:
        scores = np.asarray(values, dtype=float)
    except (TypeError, ValueError):  # rows of several lengths, or no numbers
        scores = np.empty(0)
    fits = scores.ndim == 2 and scores.shape[1] == len(LABELS) and len(scores) > 0
    if not fits or not (scores >= 0).all() or not np.allclose(scores.sum(axis=1), 1, atol=1e-3):
        raise InputError(
            "predictions", expected=f"rows of {len(LABELS)} probabilities that sum to 1",
            found="other numbers" if fits else f"shape {scores.shape}" if scores.size else "others",
            remedy="Apply a softmax to logits, and leave no row empty.",
        )  # fmt: skip
    return scores


def describe(text: str, *features: Features) -> evaluate.MetricInfo:
    """Return what the library wants to know of a metric."""
    return evaluate.MetricInfo(
        description=text, citation="", inputs_description=__doc__ or "", features=list(features)
    )


class CheckedMetric(evaluate.Metric):  # type: ignore[misc] # evaluate has no types
    """A metric that says what its input lacks, on which the library would stumble."""

    def compute(self, *, predictions: Any = None, references: Any = None, **options: Any) -> Any:
        """Compute the metric of these rows, or of those added before.

        Raises:
            InputError: there are no rows, or predictions or references alone.
        """
        if predictions is None and references is None and self.writer is None:
            self.check("predictions", None)  # nothing was added before either
        return super().compute(predictions=predictions, references=references, **options)

    def add_batch(self, *, predictions: Any = None, references: Any = None, **options: Any) -> None:
        """Add rows; refuse what ``compute`` refuses."""
        predictions, references = number_rows(predictions), number_rows(references)
        self.check("predictions", predictions)
        self.check("references", references)
        if len(predictions) != len(references):
            raise InputError(
                "metric",
                expected="one prediction and one reference a row",
                found=f"{len(predictions)} predictions and {len(references)} references",
                remedy="Give both for the same rows.",
            )
        super().add_batch(predictions=predictions, references=references, **options)

    def add(self, *, prediction: Any = None, reference: Any = None, **options: Any) -> None:
        """Add a row; refuse what ``compute`` refuses."""
        self.check("predictions", None if prediction is None else [prediction])
        self.check("references", None if reference is None else [reference])
        super().add(prediction=prediction, reference=reference, **options)

    def check(self, name: str, values: Any) -> None:
        """Raise unless there are values under that name, label ids among them whole.

        The library would cut a number to a whole one, and so make a label id of it.
        """
        refuse_none(name, values)
        if np.ndim(values[0]) == 0:
            check_labels(name, values)


def number_rows(values: Any) -> Any:
    """Return a column, or columns, of a data frame without their index; other values as they are.

    The index of a part of a frame need not begin with 0, where the library looks for a first row.
    """
    return values.to_numpy().tolist() if hasattr(values, "iloc") else values


def refuse_none(name: str, values: Any) -> None:
    """Raise when there are no values under that name."""
    if values is None or not len(values):
        raise InputError(
            name, expected="one a row, and at least one row", found="none",
            remedy="Give predictions and references, both of every row.",
        )  # fmt: skip


class StanceMetric(CheckedMetric):
    """Macro-F1 and its relatives over the fixed label list; see ``metrics.compute_metrics``.

    Example:
        >>> metric = StanceMetric(keep_in_memory=True)
        >>> metric.compute(predictions=[0, 3], references=[0, 3])["accuracy"]
        1.0
    """

    def _info(self) -> evaluate.MetricInfo:
        return describe("Stance toward negotiations over a fixed label list.", LABEL_IDS, SCORES)

    def _compute(self, *, predictions: Any, references: Any) -> dict[str, float]:
        gold, found = check_labels("references", references), np.asarray(predictions)
        if found.ndim == 1:
            labels = check_labels("predictions", found)
        else:
            labels = check_scores(found).argmax(axis=1)
        values = compute_metrics(count_confusion(gold, labels))
        return {name: float(value) for name, value in values.items()}


class CalibrationMetric(CheckedMetric):
    """Calibration error (15 bins of equal mass) and Brier score of probabilities.

    Example:
        >>> metric = CalibrationMetric(keep_in_memory=True)
        >>> metric.compute(predictions=[[1.0, 0, 0, 0], [0, 0, 0, 1.0]], references=[0, 3])["brier"]
        0.0
    """

    def _info(self) -> evaluate.MetricInfo:
        return describe("Calibration of stance probabilities.", SCORES)

    def _compute(self, *, predictions: Any, references: Any) -> dict[str, float]:
        scores, gold = check_scores(predictions), check_labels("references", references)
        alone = draw_documents(np.arange(len(gold)), resamples=0)
        correct = scores.argmax(axis=1) == gold
        return {
            "ece": float(compute_ece(alone, scores.max(axis=1), correct)[0]),
            "brier": float(compute_brier(alone, scores, gold)[0]),
        }


class SelectiveMetric(CheckedMetric):
    """Area under the risk-coverage curve, and accuracy of the most confident 70, 80 and 90 %.

    Example:
        >>> metric = SelectiveMetric(keep_in_memory=True)
        >>> metric.compute(predictions=[[1.0, 0, 0, 0], [0, 0, 0, 1.0]], references=[0, 3])["aurc"]
        0.0
    """

    def _info(self) -> evaluate.MetricInfo:
        return describe("Accuracy of the confident predictions.", SCORES)

    def _compute(self, *, predictions: Any, references: Any) -> dict[str, float]:
        scores, gold = check_scores(predictions), check_labels("references", references)
        alone = draw_documents(np.arange(len(gold)), resamples=0)
        correct = scores.argmax(axis=1) == gold
        values = compute_selective(alone, scores.max(axis=1), correct)
        return {name: float(value[0]) for name, value in values.items()}


class SpanMetric(CheckedMetric):
    """How well spans are found: predictions and references are spans, from -1 to -1 for none.

    Where nobody names a span there is nothing to find, and every figure is NaN.

    Example:
        >>> metric = SpanMetric(keep_in_memory=True)
        >>> spans = [{"start": 0, "end": 4}, {"start": -1, "end": -1}]
        >>> metric.compute(predictions=spans, references=spans)["exact"]
        1.0
    """

    def _info(self) -> evaluate.MetricInfo:
        features = Features({"predictions": OFFSETS, "references": OFFSETS})
        return describe("Holder or source spans, in characters.", features)

    def check(self, name: str, values: Any) -> None:
        """Raise unless there are spans under that name, each whole or none."""
        refuse_none(name, values)
        for i, span in enumerate(values):
            if span != NO_SPAN and not is_span(span):
                raise InputError(
                    f"{name} row {i}",
                    expected="a start and an end after it, or -1 and -1 for no span",
                    found=str(span)[:80],
                    remedy="Give both offsets, in characters from 0.",
                )

    def _compute(self, *, predictions: Any, references: Any) -> dict[str, float]:
        gold, found = ([span if span["start"] >= 0 else None for span in spans]
                       for spans in (references, predictions))  # fmt: skip
        alone = draw_documents(np.arange(len(gold)), resamples=0)
        return {name: float(v[0]) for name, v in compute_spans(alone, gold, found).items()}


def score_trainer(*metrics: evaluate.Metric) -> Callable[[Any], dict[str, float]]:
    """Return a ``compute_metrics`` for a ``transformers.Trainer`` that computes these metrics.

    Args:
        metrics: instances of classes that take scores.

    Returns:
        A function of a ``transformers.EvalPrediction`` whose predictions, or the first of them, are
        logits, (n, 4), and whose label ids, or the first of them, are label ids.
    """

    def compute(prediction: Any) -> dict[str, float]:
        gold, logits = (
            part[0] if isinstance(part, tuple) else part
            for part in (prediction.label_ids, prediction.predictions)
        )
        scores = softmax(np.asarray(logits))
        found: dict[str, float] = {}
        for metric in metrics:
            found |= metric.compute(predictions=scores.tolist(), references=gold)
        return found

    return compute
