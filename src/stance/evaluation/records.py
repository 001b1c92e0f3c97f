"""Per-row predictions: what the figures are computed from, and no text of others."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from stance import files
from stance.errors import InputError
from stance.rows import Row
from stance.types import LABELS, Span

PLACES = 6
SHOWN = 60  # characters of a text in a message
BEFORE = 20  # of these, those before the first difference
WHOLE = (int, np.integer)
TOLERANCE = 1e-3  # by which rounded probabilities may miss a sum of 1


@dataclass(frozen=True)
class Record:
    """What a judge and the baselines say of one row.

    Attributes:
        id: the row's id.
        model: SHA-256 of the model, or of the scorer's file, that judged it.
        fold: the article that this model left out, or None.
        label: the judge's label.
        scores: probability by label, in the order of ``LABELS``.
        reliable: the model's own flag; None for a scorer, which gives neither flags nor spans.
        holder: offsets of the predicted holder, or None.
        source: offsets of the predicted source, or None.
        baselines: label by name of baseline.
        slices: what text and corpus tell of the row, for example ``{"year": "2022", "quoted":
            "yes"}``; what its labels tell is looked up in the row.
        text: the statement, where it comes from the user's own file; else None.
    """

    id: str
    model: str
    fold: str | None
    label: str
    scores: tuple[float, ...]
    reliable: bool | None
    holder: dict[str, int] | None
    source: dict[str, int] | None
    baselines: dict[str, str]
    slices: dict[str, str] = field(default_factory=dict)
    text: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the record as it is written."""
        fields = {**asdict(self), "scores": list(self.scores)}
        if self.text is None:
            del fields["text"]
        return fields


def get_offsets(span: Span | None) -> dict[str, int] | None:
    """Return the offsets of a span."""
    return {"start": span.start, "end": span.end} if span else None


def write_records(path: Path, records: Sequence[Record]) -> None:
    """Write one record a line."""
    files.write_jsonl(path, (record.to_dict() for record in records))


def read_records(path: Path) -> list[Record]:
    """Read records.

    Raises:
        InputError: a line lacks a field, holds a wrong value, or repeats an id.
    """
    records: dict[str, Record] = {}
    for number, fields in files.read_jsonl(path):
        try:
            record = Record(**{**fields, "scores": tuple(map(float, fields["scores"]))})
            check_record(record)
            if record.id in records:
                raise ValueError(f"id '{record.id}' a second time")
            first = next(iter(records.values()), record)
            if first.baselines.keys() != record.baselines.keys():
                raise ValueError(f"other baselines than in line 1: {', '.join(record.baselines)}")
            if (first.reliable is None) != (record.reliable is None):
                raise ValueError("a flag 'reliable' in a part of the rows alone")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{path} line {number}",
                expected="a record of stance evaluate",
                found=str(error),
                remedy="Write the file anew with stance evaluate.",
            ) from None
        records[record.id] = record
    return list(records.values())


def check_record(record: Record) -> None:
    """Raise ValueError unless labels are ours, scores probabilities and spans whole."""
    for label in (record.label, *record.baselines.values()):
        if label not in LABELS:
            raise ValueError(f"label {label!r}")
    scores = record.scores
    if len(scores) != len(LABELS) or not all(map(isfinite, scores)) or min(scores) < 0:
        raise ValueError(f"scores {list(scores)}")
    if abs(sum(scores) - 1) > TOLERANCE:
        raise ValueError(f"scores {list(scores)} that do not sum to 1")
    for name, span in (("holder", record.holder), ("source", record.source)):
        if span is not None and not is_span(span):
            raise ValueError(f"{name} {span}")
    if record.reliable not in (True, False, None):
        raise ValueError(f"reliable {record.reliable!r}")


def is_span(value: Any) -> bool:
    """Say whether a value is a span: a start and a later end, in characters from 0."""
    if not isinstance(value, dict):
        return False
    start, end = value.get("start"), value.get("end")
    return isinstance(start, WHOLE) and isinstance(end, WHOLE) and bool(0 <= start < end)


def cut(text: str, other: str) -> str:
    """Return a piece of a text that shows where it begins to differ from another one."""
    pairs = enumerate(zip(text, other, strict=False))
    same = next((i for i, (a, b) in pairs if a != b), min(len(text), len(other)))
    start = max(0, same - BEFORE)
    return f"{'...' if start else ''}{text[start : start + SHOWN]!r}"


def align(rows: Sequence[Row], records: Sequence[Record], where: str) -> list[Record]:
    """Return the records in the order of the rows.

    Raises:
        InputError: a row has no record, a record no row, or they differ in their text.
    """
    by_id = {record.id: record for record in records}
    for row in rows:
        kept = by_id[row.id].text if row.id in by_id else None
        if kept is not None and kept != row.text:
            raise InputError(
                f"{where} id '{row.id}'",
                expected=f"the statement of the labelled file: {cut(row.text, kept)}",
                found=cut(kept, row.text),
                remedy="Take the file that was evaluated, its rows in the same order.",
            )
    missing = [row.id for row in rows if row.id not in by_id]
    if missing or len(by_id) != len(rows):
        found = f"{len(by_id)} records; {len(missing)} rows without one {missing[:3]}"
        raise InputError(
            where,
            expected=f"one record for each of {len(rows)} rows",
            found=found,
            remedy="Write the file anew with stance evaluate.",
        )
    return [by_id[row.id] for row in rows]
