"""An analysis as one HTML page: the article with its statements coloured, and its actors."""

import re
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from stance.types import LABELS, NEUTRAL, Analysis, Statement

MARKS = {"favor": "+", "conditional": "?", "against": "−", NEUTRAL: ""}
"""What shows a stance beside its colour."""

UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Characters that no page may hold or that turn the direction of what follows."""

PARAGRAPH = re.compile(r"\n\s*\n|[\n\r\v\f\x85\u2028\u2029]+")


@dataclass(frozen=True)
class Piece:
    """A statement on the page, or the text between two statements.

    Attributes:
        text: what is shown.
        number: position of the statement from 1, or None for text between statements.
        statement: the statement, or None.
        actors: names of the actors whose position the statement carries.
    """

    text: str
    number: int | None = None
    statement: Statement | None = None
    actors: tuple[str, ...] = ()


def render(analysis: Analysis) -> str:
    """Return an analysis as a self-contained HTML page.

    The page needs no network and no script; whatever the article holds is shown as text.

    Args:
        analysis: as ``Model.analyze`` returns it.
    """
    environment = Environment(
        loader=PackageLoader("stance.report", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    counted = [s for s in analysis.statements if s.part != "furniture"]
    page = environment.get_template("analysis.html.j2").render(
        title=clean(analysis.document or "Article"),
        paragraphs=build_paragraphs(analysis),
        actors=[(actor, [i + 1 for i in actor.statements]) for actor in analysis.actors],
        counts={label: sum(s.prediction.label == label for s in counted) for label in LABELS},
        total=len(counted),
        reliable=sum(s.prediction.reliable for s in counted),
        furniture=len(analysis.statements) - len(counted),
        foreign=sum(s.part == "foreign" for s in counted),
        labels=LABELS,
        marks=MARKS,
        clean=clean,
        describe=describe,
    )
    return page + "\n"


def clean(text: str) -> str:
    """Return a text with control characters, turns of direction and lone surrogates replaced."""
    return UNSEEN.sub("\ufffd", text)


def build_paragraphs(analysis: Analysis) -> list[list[Piece]]:
    """Return the article as it stands: paragraphs of statements and what is between them."""
    named: dict[int, list[str]] = {}
    for actor in analysis.actors:
        for i in actor.statements:
            named.setdefault(i, []).append(actor.name)
    paragraphs: list[list[Piece]] = [[]]
    position = 0
    for i, statement in enumerate(analysis.statements):
        add_between(paragraphs, analysis.text[position : statement.start])
        text = clean(analysis.text[statement.start : statement.end])
        paragraphs[-1].append(Piece(text, i + 1, statement, tuple(named.get(i, ()))))
        position = statement.end
    add_between(paragraphs, analysis.text[position:])
    return [paragraph for paragraph in paragraphs if paragraph]


def add_between(paragraphs: list[list[Piece]], text: str) -> None:
    """Add what stands between two statements; a line end in it starts a paragraph."""
    for n, part in enumerate(PARAGRAPH.split(text)):
        if n:
            paragraphs.append([])
        if part.strip():
            paragraphs[-1].append(Piece(clean(part)))
        elif part and paragraphs[-1]:
            paragraphs[-1].append(Piece(" "))


def describe(piece: Piece) -> str:
    """Say in words what is known of a statement; the page shows it on hover and on focus."""
    assert piece.statement is not None
    prediction = piece.statement.prediction
    if piece.statement.part == "furniture":
        return "page furniture, not judged"
    scores = ", ".join(f"{label} {share:.0%}" for label, share in prediction.scores.items())
    parts = [f"{prediction.label} ({prediction.confidence:.0%}): {scores}"]
    parts.append("reliable" if prediction.reliable else "not reliable")
    if piece.statement.part == "foreign":
        parts.append("not English, counts for no actor")
    if prediction.holder:
        named = ", ".join(piece.actors)
        parts.append(f"holder “{prediction.holder.text}”" + (f" = {named}" if named else ""))
    if prediction.source:
        parts.append(f"according to “{prediction.source.text}”")
    return clean("; ".join(parts))
