"""Files in and out. Every error says file and line; nothing is left half written.

``iter_txt`` and ``iter_jsonl`` yield ``Record``s and go on after a faulty one, whose value is then
the error; ``read_jsonl`` raises it instead. CSV and Parquet are in ``tables`` and ``parquet``.
"""

import codecs
import gzip
import json
import os
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, NamedTuple

from stance import objects
from stance.errors import InputError, StanceError

MAX_RECORD_BYTES = 16 * 2**20  # a longer line or quoted field is a fault, not data
HEAD_BYTES = 2**16  # of a text file, looked at for what it is
MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32", codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16",
}  # fmt: skip
"""How files in other encodings begin; UTF-32 first, whose mark begins with that of UTF-16."""

NUL_SHARE = 0.02  # in UTF-16 each space and line end has one; in UTF-8 one is a stray
PARTIAL = ".partial"  # suffix of a file that is being written


class Record(NamedTuple):
    """One record of a file, or what is wrong with it.

    Attributes:
        line: its first line, from 1.
        offset: its first byte in the file, after decompression.
        value: a string (txt), an object (jsonl), a list of fields (csv), or the fault.
    """

    line: int
    offset: int
    value: Any


def open_input(path: str | Path) -> BufferedReader:
    """Open a file for reading bytes.

    Raises:
        InputError: the path is missing, a directory, or not readable.
    """
    try:
        return open(path, "rb")
    except IsADirectoryError:
        found, remedy = "a directory", "Name a file in it."
    except FileNotFoundError:
        found, remedy = "no such file", "Check the path."
    except OSError as error:
        found, remedy = str(error.strerror), "Check the file's permissions."
    raise InputError(str(path), expected="a readable file", found=found, remedy=remedy)


@contextmanager
def open_text(path: str | Path, offset: int = 0) -> Iterator[IO[bytes]]:
    """Open a text file for reading bytes from an offset on; a name in .gz is decompressed.

    Raises:
        InputError: the file is not readable, its compression is damaged, or it is in another
            encoding or has other line ends than ours.
    """
    with open_input(path) as raw:
        stream: IO[bytes] = raw
        if str(path).lower().endswith(".gz"):
            stream = gzip.GzipFile(fileobj=raw)  # type: ignore[assignment]
        try:
            check_head(stream.read(HEAD_BYTES), str(path))
            stream.seek(offset)
            yield stream
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputError(
                str(path),
                expected="a whole gzip file",
                found=str(error),
                remedy="Get the file again, or repack what `zcat` can read of it.",
            ) from None


def check_head(head: bytes, name: str) -> None:
    """Refuse a text file that would be read as garbage, or as a single line.

    Raises:
        InputError: its first bytes are UTF-16 or UTF-32, or its lines end in carriage returns.
    """
    if encoding := guess_encoding(head):
        raise InputError(
            name,
            expected="UTF-8 text",
            found=f"what looks like {encoding}",
            remedy=f"Convert the file: iconv -f {encoding} -t UTF-8 IN > OUT.",
        )
    if b"\n" not in head and b"\r" in head[:-1]:
        raise InputError(
            name,
            expected="lines that end in a line feed",
            found="carriage returns alone",
            remedy="Convert the file: tr '\\r' '\\n' < IN > OUT.",
        )


def guess_encoding(head: bytes) -> str | None:
    """Return which encoding other than UTF-8 a file's first bytes are in, or None."""
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            return encoding
    if head.count(0) <= NUL_SHARE * len(head):
        return None
    return "UTF-16LE" if head[1::2].count(0) > head[::2].count(0) else "UTF-16BE"


def iter_lines(stream: IO[bytes], name: str) -> Iterator[str]:
    """Yield the lines of a UTF-8 stream without their line ends; only LF and CRLF end a line.

    Raises:
        InputError: a line is not UTF-8.
    """
    for number, raw in enumerate(stream, start=1):
        yield decode_line(raw, name, number)


def decode_line(raw: bytes, name: str, number: int) -> str:
    """Decode one line, or say where the bytes go wrong."""
    try:
        text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise not_utf8(error, f"{name} line {number}") from None
    return text.removesuffix("\n").removesuffix("\r")


def not_utf8(error: UnicodeDecodeError, where: str) -> InputError:
    """Return the error of a line that is not UTF-8."""
    marks = (b"\xff\xfe", b"\xfe\xff")
    likely = "UTF-16" if error.object.startswith(marks) else "WINDOWS-1252"
    return InputError(
        where,
        expected="UTF-8 text",
        found=f"byte 0x{error.object[error.start]:02x} at position {error.start} of the line",
        remedy=f"Convert the file, for example: iconv -f {likely} -t UTF-8 IN > OUT.",
    )


