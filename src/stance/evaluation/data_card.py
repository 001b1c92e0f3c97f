"""The tables of the dataset card, from the labels."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from stance.evaluation import table
from stance.evaluation.data_votes import build_vote_tables
from stance.keywords import has_negotiation_word
from stance.rows import Row
from stance.sets import read_labels, read_licences
from stance.types import LABELS, NEUTRAL

COMPARISON = "comparison.json"
"""What ``train/compare_data.py`` found, in the data folder."""

TRAINED = ("articles / train", "written / train", "layers / train")
RARE = 100  # rows of a conflict below which it has no line of its own


def build_data_tables(data: Path) -> dict[str, str]:
    """Return the dataset card's tables by name."""
    parts = read_data_parts(data)
    withheld = read_labels(data, "layers", "withheld")
    return {
        "composition": format_composition(
            parts
            | {
                "layers / withheld": withheld,
                "written / scenes": read_labels(data, "written", "scenes"),
            }
        ),
        "held-out": format_held_out(parts),
        "strata": format_strata(parts),
        "genres": format_groups(group_by_genre(parts, data), "genre"),
        "conflicts": format_groups(group_by_conflict(parts), "conflict"),
        "yields": format_yields([*parts["layers / train"], *withheld]),
        "keywords": format_keywords(parts),
        "comparison": format_comparison(data),
        "differences": format_differences(data),
        **build_vote_tables(parts),
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


def format_held_out(parts: dict[str, list[Row]]) -> str:
    """Return where the real-news rows come from, and the digest that pins them."""
    lines = []
    for split in ("validation", "test"):
        rows = parts[f"realnews / {split}"]
        recent = sum(row.fields["corpus"] == "recent" for row in rows)
        lines.append([split, str(len(rows)), f"{recent} ({100 * recent / len(rows):.1f} %)",
                      str(len(rows) - recent), f"`{hash_held_out(rows, split)}`"])  # fmt: skip
    heads = ("split", "rows", "conflict news, mostly 2022 to 2026", "US press, 2012 to 2020",
             "SHA-256 of the rows")  # fmt: skip
    return table.format_rows(heads, lines)


def format_strata(parts: dict[str, list[Row]]) -> str:
    """Return the strata of real news: rows of each split; labels and weights of the test rows."""
    validation, test = parts["realnews / validation"], parts["realnews / test"]
    strata = sorted({row.fields["stratum"] for row in test})
    total = sum(row.fields["weight"] for row in test)
    lines = []
    for head, names in (*((f"`{name}`", [name]) for name in strata), ("all", strata)):
        rows = [row for row in test if row.fields["stratum"] in names]
        others = [row for row in validation if row.fields["stratum"] in names]
        weights = [row.fields["weight"] for row in rows]
        size = sum(weights)
        lines.append([
            head, str(len(others)), str(len(rows)), count_labels(rows),
            f"{min(weights):,.1f} to {max(weights):,.1f}",
            f"{size:,.0f} ({100 * size / total:.1f} %)", *share_labels(rows),
        ])  # fmt: skip
    heads = ("stratum", "validation", "test", " / ".join(LABELS) + " (test)", "weight of a row",
             "sum of weights", *(f"{label}, weighted" for label in LABELS))  # fmt: skip
    return table.format_rows(heads, lines)


def share_labels(rows: Sequence[Row]) -> list[str]:
    """Return the share of each label, by the rows' weights."""
    total = sum(row.fields["weight"] for row in rows)
    sums = (sum(row.fields["weight"] for row in rows if row.label == label) for label in LABELS)
    return [f"{100 * found / total:.1f} %" for found in sums]


def hash_held_out(rows: Sequence[Row], split: str) -> str:
    """Return the SHA-256 of what is fixed of held-out rows, in the order of their ids.

    Covered are id, hash of the text, label, stratum, weight and split, a tab between two and a
    line a row; spans, votes and the conflict's name may still be mended.
    """
    lines = (
        f"{row.id}\t{row.fields['sha256']}\t{row.label}\t{row.fields['stratum']}\t"
        f"{row.fields['weight']}\t{split}\n"
        for row in sorted(rows, key=lambda row: row.id)
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


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
    """Return what one recipe reaches on real news, trained on each variant of the rows."""
    rows = []
    for name, entry in read_comparison(data).items():
        counts = entry["trained_on"]
        test, validation = entry["test"], entry["validation"]
        rows.append([
            name, str(sum(counts.values())), " / ".join(str(counts.get(x, 0)) for x in LABELS),
            table.format_interval(validation["macro_f1"]), table.format_interval(test["macro_f1"]),
            table.format_interval(test["tfidf_svm"]),
        ])  # fmt: skip
    heads = ("trained on", "rows", " / ".join(LABELS), "validation", "test", "TF-IDF + SVM, test")
    return table.format_rows(heads, rows)


def format_differences(data: Path) -> str:
    """Return the paired differences between variants of the rows, on validation and on test."""
    entries = read_comparison(data)
    splits, order = ("validation", "test"), list(entries)  # both ways round, a pair stands once
    lines = [
        [f"`{name}` minus `{base}`",
         *(table.format_interval(entry[split]["minus"][base], signed=True) for split in splits)]
        for name, entry in list(entries.items())[1:]  # the first is but a base
        for base in entry["test"]["minus"]
        if name not in entries[base]["test"]["minus"] or order.index(base) < order.index(name)
    ]  # fmt: skip
    first = next(iter(entries.values()))
    heads = (f"{split}, {first[split]['n']:,} rows" for split in splits)
    return table.format_rows(("macro-F1", *heads), lines)


def read_comparison(data: Path) -> dict[str, Any]:
    """Return what ``train/compare_data.py`` found, by variant."""
    content = json.loads((data / COMPARISON).read_text(encoding="utf-8"))
    variants: dict[str, Any] = content["variants"]
    return variants


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
    """Return the share of rows with a negotiation word by label, and how many of those are neutral.

    Real news from its strata; the layers' texts are not here.
    """
    rows = []
    for name, part in parts.items():
        if name.startswith("layers"):
            continue
        shares = []
        for label in LABELS:
            found = [mentions(row) for row in part if row.label == label]
            shares.append(f"{100 * sum(found) / len(found):.0f} %" if found else "-")
        with_word = [row.label == NEUTRAL for row in part if mentions(row)]
        rows.append([name, *shares, f"{100 * sum(with_word) / len(with_word):.0f} %"])
    written = [row for name, part in parts.items() if name.startswith("written") for row in part]
    rows.append(["written, all", *format_shares(written)])
    test = parts["realnews / test"]
    rows.append(["realnews / test, weighted to the pools", *format_shares(test)])
    return table.format_rows(("set / split", *LABELS, "neutral, of rows with one"), rows)


def format_shares(rows: list[Row]) -> list[str]:
    """Return by label the share of rows with a negotiation word, and the neutral share of those.

    All by the rows' weights.
    """
    parts = ([row for row in rows if row.label == label] for label in LABELS)
    shares = [share(part, mentions) for part in parts]
    neutral = share([row for row in rows if mentions(row)], lambda row: row.label == NEUTRAL)
    return [f"{100 * value:.1f} %" for value in (*shares, neutral)]


def share(rows: Sequence[Row], holds: Callable[[Row], bool]) -> float:
    """Return the share of rows of which something holds, by their weights where they have one."""
    weights = [float(row.fields.get("weight", 1.0)) for row in rows]
    return sum(w for w, row in zip(weights, rows, strict=True) if holds(row)) / sum(weights)


def mentions(row: Row) -> bool:
    """Say whether the row holds a negotiation word, by its text or its stratum."""
    return has_negotiation_word(row.text) if row.text else "word" in row.fields["stratum"]
