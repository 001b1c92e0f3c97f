"""The tables of the dataset card, from the labels."""

import json
from collections import Counter
from pathlib import Path

from stance.evaluation import agreement, table
from stance.keywords import has_negotiation_word
from stance.rows import Row
from stance.sets import read_labels, read_licences
from stance.types import LABELS

COMPARISON = "comparison.json"
"""What ``train/compare_data.py`` found, in the data folder."""

TRAINED = ("articles / train", "written / train", "layers / train")
RARE = 100  # rows of a conflict below which it has no line of its own


def build_data_tables(data: Path) -> dict[str, str]:
    """Return the dataset card's tables by name."""
    parts = read_data_parts(data)
    return {
        "composition": format_composition(parts),
        "genres": format_groups(group_by_genre(parts, data), "genre"),
        "conflicts": format_groups(group_by_conflict(parts), "conflict"),
        "agreement": format_agreement(data),
        "rounds": format_rounds(data),
        "yields": format_yields(parts["layers / train"]),
        "keywords": format_keywords(parts),
        "comparison": format_comparison(data),
    }


def read_data_parts(data: Path) -> dict[str, list[Row]]:
    """Return the labelled rows by set and split, those over corpora without texts."""
    return {
        f"{name} / {split}": read_labels(data, name, split)
        for name, split in (
            ("articles", "train"), ("written", "train"), ("written", "validation"),
            ("written", "test"), ("layers", "train"), ("layers", "test"),
            ("realnews", "validation"), ("realnews", "test"),
        )
    }  # fmt: skip


def format_composition(parts: dict[str, list[Row]]) -> str:
    """Return the table set x label."""
    rows = []
    for name, part in parts.items():
        counts = Counter(row.label for row in part)
        documents = len({row.document for row in part})
        rows.append([name, str(len(part)), str(documents), *(str(counts[x]) for x in LABELS)])
    return table.format_rows(("set / split", "rows", "documents", *LABELS), rows)


def group_by_genre(parts: dict[str, list[Row]], data: Path) -> dict[str, dict[str, list[Row]]]:
    """Return the rows by genre and part; articles are news, written ones a genre of their own."""
    licences = read_licences(data)
    groups: dict[str, dict[str, list[Row]]] = {}
    for name, part in parts.items():
        for row in part:
            corpus = row.fields.get("corpus")
            plain = "news" if name.startswith("articles") else "written"
            genre = licences[corpus]["genre"] if corpus else plain
            groups.setdefault(genre, {}).setdefault(name, []).append(row)
    return groups


def group_by_conflict(parts: dict[str, list[Row]]) -> dict[str, dict[str, list[Row]]]:
    """Return the rows over corpora by the conflict they name; rare ones go together."""
    named = {name: part for name, part in parts.items() if name.startswith(("layers", "realnews"))}
    counts = Counter(row.fields.get("conflict") for part in named.values() for row in part)
    groups: dict[str, dict[str, list[Row]]] = {}
    for conflict, n in counts.most_common():
        name = "none named" if conflict is None else conflict if n >= RARE else "others"
        for part_name, part in named.items():
            rows = [row for row in part if row.fields.get("conflict") == conflict]
            groups.setdefault(name, {}).setdefault(part_name, []).extend(rows)
    return groups


def format_groups(groups: dict[str, dict[str, list[Row]]], head: str) -> str:
    """Return the table group x (rows, share of each label) for training rows and real-news test."""
    rows = []
    for name, parts in groups.items():
        trained = [row for part in TRAINED for row in parts.get(part, [])]
        tested = parts.get("realnews / test", [])
        rows.append([name, str(len(trained)), count_labels(trained),
                     str(len(tested)), count_labels(tested)])  # fmt: skip
    labels = " / ".join(LABELS)
    return table.format_rows((head, "trained on", labels, "real-news test", labels), rows)


def count_labels(rows: list[Row]) -> str:
    """Return the rows by label, in the labels' order."""
    counts = Counter(row.label for row in rows)
    return " / ".join(str(counts[label]) for label in LABELS) if rows else "-"


def format_comparison(data: Path) -> str:
    """Return what each change of the training data did to one recipe on real news."""
    path = data / COMPARISON
    content = json.loads(path.read_text(encoding="utf-8"))
    rows = []
    for name, entry in content["variants"].items():
        counts = entry["trained_on"]
        test, validation = entry["test"], entry["validation"]
        minus = test["minus"].get("adopted")
        rows.append([
            name, str(sum(counts.values())), " / ".join(str(counts.get(x, 0)) for x in LABELS),
            table.format_interval(validation["macro_f1"]), table.format_interval(test["macro_f1"]),
            table.format_interval(minus, signed=True) if minus else "-",
            table.format_interval(test["tfidf_svm"]),
        ])  # fmt: skip
    heads = ("trained on", "rows", " / ".join(LABELS), "validation", "test",
             "test, minus `adopted`", "TF-IDF + SVM, test")  # fmt: skip
    return table.format_rows(heads, rows)


def format_agreement(data: Path) -> str:
    """Return alpha and span overlap, set by set."""
    rows = []
    for name, splits, annotators in (
        ("articles", ("train",), ("A", "B")),
        ("realnews", ("validation", "test"), ("A", "B", "C")),
        ("layers, adopted", ("train", "test"), ("L1", "L2")),
        ("layers, active3", ("train",), ("L2", "G2")),
        ("layers, active4 and active5", ("train",), ("G1", "G2")),
    ):
        parts = [read_labels(data, name.split(",")[0], split) for split in splits]
        part = [row for rows in parts for row in rows]
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


def format_yields(rows: list[Row]) -> str:
    """Return what each rule of the rounds drawn by a model brought, by label."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if "rule" in row.fields:
            groups.setdefault((row.fields["round"], row.fields["rule"]), []).append(row)
            groups.setdefault((row.fields["round"], "whole round"), []).append(row)
    order = ("conditional", "against", "favor", "unsure", "random", "whole round")
    lines = []
    for (name, rule), part in sorted(groups.items(), key=lambda x: (x[0][0], order.index(x[0][1]))):
        counts = Counter(row.label for row in part)
        shares = (f"{100 * counts[label] / len(part):.1f} %" for label in LABELS)
        lines.append([name, rule, str(len(part)), *shares])
    return table.format_rows(("round", "drawn as", "rows", *LABELS), lines)


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
    rows.append(
        [
            "written, all",
            *format_shares(
                [row for name, part in parts.items() if name.startswith("written") for row in part]
            ),
        ]
    )
    rows.append(["realnews / test, weighted to the pools",
                 *format_shares(parts["realnews / test"])])  # fmt: skip
    return table.format_rows(("set / split", *LABELS), rows)


def format_shares(rows: list[Row]) -> list[str]:
    """Return by label the share of rows that hold a negotiation word, by the rows' weights."""
    shares = []
    for label in LABELS:
        part = [
            (row.fields.get("weight", 1.0), mentions(row)) for row in rows if row.label == label
        ]
        share = sum(w for w, found in part if found) / sum(w for w, _ in part)
        shares.append(f"{100 * share:.1f} %")
    return shares


def mentions(row: Row) -> bool:
    """Say whether the row holds a negotiation word, by its text or its stratum."""
    return has_negotiation_word(row.text) if row.text else "word" in row.fields["stratum"]
