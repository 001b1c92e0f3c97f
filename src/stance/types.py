"""The words of the package: labels, spans, predictions. Standard library only."""

from dataclasses import dataclass
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
        label: the model's most likely label, one of ``LABELS``.
        scores: calibrated probability by label, in the order of ``LABELS``; they sum to 1.
        confidence: the highest score, 0.25 to 1.
        reliable: whether the confidence lies inside the coverage that keeps the accuracy
            stated in the model's ``stance.json``; never for blank text, for another language
            than English, or for a statement too long for one window: none was measured.
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
