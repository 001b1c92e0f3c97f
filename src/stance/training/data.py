"""Rows for training as token ids with labels and span targets."""

import logging
from typing import Any

from stance.rows import Row
from stance.training.teacher import SoftRow
from stance.types import LABELS, NEUTRAL, Span

NO_TARGET = -100
"""Span target of rows that teach nothing about spans."""

log = logging.getLogger(__name__)


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
