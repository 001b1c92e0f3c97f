"""Where a corpus is scored to: a folder of parts or one file, held by one job at a time."""

import errno
import glob
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stance import __version__, files, objects
from stance.errors import InputError, StanceError
from stance.shards import FORMS
from stance.types import LABELS

try:
    import fcntl
except ImportError:  # Windows: nothing there stops a second job
    fcntl = None  # type: ignore[assignment]

RUN = "run.json"
BAD = "bad-rows.ndjson"  # no suffix of a form: whoever reads all parts must not read it too
LOCK = ".lock"
SCHEMA = 1  # of run.json
RECORD: dict[str, type] = {
    "stance_version": str, "model": dict, "options": dict, "inputs": list, "shards": list
}  # fmt: skip
JOINED: dict[str, type] = {"bytes": int, "sha256": str}
INPUT: dict[str, type] = {"path": str, "sha256": str}
SHARD: dict[str, type] = {
    "rows": int, "bad_rows": int, "bytes": int, "sha256": str, "bad_bytes": int,
    "bad_sha256": str, "labels": dict, "skipped": int,
}  # fmt: skip
"""What a resumed job reads of ``run.json``: of it, of the file that the parts were joined to, of
each input and each part."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Output:
    """Where a job writes to.

    Attributes:
        path: a folder for parts, or the file they are joined to.
        form: form of the rows, one of ``shards.FORMS``.
        is_file: whether the path is a file.
    """

    path: Path
    form: str
    is_file: bool

    @property
    def folder(self) -> Path:
        """The folder of the parts; beside a file while its job runs."""
        return self._beside("parts") if self.is_file else self.path

    @property
    def run(self) -> Path:
        """Where ``run.json`` stays."""
        return self._beside(RUN) if self.is_file else self.path / RUN

    @property
    def bad(self) -> Path:
        """Where the bad rows stay."""
        return self._beside(BAD) if self.is_file else self.path / BAD

    @property
    def is_finished(self) -> bool:
        """Whether a file stands there that a job completed."""
        return self.is_file and self.path.is_file() and self.run.is_file()

    def _beside(self, name: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{name}")

    def name_part(self, index: int) -> Path:
        """Return the path of a part."""
        return self.folder / f"part-{index:05d}.{self.form}"


def choose_output(path: Path, form: str | None) -> Output:
    """Return where to write to, by the path's ending and the form asked for.

    Raises:
        InputError: the form is unknown, or is not the one that the path ends in.
    """
    suffix = path.suffix.lower().lstrip(".")
    if form is not None and form not in FORMS:
        raise InputError(
            "--format", expected="one of " + ", ".join(FORMS), found=form, remedy="Use one."
        )
    if suffix in ("gz", "txt", "json", "ndjson"):
        raise InputError(
            str(path),
            expected="a folder, or a file that ends in .csv, .jsonl or .parquet",
            found=f"a name that ends in .{suffix}",
            remedy="Name another.",
        )
    if suffix in FORMS and form not in (None, suffix):
        raise InputError(
            f"--format {form}",
            expected=f"the form of {path.name}",
            found=f"{form}",
            remedy="Leave --format out, or rename OUT.",
        )
    return Output(path, suffix if suffix in FORMS else form or FORMS[0], suffix in FORMS)


@contextmanager
def claim(output: Output, *, resume: bool) -> Iterator[dict[str, Any] | None]:
    """Hold an output for one job; yield what an earlier run left in ``run.json``, or None.

    Raises:
        InputError: there is something already and no ``resume``, another job is at work there, or
            what is there is no job's.
        StanceError: the output cannot be written.
    """
    if not resume:
        check_free(output, (output.path, output.folder, output.run, output.bad))
    if output.path.exists() and output.path.is_file() != output.is_file:
        raise InputError(
            str(output.path),
            expected="a file" if output.is_file else "a folder",
            found="a folder" if output.path.is_dir() else "a file",
            remedy="Name another OUT.",
        )
    new = [path for path in output.folder.parents if not path.exists()]
    try:
        make_folder(output.folder)
        with lock(output.folder):
            earlier = read_run(output)  # first: what is no job's is left alone
            remove_partials(output)
            yield earlier
    finally:
        with suppress(OSError):  # they hold files unless nothing came of the job
            for path in (output.folder, *new):
                path.rmdir()


def check_free(output: Output, paths: Iterable[Path]) -> None:
    """Raise where something stands already that the job would write.

    Raises:
        InputError: something does.
    """
    for path in paths:
        if path.exists() or path.is_symlink():
            raise InputError(
                str(path),
                expected="a path where nothing is yet",
                found="a folder" if path.is_dir() else "a file",
                remedy="Use --resume to go on with the job begun there, or name another OUT."
                if path in (output.path, output.folder)
                else "Move it away, or name another OUT.",
            )


def make_folder(path: Path) -> None:
    """Make a folder where there is none.

    Raises:
        StanceError: that is not allowed, or a file is in the way.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise StanceError(
            str(path),
            expected="a place to write to",
            found=str(error.strerror),
            remedy="Name another OUT, or change the folder's permissions.",
        ) from None


