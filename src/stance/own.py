"""A user's own labelled file: text and label, and what else may stand in it."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from stance import files, tables
from stance.errors import InputError
from stance.plain import HIDDEN
from stance.rows import YEAR, Problem, Row, cut_span, find_label_problems, find_span_problems
from stance.types import NEUTRAL

SLICED = ("outlet", "date", "conflict")
"""Columns that rows are measured apart by."""
SPANS = ("holder", "source")
OFFSETS = tuple(f"{name}_{key}" for name in SPANS for key in ("start", "end"))
WEIGHT = "weight"
LEAST_WEIGHT = 1e-12
"""The least weight, and one over it the greatest: sums of their squares are exact enough."""
NEEDED = ("text", "label")
READ = (*NEEDED, "id", "document", WEIGHT, *SPANS, *OFFSETS, *SLICED)
"""Columns that are read where the labels are the four stances; else those of ``ANY_READ``."""
ANY_READ = (*NEEDED, "document")
OTHER_KINDS = (".tsv", ".tab", ".xls", ".xlsx", ".ods", ".parquet")

log = logging.getLogger(__name__)


def read_own_rows(path: Path, *, any_label: bool = False) -> list[Row]:
    """Read a user's own labelled file: CSV or JSON lines with ``text`` and ``label``.

    Which columns are read, and which are not, is logged. Outer blanks of a label are dropped.
    There may be a ``document``; else a row is its own. Where the labels are the four stances, there
    may be an ``id``, else it is the number of the line; a ``weight``; and spans: ``holder`` and
    ``source`` as objects with ``start`` and ``end``, or columns ``holder_start``, ``holder_end``
    and so on.

    Args:
        path: the file.
        any_label: whether a label may be any string that is not blank.

    Raises:
        InputError: at the first faulty row, or when there is none.
    """
    rows: list[Row] = []
    columns: dict[str, None] = {}
    dates: list[str] = []
    ids: set[str] = set()
    labels: dict[str, str] = {}
    for number, fields in read_fields(path):
        columns |= dict.fromkeys(fields)
        dates += [str(fields["date"])] if fields.get("date") else []
        repeated = () if any_label else find_id_problems(fields, ids)
        for problem in (*find_own_problems(fields, labels, any_label=any_label), *repeated):
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
    known = ANY_READ if any_label else [key for key in READ if not is_csv(path) or key not in SPANS]
    say_what_is_read(path, list(columns), known)
    if not any_label:
        say_unread_dates(path, dates)
        say_repeated_texts(path, rows)
    return rows


def is_csv(path: Path) -> bool:
    """Say whether a file is read as CSV, by its name."""
    return path.name.lower().endswith((".csv", ".csv.gz"))


def read_fields(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, fields) of a CSV or JSON-lines file.

    Columns ``holder`` and ``source`` of a CSV are emptied: what stands there are names, and spans
    have columns of their own.

    Raises:
        InputError: it is a table of another kind, or cannot be read.
    """
    if path.suffix.lower() in OTHER_KINDS:
        raise InputError(
            str(path), expected="a .csv or a .jsonl file", found=f"a {path.suffix} file",
            remedy="Write it as CSV, its columns separated by commas.",
        )  # fmt: skip
    if not is_csv(path):
        yield from files.read_jsonl(path)
        return
    for number, fields in tables.read_csv(path):
        yield number, {key: None if key in SPANS else value for key, value in fields.items()}


def say_what_is_read(path: Path, columns: Sequence[str], known: Sequence[str]) -> None:
    """Log which columns are read: a misspelled one would be missed in silence."""
    read = ", ".join(name for name in columns if name in known)
    rest = ", ".join(name for name in columns if name not in known)
    log.info("%s: read: %s%s", path, read, rest and f"; not read: {rest}")


def say_unread_dates(path: Path, dates: Sequence[str]) -> None:
    """Warn when dates do not begin with a year, so that none is known."""
    other = [date for date in dates if not YEAR.match(date)]
    if other:
        log.warning(
            "%s: no year read from %d of %d dates, which do not begin with it as 2021-03-05: %r",
            path, len(other), len(dates), other[0],
        )  # fmt: skip


def say_repeated_texts(path: Path, rows: Sequence[Row]) -> None:
    """Warn when rows of several documents have one text: intervals take them as new evidence."""
    first: dict[str, Row] = {}
    again = [row for row in rows if first.setdefault(row.text, row).document != row.document]
    if again:
        log.warning(
            "%s: %d rows repeat a text of another document, such as row %s that of row %s; "
            "intervals count each as evidence of its own: take them out, or give them one document",
            path, len(again), again[0].id, first[again[0].text].id,
        )  # fmt: skip


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
    row_id = (read_id(fields) if stances else "") or str(number)
    return Row(row_id, name, text, clean_label(fields["label"]), holder, source, kept)


