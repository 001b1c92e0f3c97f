"""How far annotators agree: alpha, and one annotator against the others."""

from collections.abc import Sequence
from itertools import combinations

import krippendorff
import numpy as np

from stance.evaluation.metrics import compute_iou, compute_metrics, count_confusion
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


def score_single_annotator(rows: Sequence[Row], annotators: Sequence[str]) -> dict[str, float]:
    """Score each annotator against the others where these agree; return the means.

    This is the row of a single reader in the tables: what a perfect model could not be seen
    to beat.
    """
    votes = np.array(collect_votes(rows, annotators))
    scores = []
    for i in range(len(annotators)):
        others = np.delete(votes, i, axis=0)
        agreed = (others == others[0]).all(axis=0)
        confusion = count_confusion(others[0][agreed], votes[i][agreed])
        scores.append(compute_metrics(confusion))
    return {name: float(np.mean([entry[name] for entry in scores])) for name in scores[0]}
