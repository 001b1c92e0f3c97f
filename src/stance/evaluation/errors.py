"""Kinds of errors: which label is read as which, how often, and in which rows most surely."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from stance.evaluation.records import Record
from stance.evaluation.table import format_rows
from stance.rows import Row


@dataclass(frozen=True)
class ErrorKind:
    """Rows of one label that are read as one other.

    Attributes:
        gold: the rows' label.
        predicted: the label they are given.
        count: how many there are.
        of: how many rows have the label ``gold``.
        examples: row ids, the most confident error first.
    """

    gold: str
    predicted: str
    count: int
    of: int
    examples: tuple[str, ...]


def list_errors(
    rows: Sequence[Row], records: Sequence[Record], *, kinds: int = 5, examples: int = 3
) -> list[ErrorKind]:
    """Return the most frequent kinds of errors, the most frequent first.

    Args:
        rows: n rows.
        records: what was said of them, in their order.
        kinds: how many kinds to return at most.
        examples: how many row ids to name of each at most.
    """
    missed: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for row, record in zip(rows, records, strict=True):
        if row.label != record.label:
            missed[row.label, record.label].append(record)
    found = []
    for (gold, predicted), part in missed.items():
        surest = sorted(part, key=lambda record: (-max(record.scores), record.id))
        ids = tuple(record.id for record in surest[:examples])
        of = sum(row.label == gold for row in rows)
        found.append(ErrorKind(gold, predicted, len(part), of, ids))
    return sorted(found, key=lambda kind: (-kind.count, kind.gold, kind.predicted))[:kinds]


def format_errors(errors: Sequence[ErrorKind]) -> str:
    """Return the table kind of error x (rows, share of the label, examples)."""
    lines = [
        [kind.gold, kind.predicted, str(kind.count), f"{100 * kind.count / kind.of:.0f} %",
         ", ".join(f"`{row_id}`" for row_id in kind.examples)]
        for kind in errors
    ]  # fmt: skip
    heads = ("label", "read as", "rows", "of the label", "most confident errors (row id)")
    return format_rows(heads, lines)
