"""Do the intervals of ``stance estimate`` cover? A simulation on held-out real news.

    python benchmarks/coverage.py [--corpora 1000] [--n 300]

Each corpus is 20,000 rows drawn with replacement from the real-news test rows: labels from
``data/realnews/test.jsonl``, the released model's scores from ``data/predictions/realnews.jsonl``.
Of each, the sample is drawn as ``stance sample`` draws it and labelled by the gold labels; then the
true shares of the corpus are compared with both intervals: the naive one (binomial, around the
share of predicted labels) and ours. Groups: the two pools, and eight sets of documents. Changes:
between the pools. The interval of a coverage is Wilson's.
"""

import argparse
import zlib
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stance.estimate import ALL, Labelled, Share, Z, assign_strata, draw_sample, estimate_shares
from stance.evaluation.records import align, read_records
from stance.rows import read_rows
from stance.scored import Scored
from stance.types import LABELS

DATA = Path(__file__).parent.parent / "data"
ROWS, SETS, SEED = 20_000, 8, 20261127
Hits = dict[tuple[str, str, str], list[bool]]


def read_population() -> tuple[Scored, NDArray[np.int64], list[str]]:
    """Return the test rows as scored, their gold labels, and the set of each row's document."""
    rows = read_rows(DATA / "realnews" / "test.jsonl")
    path = DATA / "predictions" / "realnews.jsonl"
    records = align(rows, read_records(path), str(path))
    scores = np.array([record.scores for record in records], dtype=np.float32)
    scored = Scored(
        np.array([LABELS.index(record.label) for record in records], dtype=np.int8),
        scores / scores.sum(axis=1, keepdims=True),
        [(row.fields["corpus"],) for row in rows], {},
    )  # fmt: skip
    sets = [f"set {zlib.crc32(row.document.encode()) % SETS}" for row in rows]
    return scored, np.array([LABELS.index(row.label) for row in rows]), sets


def simulate(corpora: int, n: int, rows: int = ROWS) -> Hits:
    """Return for each method, group and label whether the interval of each corpus covers."""
    population, gold, sets = read_population()
    random = np.random.default_rng(SEED)
    hits: Hits = defaultdict(list)
    for _ in range(corpora):
        pick = random.integers(0, len(gold), rows)
        corpus = Scored(population.labels[pick], population.scores[pick],
                        [population.groups[i] for i in pick], {})  # fmt: skip
        strata = assign_strata(replace(corpus, groups=[()] * rows))
        drawn, probability = draw_sample(strata, n, int(random.integers(2**31)))
        labelled = Labelled(drawn, gold[pick][drawn], probability, strata[drawn])
        note(hits, estimate_shares(corpus, labelled), corpus.groups, gold[pick])
        groups = [(sets[i],) for i in pick]
        shares = estimate_shares(replace(corpus, groups=groups), labelled)
        note(hits, [s for s in shares if s.group != (ALL,)], groups, gold[pick], changes=False)
    return hits


def note(
    hits: Hits, shares: list[Share], groups: list[tuple[str, ...]], gold: NDArray[np.int64],
    *, changes: bool = True,
) -> None:  # fmt: skip
    """Note which intervals cover the truth."""
    members = {name: np.array([group == name for group in groups]) for name in set(groups)}
    members[(ALL,)] = np.ones(len(gold), dtype=bool)
    truth = {
        name: np.bincount(gold[inside], minlength=len(LABELS)) / inside.sum()
        for name, inside in members.items()
    }
    before: tuple[str, ...] | None = None
    for share in shares:
        label, group = LABELS.index(share.label), share.group[0]
        true = truth[share.group][label]
        reach = Z * (share.naive * (1 - share.naive) / share.rows) ** 0.5
        hits["naive", group, share.label].append(abs(share.naive - true) <= reach)
        if share.low is not None and share.high is not None:
            hits["corrected", group, share.label].append(share.low <= true <= share.high)
        if changes and share.change_low is not None and share.change_high is not None and before:
            change = true - truth[before][label]
            hits["change", group, share.label].append(
                share.change_low <= change <= share.change_high
            )
        if label == len(LABELS) - 1:
            before = share.group


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the Wilson interval of a share."""
    centre = (hits + Z * Z / 2) / (n + Z * Z)
    half = Z * (hits * (n - hits) / n + Z * Z / 4) ** 0.5 / (n + Z * Z)
    return centre - half, centre + half


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--corpora", type=int, default=1000, help="corpora to simulate")
    parser.add_argument("--n", type=int, default=300, help="rows labelled of each")
    options = parser.parse_args()
    hits = simulate(options.corpora, options.n)
    print(f"{options.corpora} corpora of {ROWS:,} rows, {options.n} labelled of each\n")
    print(f"{'interval':<11}{'group':<26}{'stance':<13}{'covered':>8}  95 %            corpora")
    for (method, group, label), values in sorted(hits.items()):
        low, high = wilson(sum(values), len(values))
        print(f"{method:<11}{group:<26}{label:<13}{np.mean(values):>8.3f}  "
              f"[{low:.3f}, {high:.3f}]  {len(values)}")  # fmt: skip
    for method in ("naive", "corrected", "change"):
        values = [value for key, part in hits.items() if key[0] == method for value in part]
        print(f"{method}: {np.mean(values):.3f} of {len(values):,} intervals cover")


if __name__ == "__main__":
    main()
