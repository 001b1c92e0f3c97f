"""The rows of a corpus: each of its files' records as a statement, or what is wrong with it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from stance import files, tables
from stance.errors import InputError
from stance.files import Record
from stance.sources import Input

READERS = {"txt": files.iter_txt, "jsonl": files.iter_jsonl, "csv": tables.iter_csv}
SHOWN_CHARACTERS = 300  # of the names of columns
MAX_CHARACTERS = 1_000_000  # of a text: what is longer is no statement


class Place(NamedTuple):
    """Where a row stands: file, rows before it in the file, line and byte (see ``Record``)."""

    file: int = 0
    row: int = 0
    line: int = 1
    offset: int = 0


START = Place()


@dataclass(frozen=True)
class Statement:
    """A row that can be scored: its text, and its columns by name (none in a txt file)."""

    text: str
    columns: dict[str, Any]


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be scored.

    Attributes:
        file: the file's path.
        row: number of the row in the file, from 1.
        line: its first line, from 1; None in Parquet, which has no lines.
        reason: what was expected and what was found.
    """

    file: str
    row: int
    line: int | None
    reason: str


def iter_records(source: Input, start: Place = START) -> Iterator[Record]:
    """Yield the records of a file from a place on; their values are strings or objects."""
    name = str(source.path)
    if source.form == "parquet":
        from stance.parquet import iter_parquet

        yield from iter_parquet(source.path, start.row)
    elif source.form == "csv":
        with files.open_text(source.path) as stream:
            records = tables.iter_csv(stream, name)
            header = tables.read_header(records, name)
            if start.offset:
                stream.seek(start.offset)
                records = tables.iter_csv(stream, name, start.line, start.offset)
            for record in records:
                yield record._replace(value=tables.match_fields(record, header, name))
    else:
        with files.open_text(source.path, start.offset) as stream:
            yield from READERS[source.form](stream, name, start.line, start.offset)


def iter_rows(
    inputs: Sequence[Input], start: Place, text_column: str
) -> Iterator[Statement | BadRow]:
    """Yield the rows of all inputs from a place on."""
    for i in range(start.file, len(inputs)):
        begin = start if i == start.file else Place(i)
        for number, record in enumerate(iter_records(inputs[i], begin), start=begin.row + 1):
            yield read_row(record, inputs[i], number, text_column)


def read_row(record: Record, source: Input, number: int, text_column: str) -> Statement | BadRow:
    """Return what a record holds, or why it cannot be scored."""
    value = record.value
    reason = None
    text: Any = None
    if isinstance(value, InputError):
        reason = f"expected {value.expected}, found {value.found}"
    elif isinstance(value, str):
        text, value = value, {}
    elif text_column not in value:
        reason = f"expected a column '{text_column}', found {name_columns(value)}"
    else:
        text = value[text_column]
    if reason is None and not isinstance(text, str):
        found = "null" if text is None else type(text).__name__
        reason = f"expected text in column '{text_column}', found {found}"
    elif reason is None and len(text) > MAX_CHARACTERS:
        reason = f"expected at most {MAX_CHARACTERS:,} characters, found {len(text):,}"
    if reason is None:
        return Statement(text, value)
    line = None if source.form == "parquet" else record.line
    return BadRow(str(source.path), number, line, reason)


def name_columns(names: Iterable[str]) -> str:
    """Return the names of columns in a line; blanks at an end are shown by quotes."""
    shown = ", ".join(name if name == name.strip() else repr(name) for name in names)
    return shown[:SHOWN_CHARACTERS] or "none"


def count_rows(number: int) -> str:
    """Return a number of rows in words."""
    return f"{number:,} row{'s' * (number != 1)}"
