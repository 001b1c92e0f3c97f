"""How far annotators agree, and how one of them would score against the others."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.evaluation.intervals import Array, Interval, draw_documents, take_interval
from stance.evaluation.metrics import (
    SHARES,
    average_bounds,
    bound_means,
    compute_iou,
    compute_metrics,
    sum_confusions,
)
from stance.rows import Row
from stance.types import LABELS


def select_judged(rows: Sequence[Row], annotators: Sequence[str]) -> list[Row]:
    """Return the rows that all of the annotators judged."""
    wanted = set(annotators)
    return [
        row for row in rows if wanted <= {vote["annotator"] for vote in row.fields.get("votes", ())}
    ]


def collect_votes(rows: Sequence[Row], annotators: Sequence[str]) -> list[list[int]]:
    """Return label ids, (annotators, rows), of the rows that all of them judged."""
    votes = []
    for row in select_judged(rows, annotators):
        labels = {vote["annotator"]: vote["label"] for vote in row.fields["votes"]}
        votes.append([LABELS.index(labels[name]) for name in annotators])
    return [list(column) for column in zip(*votes, strict=True)]


def estimate_alpha(rows: Sequence[Row], annotators: Sequence[str]) -> Interval:
    """Return Krippendorff's alpha (nominal) of the labels, -1 to 1, with its interval.

    It is computed from coincidences (Krippendorff 2011, "Computing Krippendorff's
    alpha-reliability"): a row that m annotators judged adds each ordered pair of its votes,
    divided by m - 1.

    Args:
        rows: rows; those that all the annotators judged count.
        annotators: two or more.
    """
    draws = draw_documents([row.document for row in select_judged(rows, annotators)])
    votes = [np.array(column) for column in collect_votes(rows, annotators)]
    pairs = np.asarray(sum(sum_confusions(draws, *pair) for pair in combinations(votes, 2)))
    coincidences = (pairs + np.swapaxes(pairs, -1, -2)) / (len(annotators) - 1)
    totals = coincidences.sum(axis=-1)
    size = totals.sum(axis=-1)
    observed = size - np.trace(coincidences, axis1=-2, axis2=-1)
    expected = (size**2 - (totals**2).sum(axis=-1)) / (size - 1)
    return take_interval(1 - observed / expected)


def compare_span_votes(rows: Sequence[Row], annotators: Sequence[str], name: str) -> float:
    """Return the mean character overlap (IoU) of two annotators' spans.

    Rows that both give the same stance count; a span that only one of them gives is 0.
    """
    overlaps = []
    for row in rows:
        votes = {vote["annotator"]: vote for vote in row.fields["votes"]}
        for left, right in combinations(annotators, 2):
            if left in votes and right in votes:
                a, b = votes[left], votes[right]
                spans = (a[name], b[name])
                if a["label"] == b["label"] != LABELS[-1] and any(spans):
                    overlaps.append(compute_iou(*spans))
    return float(np.mean(overlaps)) if overlaps else float("nan")


def list_annotators(rows: Sequence[Row]) -> list[str]:
    """Return the annotators who judged every one of the rows that at least two judged.

    Who was asked only where others had differed is not among them: he saw a choice of rows, and
    where he decided between two votes he was not blind to them.
    """
    voters = [{vote["annotator"] for vote in row.fields.get("votes") or []} for row in rows]
    compared = [names for names in voters if len(names) > 1]
    return sorted(set.intersection(*compared)) if compared else []


def summarize_annotator(
    rows: Sequence[Row], predicted: NDArray[np.integer]
) -> dict[str, Any] | None:
    """Return how a single annotator scores, each one against the others, and the judge likewise.

    The gold label is a majority that every annotator is part of; measured against it an annotator
    would be measured against himself. So each is left out in turn: reference is the label that
    more of the others give than any other one; rows without such a label drop out, as do rows with
    a single vote. The judge is measured against the same references on the same rows, and both
    figures are means over the annotators left out.

    Args:
        rows: n rows.
        predicted: the judge's label ids, (n,).

    Returns:
        ``annotators``, ``kind``, mean ``n`` and metrics of the ``annotator`` and the ``judge``;
        None unless the rows with several votes have two annotators in common.
    """
    names = list_annotators(rows)
    if len(names) < 2:
        return None
    shared = select_judged(rows, names)
    votes = np.array(collect_votes(shared, names))
    places = {row.id: i for i, row in enumerate(rows)}
    predicted = predicted[[places[row.id] for row in shared]]
    draws = draw_documents([row.document for row in shared])
    parts: dict[str, list[dict[str, Array]]] = {"annotator": [], "judge": []}
    bounds: dict[str, list[dict[str, Interval]]] = {"annotator": [], "judge": []}
    sizes, bases = [], []
    for i in range(len(names)):
        reference = np.array([vote_majority(column) for column in np.delete(votes, i, axis=0).T])
        used = reference >= 0
        sizes.append(int(used.sum()))
        kept = draws.weighted(used.astype(float))
        bases.append(kept.count_documents())
        for name, labels in (("annotator", votes[i]), ("judge", predicted)):
            gold = np.maximum(reference, 0)
            parts[name].append(compute_metrics(sum_confusions(kept, gold, labels)))
            bounds[name].append(bound_means(kept, gold, labels))
    kinds = {vote["kind"] for row in shared for vote in row.fields["votes"]
             if vote["annotator"] in names}  # fmt: skip
    return {
        "annotators": len(names),
        "kind": " or ".join(sorted(kinds)),
        "n": round(float(np.mean(sizes)), 1),
        **{name: average(found, bounds[name], min(bases)) for name, found in parts.items()},
    }


def average(
    parts: Sequence[dict[str, Array]], bounds: Sequence[dict[str, Interval]], documents: float
) -> dict[str, Any]:
    """Return the intervals of the metrics' means over the annotators left out.

    Args:
        parts: each one's metrics, (1 + resamples,).
        bounds: each one's bounds where resamples give none.
        documents: number of documents that a share is of.
    """
    found = {}
    for metric in parts[0]:
        known = [part[metric] for part in bounds if metric in part]
        mean = np.mean([part[metric] for part in parts], axis=0)
        sampled = take_interval(mean, documents if metric in SHARES else None)
        whole = len(known) == len(parts)
        found[metric] = (average_bounds(known) if whole else sampled).to_dict()
    return found


def vote_majority(votes: NDArray[np.integer]) -> int:
    """Return the label id that most give; -1 where two or more share the first place."""
    ranked = Counter(votes.tolist()).most_common(2)
    if len(ranked) == 2 and ranked[0][1] == ranked[1][1]:
        return -1
    return int(ranked[0][0])


def pair_outside_votes(
    rows: Sequence[Row], layer: Sequence[Row]
) -> tuple[list[Row], NDArray[np.int64], NDArray[np.int64]]:
    """Match rows with the vote of an earlier annotator, who judged some of them on his own.

    Args:
        rows: labelled rows.
        layer: layer rows; the first vote of each is the earlier annotator's.

    Returns:
        The rows that both have, and their label ids: of ``rows``, and of the earlier annotator.
    """
    earlier = {row.id: row.fields["votes"][0]["label"] for row in layer}
    shared = [row for row in rows if row.id in earlier]
    gold = np.array([LABELS.index(row.label) for row in shared])
    return shared, gold, np.array([LABELS.index(earlier[row.id]) for row in shared])
