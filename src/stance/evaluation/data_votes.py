"""The dataset card's tables of who judged what, and how far annotators agree."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

from stance.evaluation import agreement, table
from stance.rows import Row
from stance.types import LABELS

Group = tuple[str, Sequence[str], Sequence[str], Sequence[str]]

GROUPS: Sequence[Group] = (  # name in the table, parts, rounds (none: all), annotators
    ("articles", ("articles / train",), (), ("A", "B")),
    ("realnews / validation", ("realnews / validation",), (), ("A", "B", "C")),
    ("realnews / test", ("realnews / test",), (), ("A", "B", "C")),
    ("layers, adopted", ("layers / train", "layers / test"),
     ("keyword", "active", "active2", "recent"), ("L1", "L2")),
    ("layers, active3", ("layers / train",), ("active3",), ("L2", "G2")),
    ("layers, active4 and active5", ("layers / train",), ("active4", "active5"), ("G1", "G2")),
)  # fmt: skip
WRITTEN = "written statements"


def build_vote_tables(parts: dict[str, list[Row]]) -> dict[str, str]:
    """Return the tables by name.

    Args:
        parts: labelled rows by set and split.
    """
    return {
        "agreement": format_agreement(parts),
        "confusions": format_confusions(parts),
        "rounds": format_rounds(parts),
    }


def select_group(parts: dict[str, list[Row]], group: Group) -> list[Row]:
    """Return a group's rows."""
    _, names, rounds, _ = group
    rows = [row for name in names for row in parts[name]]
    return [row for row in rows if not rounds or row.fields["round"] in rounds]


def format_agreement(parts: dict[str, list[Row]]) -> str:
    """Return alpha and span overlap, group by group."""
    lines = []
    for group in GROUPS:
        name, _, _, annotators = group
        rows = agreement.select_judged(select_group(parts, group), annotators)
        alpha = table.format_interval(agreement.estimate_alpha(rows, annotators).to_dict())
        spans = (agreement.compare_span_votes(rows, annotators, x) for x in ("holder", "source"))
        lines.append([name, str(len(annotators)), str(len(rows)), alpha,
                      *(f"{value:.3f}" for value in spans)])  # fmt: skip
    heads = ("set", "annotators", "rows", "alpha of labels", "holder overlap", "source overlap")
    return table.format_rows(heads, lines)


def format_confusions(parts: dict[str, list[Row]]) -> str:
    """Return what each two annotators said of the same rows: lines the first, columns the second.

    Where three judged every row, the three pairs are three parts of the table.
    """
    lines = []
    for group in GROUPS:
        name, _, _, annotators = group
        rows = select_group(parts, group)
        for first, second in combinations(annotators, 2):
            votes = agreement.collect_votes(rows, (first, second))
            counts = Counter(zip(*votes, strict=True))
            for i, label in enumerate(LABELS):
                cells = (str(counts[i, j]) for j in range(len(LABELS)))
                lines.append([name, f"{first}, {second}", label, *cells])
    return table.format_rows(("set", "first, second", "first says", *LABELS), lines)


def format_rounds(parts: dict[str, list[Row]]) -> str:
    """Return how the layer rows were drawn and how many annotators judged them."""
    rows = [(row.fields["round"], row) for x in ("train", "test") for row in parts[f"layers / {x}"]]
    rows += [(WRITTEN, row) for name, part in parts.items() if name.startswith("written")
             for row in part]  # fmt: skip
    counts = Counter((name, len(row.fields["votes"])) for name, row in rows)
    names = sorted({name for name, _ in counts}, key=lambda name: (name == WRITTEN, name))
    lines = [[name, *(str(counts[name, votes]) for votes in (1, 2, 3))] for name in names]
    return table.format_rows(("round", "one vote", "two votes", "three votes"), lines)
