"""The metrics as an ``evaluate.Metric``, instantiated directly: nothing is fetched."""

from typing import Any

import evaluate
from evaluate.info import Features, Value

from stance.evaluation.metrics import compute_metrics, count_confusion


class StanceMetric(evaluate.Metric):  # type: ignore[misc] # evaluate has no types
    """Macro-F1 and its relatives over the fixed label list; see ``metrics.compute_metrics``.

    Example:
        >>> metric = StanceMetric(keep_in_memory=True)
        >>> metric.compute(predictions=[0, 3], references=[0, 3])["accuracy"]
        1.0
    """

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description="Metrics of stance toward negotiations over a fixed label list.",
            citation="",
            inputs_description="predictions and references: label ids in the order of LABELS.",
            features=Features({"predictions": Value("int64"), "references": Value("int64")}),
        )

    def _compute(self, *, predictions: Any, references: Any) -> dict[str, float]:
        confusion = count_confusion(references, predictions)
        return {name: float(value) for name, value in compute_metrics(confusion).items()}
