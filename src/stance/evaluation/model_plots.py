"""The plots of the model card, real news: accuracy by confidence, errors by share answered."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stance.evaluation.curves import trace_reliability, trace_risk
from stance.evaluation.records import Record, align, read_records
from stance.evaluation.summary import encode
from stance.rows import Row
from stance.sets import read_labels


def draw_model_plots(data: Path, out: Path) -> None:
    """Write ``reliability.svg`` and ``risk_coverage.svg``; same predictions, same bytes.

    Args:
        data: the data folder; its committed predictions of real news are drawn.
        out: the folder of the plots.
    """
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams["svg.hashsalt"] = "stance"
    rows = read_labels(data, "realnews", "test")
    path = data / "predictions" / "realnews.jsonl"
    records = align(rows, read_records(path), str(path))
    out.mkdir(exist_ok=True)
    for name, draw in (("reliability", draw_reliability), ("risk_coverage", draw_risk)):
        figure = Figure(figsize=(4.6, 3.8), layout="constrained")
        draw(figure.subplots(), rows, records)
        figure.savefig(out / f"{name}.svg", metadata={"Date": None})


def draw_reliability(axes: Any, rows: Sequence[Row], records: Sequence[Record]) -> None:
    """Draw accuracy by confidence, a point a bin, larger the more rows; equal on the diagonal."""
    bins = trace_reliability(records, encode([row.label for row in rows]))
    confidence = [entry["confidence"] for entry in bins]
    accuracy = [entry["accuracy"] for entry in bins]
    axes.plot([0, 1], [0, 1], color="#808080", linestyle="--", linewidth=1)
    axes.plot(confidence, accuracy, color="#1f77b4", linewidth=1)
    axes.scatter(confidence, accuracy, [600 * entry["n"] / len(rows) + 8 for entry in bins])
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1),
             title=f"{len(rows):,} rows")  # fmt: skip
    axes.grid(alpha=0.3)


def draw_risk(axes: Any, rows: Sequence[Row], records: Sequence[Record]) -> None:
    """Draw the error rate among the most confident by their share, and that of the flag."""
    gold = encode([row.label for row in rows])
    curve = trace_risk(records, gold)
    axes.plot([entry["coverage"] for entry in curve], [entry["risk"] for entry in curve])
    kept = np.array([bool(record.reliable) for record in records])
    wrong = encode([record.label for record in records]) != gold
    if kept.any():
        axes.plot(kept.mean(), wrong[kept].mean(), marker="o", linestyle="", label="reliable")
        axes.legend(loc="upper left")
    axes.set(xlabel="share of the rows, most confident first", ylabel="error rate", xlim=(0, 1),
             title=f"{len(rows):,} rows")  # fmt: skip
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
