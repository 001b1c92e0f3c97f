"""Text as it is read: without the characters that nobody sees, and where each character stood."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

from stance.types import Prediction, Span

# Control characters that are no white space, soft hyphens, and what is of no width: joiners,
# marks of direction, the mark that opens a file.
UNSEEN = (
    r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\ufeff\ufff9-\ufffb"
)
COLOUR = r"\x1b\[[0-9;?]*[@-~]"  # and what else a terminal is told
HIDDEN = re.compile(f"(?:{COLOUR}|[{UNSEEN}])+")
LOOSE = re.compile(rf"(?<=\s)(?:{COLOUR}|[\s{UNSEEN}])+|(?:{COLOUR}|[{UNSEEN}])+")  # and blanks


@dataclass(frozen=True)
class Plain:
    """A text with characters left out.

    Attributes:
        text: what is left.
        places: where each of its characters stands in the original; in ascending order.
    """

    text: str
    places: Sequence[int]

    def find_original(self, start: int, end: int) -> tuple[int, int]:
        """Return where a piece that is not empty stands in the original."""
        return self.places[start], self.places[end - 1] + 1


def drop(text: str, pattern: re.Pattern[str] = HIDDEN) -> Plain:
    """Leave out of a text what a pattern matches."""
    if not pattern.search(text):
        return Plain(text, range(len(text)))
    places: list[int] = []
    position = 0
    for match in pattern.finditer(text):
        places.extend(range(position, match.start()))
        position = match.end()
    places.extend(range(position, len(text)))
    return Plain(pattern.sub("", text), places)


def simplify(prediction: Prediction) -> Prediction:
    """Return a prediction on its text as it is read: nothing hidden, single blanks between words.

    Spans move with the text; one of which nothing is left is None.
    """
    plain = drop(prediction.text, LOOSE)
    text = re.sub(r"\s", " ", plain.text)

    def move(span: Span | None) -> Span | None:
        if span is None:
            return None
        start, end = (bisect_left(plain.places, place) for place in (span.start, span.end))
        return Span(start, end, text[start:end]) if start < end else None

    return replace(
        prediction, text=text, holder=move(prediction.holder), source=move(prediction.source)
    )
