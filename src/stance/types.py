"""The words of the package: labels, spans, predictions, analyses. Standard library only."""

from dataclasses import dataclass, field
from typing import Any

LABELS: tuple[str, ...] = ("favor", "conditional", "against", "neutral")
"""Stances toward negotiations, in the order used for scores, matrices and files."""

NEUTRAL = "neutral"

COLUMNS: dict[str, type] = {
    "text": str,
    "label": str,
    **{f"score_{label}": float for label in LABELS},
    "confidence": float,
    "reliable": bool,
    "holder": str,
    "holder_start": int,
    "holder_end": int,
    "source": str,
    "source_start": int,
    "source_end": int,
    "truncated": bool,
}
"""Columns of a prediction in a table (CSV, Parquet, a data frame), in order, and their types."""

ROWS = ("document", "statement", "start", "end", "part", "actor", *COLUMNS)
"""Columns of an analysis as rows; ``statement`` counts from 1, as the page and the table do."""

OWN_WORDS = "own words"
"""Who says so, where nobody but the actor is named: its words, or its acts as reported."""


@dataclass(frozen=True)
class Span:
    """A piece of a text: ``text[start:end]``, in characters, half-open."""

    start: int
    end: int
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Return the span as plain data."""
        return {"start": self.start, "end": self.end, "text": self.text}


@dataclass(frozen=True)
class Prediction:
    """What one statement says about negotiations.

    Attributes:
        text: the statement as given.
        label: the model's most likely label: one of ``LABELS``, or of a user's own model's.
        scores: calibrated probability by label, in the order of the model's labels; sum 1.
        confidence: the highest score.
        reliable: whether the confidence is one at which the accuracy stated in the model's
            ``stance.json`` is kept, of stances and of neutral each its own; never for blank text,
            for another language than English, or for a statement too long for one window: none was
            measured.
        holder: whose position it is, or None.
        source: according to whom, when that is somebody other than the holder, or None.
        truncated: True only when the statement has more windows than the model reads.
    """

    text: str
    label: str
    scores: dict[str, float]
    confidence: float
    reliable: bool
    holder: Span | None
    source: Span | None
    truncated: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the prediction as plain data, keys in the order of the command line's rows."""
        return {
            "text": self.text,
            "label": self.label,
            "scores": dict(self.scores),
            "confidence": self.confidence,
            "reliable": self.reliable,
            "holder": self.holder.to_dict() if self.holder else None,
            "source": self.source.to_dict() if self.source else None,
            "truncated": self.truncated,
        }

    def to_columns(self) -> dict[str, Any]:
        """Return the prediction as one flat row of a table, keys as in ``COLUMNS``."""
        row: dict[str, Any] = {"text": self.text, "label": self.label}
        row |= {f"score_{label}": score for label, score in self.scores.items()}
        row |= {"confidence": self.confidence, "reliable": self.reliable}
        for name, span in (("holder", self.holder), ("source", self.source)):
            row[name] = span.text if span else None
            row[f"{name}_start"] = span.start if span else None
            row[f"{name}_end"] = span.end if span else None
        row["truncated"] = self.truncated
        return row


@dataclass(frozen=True)
class Statement:
    """A statement of a document with what the model says of it.

    Attributes:
        start: where it starts in the document, in characters.
        end: where it ends, half-open.
        part: ``article``; ``furniture`` for page furniture, which is not scored: it is neutral and
            never reliable; ``foreign`` for another language than English, which is scored but
            speaks for no actor.
        prediction: what the model says of it.
    """

    start: int
    end: int
    part: str
    prediction: Prediction

    def to_dict(self) -> dict[str, Any]:
        """Return the statement as plain data."""
        return {"start": self.start, "end": self.end, **self.prediction.to_dict()}


@dataclass(frozen=True)
class Actor:
    """Somebody who takes a position on negotiations in a document.

    Attributes:
        name: canonical name.
        surface: what the document calls the actor where it takes a position, pronouns too.
        label: the pooled stance, never ``neutral``.
        probability: the pooled probability of the label, 0 to 1; see ``document.pool``.
        statements: positions, in the document's list, of the statements that carry the stance.
        sources: who says so: names of sources, and ``OWN_WORDS``.
        source_surface: what the document calls each source; in JSON it stands with the statements.
    """

    name: str
    surface: tuple[str, ...]
    label: str
    probability: float
    statements: tuple[int, ...]
    sources: tuple[str, ...]
    source_surface: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def show_sources(self) -> str:
        """Return who says so, with what the document calls them beside their name."""
        shown = []
        for name in self.sources:
            forms = [f"“{form}”" for form in self.source_surface.get(name, ())
                     if form.removeprefix("the ").removeprefix("The ") != name]  # fmt: skip
            shown.append(f"{name} ({', '.join(forms)})" if forms else name)
        return ", ".join(shown)

    def to_dict(self) -> dict[str, Any]:
        """Return the actor as plain data."""
        return {
            "name": self.name,
            "surface": list(self.surface),
            "label": self.label,
            "probability": self.probability,
            "statements": list(self.statements),
            "sources": list(self.sources),
        }


@dataclass(frozen=True)
class Analysis:
    """A document with its statements and the positions of its actors.

    Attributes:
        document: its name, or None.
        text: the text as given; ``text[start:end]`` is a statement.
        statements: in the order of the text.
        actors: those with the most statements first.
    """

    document: str | None
    text: str
    statements: tuple[Statement, ...]
    actors: tuple[Actor, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the analysis as plain data, in the form of ``stance analyze --format json``."""
        return {
            "schema": 1,
            "document": self.document,
            "statements": [statement.to_dict() for statement in self.statements],
            "actors": [actor.to_dict() for actor in self.actors],
        }

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a flat row of a table for each statement that was scored, keys as in ``ROWS``.

        Several actors of one statement stand in one cell, in the order of the alphabet: "Russia;
        Ukraine". A statement that speaks for nobody has None there.
        """
        named: dict[int, list[str]] = {}
        for actor in self.actors:
            for i in actor.statements:
                named.setdefault(i, []).append(actor.name)
        return [
            {"document": self.document, "statement": i + 1, "start": statement.start,
             "end": statement.end, "part": statement.part,
             "actor": "; ".join(sorted(named[i])) if i in named else None,
             **statement.prediction.to_columns()}
            for i, statement in enumerate(self.statements)
            if statement.part != "furniture"
        ]  # fmt: skip
