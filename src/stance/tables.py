"""CSV in and out: what other programs write is read, faults and all; what we write reads back."""

import csv
import io
import json
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from stance import files, objects
from stance.errors import InputError
from stance.files import Record


class _CsvLines:
    """The lines of a CSV file for ``csv.reader``; those of a broken record can be read again.

    A quote that is never closed would otherwise swallow the good records after it.
    """

    def __init__(self, lines: Iterator[tuple[int, int, bytes | InputError]], name: str) -> None:
        self.lines, self.name = lines, name
        self.again: deque[tuple[int, int, bytes | InputError]] = deque()
        self.start()

    def start(self) -> None:
        """Begin a record."""
        self.taken: list[tuple[int, int, bytes | InputError]] = []
        self.fault: InputError | None = None
        self.size = 0

    def give_back(self) -> None:
        """Let all lines of the record but the first be read again."""
        self.again.extendleft(reversed(self.taken[1:]))

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        item = self.again.popleft() if self.again else next(self.lines)
        self.taken.append(item)
        line, _, raw = item
        if isinstance(raw, InputError):
            self.fault = self.fault or raw
            return "\n"
        self.size += len(raw)
        if self.size > files.MAX_RECORD_BYTES:
            raise csv.Error(f"a quote that is not closed within {files.MAX_RECORD_BYTES:,} bytes")
        try:
            return raw.decode("utf-8-sig" if line == 1 else "utf-8")
        except UnicodeDecodeError as error:
            self.fault = self.fault or files.not_utf8(error, f"{self.name} line {line}")
            return raw.decode("utf-8", "replace")


def iter_csv(stream: IO[bytes], name: str, line: int = 1, offset: int = 0) -> Iterator[Record]:
    """Yield the records of a CSV file that stands at the line and offset; the header is one."""
    csv.field_size_limit(2**31 - 1)
    lines = _CsvLines(files.split_lines(stream, name, line, offset), name)
    reader = csv.reader(lines, strict=True)
    while True:
        lines.start()
        value: list[str] | InputError
        try:
            value = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.give_back()
            value = InputError(
                f"{name} line {lines.taken[0][0]}",
                expected="a CSV record",
                found=str(error),
                remedy="Quote fields that hold commas, quotes or line ends.",
            )
        value = lines.fault or value
        if value:
            yield Record(*lines.taken[0][:2], value)


def read_header(records: Iterator[Record], name: str) -> list[str]:
    """Take the header off the records of a CSV file.

    Raises:
        InputError: there is none, it is broken, or names a column twice.
    """
    header = next(records, Record(1, 0, None)).value
    if isinstance(header, InputError):
        raise header
    if header is None:
        raise InputError(
            f"{name} line 1",
            expected="a header line with the columns' names",
            found="an empty file",
            remedy="Add one, or leave the file out.",
        )
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise InputError(
            f"{name} line 1",
            expected="columns separated by commas",
            found="semicolons" if ";" in header[0] else "tabs",
            remedy="Save it as CSV with commas, fields that hold commas in quotes.",
        )
    for column in header:
        if header.count(column) > 1:
            raise InputError(
                f"{name} line 1",
                expected="columns with different names",
                found=f"'{column}' twice",
                remedy="Rename one.",
            )
    return list(header)


def match_fields(record: Record, header: list[str], name: str) -> dict[str, str] | InputError:
    """Return a CSV record's fields by name, or its fault."""
    value: list[str] | InputError = record.value
    if isinstance(value, InputError):
        return value
    if len(value) != len(header):
        return InputError(
            f"{name} line {record.line}",
            expected=f"{len(header)} fields",
            found=f"{len(value)} fields",
            remedy="Quote fields that hold commas or line ends.",
        )
    if value == header:
        return InputError(
            f"{name} line {record.line}",
            expected="a record",
            found="the header again",
            remedy="Delete the line: files joined to one have one header.",
        )
    return dict(zip(header, value, strict=True))


def read_csv(path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, record) of a CSV file with a header line.

    Raises:
        InputError: the file is not readable, not UTF-8, or a record has too many or few fields.
    """
    with files.open_text(path) as stream:
        records = iter_csv(stream, str(path))
        header = read_header(records, str(path))
        for record in records:
            fields = match_fields(record, header, str(path))
            if isinstance(fields, InputError):
                raise fields
            yield record.line, fields


def encode_row(cells: Iterable[Any]) -> str:
    """Return one line of CSV.

    A row with a bare carriage return is quoted whole: ``csv`` itself leaves it bare, and readers
    take it for a line end.
    """
    texts = [to_text(cell) for cell in cells]
    has_return = any("\r" in text for text in texts if text)
    buffer = io.StringIO()
    writer = csv.writer(
        buffer, lineterminator="\n", quoting=csv.QUOTE_ALL if has_return else csv.QUOTE_MINIMAL
    )
    writer.writerow(texts)
    return buffer.getvalue()


def to_text(value: Any) -> str | None:
    """Return a value as a cell's text: booleans in lower case, lists and objects as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | dict | list | tuple):
        return json.dumps(objects.to_plain(value), ensure_ascii=False)
    plain = value if isinstance(value, int | float) else objects.to_plain(value)
    return str(plain)
