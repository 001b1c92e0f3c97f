"""Do the intervals of ``stance estimate`` cover? A simulation on held-out real news.

    python benchmarks/coverage.py [--corpora 300]

Each corpus is 8,000 rows drawn with replacement from the real-news test rows: labels from
``data/realnews/test.jsonl``, the released model's scores from ``data/predictions/realnews.jsonl``.
Of each, 100, 300 or 600 rows are drawn as ``stance sample`` draws them, with and without ``--by``,
and labelled by the gold labels; then the true shares are compared with both intervals: the naive
one (binomial, around the share of predicted labels) and ours. Groups: the whole corpus, the two
pools of news, and eight sets of documents, where that leaves 20 rows for each. Changes: of a group
against the one before. Printed is the table of docs/corpora.md; ``--check`` compares the two.
"""

import argparse
import sys
import zlib
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stance.draw import assign_strata, draw_sample
from stance.estimate import (
    ALL,
    Labelled,
    Share,
    Z,
    estimate_shares,
)
from stance.evaluation.card import fill
from stance.evaluation.records import align, read_records
from stance.files import write_text
from stance.rows import read_rows
from stance.scored import Scored, number_groups
from stance.types import LABELS

DATA = Path(__file__).parent.parent / "data"
PAGE = Path(__file__).parent.parent / "docs" / "corpora.md"
ROWS, SETS, SEED = 8_000, 8, 20261127
DESIGNS = (  # labelled, drawn by, estimated by
    *((n, by, groups) for n in (100, 300, 600) for by, groups in
      (("", ""), ("", "pool"), ("pool", "pool"), ("", "set"), ("set", "set"))
      if n > 100 or groups != "set"),
)  # fmt: skip
Hits = dict[tuple[str, str], list[float]]
"""(naive, ours, change or width, stance) -> of each interval whether it covers, or its width."""


def read_population() -> tuple[Scored, NDArray[np.int64], dict[str, list[str]]]:
    """Return the test rows as scored, their gold labels, and each row's groups by kind."""
    rows = read_rows(DATA / "realnews" / "test.jsonl")
    path = DATA / "predictions" / "realnews.jsonl"
    records = align(rows, read_records(path), str(path))
    scores = np.array([record.scores for record in records], dtype=np.float32)
    scored = Scored(
        np.array([LABELS.index(record.label) for record in records], dtype=np.int8),
        scores / scores.sum(axis=1, keepdims=True), [()] * len(rows), {},
    )  # fmt: skip
    groups = {
        "": ["" for _ in rows],
        "pool": [str(row.fields["corpus"]) for row in rows],
        "set": [f"set {zlib.crc32(row.document.encode()) % SETS}" for row in rows],
    }
    return scored, np.array([LABELS.index(row.label) for row in rows]), groups


def simulate(corpora: int, n: int, by: str, kind: str, rows: int = ROWS) -> Hits:
    """Return what the intervals of many corpora cover, by method and stance.

    Args:
        corpora: how many.
        n: rows labelled of each.
        by: kind of the groups drawn from; empty for none.
        kind: kind of the groups whose shares are estimated; empty for the whole corpus.
        rows: of each corpus.
    """
    population, gold, groups = read_population()
    random = np.random.default_rng(SEED)
    hits: Hits = defaultdict(list)
    for _ in range(corpora):
        pick = random.integers(0, len(gold), rows)
        corpus = Scored(population.labels[pick], population.scores[pick],
                        [(groups[kind][i],) if kind else () for i in pick], {})  # fmt: skip
        strata = assign_strata(replace(corpus, groups=[(groups[by][i],) for i in pick]))
        drawn, probability = draw_sample(strata, n, int(random.integers(2**31)))
        labelled = Labelled(drawn, gold[pick][drawn], probability, strata[drawn])
        shares = estimate_shares(corpus, labelled)
        note(hits, shares[4:] if kind else shares, corpus, gold[pick])
    return hits


def note(hits: Hits, shares: list[Share], corpus: Scored, gold: NDArray[np.int64]) -> None:
    """Note which intervals cover the truth, and how wide they are."""
    names, index = number_groups(corpus)
    truth = {name: np.bincount(gold[index == i], minlength=len(LABELS)) / (index == i).sum()
             for i, name in enumerate(names)}  # fmt: skip
    truth[(ALL,)] = np.bincount(gold, minlength=len(LABELS)) / len(gold)
    before = shares[0].group
    for share in shares:
        k = LABELS.index(share.label)
        true = truth[share.group][k]
        reach = Z * (share.naive * (1 - share.naive) / share.rows) ** 0.5
        hits["naive", share.label].append(abs(share.naive - true) <= reach)
        if share.low is not None and share.high is not None:
            hits["ours", share.label].append(share.low <= true <= share.high)
            hits["width", share.label].append(share.high - share.low)
        if share.change_low is not None and share.change_high is not None:
            change = true - truth[before][k]
            hits["change", share.label].append(share.change_low <= change <= share.change_high)
        if k == len(LABELS) - 1:
            before = share.group


def format_row(design: tuple[int, str, str], hits: Hits) -> str:
    """Return a design's line of the table: a cell for each stance."""
    n, by, kind = design
    cells = [f"{n}", by and f"`--by {by}`", kind or "whole", f"{len(hits['ours', LABELS[0]]):,}"]
    for label in LABELS:
        cell = f"{np.mean(hits['ours', label]):.3f} ({np.mean(hits['naive', label]):.3f})"
        cells.append(f"{cell}; {np.mean(hits['width', label]):.2f}")
    changes = [hit for label in LABELS for hit in hits["change", label]]
    rarest = hits["change", "conditional"]
    cells.append(f"{np.mean(changes):.3f}; {np.mean(rarest):.3f}" if changes else "-")
    return "| " + " | ".join(cells) + " |"


def format_table(corpora: int) -> str:
    """Return the table of coverages."""
    heads = ("labelled", "drawn", "shares of", "intervals", *LABELS, "changes; conditional")
    lines = ["| " + " | ".join(heads) + " |", "| " + " | ".join("---" for _ in heads) + " |"]
    lines += [format_row(design, simulate(corpora, *design)) for design in DESIGNS]
    return "\n".join(lines)


def main() -> int:
    """Simulate and print, or compare; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--corpora", type=int, default=300, help="corpora to simulate")
    parser.add_argument("--check", action="store_true", help="compare with docs/corpora.md")
    parser.add_argument("--write", action="store_true", help="write into docs/corpora.md")
    options = parser.parse_args()
    table = format_table(options.corpora)
    print(table)
    text = PAGE.read_text(encoding="utf-8")
    filled = fill(text, {"coverage": table})
    if options.write:
        write_text(PAGE, filled)
    return int(options.check and filled != text)


if __name__ == "__main__":
    sys.exit(main())
