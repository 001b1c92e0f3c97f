"""What a report draws: reliability, risk against coverage, and the misread rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.evaluation.metrics import bin_rows
from stance.evaluation.records import Record
from stance.rows import Row
from stance.types import LABELS

POINTS = 50  # of the risk-coverage curve


def trace_reliability(records: Sequence[Record], gold: NDArray[np.int64]) -> list[dict[str, float]]:
    """Return mean confidence, accuracy and n of each confidence bin, the lowest first."""
    confidence, correct = rate(records, gold)
    bins = bin_rows(confidence)
    return [
        {
            "n": int((bins == i).sum()),
            "confidence": round(float(confidence[bins == i].mean()), 6),
            "accuracy": round(float(correct[bins == i].mean()), 6),
        }
        for i in np.unique(bins)
    ]


def trace_risk(records: Sequence[Record], gold: NDArray[np.int64]) -> list[dict[str, float]]:
    """Return the error rate among the most confident, at even steps of coverage up to 1."""
    confidence, correct = rate(records, gold)
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    last = np.searchsorted(-ranked, -ranked, side="right") - 1  # ties are answered together
    risk = (~correct[order]).cumsum()[last] / (last + 1)
    steps = np.ceil(np.linspace(0, 1, POINTS + 1)[1:] * len(ranked)).astype(int) - 1
    return [
        {
            "coverage": round(float((last[i] + 1) / len(ranked)), 6),
            "risk": round(float(risk[i]), 6),
            "confidence": round(float(ranked[i]), 6),
        }
        for i in np.unique(last[steps])
    ]


def rate(
    records: Sequence[Record], gold: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return confidence and whether the label is right, (n,) each."""
    confidence = np.array([max(record.scores) for record in records])
    labels = np.array([LABELS.index(record.label) for record in records])
    return confidence, labels == gold


def find_misread(rows: Sequence[Row], records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return the rows with another label than gold, the most confident mistake first."""
    wrong = [
        {
            "id": row.id,
            "gold": row.label,
            "predicted": record.label,
            "scores": list(record.scores),
            "reliable": record.reliable,
        }
        for row, record in zip(rows, records, strict=True)
        if row.label != record.label
    ]
    return sorted(wrong, key=lambda entry: -max(entry["scores"]))
