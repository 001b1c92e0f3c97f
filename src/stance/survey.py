"""One look through all inputs before they are scored: what they are, and how they divide.

It is what makes the rest simple: a run can be compared with the one it resumes, every shard knows
where it begins, a table's columns are known before its first row is written, and a wrong column
is refused before an hour has gone by.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from stance import files, tables
from stance.bundle import hash_file
from stance.errors import InputError
from stance.inputs import (
    START,
    BadRow,
    Place,
    Statement,
    count_rows,
    iter_records,
    name_columns,
    read_row,
)
from stance.sources import Input

SAFE_INTEGER = 2**53  # beyond it a float cannot stand for an integer
TICK_ROWS = 1000
MAX_COLUMNS = 5000  # of all inputs: a table has every one of them in every row


@dataclass(frozen=True)
class Shard:
    """A run of input rows that makes one part of the output."""

    start: Place
    rows: int


@dataclass
class Survey:
    """What looking through the inputs tells.

    Attributes:
        text_column: the column that holds the statements.
        shard_rows: input rows of a shard.
        facts: of each file its path, bytes, sha256 and number of rows.
        places: where each shard begins.
        columns: of each column the kinds of its values: see ``name_kind``; of Parquet the type.
        rows: number of rows.
        has_good: whether there is a row that can be scored.
        first_bad: the first row that cannot, of those that were looked at.
    """

    text_column: str
    shard_rows: int
    facts: list[dict[str, Any]] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    columns: dict[str, set[Any]] = field(default_factory=dict)
    rows: int = 0
    has_good: bool = False
    first_bad: BadRow | None = None

    @property
    def shards(self) -> list[Shard]:
        """The rows in runs of the same length; one of no rows where there are none."""
        starts = range(0, self.rows, self.shard_rows)
        rows = [min(self.shard_rows, self.rows - start) for start in starts]
        shards = [Shard(*pair) for pair in zip(self.places, rows, strict=True)]
        return shards or [Shard(START, 0)]

    def note_columns(self, columns: dict[str, Any], where: str) -> None:
        """Add columns, each with a kind of values.

        Raises:
            InputError: there are too many.
        """
        for name, kind in columns.items():
            self.columns.setdefault(name, set()).add(kind)
        if len(self.columns) > MAX_COLUMNS:
            raise InputError(
                where,
                expected=f"at most {MAX_COLUMNS:,} columns in all inputs",
                found="another",
                remedy="Put keys that differ from row to row into one object, or leave them out.",
            )

    def note_row(self, row: Statement | BadRow) -> None:
        """Take in whether a row can be scored."""
        if isinstance(row, BadRow):
            self.first_bad = self.first_bad or row
        else:
            self.has_good = True

    def add_parquet(self, source: Input, begin: Place) -> int:
        """Take in a Parquet file by its footer and, where no good row is known, its first ones.

        Returns:
            Its number of rows.
        """
        from stance import parquet

        rows = parquet.count_rows(source.path)
        firsts = range(-self.rows % self.shard_rows, rows, self.shard_rows)
        self.places += [begin._replace(row=row) for row in firsts]
        self.rows += rows
        for number, record in enumerate(() if self.has_good else iter_records(source), start=1):
            self.note_row(read_row(record, source, number, self.text_column))
            if self.has_good:
                break
        return rows

    def add_text(self, source: Input, begin: Place, tick: Callable[[int], object]) -> int:
        """Read another file through; return its number of rows."""
        rows = objects = done = 0
        has_column = source.form != "jsonl"
        for rows, record in enumerate(iter_records(source), start=1):
            if (self.rows + rows - 1) % self.shard_rows == 0:
                place = begin._replace(row=rows - 1, line=record.line, offset=record.offset)
                self.places.append(place)
            self.note_row(read_row(record, source, rows, self.text_column))
            if source.form == "jsonl" and isinstance(record.value, dict):
                objects += 1
                has_column = has_column or self.text_column in record.value
                kinds = {name: name_kind(value) for name, value in record.value.items()}
                self.note_columns(kinds, f"{source.path} line {record.line}")
            if rows % TICK_ROWS == 0 and source.path.suffix.lower() != ".gz":
                tick(record.offset - done)
                done = record.offset
        if objects and not has_column:
            raise no_column(str(source.path), self.text_column, self.columns)
        tick(source.stamp.size - done)
        self.rows += rows
        return rows


def survey(
    inputs: Sequence[Input], text_column: str, shard_rows: int, tick: Callable[[int], object]
) -> Survey:
    """Look through all inputs.

    Args:
        inputs: the files.
        text_column: the column that holds the statements.
        shard_rows: input rows of a shard.
        tick: called with the number of bytes done since the last call.

    Raises:
        InputError: a file cannot be read, lacks the column, changes meanwhile, or no row at all can
            be scored.
    """
    found = Survey(text_column, shard_rows)
    for source in inputs:
        found.note_columns(read_head(source, text_column), str(source.path))
    for i, source in enumerate(inputs):
        size, sha256 = source.stamp.size, hash_file(source.path)
        if source.form == "parquet":
            rows = found.add_parquet(source, Place(i))
            tick(size)
        else:
            rows = found.add_text(source, Place(i), tick)
        source.check_unchanged()  # the hash is that of the rows
        found.facts.append(
            {"path": str(source.path), "bytes": size, "sha256": sha256, "rows": rows}
        )
    bad = found.first_bad
    if bad and not found.has_good:
        raise InputError(
            f"{bad.file} row {bad.row}",
            expected="a row that can be scored",
            found=f"none in {count_rows(found.rows)}; of this one: {bad.reason}",
            remedy="Check --text-column and the file's encoding.",
        )
    return found


def read_head(source: Input, text_column: str) -> dict[str, Any]:
    """Return the columns that the head of a file tells; refuse one without the column."""
    name = str(source.path)
    if source.form == "parquet":
        from stance.parquet import is_text, read_types

        head: dict[str, Any] = read_types(source.path)
        if text_column in head and not is_text(head[text_column]):
            raise InputError(
                name,
                expected=f"text in column '{text_column}'",
                found=str(head[text_column]),
                remedy="Name the column that holds the statements with --text-column.",
            )
    elif source.form == "csv":
        with files.open_text(source.path) as stream:
            header = tables.read_header(tables.iter_csv(stream, name), name)
        head = dict.fromkeys(header, "text")
    else:
        files.open_input(source.path).close()
        return {}
    if text_column not in head:
        raise no_column(name, text_column, head)
    return head


def no_column(name: str, text_column: str, found: Iterable[str]) -> InputError:
    """Return the error of a file without the column of statements."""
    return InputError(
        name,
        expected=f"a column '{text_column}'",
        found=f"columns {name_columns(found)}",
        remedy="Name the column that holds the statements with --text-column.",
    )


def name_kind(value: Any) -> str:
    """Return what a JSON value is: null, text, bool, int, wide, huge, float or nested.

    A ``wide`` integer is one that a float cannot stand for, a ``huge`` one has over 64 bits.
    """
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        size = abs(value)
        return "int" if size <= SAFE_INTEGER else "wide" if size < 2**63 else "huge"
    if value is None:
        return "null"
    return {str: "text", float: "float"}.get(type(value), "nested")
