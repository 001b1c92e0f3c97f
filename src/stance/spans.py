"""Token scores to spans: who holds the position, and according to whom."""

import numpy as np
from numpy.typing import NDArray

from stance.types import Span

MAX_SPAN_TOKENS = 24  # longer than 99 % of the annotated holders and sources

Offsets = list[tuple[int, int]]


def decode_spans(
    scores: NDArray[np.float32], offsets: Offsets, text: str
) -> tuple[Span | None, Span | None]:
    """Pick the best holder and source of one window.

    Args:
        scores: pointer scores (tokens, 4): holder start, holder end, source start, source end.
            Position 0, the first special token, means "not named".
        offsets: characters of ``text`` that each token covers; (0, 0) for special tokens.
        text: the statement.

    Returns:
        Holder and source, each a span or None.
    """
    holder = point(scores[:, 0], scores[:, 1], offsets, text)
    source = point(scores[:, 2], scores[:, 3], offsets, text)
    if holder and source and holder.start < source.end and source.start < holder.end:
        source = None  # one phrase cannot be both: a source is somebody other than the holder
    return holder, source


def point(
    starts: NDArray[np.float32], ends: NDArray[np.float32], offsets: Offsets, text: str
) -> Span | None:
    """Return the span whose start and end score best together, or None where token 0 does."""
    usable = np.array([end > start for start, end in offsets])
    if not usable.any():
        return None
    pairs = np.where(usable, starts, -np.inf)[:, None] + np.where(usable, ends, -np.inf)[None, :]
    steps = np.arange(len(offsets))[None, :] - np.arange(len(offsets))[:, None]
    pairs = np.where((steps >= 0) & (steps < MAX_SPAN_TOKENS), pairs, -np.inf)
    first, last = np.unravel_index(int(pairs.argmax()), pairs.shape)
    if pairs[first, last] <= starts[0] + ends[0]:
        return None
    start, end = offsets[first][0], offsets[last][1]
    return Span(start, end, text[start:end])
