"""Rows for training: a user's own file, and rows as token ids with labels and span targets."""

import hashlib
import logging
from pathlib import Path
from typing import Any

from stance.errors import InputError
from stance.own import read_own_rows
from stance.rows import Row
from stance.selection import Rows
from stance.sets import hash_rows
from stance.training.teacher import SoftRow
from stance.types import LABELS, NEUTRAL, Span

NO_TARGET = -100
"""Span target of rows that teach nothing about spans."""

OWN_VALIDATION = 0.1  # share of a user's own file that is held out, by hash of the text

log = logging.getLogger(__name__)


def read_own(path: Path) -> Rows:
    """Read a user's own labelled file: CSV or JSON lines with ``text`` and ``label``.

    A tenth, picked by a hash of the text, is held out for validation. The labels are the four
    stances where no other occurs; else those of the file, in the order of the alphabet.

    Raises:
        InputError: a column is missing, there is one label alone, a label has no row to train on,
            or too few rows are left.
    """
    train: list[Row] = []
    validation: list[Row] = []
    for row in read_own_rows(path, any_label=True):
        share = int(hashlib.sha256(row.text.encode("utf-8")).hexdigest()[:8], 16) / 2**32
        (validation if share < OWN_VALIDATION else train).append(row)
    if not train or not validation:
        raise InputError(str(path), expected="enough rows to hold a tenth out",
                         found=f"{len(train)} and {len(validation)} rows",
                         remedy="Label more statements.")  # fmt: skip
    found = {row.label for row in (*train, *validation)}
    labels = LABELS if found <= set(LABELS) else tuple(sorted(found))
    missing = sorted(found - {row.label for row in train})
    if len(found) < 2 or missing:
        raise InputError(
            str(path), expected="two labels or more, each with several rows",
            found=f"few rows of {', '.join(missing)}" if missing else f"'{min(found)}' alone",
            remedy="Label more statements, or join rare labels.",
        )  # fmt: skip
    rows = [*train, *validation]
    return Rows(train, validation, {path.name: hash_rows(rows)}, labels=labels)


def encode_rows(
    rows: list[Row],
    tokenizer: Any,
    max_tokens: int,
    labels: tuple[str, ...] = LABELS,
    *,
    votes: bool = False,
) -> list[dict[str, Any]]:
    """Turn rows into token ids, label ids and span targets.

    Args:
        rows: n rows.
        tokenizer: a fast Hugging Face tokenizer.
        max_tokens: tokens to keep, special ones included; a longer row is cut in training.
        labels: the labels in the order of their ids.
        votes: give the shares of the votes, (labels,), instead of a label id.

    Returns:
        n dictionaries with ``input_ids``, ``attention_mask``, ``labels`` and ``span_targets``
        (four token positions; see ``network.SPAN_CHANNELS``).
    """
    encoded = tokenizer(
        [row.text for row in rows],
        truncation=True,
        max_length=max_tokens,
        return_offsets_mapping=True,
        return_token_type_ids=False,
    )
    cut = sum(len(ids) == max_tokens for ids in encoded["input_ids"])
    if cut:
        log.warning("%d of %d rows (%.1f %%) reach %d tokens and are cut in training", cut,
                    len(rows), 100 * cut / len(rows), max_tokens)  # fmt: skip
    return [
        {
            "input_ids": encoded["input_ids"][i],
            "attention_mask": encoded["attention_mask"][i],
            "labels": share_votes(row, labels) if votes else labels.index(row.label),
            "span_targets": find_targets(row, encoded["offset_mapping"][i]),
        }
        for i, row in enumerate(rows)
    ]


def share_votes(row: Row, labels: tuple[str, ...]) -> list[float]:
    """Return the share of the row's votes for each label; a row without votes has its own."""
    voted = [vote["label"] for vote in row.fields.get("votes", ())] or [row.label]
    return [voted.count(label) / len(voted) for label in labels]


def encode_soft(rows: list[SoftRow], tokenizer: Any, max_tokens: int) -> list[dict[str, Any]]:
    """Turn a teacher's rows into token ids and probabilities; they teach nothing about spans.

    Returns:
        n dictionaries as ``encode_rows`` returns, ``labels`` being four probabilities.
    """
    encoded = tokenizer(
        [row.text for row in rows],
        truncation=True,
        max_length=max_tokens,
        return_token_type_ids=False,
    )
    return [
        {
            "input_ids": encoded["input_ids"][i],
            "attention_mask": encoded["attention_mask"][i],
            "labels": list(row.probabilities),
            "span_targets": [NO_TARGET] * 4,
        }
        for i, row in enumerate(rows)
    ]


def find_targets(row: Row, offsets: list[tuple[int, int]]) -> list[int]:
    """Return the token positions of holder start and end, source start and end.

    Position 0 stands for "not named". Rows without span annotation (neutral ones, a user's
    own) teach nothing, and neither does a span that lies past the cut.
    """
    if row.label == NEUTRAL or "votes" not in row.fields:
        return [NO_TARGET] * 4
    return [*locate_span(row.holder, offsets), *locate_span(row.source, offsets)]


def locate_span(span: Span | None, offsets: list[tuple[int, int]]) -> list[int]:
    """Return first and last token of a span."""
    if span is None:
        return [0, 0]
    inside = [
        i for i, (start, end) in enumerate(offsets)
        if end > start and start < span.end and end > span.start
    ]  # fmt: skip
    complete = inside and offsets[inside[-1]][1] >= span.end
    return [inside[0], inside[-1]] if complete else [NO_TARGET] * 2
