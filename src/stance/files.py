"""Files in and out. Every error says file and line; nothing is left half written."""

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import IO, Any

from stance.errors import InputError, StanceError

TOO_MANY, TOO_FEW = "\0too many", "\0too few"  # no field of a file can be called so


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
        raise InputError(
            f"{name} line {number}",
            expected="UTF-8 text",
            found=f"byte 0x{raw[error.start]:02x} at position {error.start} of the line",
            remedy="Convert the file, for example: iconv -f WINDOWS-1252 -t UTF-8 IN > OUT.",
        ) from None
    return text.removesuffix("\n").removesuffix("\r")


def read_jsonl(path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number from 1, object) of a JSON-lines file; blank lines are skipped.

    Raises:
        InputError: the file is not readable, not UTF-8, or a line is not a JSON object.
    """
    with open_input(path) as stream:
        for number, line in enumerate(iter_lines(stream, str(path)), start=1):
            if line.strip():
                yield number, parse_object(line, f"{path} line {number}")


def parse_object(line: str, where: str) -> dict[str, Any]:
    """Parse one JSON object, or say what stands there instead."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(
            where,
            expected="a JSON object",
            found=f"text that is not JSON ({error})",
            remedy="Mend the text, or get the file again.",
        ) from None
    if not isinstance(value, dict):
        raise InputError(
            where,
            expected="a JSON object",
            found=type(value).__name__,
            remedy="Write one object with named fields a line.",
        )
    return value


def read_csv(path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, record) of a CSV file with a header line.

    Raises:
        InputError: the file is not readable, not UTF-8, or a record has too many or few fields.
    """
    with open_input(path) as stream:
        data = stream.read()
    text = "\n".join(iter_lines(io.BytesIO(data), str(path)))
    csv.field_size_limit(2**31 - 1)
    reader = csv.DictReader(io.StringIO(text), restkey=TOO_MANY, restval=TOO_FEW, strict=True)
    try:
        for record in reader:
            if TOO_MANY in record or TOO_FEW in record.values():
                raise InputError(
                    f"{path} line {reader.line_num}",
                    expected=f"{len(reader.fieldnames or [])} fields",
                    found="another number of fields",
                    remedy="Quote fields that hold commas or line ends.",
                )
            yield reader.line_num, record
    except csv.Error as error:
        raise InputError(
            f"{path} line {reader.line_num}",
            expected="a CSV record",
            found=str(error),
            remedy="Quote fields that hold commas, quotes or line ends.",
        ) from None


def write_text(path: str | Path, text: str) -> None:
    """Write a UTF-8 file whole; see ``write_bytes``."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write a file whole: first beside it, then renamed over it.

    Raises:
        StanceError: the disk is full or the folder is not writable.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            Path(name).chmod(0o644)
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StanceError(
            str(target),
            expected="a place to write to",
            found=str(error.strerror),
            remedy="Free the disk or name another path.",
        ) from None


def write_json(path: str | Path, value: Any) -> None:
    """Write one JSON value, indented, in ASCII-safe UTF-8 with its keys in the given order."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_jsonl(path: str | Path, rows: Iterable[dict[str, Any]]) -> None:
    """Write one JSON object a line."""
    lines = (json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)
    write_text(path, "".join(lines))
