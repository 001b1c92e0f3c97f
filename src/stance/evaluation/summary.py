"""Rows and records to figures with intervals: one set's entry of ``results.json``."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.errors import InputError
from stance.evaluation import metrics
from stance.evaluation.agreement import summarize_annotator
from stance.evaluation.coverage import count_effective, expect_coverage, expect_weighted
from stance.evaluation.curves import find_misread, trace_reliability, trace_risk
from stance.evaluation.intervals import (
    Array,
    Interval,
    Resamples,
    draw_documents,
    take_interval,
)
from stance.evaluation.probes import EXPECTED, measure_pairs, summarize_phenomena
from stance.evaluation.records import Record
from stance.evaluation.slices import summarize_slices
from stance.rows import Row
from stance.types import LABELS, NEUTRAL

POINTS = ("ece",)
"""Metrics without interval: a calibration error is a sum of distances, which resampling can only
enlarge, so that its percentiles lie above the truth."""


def summarize(rows: Sequence[Row], records: Sequence[Record]) -> dict[str, Any]:
    """Return one set's entry of ``results.json``.

    Args:
        rows: n labelled rows.
        records: the judge's and the baselines' answers, in the order of the rows.

    Raises:
        InputError: there are no rows, or not as many records.
    """
    if rows and len(rows) != len(records):
        raise InputError(
            "evaluation",
            expected=f"one record for each of {len(rows)} rows",
            found=f"{len(records)} records",
            remedy="Align them first: stance.evaluation.records.align.",
        )
    draws = draw_documents([row.document for row in rows])
    gold = encode([row.label for row in rows])
    predicted = encode([record.label for record in records])
    values = measure(rows, records, draws)
    confusion = metrics.count_confusion(gold, predicted)
    return {
        "n": len(rows),
        "documents": draws.counts.shape[1],
        "resamples": len(draws.counts) - 1,
        "effective_documents": round(draws.count_documents(), 1),
        "coverage": expect_coverage(draws.document),
        "flips": count_flips(values, draws),
        "metrics": pack(values, count_bases(rows, records, draws)),
        "per_label": summarize_labels(confusion, draws, gold, predicted),
        "reliable": summarize_reliable(records, draws, gold, predicted),
        "weighted": summarize_weighted(rows, records, draws),
        "confusion": confusion.astype(int).tolist(),
        "baselines": summarize_baselines(records, draws, gold, values),
        "annotator": summarize_annotator(rows, predicted),
        "phenomena": summarize_phenomena(rows, records) if "pair" in rows[0].fields else None,
        "slices": summarize_slices(rows, records, draws, gold * len(LABELS) + predicted),
        "reliability": trace_reliability(records, gold),
        "risk_coverage": trace_risk(records, gold),
        "misread": find_misread(rows, records),
    }


def measure(rows: Sequence[Row], records: Sequence[Record], draws: Resamples) -> dict[str, Array]:
    """Return every metric of a set by name, (1 + resamples,) each."""
    gold = encode([row.label for row in rows])
    predicted = encode([record.label for record in records])
    return {
        **metrics.compute_metrics(metrics.sum_confusions(draws, gold, predicted)),
        **measure_scores(gold, predicted, records, draws),
        **measure_spans(rows, records, draws),
        **measure_pairs(rows, records, draws),
    }


def encode(labels: Sequence[str]) -> NDArray[np.int64]:
    """Return label ids, (n,)."""
    return np.array([LABELS.index(label) for label in labels])


def count_bases(
    rows: Sequence[Row], records: Sequence[Record], draws: Resamples
) -> dict[str, float | Interval]:
    """Return by share how many documents it is of: those with a row that counts in it.

    Of F1 that is 0 or 1 the interval.
    """
    gold = encode([row.label for row in rows])
    predicted = encode([record.label for record in records])
    reliable = np.array([bool(record.reliable) for record in records])
    stance = np.array([record.label != NEUTRAL for record in records])
    steady = np.array([row.fields.get("expected") == EXPECTED[1] for row in rows])
    whole = draws.count_documents()
    return {
        **count_all(draws, gold, predicted),
        "aurc": whole,  # at 0 nothing is wrong; chance ranking has it at the error rate
        **{f"accuracy_at_{coverage}": whole * coverage / 100 for coverage in metrics.COVERAGES},
        "pass_rate": whole,
        "reliable_share": whole,
        "unchanged_share": draws.count_documents(steady),
        "reliable_accuracy": draws.count_documents(reliable),
        "reliable_stance_accuracy": draws.count_documents(reliable & stance),
        **{
            f"{name}_share": draws.count_documents(
                np.array([row.fields.get(name) is not None for row in rows])
            )
            for name in ("holder", "source")
        },
    }


def count_all(
    draws: Resamples, gold: NDArray[np.int64], predicted: NDArray[np.int64]
) -> dict[str, float | Interval]:
    """Return the same for the label metrics."""
    return {
        **dict.fromkeys(metrics.SHARES, draws.count_documents()),
        **metrics.bound_means(draws, gold, predicted),
    }


def count_flips(values: Mapping[str, Array], draws: Resamples) -> float:
    """Return how many polarity flips there are in effect: their rate times effective documents."""
    return round(float(values["polarity_flip_rate"][0]) * draws.count_documents(), 1)


def measure_scores(
    gold: NDArray[np.int64],
    predicted: NDArray[np.int64],
    records: Sequence[Record],
    draws: Resamples,
) -> dict[str, Array]:
    """Return calibration, selective accuracy and what the reliable flag keeps."""
    scores = np.array([record.scores for record in records])
    confidence, correct = scores.max(axis=1), gold == predicted
    found = {
        "ece": metrics.compute_ece(draws, confidence, correct),
        "brier": metrics.compute_brier(draws, scores, gold),
        **metrics.compute_selective(draws, confidence, correct),
    }
    if any(record.reliable is None for record in records):
        return found  # a scorer: no flag
    reliable = np.array([bool(record.reliable) for record in records])
    stance = reliable & (predicted != LABELS.index(NEUTRAL))
    sums = draws.sum(
        np.column_stack([reliable, reliable & correct, stance, stance & correct,
                         np.ones(len(gold))])
    )  # fmt: skip
    return {
        **found,
        "reliable_share": metrics.divide(sums[:, 0], sums[:, 4], np.nan),
        "reliable_accuracy": metrics.divide(sums[:, 1], sums[:, 0], np.nan),
        "reliable_stance_accuracy": metrics.divide(sums[:, 3], sums[:, 2], np.nan),
    }


def measure_spans(
    rows: Sequence[Row], records: Sequence[Record], draws: Resamples
) -> dict[str, Array]:
    """Return how well holders and sources are found; nothing for rows or judges without any."""
    found: dict[str, Array] = {}
    for name in ("holder", "source"):
        gold = [row.fields.get(name) for row in rows]
        if any(gold) and all(record.reliable is not None for record in records):
            spans = metrics.compute_spans(
                draws, gold, [getattr(record, name) for record in records]
            )
            found |= {f"{name}_{metric}": values for metric, values in spans.items()}
    return found


def summarize_labels(
    confusion: Array, draws: Resamples, gold: NDArray[np.int64], predicted: NDArray[np.int64]
) -> dict[str, Any]:
    """Return F1, precision, recall and the number of gold rows, label by label."""
    f1 = metrics.compute_f1(metrics.sum_confusions(draws, gold, predicted))
    bounds = metrics.bound_labels(draws, gold, predicted)
    hits = np.diagonal(confusion)
    precision = metrics.divide(hits, confusion.sum(axis=0))
    recall = metrics.divide(hits, confusion.sum(axis=1))
    return {
        label: {
            "n": int(confusion[i].sum()),
            "f1": (bounds[i] or take_interval(f1[:, i])).to_dict(),
            "precision": round(float(precision[i]), 6),
            "recall": round(float(recall[i]), 6),
        }
        for i, label in enumerate(LABELS)
    }


def summarize_reliable(
    records: Sequence[Record],
    draws: Resamples,
    gold: NDArray[np.int64],
    predicted: NDArray[np.int64],
) -> dict[str, Any] | None:
    """Return by predicted label how many rows the flag keeps and how often these are right."""
    if any(record.reliable is None for record in records):
        return None  # a scorer: no flag
    reliable = np.array([bool(record.reliable) for record in records])
    found = {}
    for i, label in enumerate(LABELS):
        named = predicted == i
        kept = named & reliable
        sums = draws.sum(np.column_stack([named, kept, kept & (gold == i)]))
        found[label] = {
            "n": int(named.sum()),
            **pack(
                {
                    "share": metrics.divide(sums[:, 1], sums[:, 0], np.nan),
                    "accuracy": metrics.divide(sums[:, 2], sums[:, 1], np.nan),
                },
                {"share": draws.count_documents(named), "accuracy": draws.count_documents(kept)},
            ),
        }  # fmt: skip
    return found


def measure_weighted(
    rows: Sequence[Row], records: Sequence[Record], draws: Resamples
) -> dict[str, Array]:
    """Return label metrics weighted from the strata to the pools they were drawn from.

    Without weights there is nothing to return.
    """
    weights = np.array([row.fields.get("weight", 1.0) for row in rows])
    if (weights == 1).all():
        return {}
    gold = encode([row.label for row in rows])
    predicted = encode([record.label for record in records])
    return metrics.compute_metrics(metrics.sum_confusions(draws.weighted(weights), gold, predicted))


def summarize_weighted(
    rows: Sequence[Row], records: Sequence[Record], draws: Resamples
) -> dict[str, Any] | None:
    """Return the weighted label metrics of the judge and the baselines; None without weights.

    ``effective_n`` is Kish's effective sample size, (sum of weights)^2 / sum of their squares: the
    number of rows drawn alike that would say as much of the pools.
    """
    values = measure_weighted(rows, records, draws)
    if not values:
        return None
    weights = np.array([row.fields.get("weight", 1.0) for row in rows], dtype=float)
    gold = encode([row.label for row in rows])
    predicted = encode([record.label for record in records])
    weighted = draws.weighted(weights)
    return {
        "effective_n": round(count_effective(weights), 1),
        "coverage": expect_weighted(draws.document, weights),
        "flips": count_flips(values, weighted),
        "metrics": pack(values, count_all(weighted, gold, predicted)),
        "baselines": summarize_baselines(records, weighted, gold, values),
    }


def summarize_baselines(
    records: Sequence[Record],
    draws: Resamples,
    gold: NDArray[np.int64],
    values: dict[str, Array],
) -> dict[str, Any]:
    """Return each baseline's label metrics, and the judge's paired lead over it."""
    found = {}
    for name in records[0].baselines:
        predicted = encode([record.baselines[name] for record in records])
        scores = metrics.compute_metrics(metrics.sum_confusions(draws, gold, predicted))
        leads = {metric: values[metric] - score for metric, score in scores.items()}
        bases = count_all(draws, gold, predicted)
        found[name] = {"metrics": pack(scores, bases), "lead": pack(leads)}
    return found


def pack(
    values: dict[str, Array], bases: Mapping[str, float | Interval] | None = None
) -> dict[str, Any]:
    """Return intervals as plain data; of some metrics the value alone.

    Args:
        values: statistics by name, (1 + resamples,) each.
        bases: by name, how many documents a share is of, or the interval where resamples cannot
            give it; None for differences.
    """
    found = {}
    for name, array in values.items():
        base = (bases or {}).get(name)
        if not isinstance(base, Interval):
            base = take_interval(array[:1] if name in POINTS else array, base)
        found[name] = base.to_dict()
    return found
