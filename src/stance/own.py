"""A user's own labelled file: text and label, and what else may stand in it."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stance import files, tables
from stance.errors import InputError
from stance.rows import Problem, Row, cut_span, find_label_problems, find_span_problems
from stance.types import NEUTRAL

SLICED = ("outlet", "date", "conflict")
"""Columns that rows are measured apart by."""
SPANS = ("holder", "source")
WEIGHT = "weight"


def read_own_rows(path: Path, *, any_label: bool = False) -> list[Row]:
    """Read a user's own labelled file: CSV or JSON lines with ``text`` and ``label``.

    There may be a ``document``; else a row is its own. A row's id is the number of its line. Where
    the labels are the four stances, there may be a ``weight`` and spans: ``holder`` and ``source``
    as objects with ``start`` and ``end``, or columns ``holder_start``, ``holder_end`` and so on.

    Args:
        path: the file.
        any_label: whether a label may be any string that is not blank.

    Raises:
        InputError: at the first faulty row, or when there is none.
    """
    rows: list[Row] = []
    reader = tables.read_csv if path.suffix.lower() == ".csv" else files.read_jsonl
    for number, fields in reader(path):
        for problem in find_own_problems(fields, any_label=any_label):
            raise InputError(
                f"{path} line {number} field '{problem.field}'",
                expected=problem.expected,
                found=problem.found,
                remedy=problem.remedy,
            )
        rows.append(build_own_row(number, fields, stances=not any_label))
    if not rows:
        raise InputError(
            str(path), expected="at least one row", found="none", remedy="Add labelled rows."
        )
    return rows


def build_own_row(number: int, fields: dict[str, Any], *, stances: bool) -> Row:
    """Make a row of checked fields.

    Args:
        number: the number of its line.
        fields: the row as read.
        stances: whether weight and spans are looked at.
    """
    text = fields["text"].encode("utf-8", "replace").decode()
    document = fields.get("document")
    name = str(number if document in (None, "") else document)
    kept = {key: fields[key] for key in SLICED if fields.get(key)}
    spans = {key: read_offsets(fields, key) for key in SPANS if stances}
    if stances and WEIGHT in fields:
        kept[WEIGHT] = float(fields[WEIGHT])
    kept |= {key: span for key, span in spans.items() if span}
    holder, source = (cut_span(spans.get(key), text) for key in SPANS)
    return Row(str(number), name, text, fields["label"], holder, source, kept)


def read_offsets(fields: dict[str, Any], name: str) -> dict[str, Any] | None:
    """Return a span's offsets as they stand in the row, checked or not; None where there is none.

    Digits in text become numbers; anything else stays, for the check to name it.
    """
    if isinstance(span := fields.get(name), dict):
        return {key: span.get(key) for key in ("start", "end")}
    found = {key: fields.get(f"{name}_{key}") for key in ("start", "end")}
    if all(value in (None, "") for value in found.values()):
        return None
    return {
        key: int(value) if isinstance(value, str) and value.strip().isdecimal() else value
        for key, value in found.items()
    }


def find_own_problems(fields: dict[str, Any], *, any_label: bool = False) -> Iterator[Problem]:
    """Yield what is wrong with a row of a user's own file, which needs ``text`` and ``label``."""
    for name in ("text", "label"):
        if name not in fields:
            found = "columns " + ", ".join(map(str, fields))
            yield Problem(name, "columns text and label", found, "Rename the columns.")
        elif not isinstance(fields[name], str):
            yield Problem(name, "a string", repr(fields[name])[:60], "Mend the value.")
    label = fields.get("label")
    if any_label and isinstance(label, str) and not label.strip():
        yield Problem("label", "a label", "a blank", "Label the row, or take it out.")
    if isinstance(label, str) and not any_label:
        yield from find_label_problems("label", label)
    if not any_label:
        yield from find_weight_problems(fields)
        yield from find_span_faults(fields)


def find_weight_problems(fields: dict[str, Any]) -> Iterator[Problem]:
    """Yield a problem when a weight is not a number above 0."""
    if WEIGHT not in fields:
        return
    value = fields[WEIGHT]
    try:
        weight = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        weight = float("nan")
    if not 0 < weight < math.inf:
        remedy = "Mend the value; of a row that shall not count take out the whole row."
        yield Problem(WEIGHT, "a finite number above 0", repr(value)[:60], remedy)


def find_span_faults(fields: dict[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with the spans of a row of a user's own file."""
    for name in SPANS:
        span = read_offsets(fields, name)
        yield from find_span_problems(name, span, fields.get("text"))
        if span and fields.get("label") == NEUTRAL:
            yield Problem(name, "none in a neutral row", "a span", "Take out the span or relabel.")
