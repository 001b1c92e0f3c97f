"""Misspelled copies of training rows, so that a slip of the keyboard does not change the answer."""

import random
import re
from collections.abc import Sequence
from dataclasses import replace

from stance.layers import hash_text
from stance.rows import Row

MARK = "~typos"
"""What the id of a misspelled copy ends in."""

SLIPS = 0.15  # share of words with a slip, of those that are long enough
LONG = re.compile(r"[A-Za-z]{4,}")
BUCKETS = 2**16


def add_misspelled(rows: Sequence[Row], share: float) -> list[Row]:
    """Return the rows, and behind them misspelled copies of some, chosen by a hash of their texts.

    Args:
        rows: rows with texts.
        share: share of the rows to copy, 0 to 1.
    """
    copies = [
        replace(row, id=f"{row.id}{MARK}", text=misspell(row.text, row.id))
        for row in rows
        if int(hash_text(row.text)[:4], 16) < share * BUCKETS
    ]
    return [*rows, *copies]


def misspell(text: str, seed: str) -> str:
    """Exchange two neighbouring letters in some words; the length, and so every span, stays."""
    rng = random.Random(seed)

    def slip(word: re.Match[str]) -> str:
        letters = word[0]
        if rng.random() >= SLIPS:
            return letters
        at = rng.randrange(1, len(letters) - 1)
        return letters[:at] + letters[at + 1] + letters[at] + letters[at + 2 :]

    return LONG.sub(slip, text)
