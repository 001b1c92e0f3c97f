"""How far annotators agree: alpha, span overlap, and an earlier annotator's votes."""

from collections.abc import Sequence
from itertools import combinations

import krippendorff
import numpy as np
from numpy.typing import NDArray

from stance.evaluation.metrics import compute_iou
from stance.rows import Row
from stance.types import LABELS


def collect_votes(rows: Sequence[Row], annotators: Sequence[str]) -> list[list[int]]:
    """Return label ids, (annotators, rows), of the rows that all of them judged."""
    votes = []
    for row in rows:
        labels = {vote["annotator"]: vote["label"] for vote in row.fields["votes"]}
        if all(name in labels for name in annotators):
            votes.append([LABELS.index(labels[name]) for name in annotators])
    return [list(column) for column in zip(*votes, strict=True)]


def compute_alpha(rows: Sequence[Row], annotators: Sequence[str]) -> float:
    """Return Krippendorff's alpha (nominal) of the labels, -1 to 1."""
    votes = np.array(collect_votes(rows, annotators))
    return float(krippendorff.alpha(reliability_data=votes, level_of_measurement="nominal"))


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
