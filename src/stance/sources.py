"""The files of a corpus: what paths, folders and globs name, and what is left out of it."""

import glob
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from stance.errors import InputError

FORMS = ("txt", "csv", "jsonl", "parquet")
NAMES = ".txt, .csv, .jsonl (each also with .gz) or .parquet"
SHOWN = 3  # names of what is left out
SCORED = "what stance score wrote"
RECORD = frozenset(("stance_version", "options", "shards"))
"""What tells our ``run.json`` from one of another program."""

log = logging.getLogger(__name__)


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
            that begin with a dot or an underscore are left out, and what earlier jobs wrote.
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
    found = sorted(expand(name))
    files = [path for path in found if not path.is_dir()]
    entered = {parent for path in files for parent in path.parents}
    folders = [path for path in found if path.is_dir() and path not in entered]
    named = {find_fixed(name), *find_fixed(name).parents}
    outputs = set(filter(is_scored, {*files, *entered} - named))
    matched = [path for path in files if outputs.isdisjoint((path, *path.parents))]
    hidden = sorted(path for path in expand(name, hidden=True) - {*found} if not path.is_dir())
    say_left_out(name, {"folders": folders, "hidden files": hidden, SCORED: sorted(outputs)})
    return matched


def find_fixed(name: str) -> Path:
    """Return the folder that a glob names without any magic: what is there is asked for."""
    parts = Path(name).parts
    fixed = next(i for i, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:fixed])


def is_scored(path: Path) -> bool:
    """Say whether a folder or file is what a job of ours wrote or writes."""
    beside = (path.with_name(f"{path.name}.run.json"), path.with_name(f"{path.name}.parts"))
    records = (path / "run.json",) if path.is_dir() else (beside[0], beside[1] / "run.json")
    return any(map(is_record, records))


def is_record(path: Path) -> bool:
    """Say whether a file is the record of a job of ours."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.keys() >= RECORD


def expand(name: str, *, hidden: bool = False) -> set[Path]:
    """Return what a glob matches; names with a dot at their front only when ``hidden``."""
    found = glob.glob(name, recursive=True, include_hidden=hidden)  # noqa: PTH207 - Path.glob: no absolute ones
    return set(map(Path, found))


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
    if is_scored(path):
        return SCORED
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
