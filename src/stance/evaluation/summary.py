"""Rows and records to figures with intervals."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy import nan
from numpy.typing import NDArray

from stance.errors import InputError
from stance.evaluation import metrics
from stance.evaluation.intervals import Interval, draw_documents, estimate
from stance.evaluation.records import Record
from stance.rows import Row
from stance.types import LABELS, NEUTRAL

MATCH_IOU = 0.5
Array = NDArray[np.float64]


def summarize(rows: Sequence[Row], records: Sequence[Record]) -> dict[str, Any]:
    """Return one set's entry of ``results.json``.

    Args:
        rows: n labelled rows.
        records: the model's and the baselines' answers, in the order of the rows.

    Raises:
        InputError: there are no rows.
    """
    if not rows:
        raise InputError(
            "evaluation", expected="at least one row", found="none", remedy="Check the set."
        )
    gold = encode([row.label for row in rows])
    predicted = encode([record.label for record in records])
    weights = np.ones(len(rows))
    shares = np.array([row.fields.get("weight", 1.0) for row in rows])
    draws = draw_documents([row.document for row in rows])
    names = list(records[0].baselines)
    return {
        "n": len(rows),
        "documents": len({row.document for row in rows}),
        "metrics": {
            **summarize_labels(gold, predicted, draws, weights),
            **summarize_scores(gold, predicted, records, draws, weights),
            **summarize_spans(rows, records, draws, weights),
        },
        "per_label": summarize_each_label(gold, predicted, draws, weights),
        # The same labels weighted back from the strata to the pools they were drawn from.
        "weighted": None
        if (shares == 1).all()
        else summarize_labels(gold, predicted, draws, shares),
        "confusion": metrics.count_confusion(gold, predicted).astype(int).tolist(),
        "baselines": {
            name: {
                "metrics": summarize_labels(
                    gold, encode([record.baselines[name] for record in records]), draws, weights
                )
            }
            for name in names
        },
    }


def encode(labels: Sequence[str]) -> NDArray[np.int64]:
    """Return label ids, (n,)."""
    return np.array([LABELS.index(label) for label in labels])


def summarize_labels(
    gold: NDArray[np.int64], predicted: NDArray[np.int64], draws: Array, weights: Array
) -> dict[str, Any]:
    """Return the metrics that labels alone decide."""

    def pick(name: str, rows: Array) -> Array:
        confusions = metrics.sum_confusions(rows, gold, predicted)
        return np.asarray(metrics.compute_metrics(confusions)[name])

    names = metrics.compute_metrics(metrics.count_confusion(gold, predicted))
    return {name: estimate(partial(pick, name), draws, weights).to_dict() for name in names}


def summarize_scores(
    gold: NDArray[np.int64],
    predicted: NDArray[np.int64],
    records: Sequence[Record],
    draws: Array,
    weights: Array,
) -> dict[str, Any]:
    """Return calibration, selective accuracy and what the reliable flag keeps."""
    scores = np.array([record.scores for record in records])
    reliable = np.array([record.reliable for record in records])
    confidence, correct = scores.max(axis=1), gold == predicted
    stance = reliable & (predicted != LABELS.index(NEUTRAL))
    statistics: dict[str, Callable[[Array], Array]] = {
        "ece": lambda rows: metrics.compute_ece(rows, confidence, correct),
        "brier": lambda rows: metrics.compute_brier(rows, scores, gold),
        "aurc": lambda rows: metrics.compute_aurc(rows, confidence, correct),
        "reliable_share": lambda rows: divide(rows @ reliable, rows.sum(axis=1)),
        "reliable_accuracy": lambda rows: divide(rows @ (reliable & correct), rows @ reliable, nan),
        "reliable_stance_accuracy": lambda rows: divide(
            rows @ (stance & correct), rows @ stance, nan
        ),
    }
    return pack({name: estimate(entry, draws, weights) for name, entry in statistics.items()})


def summarize_spans(
    rows: Sequence[Row], records: Sequence[Record], draws: Array, weights: Array
) -> dict[str, Any]:
    """Return how well holders and sources are found.

    ``*_f1`` counts spans: a predicted one is a hit at a character overlap (IoU) of at least
    0.5. ``*_share`` counts rows whose gold label is a stance and names the span: the share that
    has it; a row predicted neutral is a miss.
    """
    result: dict[str, Interval] = {}
    for name in ("holder", "source"):
        gold = [row.fields.get(name) for row in rows]
        found = [getattr(record, name) for record in records]
        has_gold = np.array([span is not None for span in gold])
        has_found = np.array([span is not None for span in found])
        overlaps = [metrics.compute_iou(a, b) for a, b in zip(gold, found, strict=True)]
        hits = has_gold & has_found & (np.array(overlaps) >= MATCH_IOU)
        result[f"{name}_f1"] = estimate(
            partial(_span_f1, hits, has_gold, has_found), draws, weights
        )
        result[f"{name}_share"] = estimate(partial(_span_share, hits, has_gold), draws, weights)
    return pack(result)


def _span_f1(hits: Array, has_gold: Array, has_found: Array, rows: Array) -> Array:
    return divide(2 * (rows @ hits), rows @ has_gold + rows @ has_found)


def _span_share(hits: Array, has_gold: Array, rows: Array) -> Array:
    return divide(rows @ hits, rows @ has_gold)


def summarize_each_label(
    gold: NDArray[np.int64], predicted: NDArray[np.int64], draws: Array, weights: Array
) -> dict[str, Any]:
    """Return F1, precision, recall and the number of gold rows, label by label."""
    confusion = metrics.count_confusion(gold, predicted)
    result = {}
    for i, label in enumerate(LABELS):

        def f1(rows: Array, i: int = i) -> Array:
            confusions = metrics.sum_confusions(rows, gold, predicted)
            return np.asarray(metrics.compute_f1(confusions)[:, i])

        result[label] = {
            "n": int(confusion[i].sum()),
            "f1": estimate(f1, draws, weights).to_dict(),
            "precision": round(float(divide(confusion[i, i], confusion[:, i].sum())), 6),
            "recall": round(float(divide(confusion[i, i], confusion[i].sum())), 6),
        }
    return result


def divide(above: Any, below: Any, otherwise: float = 0.0) -> Array:
    """Divide; where there is nothing to divide by, ``otherwise`` (0 for F1, as in scikit-learn)."""
    above, below = np.asarray(above, dtype=float), np.asarray(below, dtype=float)
    return np.asarray(np.divide(above, below, out=np.full_like(above, otherwise), where=below > 0))


def pack(intervals: dict[str, Interval]) -> dict[str, Any]:
    """Return intervals as plain data."""
    return {name: interval.to_dict() for name, interval in intervals.items()}
