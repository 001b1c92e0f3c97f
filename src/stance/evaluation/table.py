"""Figures as text: tables for the terminal and for the model card."""

from typing import Any

METRICS = ("macro_f1", "macro_f1_three", "f1_favor_against", "accuracy", "polarity_flip_rate")
HEADS = ("system", "macro-F1", "macro-F1 without conditional", "F1 favor/against", "accuracy",
         "polarity flips")  # fmt: skip
NAMES = {
    "majority": "majority",
    "keywords": "keyword rule",
    "tfidf_svm": "TF-IDF + linear SVM",
}


def format_interval(entry: dict[str, Any], *, percent: bool = False) -> str:
    """Return a value with its interval, for example ``0.71 [0.66, 0.75]``; a dash for None."""
    if None in entry.values():
        return "-"
    if percent:
        value, low, high = (f"{100 * entry[key]:.1f}" for key in ("value", "low", "high"))
        return f"{value} % [{low}, {high}]"
    value, low, high = (f"{entry[key]:.3f}" for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def format_rows(heads: tuple[str, ...], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def format_systems(entry: dict[str, Any], model: str) -> str:
    """Return the table model x metric of one set, the model first."""
    systems = [(model, entry["metrics"])]
    if entry["weighted"]:
        systems.append((f"{model}, weighted to the pools", entry["weighted"]))
    systems += [(NAMES[name], part["metrics"]) for name, part in entry["baselines"].items()]
    rows = [
        [name, *(format_interval(scores[metric], percent=metric == METRICS[-1])
                 for metric in METRICS)]
        for name, scores in systems
    ]  # fmt: skip
    return format_rows(HEADS, rows)


def format_labels(entry: dict[str, Any]) -> str:
    """Return the table label x (n, F1, precision, recall) of one set."""
    rows = [
        [label, str(part["n"]), format_interval(part["f1"]), f"{part['precision']:.3f}",
         f"{part['recall']:.3f}"]
        for label, part in entry["per_label"].items()
    ]  # fmt: skip
    return format_rows(("label", "rows", "F1", "precision", "recall"), rows)


def format_confusion(entry: dict[str, Any]) -> str:
    """Return the confusion matrix of one set: rows are gold, columns predicted."""
    labels = list(entry["per_label"])
    rows = [
        [label, *map(str, counts)]
        for label, counts in zip(labels, entry["confusion"], strict=True)
    ]  # fmt: skip
    return format_rows(("gold \\ predicted", *labels), rows)


def format_results(results: dict[str, Any]) -> str:
    """Return every set's tables, as ``stance evaluate`` prints them."""
    parts = []
    for name, entry in results["sets"].items():
        head = f"{name}: {entry['n']} rows of {entry['documents']} documents, 95 % intervals"
        parts += [head, "", format_systems(entry, "model"), "", format_labels(entry), ""]
    return "\n".join(parts)
