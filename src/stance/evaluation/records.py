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
NAME = (str, type(None))
KINDS: dict[str, Any] = {
    "id": str, "model": str, "fold": NAME, "label": str, "reliable": (bool, type(None)),
    "baselines": dict, "slices": dict, "text": NAME,
}  # fmt: skip
"""Of which kind the fields of a record are; scores and spans are looked at closer."""


@dataclass(frozen=True)
class Record:
    """What a judge and the baselines say of one row.

    Attributes:
        id: the row's id.
        model: SHA-256 of the model, or of the scorer's file and function, that judged it.
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
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{path} line {number}",
                expected="a record of stance evaluate",
                found=str(error),
                remedy="Write the file anew with stance evaluate.",
            ) from None
        records[record.id] = record
    return list(records.values())


def check_record(record: Record) -> None:
    """Raise ValueError unless each field is of its kind, the label the likeliest, spans whole."""
    for name, kind in KINDS.items():
        if not isinstance(value := getattr(record, name), kind):
            raise ValueError(f"{name} {value!r}")
    if not all(isinstance(value, str) for value in record.slices.values()):
        raise ValueError(f"slices {record.slices}")
    for label in (record.label, *record.baselines.values()):
        if label not in LABELS:
            raise ValueError(f"label {label!r}")
    scores = record.scores
    if len(scores) != len(LABELS) or not all(map(isfinite, scores)) or min(scores) < 0:
        raise ValueError(f"scores {list(scores)}")
    if abs(sum(scores) - 1) > TOLERANCE:
        raise ValueError(f"scores {list(scores)} that do not sum to 1")
    if scores[LABELS.index(record.label)] < max(scores):
        raise ValueError(f"label '{record.label}', which is not the likeliest by {list(scores)}")
    for name, span in (("holder", record.holder), ("source", record.source)):
        if span is not None and not is_span(span):
            raise ValueError(f"{name} {span}")


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
        if row.id in by_id:
            check_pair(row, by_id[row.id], f"{where} id '{row.id}'")
    known = {row.id for row in rows}
    missing = [row.id for row in rows if row.id not in by_id]
    strange = [name for name in by_id if name not in known]
    if missing or strange:
        raise InputError(
            where,
            expected=f"one record for each of {len(rows)} rows",
            found=f"{len(by_id)} records; {len(missing)} rows without one {missing[:3]}; "
            f"{len(strange)} records of other rows {strange[:3]}",
            remedy="Take the predictions of these rows, or let them be judged again.",
        )
    return [by_id[row.id] for row in rows]


def check_pair(row: Row, record: Record, where: str) -> None:
    """Raise unless a record is of the row's text, where both have one, and its spans lie in it."""
    if record.text is not None and record.text != row.text:
        raise InputError(
            where,
            expected=f"the statement of the labelled file: {cut(row.text, record.text)}",
            found=cut(record.text, row.text),
            remedy="Take the file that was evaluated. Rows that have an `id` may change places; "
            "without that column they are known by their line.",
        )
    for name, span in (("holder", record.holder), ("source", record.source)):
        if row.text and span and span["end"] > len(row.text):
            raise InputError(
                f"{where} field '{name}'",
                expected=f"a span within the {len(row.text)} characters of the statement",
                found=f"{span['start']}:{span['end']}",
                remedy="Let the row be judged again.",
            )
