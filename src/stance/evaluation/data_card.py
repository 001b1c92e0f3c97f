"""The tables of the dataset card, from the labels."""

from collections import Counter
from pathlib import Path

from stance.evaluation import agreement, table
from stance.keywords import has_negotiation_word
from stance.rows import Row
from stance.sets import read_labels
from stance.types import LABELS


def build_data_tables(data: Path) -> dict[str, str]:
    """Return the dataset card's tables by name."""
    parts: dict[str, list[Row]] = {}
    for name, split in (
        ("articles", "train"), ("written", "train"), ("written", "validation"), ("written", "test"),
        ("layers", "train"), ("layers", "test"), ("realnews", "validation"), ("realnews", "test"),
    ):  # fmt: skip
        parts[f"{name} / {split}"] = read_labels(data, name, split)
    return {
        "composition": format_composition(parts),
        "agreement": format_agreement(data),
        "rounds": format_rounds(data),
        "keywords": format_keywords(parts),
    }


def format_composition(parts: dict[str, list[Row]]) -> str:
    """Return the table set x label."""
    rows = []
    for name, part in parts.items():
        counts = Counter(row.label for row in part)
        documents = len({row.document for row in part})
        rows.append([name, str(len(part)), str(documents), *(str(counts[x]) for x in LABELS)])
    return table.format_rows(("set / split", "rows", "documents", *LABELS), rows)


def format_agreement(data: Path) -> str:
    """Return alpha and span overlap, set by set."""
    rows = []
    for name, splits, annotators in (
        ("articles", ("train",), ("A", "B")),
        ("realnews", ("validation", "test"), ("A", "B", "C")),
        ("layers", ("train", "test"), ("L1", "L2")),
    ):
        part = [row for split in splits for row in read_labels(data, name, split)]
        votes = agreement.collect_votes(part, annotators)
        spans = (agreement.compare_span_votes(part, annotators, x) for x in ("holder", "source"))
        rows.append([name, str(len(annotators)), str(len(votes[0])),
                     f"{agreement.compute_alpha(part, annotators):.3f}",
                     *(f"{value:.3f}" for value in spans)])  # fmt: skip
    heads = ("set", "annotators", "rows", "alpha of labels", "holder overlap", "source overlap")
    return table.format_rows(heads, rows)


def format_rounds(data: Path) -> str:
    """Return how the layer rows were drawn and how many annotators judged them."""
    rows = [row for split in ("train", "test") for row in read_labels(data, "layers", split)]
    counts = Counter((row.fields["round"], len(row.fields["votes"])) for row in rows)
    lines = [[name, *(str(counts[name, votes]) for votes in (1, 2, 3))]
             for name in sorted({name for name, _ in counts})]  # fmt: skip
    return table.format_rows(("round", "one vote", "two votes", "three votes"), lines)


def format_keywords(parts: dict[str, list[Row]]) -> str:
    """Return the share of rows with a negotiation word by label; real news from its strata."""
    rows = []
    for name, part in parts.items():
        if name.startswith("layers"):
            continue
        shares = []
        for label in LABELS:
            found = [mentions(row) for row in part if row.label == label]
            shares.append(f"{100 * sum(found) / len(found):.0f} %" if found else "-")
        rows.append([name, *shares])
    return table.format_rows(("set / split", *LABELS), rows)


def mentions(row: Row) -> bool:
    """Say whether the row holds a negotiation word, by its text or its stratum."""
    return has_negotiation_word(row.text) if row.text else "word" in row.fields["stratum"]
