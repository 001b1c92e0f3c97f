"""The plots of the dataset card: label shares, keyword shares, the learning curve."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from stance.evaluation.data_card import COMPARISON, mentions
from stance.rows import Row
from stance.types import LABELS

COLOURS = dict(zip(LABELS, ("#1b7837", "#b8860b", "#b2182b", "#808080"), strict=True))
CURVE = ("adopted", "third", "fourth", "all")  # variants of the comparison, each with more rows


def draw_data_plots(data: Path, parts: dict[str, list[Row]], out: Path) -> None:
    """Write ``labels.svg``, ``keywords.svg`` and ``learning_curve.svg``; same data, same bytes."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams["svg.hashsalt"] = "stance"
    content = json.loads((data / COMPARISON).read_text(encoding="utf-8"))
    out.mkdir(exist_ok=True)
    for name, draw, given in (
        ("labels", draw_labels, parts),
        ("keywords", draw_keywords, parts),
        ("learning_curve", draw_curve, content["variants"]),
    ):
        figure = Figure(figsize=(7, 3.4), layout="constrained")
        draw(figure.subplots(), given)
        figure.savefig(out / f"{name}.svg", metadata={"Date": None})


def draw_labels(axes: Any, parts: dict[str, list[Row]]) -> None:
    """Draw the share of each label, a bar a set and split."""
    names = list(reversed(parts))
    left = [0.0] * len(names)
    for label in LABELS:
        shares = [sum(r.label == label for r in parts[n]) / len(parts[n]) for n in names]
        axes.barh(names, shares, left=left, color=COLOURS[label], label=label)
        left = [a + b for a, b in zip(left, shares, strict=True)]
    axes.set(xlabel="share of rows", xlim=(0, 1))
    axes.figure.legend(loc="outside upper center", ncols=len(LABELS))


def draw_keywords(axes: Any, parts: dict[str, list[Row]]) -> None:
    """Draw the share of rows with a negotiation word by label, written beside real news."""
    shown = {"written / train": "written, trained on", "realnews / test": "real news, test"}
    for i, (name, label) in enumerate(shown.items()):
        shares = []
        for stance in LABELS:
            rows = [row for row in parts[name] if row.label == stance]
            weights = [row.fields.get("weight", 1.0) for row in rows]
            hits = [w for row, w in zip(rows, weights, strict=True) if mentions(row)]
            shares.append(sum(hits) / sum(weights))
        places = [x + 0.4 * i for x in range(len(LABELS))]
        axes.bar(places, shares, width=0.38, label=label)
    axes.set(ylabel="share with a negotiation word", ylim=(0, 1))
    axes.set_xticks([x + 0.2 for x in range(len(LABELS))], LABELS)
    axes.legend()


def draw_curve(axes: Any, variants: dict[str, Any]) -> None:
    """Draw macro-F1 on real news by the number of real sentences trained on, with intervals."""
    names = [name for name in CURVE if name in variants]
    sizes = [sum(Counter(variants[name]["trained_on"]).values()) for name in names]
    for split in ("validation", "test"):
        entries = [variants[name][split]["macro_f1"] for name in names]
        values = [entry["value"] for entry in entries]
        spread = [
            [entry["value"] - entry["low"] for entry in entries],
            [entry["high"] - entry["value"] for entry in entries],
        ]
        axes.errorbar(sizes, values, yerr=spread, marker="o", capsize=3, label=f"model, {split}")
    svm = [variants[name]["test"]["tfidf_svm"]["value"] for name in names]
    axes.plot(sizes, svm, marker="s", linestyle="--", label="TF-IDF + SVM, test")
    axes.set(xlabel="real sentences trained on", ylabel="macro-F1")
    axes.grid(alpha=0.3)
    axes.legend()
