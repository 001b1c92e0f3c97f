"""Data rows: what a labelled statement looks like in a file, and what is wrong with it if not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stance import files
from stance.errors import InputError
from stance.types import LABELS, NEUTRAL, Span

KINDS = ("language model", "person")
"""Kinds of annotator: the provenance of a label is part of it."""

YEAR = re.compile(r"(?:19|20)\d\d")
"""How a date begins: of others no year is read."""

TEXT_FIELDS = ("id", "document", "text", "label")
LAYER_FIELDS = ("id", "document", "corpus", "row", "sha256", "label")


@dataclass(frozen=True)
class Row:
    """A labelled statement.

    Attributes:
        id: unique in its file.
        document: what the statement comes from; splits never divide it.
        text: the statement; empty in a layer row that is not joined with its corpus.
        label: one of ``LABELS``.
        holder: whose position it is, offsets into ``text``; None when neutral or not named.
        source: according to whom, offsets into ``text``, or None.
        fields: the whole row as read.
    """

    id: str
    document: str
    text: str
    label: str
    holder: Span | None
    source: Span | None
    fields: dict[str, Any]


@dataclass(frozen=True)
class Problem:
    """One fault of a row: the field, what was expected, what was found, what to do."""

    field: str
    expected: str
    found: str
    remedy: str


def read_rows(path: str | Path) -> list[Row]:
    """Read and check a JSON-lines file of rows.

    Raises:
        InputError: at the first faulty row, with file, line and field.
    """
    rows: list[Row] = []
    seen: set[str] = set()
    for number, fields in files.read_jsonl(path):
        for problem in (*find_problems(fields), *find_repetition(fields, seen)):
            raise InputError(
                f"{path} line {number} field '{problem.field}'",
                expected=problem.expected,
                found=problem.found,
                remedy=problem.remedy,
            )
        rows.append(build_row(fields))
    return rows


def find_repetition(fields: dict[str, Any], seen: set[str]) -> Iterator[Problem]:
    """Yield a problem when the row's id was seen before; note it."""
    name = str(fields.get("id"))
    if name in seen and "id" in fields:
        yield Problem("id", "a new id", f"'{name}' a second time", "Rename or delete one.")
    seen.add(name)


def build_row(fields: dict[str, Any], text: str | None = None) -> Row:
    """Make a row of checked fields; ``text`` stands in for the text of a layer row."""
    statement = fields.get("text", "") if text is None else text
    return Row(
        id=fields["id"],
        document=fields["document"],
        text=statement,
        label=fields["label"],
        holder=cut_span(fields.get("holder"), statement),
        source=cut_span(fields.get("source"), statement),
        fields=fields,
    )


def cut_span(offsets: dict[str, int] | None, text: str) -> Span | None:
    """Return the span that the offsets cut from the text."""
    if offsets is None:
        return None
    start, end = offsets["start"], offsets["end"]
    return Span(start, end, text[start:end])


def find_problems(fields: dict[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with a row, field by field."""
    names = LAYER_FIELDS if "sha256" in fields else TEXT_FIELDS
    missing = [name for name in names if name not in fields]
    for name in missing:
        found = "a row without it: " + ", ".join(fields) if fields else "an empty row"
        yield Problem(name, "the field to be there", found, f"Add '{name}' to the row.")
    for name in names:
        value = fields.get(name)
        if name not in missing and (not isinstance(value, str) or not value):
            yield Problem(name, "a string that is not empty", repr(value)[:60], "Mend the value.")
    if missing:
        return
    yield from find_label_problems("label", fields["label"])
    text = fields.get("text")
    if "sha256" in fields and text is not None:
        yield Problem("text", "no text in a row over a corpus", "a text", "Take it out.")
    for name in ("holder", "source"):
        yield from find_span_problems(name, fields.get(name), text)
        if fields["label"] == NEUTRAL and fields.get(name) is not None:
            yield Problem(name, "null in a neutral row", "a span", "Take out the span or relabel.")
    for name in ("others", "votes"):
        yield from find_list_problems(name, fields.get(name, []), text)


def find_label_problems(field: str, label: Any) -> Iterator[Problem]:
    """Yield a problem when the label is not one of ours."""
    if label not in LABELS:
        meant = label.strip().lower() if isinstance(label, str) else ""
        remedy = f"Write '{meant}'." if meant in LABELS else "Use one of those."
        yield Problem(field, "one of " + ", ".join(LABELS), repr(label)[:60], remedy)


def find_span_problems(field: str, span: Any, text: Any) -> Iterator[Problem]:
    """Yield a problem when a span is not two offsets that cut a piece from the text."""
    if span is None:
        return
    start, end = (span.get("start"), span.get("end")) if isinstance(span, dict) else (None, None)
    if type(start) is not int or type(end) is not int:
        expected = 'null or {"start": int, "end": int}'
        yield Problem(field, expected, repr(span)[:60], "Give character offsets, half-open.")
        return
    length = len(text) if isinstance(text, str) else end
    if not 0 <= start < end <= length:
        found = f"{start}:{end}"
        yield Problem(field, f"0 <= start < end <= {length}", found, "Mend the offsets.")
    elif isinstance(text, str) and text[start:end] != text[start:end].strip():
        found = repr(text[start:end])
        yield Problem(field, "a span without outer white space", found, "Move the offsets.")


def find_list_problems(name: str, entries: Any, text: Any) -> Iterator[Problem]:
    """Yield the problems of ``others`` or ``votes``."""
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        yield Problem(
            name, "a list of objects", repr(entries)[:60], "Write [] when there are none."
        )
        return
    for i, entry in enumerate(entries):
        yield from find_label_problems(f"{name}[{i}].label", entry.get("label"))
        yield from find_span_problems(f"{name}[{i}].holder", entry.get("holder"), text)
        if name == "votes":
            yield from find_span_problems(f"{name}[{i}].source", entry.get("source"), text)
            for key in ("annotator", "holder", "source", "sure"):
                if key not in entry:
                    yield Problem(f"votes[{i}].{key}", "the field to be there", "none", "Add it.")
            if entry.get("kind") not in KINDS:
                found = repr(entry.get("kind"))[:60]
                yield Problem(f"votes[{i}].kind", "one of " + ", ".join(KINDS), found, "Say it.")
