"""Two judges on the same rows: paired differences and McNemar's test."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.stats import binomtest

from stance.evaluation.intervals import SEED, draw_documents
from stance.evaluation.records import Record, align
from stance.evaluation.summary import measure, measure_weighted, pack
from stance.rows import Row
from stance.types import LABELS

WEIGHTED = "_weighted"
"""What the names of metrics end in that weight strata back to their pools."""


def compare(
    rows: Sequence[Row], records: Sequence[Record], others: Sequence[Record], where: str
) -> dict[str, Any]:
    """Return the paired comparison of two judges on one set.

    Both are measured on the same resamples of documents, and a difference is taken resample by
    resample: what is hard for both cancels out.

    Args:
        rows: n labelled rows.
        records: this judge's answers, in the order of the rows.
        others: the other judge's answers, in any order.
        where: where the other's answers come from, for the message of an error.

    Returns:
        ``difference`` by metric (this minus the other) and ``mcnemar``.

    Raises:
        InputError: the other's answers are of other rows.
    """
    others = align(rows, others, where)
    draws = draw_documents([row.document for row in rows])
    this, other = (
        {
            **measure(rows, answers, draws),
            **{f"{name}{WEIGHTED}": values
               for name, values in measure_weighted(rows, answers, draws).items()},
        }
        for answers in (records, others)
    )  # fmt: skip
    return {
        "other": sorted({record.model for record in others}),
        "difference": pack({name: this[name] - other[name] for name in this if name in other}),
        "mcnemar": run_mcnemar(rows, records, others),
    }


def run_mcnemar(
    rows: Sequence[Row], records: Sequence[Record], others: Sequence[Record]
) -> dict[str, Any]:
    """Return McNemar's exact test of who is right more often; rows count as independent.

    Returns:
        ``only_this`` and ``only_other``: rows that one alone has right; ``p``: the two-sided
        probability of so uneven a split between equals, 1 where they never differ.
    """
    right = [
        (row.label == record.label, row.label == other.label)
        for row, record, other in zip(rows, records, others, strict=True)
    ]
    this = sum(a and not b for a, b in right)
    other = sum(b and not a for a, b in right)
    p = float(binomtest(this, this + other).pvalue) if this + other else 1.0
    return {"only_this": this, "only_other": other, "p": float(f"{p:.3g}")}


def plant_regression(records: Sequence[Record], share: float) -> list[Record]:
    """Return a run that is worse on purpose, to see what a comparison makes of it.

    Args:
        records: a run's answers.
        share: share of them, 0 to 1, drawn with a fixed seed, that get another label; the scores of
            the two labels change places.
    """
    random = np.random.default_rng(SEED)
    spoilt = list(records)
    for i in random.choice(len(spoilt), round(share * len(spoilt)), replace=False):
        old = LABELS.index(spoilt[i].label)
        new = (old + int(random.integers(1, len(LABELS)))) % len(LABELS)
        scores = list(spoilt[i].scores)
        scores[old], scores[new] = scores[new], scores[old]
        spoilt[i] = replace(spoilt[i], label=LABELS[new], scores=tuple(scores))
    return spoilt
