"""The curve of a training: loss and validation metrics by epoch."""

from pathlib import Path
from typing import Any


def plot_history(history: list[dict[str, Any]], path: Path) -> None:
    """Draw loss (left) and macro-F1 and accuracy on validation (right) by epoch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    losses, scores = figure.subplots(1, 2)
    for axis, name, label in (
        (losses, "loss", "training"),
        (losses, "eval_loss", "validation"),
        (scores, "eval_macro_f1", "macro-F1"),
        (scores, "eval_accuracy", "accuracy"),
    ):
        points = [(entry["epoch"], entry[name]) for entry in history if name in entry]
        if points:
            axis.plot(*zip(*points, strict=True), marker="o", label=label)
    losses.set(xlabel="epoch", ylabel="loss")
    scores.set(xlabel="epoch", ylabel="validation score", ylim=(0, 1))
    for axis in (losses, scores):
        axis.legend()
        axis.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