def remove_partials(output: Output) -> None:
    """Remove what a killed job was writing when it died."""
    begun = [*output.folder.glob(f".*{files.PARTIAL}")]
    if output.is_file:
        name = glob.escape(output.path.name)
        begun += output.path.parent.glob(f".{name}.*{files.PARTIAL}")
    for path in begun:
        path.unlink()


def read_run(output: Output) -> dict[str, Any] | None:
    """Return what an earlier run left, or None where nothing is.

    Raises:
        InputError: what is there is no job's.
    """
    path = output.run if output.is_finished else output.folder / RUN
    if path.is_file():
        return parse_run(path)
    strange = [path for path in output.folder.iterdir() if not path.name.startswith(".")]
    if output.is_file and output.path.exists():
        strange.append(output.path)
    if strange:
        raise InputError(
            str(output.path),
            expected="a job to resume",
            found=f"files of another origin, such as {strange[0]}",
            remedy="Name another OUT.",
        )
    if output.is_file and output.run.is_file():
        parse_run(output.run)  # of an earlier file of this name, or not ours
    elif output.is_file:
        check_free(output, (output.run, output.bad))
    return None


def parse_run(path: Path) -> dict[str, Any]:
    """Return the record of a job.

    Raises:
        InputError: it is no such record.
    """
    with files.open_input(path) as stream:
        content = objects.parse_object(stream.read().decode(errors="replace"), str(path))
    found = f"schema {content.get('schema')!r}"
    if content.get("schema") == SCHEMA:
        found = ", ".join(find_faults(content))
    if found and content.get("stance_version", __version__) != __version__:
        found = f"version {content['stance_version']} then, {__version__} now"
    if found:
        raise InputError(
            str(path), expected="the record of a job, as stance score writes it",
            found=found[:300], remedy="Name another OUT, or put the file back as it was.",
        )  # fmt: skip
    return content


def find_faults(content: dict[str, Any]) -> Iterator[str]:
    """Yield what the record of a job lacks."""
    yield from find_missing("", content, RECORD)
    if isinstance(content.get("model"), dict):
        yield from find_missing("model.", content["model"], {"sha256": str})
    if "joined" in content:
        yield from find_missing("joined.", content["joined"], JOINED)
    for name, fields in (("inputs", INPUT), ("shards", SHARD)):
        entries = content.get(name)
        for i, entry in enumerate(entries if isinstance(entries, list) else ()):
            yield from find_missing(f"{name}[{i}].", entry, fields)


def find_missing(place: str, entry: Any, fields: dict[str, type]) -> Iterator[str]:
    """Yield the fields that an object lacks, or has with values of another type."""
    for name, kind in fields.items():
        if not isinstance(entry, dict) or type(entry.get(name)) is not kind:
            yield f"no '{place}{name}'"
    labels = entry.get("labels") if isinstance(entry, dict) else None
    if fields is SHARD and isinstance(labels, dict):
        yield from find_missing(f"{place}labels.", labels, dict.fromkeys(LABELS, int))


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold a folder against other jobs. The system lets go when the process ends, however."""
    path = folder / LOCK
    with open(path, "a") as handle:
        try:
            if fcntl is not None:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            gone = os.fstat(handle.fileno()).st_nlink == 0
        except BlockingIOError:
            gone = True
        except OSError as error:
            gone = False
            log.info("%s cannot be locked (%s): see that no other job writes to it", folder, error)
        if gone:
            raise InputError(
                str(folder),
                expected="an output that no other job writes to",
                found="another job at work",
                remedy="Wait until it ends, or name another OUT.",
            )
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
