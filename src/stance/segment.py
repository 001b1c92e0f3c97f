"""Text to sentences with offsets into the original; page furniture is marked as such.

Rules rather than a library: ``benchmarks/segmentation.py`` holds them against the light splitters
on sentences of news, where the well-kept ones stay behind.

A sentence never crosses a paragraph. A line is a paragraph, except in a text that was wrapped at a
fixed width. A sentence inside a quotation is a sentence of its own.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from stance.furniture import LABEL, is_disclaimer, is_furniture
from stance.plain import drop

LINE_END = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
LINE = re.compile(r"[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")
WORD = re.compile(r"\S+")
LETTER = re.compile(r"[^\W_]")  # or digit

MIN_WIDTH, MAX_WIDTH = 40, 120  # of wrapped text, in characters
MIN_FULL = 3  # full lines that show that a text is wrapped

STOP = re.compile(r"""(?<![.!?…])(?P<stop>[.!?…]++)(?P<close>["'”’»)\]·]*+)\s++""")
NEXT = re.compile(r"""["'“‘«(\[—–-]{0,3}\s?(\w+)""")
TOKEN_LENGTH = 30  # characters looked at before a full stop; no abbreviation is longer

LEADING = frozenset(
    "Mr Mrs Ms Dr Prof Gen Col Lt Maj Capt Sgt Cpl Cmdr Adm Brig Rev Hon hon Sen Rep Reps Sens Gov "
    "Pres Amb Ste Messrs Mme vs viz cf approx e.g i.e".split()
)
"""Abbreviations that never end a sentence."""

NUMBERED = frozenset("No Nos Art Sec Fig p pp Vol vol ch para".split())
"""Abbreviations that end no sentence before a number."""

CLOSING = frozenset(
    "Inc Corp Ltd Co Bros Jr Sr St Mt Ft etc al Dept est Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct "
    "Nov Dec Mon Tue Tues Wed Thu Thurs Fri Sat Sun Ala Ariz Ark Calif Colo Conn Fla Ga Ill Kan Ky "
    "La Mass Md Mich Minn Mont Neb Nev Okla Ore Pa Tenn Tex Va Vt Wis Wyo".split()
)
"""Abbreviations that, like acronyms and initials, end a sentence only before an opener."""

ACRONYM = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")

OPENERS = frozenset(
    "A According After All Also Although An And Any As At Because Before Both But By During Each "
    "Earlier Even Every For From Further He Her Here His How However I If In Instead It Its Last "
    "Later Many Meanwhile More Most Much My Nor Not Now On Once One Only Or Other Others Our "
    "Several She Since So Some Still Such Than That The Their Then There These They This Those "
    "Though Through To Today Two Until Was We Were What When Where Whether Which While Who Why "
    "With Without Yet You Your".split()
)
"""Words that open a sentence and seldom stand capitalised inside one."""

GLUED = (
    re.compile(r"“[^“”]*\w[.!?]?”(?=[A-Z][a-z])"),
    re.compile(r"‘[^‘’]*[a-z]{2}[.!?]?’(?=[A-Z][a-z])"),
    re.compile(r"(?<=[a-z]{3})[.!?]['\"”’]?(?=[A-Z][a-z]*[ ,])(?!(?:Com|Net|Org)\b)"),
    re.compile(
        r"(?<=[a-z]{3})(?=(?:The|This|That|These|They|There|But|However|According|After|Earlier|"
        r"Meanwhile|While|When) )"
    ),
)
"""Ends of sentences and headlines after which the space or line end was lost."""


@dataclass(frozen=True)
class Sentence:
    """A sentence, a headline or a piece of page furniture: ``text[start:end]`` of a document."""

    start: int
    end: int
    text: str
    furniture: bool


def split(text: str) -> list[Sentence]:
    """Split a text into sentences.

    Args:
        text: any text.

    Returns:
        Sentences in order, without overlap or outer white space. They cover every character but
        white space, characters that nobody sees (``plain.HIDDEN``) around a sentence, and
        paragraphs without a letter or digit (a row of asterisks).

    Example:
        >>> [sentence.text for sentence in split("Talks failed. The U.S. left.")]
        ['Talks failed.', 'The U.S. left.']
    """
    sentences: list[Sentence] = []
    plain = drop(text)
    for start, end in find_paragraphs(plain.text):
        disclaimer = False  # goes on to the end of its paragraph
        for span in split_paragraph(plain.text, start, end):
            piece = plain.text[slice(*span)]
            disclaimer = disclaimer or is_disclaimer(piece)
            left, right = plain.find_original(*span)
            furniture = disclaimer or is_furniture(piece)
            sentences.append(Sentence(left, right, text[left:right], furniture))
    return sentences


def find_paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Yield the paragraphs that hold a letter or digit, without outer white space."""
    lines = [trim(text, *match.span()) for match in LINE.finditer(text)]
    lines = [(left, right) for left, right in lines if left < right]
    width = find_width(text, lines)
    start = 0
    for i, (_, right) in enumerate(lines):
        if width and i + 1 < len(lines) and is_full(text, lines[i], lines[i + 1], width):
            continue
        left = lines[start][0]
        if LETTER.search(text, left, right):
            yield left, right
        start = i + 1


def trim(text: str, left: int, right: int) -> tuple[int, int]:
    """Return the span without the white space at its ends."""
    piece = text[left:right]
    return left + len(piece) - len(piece.lstrip()), left + len(piece.rstrip())


def find_width(text: str, lines: list[tuple[int, int]]) -> int | None:
    """Return the width that the lines were wrapped at, or None where each is a paragraph."""
    width = max((right - left for left, right in lines), default=0)
    if not MIN_WIDTH <= width <= MAX_WIDTH:
        return None
    pairs = [pair for pair in pairwise(lines) if is_next_line(text, *pair)]
    full = sum(is_full(text, *pair, width) for pair in pairs)
    return width if full >= MIN_FULL and full > len(pairs) / 2 else None


def is_next_line(text: str, line: tuple[int, int], following: tuple[int, int]) -> bool:
    """Say whether no blank line lies between two lines."""
    return len(LINE_END.findall(text, line[1], following[0])) == 1


def is_full(text: str, line: tuple[int, int], following: tuple[int, int], width: int) -> bool:
    """Say whether the first word of the next line had no room in this one."""
    word = WORD.match(text, following[0])
    length = len(word.group()) if word else 0
    return is_next_line(text, line, following) and line[1] - line[0] + 1 + length > width


def split_paragraph(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the sentences of a paragraph; a piece without letter or digit joins its neighbour."""
    last = next(i for i in range(end - 1, start - 1, -1) if LETTER.match(text, i))
    left, first = start, find_letter(text, start, end)
    for cut in find_cuts(text, start, end):
        if first < cut <= last:
            yield trim(text, left, cut)
            left, first = cut, find_letter(text, cut, end)
    yield trim(text, left, end)


def find_letter(text: str, start: int, end: int) -> int:
    """Return where the first letter or digit stands, or the end."""
    match = LETTER.search(text, start, end)
    return match.start() if match else end


def find_cuts(text: str, start: int, end: int) -> list[int]:
    """Return where a paragraph is to be cut, in order."""
    cuts = {stop.end() for stop in STOP.finditer(text, start, end) if is_end(text, start, stop)}
    for pattern in (*GLUED, LABEL):
        cuts.update(match.end() for match in pattern.finditer(text, start, end))
    return sorted(cuts)


def is_end(text: str, start: int, stop: re.Match[str]) -> bool:
    """Say whether a stop with white space after it ends a sentence.

    Args:
        text: the document.
        start: where the paragraph starts.
        stop: a match of ``STOP``.
    """
    following = NEXT.match(text, stop.end())
    if following is None or following[1][0].islower():
        return False
    if stop["stop"] != ".":
        return True
    head = text[max(start, stop.start() - TOKEN_LENGTH) : stop.start()]
    word = re.split(r"[\s(\[“‘\"'/—–-]", head)[-1]
    number = following[1][0].isdigit()  # "No. 5", and "26. 6 percent" from a broken page
    if word in LEADING or (number and (word in NUMBERED or word.isdecimal())):
        return False
    if head.isdecimal() and stop.start() - start == len(head):
        return False  # the number of a list item
    if stop["close"]:
        return True
    return following[1] in OPENERS or not (word in CLOSING or ACRONYM.fullmatch(word))