def split_lines(
    stream: IO[bytes], name: str, line: int, offset: int
) -> Iterator[tuple[int, int, bytes | InputError]]:
    """Yield (line, offset, bytes) of each line; of one that is too long the error instead."""
    while raw := stream.readline(MAX_RECORD_BYTES):
        if len(raw) < MAX_RECORD_BYTES:
            yield line, offset, raw
        else:
            size = len(raw) + skip_line(stream, raw)
            yield line, offset, too_long(f"{name} line {line}", "a line of", f"{size:,} bytes")
            offset += size - len(raw)
        line, offset = line + 1, offset + len(raw)


def skip_line(stream: IO[bytes], raw: bytes) -> int:
    """Read on to the end of a line that began with ``raw``; return the number of bytes read."""
    size = 0
    while raw and not raw.endswith(b"\n"):
        raw = stream.readline(MAX_RECORD_BYTES)
        size += len(raw)
    return size


def too_long(where: str, what: str, found: str) -> InputError:
    """Return the error of a record that is too long."""
    return InputError(
        where,
        expected=f"{what} at most {MAX_RECORD_BYTES:,} bytes",
        found=found,
        remedy="Cut the text into statements, or close the quote.",
    )


def iter_txt(stream: IO[bytes], name: str, line: int = 1, offset: int = 0) -> Iterator[Record]:
    """Yield the lines of a text file that stands at the line and offset."""
    return _parse_lines(split_lines(stream, name, line, offset), name, lambda text, where: text)


def iter_jsonl(stream: IO[bytes], name: str, line: int = 1, offset: int = 0) -> Iterator[Record]:
    """Yield the objects of a JSON-lines file that stands at the line and offset, without blanks."""
    lines = split_lines(stream, name, line, offset)
    full = (item for item in lines if isinstance(item[2], InputError) or item[2].strip())
    return _parse_lines(full, name, objects.parse_object)


def _parse_lines(
    lines: Iterable[tuple[int, int, bytes | InputError]],
    name: str,
    parse: Callable[[str, str], Any],
) -> Iterator[Record]:
    for line, offset, raw in lines:
        value: Any = raw
        if isinstance(raw, bytes):
            try:
                value = parse(decode_line(raw, name, line), f"{name} line {line}")
            except InputError as error:
                value = error
        yield Record(line, offset, value)


def read_jsonl(path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number from 1, object) of a JSON-lines file; blank lines are skipped.

    Raises:
        InputError: the file is not readable, not UTF-8, or a line is not a JSON object.
    """
    with open_text(path) as stream:
        for record in iter_jsonl(stream, str(path)):
            if isinstance(record.value, InputError):
                raise record.value
            yield record.line, record.value


def read_object(path: Path) -> dict[str, Any]:
    """Read a file that is one JSON object.

    Raises:
        InputError: the file is not readable, not UTF-8, or no JSON object.
    """
    with open_input(path) as stream:
        return objects.parse_object("".join(iter_lines(stream, str(path))), str(path))


@contextmanager
def open_output(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a file for writing bytes that appears under its name whole, or not at all.

    It is written beside its place, put on the disk, and renamed.

    Raises:
        StanceError: the disk is full, the folder is not writable, or the name is a folder's.
    """
    target = Path(path)
    if target.is_dir():
        raise InputError(
            str(target), expected="a file to write", found="a folder", remedy="Name a file in it."
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            dir=target.parent, prefix=f".{target.name}.", suffix=PARTIAL
        )
        try:
            with os.fdopen(handle, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        sync_folder(target.parent)
    except OSError as error:
        raise StanceError(
            str(target),
            expected="a place to write to",
            found=str(error.strerror or error),
            remedy="Free the disk or name another path.",
        ) from None


def sync_folder(folder: Path) -> None:
    """Put a folder's list of names on the disk, where the system can."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def write_text(path: str | Path, text: str) -> None:
    """Write a UTF-8 file whole; see ``write_bytes``."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file whole: first beside it, then renamed over it.

    Raises:
        StanceError: the disk is full or the folder is not writable.
    """
    with open_output(path) as stream:
        stream.write(content)


def write_json(path: str | Path, value: Any) -> None:
    """Write one JSON value, indented, in UTF-8 with its keys in the given order.

    A lone surrogate, such as a file's name may hold, makes it ASCII with escapes.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    if objects.SURROGATE.search(text):
        text = json.dumps(value, indent=2, allow_nan=False)
    write_text(path, text + "\n")


def write_jsonl(path: str | Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write one JSON object a line."""
    lines = (json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
    write_text(path, "".join(lines))
