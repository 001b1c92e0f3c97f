"""What a corpus is read from: which files, and each of their rows or what is wrong with it."""

import glob
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from stance import files, tables
from stance.errors import InputError
from stance.files import Record

FORMS = ("txt", "csv", "jsonl", "parquet")
READERS = {"txt": files.iter_txt, "jsonl": files.iter_jsonl, "csv": tables.iter_csv}
NAMES = ".txt, .csv, .jsonl (each also with .gz) or .parquet"
SHOWN = 3  # names of what is left out
MAX_CHARACTERS = 1_000_000  # of a text: what is longer is no statement

log = logging.getLogger(__name__)


class Place(NamedTuple):
    """Where a row stands: file, rows before it in the file, line and byte (see ``Record``)."""

    file: int = 0
    row: int = 0
    line: int = 1
    offset: int = 0


START = Place()


class Stamp(NamedTuple):
    """What tells that a file has changed: its bytes and when it was written, in ns."""

    size: int
    written_ns: int


GONE = Stamp(0, -1)


@dataclass(frozen=True)
class Input:
    """A file of statements.

    Attributes:
        path: where it is.
        form: one of ``FORMS``.
        stamp: what it was when the job began.
    """

    path: Path
    form: str
    stamp: Stamp

    def check_unchanged(self) -> None:
        """Raise when the file is not what it was when the job began.

        Raises:
            InputError: it was changed, replaced or removed.
        """
        now = read_stamp(self.path)
        if now != self.stamp:
            raise InputError(
                str(self.path),
                expected=f"the file as it was when the job began: {describe(self.stamp)}",
                found=describe(now),
                remedy="Leave the inputs alone while they are scored; begin anew in another OUT.",
            )


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


def read_stamp(path: Path) -> Stamp:
    """Return what a file is now; one that is missing is said to be when it is opened."""
    try:
        facts = path.stat()
    except OSError:
        return GONE
    return Stamp(facts.st_size, facts.st_mtime_ns)


def describe(stamp: Stamp) -> str:
    """Return a stamp in words."""
    if stamp == GONE:
        return "no such file"
    written = datetime.fromtimestamp(stamp.written_ns / 1e9, UTC).isoformat(" ", "milliseconds")
    return f"{stamp.size:,} bytes of {written}"


def find_inputs(names: Sequence[str], outs: Sequence[Path]) -> list[Input]:
    """Return the files that paths, folders and globs name, each in the order of its paths.

    Args:
        names: what to read. A folder is searched to its depths for files of known forms; names
            that begin with a dot or an underscore are left out.
        outs: what the job writes; it is never read.

    Raises:
        InputError: nothing is found, a file's form is unknown, or a file is named twice.
    """
    own = [out.resolve() for out in outs]
    found: list[Input] = []
    seen: set[Path] = set()
    for name in names:
        listed = list_paths(name)
        paths = [
            path for path in listed if not any(path.resolve().is_relative_to(out) for out in own)
        ]
        if listed and not paths:
            raise InputError(name, expected="an input beside what the job writes", found="OUT",
                             remedy="Name another OUT, or another input.")  # fmt: skip
        if not paths:
            raise InputError(name, expected="at least one file whose name ends in " + NAMES,
                             found="none", remedy="Check the path.")  # fmt: skip
        for path in paths:
            if path.resolve() in seen:
                raise InputError(str(path), expected="each file once", found="it twice",
                                 remedy="Name it once.")  # fmt: skip
            seen.add(path.resolve())
            found.append(Input(path, name_form(path), read_stamp(path)))
    return found


def list_paths(name: str) -> list[Path]:
    """Return the files that a path, a folder or a glob stands for, sorted by path."""
    path = Path(name)
    if path.is_dir():
        return search_folder(path)
    if path.exists() or not any(char in name for char in "*?["):
        return [path]
    found = sorted(map(Path, glob.glob(name, recursive=True)))  # noqa: PTH207 - Path.glob: no absolute ones
    every = map(Path, glob.glob(name, recursive=True, include_hidden=True))  # noqa: PTH207
    folders = [path for path in found if path.is_dir()]
    hidden = sorted(path for path in set(every) - set(found) if not path.is_dir())
    say_left_out(name, {"folders": folders, "hidden files": hidden})
    return [path for path in found if not path.is_dir()]


def search_folder(folder: Path) -> list[Path]:
    """Return a folder's files of known forms, sorted by path, and say what is left out.

    Raises:
        InputError: a folder in it cannot be read.
    """
    found: list[Path] = []
    left: dict[str, list[Path]] = {}
    for place, folders, names in os.walk(folder, onerror=refuse_folder):
        for name in sorted((*folders, *names)):
            reason = find_reason(Path(place, name))
            if reason is not None:
                left.setdefault(reason, []).append(Path(place, name))
            elif name in names:
                found.append(Path(place, name))
        folders[:] = sorted(name for name in folders if not find_reason(Path(place, name)))
    say_left_out(str(folder), left)
    return sorted(found)


def refuse_folder(error: OSError) -> None:
    """Raise the error of a folder that cannot be read."""
    raise InputError(
        str(error.filename), expected="a folder that can be read", found=str(error.strerror),
        remedy="Change its permissions, or name the files to read.",
    )  # fmt: skip


def find_reason(path: Path) -> str | None:
    """Return why something in a folder is left out, as a kind of such things, or None."""
    if path.name.startswith((".", "_")):
        return "files and folders whose names begin with a dot or an underscore"
    if path.is_symlink() and not path.exists():
        return "links to nothing"
    if path.is_symlink() and path.is_dir():
        return "links to folders"
    if path.is_dir():
        return None
    if not path.is_file():
        return "pipes and devices"
    return None if find_form(path) else "files of other forms"


def say_left_out(name: str, left: dict[str, list[Path]]) -> None:
    """Say what a folder or glob holds that is not read, a line for each kind."""
    for kind, paths in left.items():
        if paths:
            some = ", ".join(map(str, paths[:SHOWN])) + ", ..." * (len(paths) > SHOWN)
            log.info("%s: %s left out: %d, %s", name, kind, len(paths), some)


def find_form(path: Path) -> str | None:
    """Return the form that a file's name stands for, or None."""
    suffixes = [suffix.lower().lstrip(".") for suffix in path.suffixes[-2:]]
    packed = suffixes[-1:] == ["gz"]
    form = suffixes[-2] if packed and len(suffixes) == 2 else suffixes[-1] if suffixes else ""
    return form if form in FORMS and not (packed and form == "parquet") else None


def name_form(path: Path) -> str:
    """Return a file's form.

    Raises:
        InputError: its name ends otherwise, or it is a pipe or device, which cannot be read twice.
    """
    form = find_form(path)
    if path.exists() and not path.is_file():
        raise InputError(str(path), expected="a file or a folder", found="a pipe or device",
                         remedy="Write it to a file first, or use stance predict.")  # fmt: skip
    if form is None:
        raise InputError(str(path), expected="a name that ends in " + NAMES,
                         found=f"'{path.name}'", remedy="Rename or convert it.")  # fmt: skip
    return form


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
        reason = f"expected a column '{text_column}', found {', '.join(value) or 'none'}"[:300]
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