def clean_label(label: str) -> str:
    """Return a label without outer blanks, inner ones single."""
    return " ".join(label.split())


def read_id(fields: dict[str, Any]) -> str:
    """Return a row's own id, empty where it has none."""
    value = fields.get("id")
    return "" if value is None else str(value).strip()


def find_id_problems(fields: dict[str, Any], seen: set[str]) -> Iterator[Problem]:
    """Yield a problem when a row alone has an id or lacks one, or has one again; note it."""
    name = read_id(fields)
    if seen and bool(name) == ("" in seen):
        found = f"'{name}', and none in rows before" if name else "none"
        yield Problem("id", "an id in every row, or in none", found, "Fill or drop the column.")
    elif name and name in seen:
        remedy = "Rename one; if the column is no id, rename the column."
        yield Problem("id", "a new id", f"'{name}' a second time", remedy)
    seen.add(name)


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


def find_own_problems(
    fields: dict[str, Any], seen: dict[str, str], *, any_label: bool = False
) -> Iterator[Problem]:
    """Yield what is wrong with a row of a user's own file, which needs ``text`` and ``label``.

    Args:
        fields: the row as read.
        seen: labels of the rows before, as first written; the row's is added.
        any_label: whether a label may be any string that is not blank.
    """
    for name in NEEDED:
        if name not in fields:
            yield find_misnamed(name, fields)
        elif not isinstance(fields[name], str):
            number = isinstance(fields[name], int | float)
            remedy = f'Write it as a string: "{fields[name]}".' if number else "Mend the value."
            yield Problem(name, "a string", repr(fields[name])[:60], remedy)
    text = fields.get("text")
    if isinstance(text, str) and not HIDDEN.sub("", text).strip():
        yield Problem("text", "a statement", "a blank", "Add the text, or take the row out.")
    if isinstance(fields.get("label"), str):
        label = clean_label(fields["label"])
        yield from find_clash(label, seen) if any_label else find_label_problems("label", label)
    if not any_label:
        yield from find_weight_problems(fields)
        yield from find_span_faults(fields)


def find_misnamed(name: str, fields: dict[str, Any]) -> Problem:
    """Return the problem of a missing column, with the one that is likely meant."""
    alike = [key for key in map(str, fields) if key.strip().lower() == name]
    remedy = f"Rename {alike[0]!r} to {name!r}." if alike else "Rename the columns."
    return Problem(name, "columns text and label", "columns " + ", ".join(map(str, fields)), remedy)


def find_clash(label: str, seen: dict[str, str]) -> Iterator[Problem]:
    """Yield a problem when a label is blank or differs from one before in capitals alone."""
    first = seen.setdefault(label.casefold(), label)
    if not label:
        yield Problem("label", "a label", "a blank", "Label the row, or take it out.")
    elif label != first:
        expected = f"'{first}' as in a row before"
        yield Problem("label", expected, f"'{label}'", "Write a label one way.")


def find_weight_problems(fields: dict[str, Any]) -> Iterator[Problem]:
    """Yield a problem when a weight is not a number above 0 that can be reckoned with."""
    if WEIGHT not in fields:
        return
    value = fields[WEIGHT]
    try:
        weight = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        weight = float("nan")
    if not LEAST_WEIGHT <= weight <= 1 / LEAST_WEIGHT:
        remedy = "Mend the value; of a row that shall not count take out the whole row."
        expected = f"a finite number above 0, from {LEAST_WEIGHT:g} to {1 / LEAST_WEIGHT:g}"
        yield Problem(WEIGHT, expected, repr(value)[:60], remedy)


def find_span_faults(fields: dict[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with the spans of a row of a user's own file."""
    for name in SPANS:
        whole, span = fields.get(name), read_offsets(fields, name)
        if whole is not None and not isinstance(whole, dict):
            yield from find_span_problems(name, whole, fields.get("text"))
        elif whole is None and span and not all(type(value) is int for value in span.values()):
            expected = f"whole numbers in {name}_start and {name}_end, or nothing in both"
            found = f"{span['start']!r} and {span['end']!r}"[:60]
            yield Problem(name, expected, found, "Give both in characters from 0, or neither.")
        else:
            yield from find_span_problems(name, span, fields.get("text"))
        if span and str(fields.get("label")).strip() == NEUTRAL:
            yield Problem(name, "none in a neutral row", "a span", "Take out the span or relabel.")
