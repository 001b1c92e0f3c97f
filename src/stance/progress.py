"""How far a job is: a bar on a terminal, elsewhere a line a minute with the rate and time left."""

import io
import logging

from tqdm import tqdm

LINE_S = 60.0  # between two lines
LINE = "{desc}: {percentage:.0f} % ({n_fmt} of {total_fmt}), {rate_fmt}, {remaining} left"

log = logging.getLogger(__name__)


class _Lines(io.TextIOBase):
    """Where tqdm writes to when there is no terminal: each state of a bar becomes a message."""

    def write(self, text: str) -> int:
        if text.strip():
            log.info("%s", text.strip())
        return len(text)


def show_progress(
    what: str, total: int, unit: str, *, bars: bool, done: int = 0, scale: bool = False
) -> "tqdm[None]":
    """Return what tells how far a job is, to be used as a context and told of each advance.

    Args:
        what: what is being done.
        total: units in all.
        unit: name of a unit, with a blank at its front.
        bars: whether to show a bar rather than messages.
        done: units done before.
        scale: whether to write numbers in thousands and millions of units.
    """
    if bars:
        return tqdm(desc=what, total=total, unit=unit, initial=done, unit_scale=scale)
    return tqdm(
        desc=what, total=total, unit=unit, initial=done, unit_scale=scale, file=_Lines(),
        bar_format=LINE, mininterval=LINE_S, delay=LINE_S, miniters=1, leave=False,
    )  # fmt: skip
