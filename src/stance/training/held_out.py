"""What a new model gets right of the rows it was validated on, in words."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stance.evaluation.any_labels import compute_label_f1, compute_macro
from stance.evaluation.coverage import expect_coverage, say_coverage
from stance.evaluation.intervals import Interval, draw_documents, take_interval
from stance.rows import Row

RESAMPLES = 2000
CHOSEN = (
    "The epoch and the confidences were chosen on these rows, so new ones are read somewhat worse."
)


def describe_held_out(
    rows: Sequence[Row],
    labels: Sequence[str],
    found: NDArray[np.integer],
    reliable: NDArray[np.bool_],
) -> list[str]:
    """Return macro-F1, and F1 and coverage of each label, as lines of Markdown.

    Args:
        rows: the n rows that the model was validated on.
        labels: the labels in the order of their ids.
        found: label ids that the model gives, (n,).
        reliable: whether it calls them reliable, (n,).
    """
    gold = np.array([labels.index(row.label) for row in rows])
    draws = draw_documents([row.document for row in rows], RESAMPLES)
    f1 = compute_label_f1(draws, gold, found, len(labels))
    documents = draws.counts.shape[1]
    narrow = say_coverage(expect_coverage(draws.document))
    lines = [
        f"{len(rows)} rows of {documents} documents: macro-F1 "
        f"{say_interval(take_interval(compute_macro(f1, gold)))}, "
        f"{reliable.sum()} reliable. {CHOSEN}"
        + (f" The intervals are {narrow}." if narrow else ""),
        "",
        "| label | rows | F1 | reliable |",
        "|---|---|---|---|",
    ]
    for i, label in enumerate(labels):
        if mine := int((gold == i).sum()):
            kept = int(reliable[gold == i].sum())
            lines.append(f"| {label} | {mine} | {say_interval(take_interval(f1[:, i]))} | {kept} |")
    return lines


def say_interval(interval: Interval) -> str:
    """Return a value with the bounds of its interval; alone where all resamples give the same."""
    wide = interval.low < interval.high  # false for NaN
    bounds = f" [{interval.low:.3f}, {interval.high:.3f}]" if wide else ""
    return f"{interval.value:.3f}{bounds}"
