"""The sentence before a statement, as context."""

from dataclasses import replace
from pathlib import Path

from stance.layers import POOLS, collapse, iter_corpus
from stance.rows import Row

MARK = "| before:"
"""Between a statement and the sentence before it, which stands behind so that offsets stay."""


def add_context(rows: list[Row], corpora: Path | None) -> list[Row]:
    """Return the rows with the sentence before behind the statement, where a pool holds one.

    Args:
        rows: rows with texts.
        corpora: the corpora folder; None leaves the rows as they are.
    """
    if corpora is None:
        return rows
    ids = {row.id for row in rows}
    before = {
        f"{corpus}:{key}": collapse(entry.get("before") or "")
        for corpus in POOLS
        for key, entry in iter_corpus(corpora, corpus)
        if f"{corpus}:{key}" in ids
    }
    return [
        replace(row, text=f"{row.text} {MARK} {before[row.id]}") if before.get(row.id) else row
        for row in rows
    ]
