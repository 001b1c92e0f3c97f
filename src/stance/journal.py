"""The account of a job: what is done, kept in ``run.json`` beside the parts and the bad rows.

A part counts once ``run.json`` names it. That is written after every part, and of more than
``EVERY`` parts after some, lest writing the list of them take longer than scoring. What a killed
job left beyond that is written again, so a resumed job ends with the same bytes as one that was
never killed.
"""

import hashlib
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stance import files, objects
from stance.bundle import hash_file
from stance.errors import InputError, StanceError
from stance.outputs import BAD, RUN, Output
from stance.shards import Layout, Outcome, join_parts
from stance.types import LABELS

EVERY = 100  # a crash costs the part at work and this share, one in so many, of those written

log = logging.getLogger(__name__)


class Journal:
    """The account of a job that holds its output's lock.

    Args:
        output: where the job writes to.
        identity: what must not change between runs: version, model, options, inputs.
        content: what an earlier run left in ``run.json``, or None.
    """

    def __init__(
        self, output: Output, identity: dict[str, Any], content: dict[str, Any] | None
    ) -> None:
        self.output = output
        self.identity = identity
        self.shards: list[dict[str, Any]] = []
        self.joined: dict[str, Any] | None = None  # size and sha256 of the file the parts became
        if content is not None:
            self._compare(content)
            self.shards = content["shards"]
            self.joined = content.get("joined")

    def _compare(self, content: dict[str, Any]) -> None:
        changes = list(find_changes(content, self.identity))
        if changes:
            raise InputError(
                f"{self.output.path}: the job begun there",
                expected="the same version, model, options and inputs",
                found="another: " + "; ".join(changes),
                remedy="Repeat the first call with --resume, or name another OUT.",
            )

    def take_up(self) -> int:
        """Keep the parts that are recorded and whole; return their number.

        Everything after the first damaged part is scored again: bad rows come in order.
        """
        whole = 0
        for index, shard in enumerate(self.shards):
            part = self.output.name_part(index)
            if not is_whole(part, shard):
                log.info("%s is missing or changed: its rows and later ones are scored again", part)
                break
            whole += 1
        bad = self.output.folder / BAD
        kept = count_whole(bad, self.shards)
        if kept < whole:
            log.info("%s is missing or changed: the rows of part %d and later ones are scored "
                     "again", bad, kept)  # fmt: skip
        self.shards = self.shards[: min(whole, kept)]
        if self.output.is_file:
            self.output.run.unlink(missing_ok=True)  # of an earlier file of this name
        if bad.is_file():
            os.truncate(bad, sum(shard["bad_bytes"] for shard in self.shards))
        self.save(done=False)
        return len(self.shards)

    def check_finished(self) -> None:
        """Raise unless the file that a job completed, and its bad rows, are as it left them.

        Raises:
            InputError: one is missing or changed.
        """
        output = self.output
        if not self.joined or not is_whole(output.path, self.joined):
            changed = output.path
        elif count_whole(output.bad, self.shards) < len(self.shards):
            changed = output.bad
        else:
            return
        raise InputError(
            str(changed),
            expected="the file as the job left it",
            found="another, by its SHA-256 in " + output.run.name,
            remedy=f"Put it back, or move it and {output.path.name} away and score anew.",
        )

    def commit(self, outcome: Outcome) -> None:
        """Record that the next part is written: first its bad rows, then the part itself."""
        lines = b"".join(objects.encode_object(asdict(row)) for row in outcome.bad)
        if lines:
            append(self.output.folder / BAD, lines)
        self.shards.append(
            {
                "rows": sum(outcome.labels.values()),
                "bad_rows": len(outcome.bad),
                "bytes": outcome.size,
                "sha256": outcome.sha256,
                "bad_bytes": len(lines),
                "bad_sha256": hashlib.sha256(lines).hexdigest(),
                "labels": outcome.labels,
                "skipped": outcome.skipped,
            }
        )
        if len(self.shards) % (1 + len(self.shards) // EVERY) == 0:
            self.save(done=False)

    @property
    def rows(self) -> int:
        """Number of rows scored."""
        return sum(shard["rows"] for shard in self.shards)

    @property
    def bad_rows(self) -> int:
        """Number of rows that could not be scored."""
        return sum(shard["bad_rows"] for shard in self.shards)

    @property
    def labels(self) -> dict[str, int]:
        """Number of rows by label."""
        return {label: sum(shard["labels"][label] for shard in self.shards) for label in LABELS}

    @property
    def skipped(self) -> int:
        """Number of rows that a first stage answered."""
        return sum(shard["skipped"] for shard in self.shards)

    def save(self, *, done: bool) -> None:
        """Write ``run.json``."""
        totals = {"rows": self.rows, "bad_rows": self.bad_rows, "labels": self.labels,
                  "skipped": self.skipped}  # fmt: skip
        content = {**self.identity, "done": done, **totals, "shards": self.shards}
        if done and self.joined:
            content["joined"] = self.joined
        files.write_json(self.output.folder / RUN, content)

    def finish(self, layout: Layout) -> None:
        """Say that the job is done; join the parts where one file was asked for."""
        output = self.output
        if output.is_file:
            parts = [output.name_part(index) for index in range(len(self.shards))]
            with files.open_output(output.path) as stream:
                join_parts(stream, parts, layout)
            size = output.path.stat().st_size
            self.joined = {"bytes": size, "sha256": hash_file(output.path)}
        self.save(done=True)
        if output.is_file:
            copy(output.folder / BAD, output.bad)
            copy(output.folder / RUN, output.run)
            self.clear()

    def clear(self) -> None:
        """Remove the parts that were joined to a file."""
        shutil.rmtree(self.output.folder)


def find_changes(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Yield what differs between two identities; inputs may have moved, but not changed."""
    if old["stance_version"] != new["stance_version"]:
        yield f"version {old['stance_version']} then, {new['stance_version']} now"
    if old["model"]["sha256"] != new["model"]["sha256"]:
        yield f"model {old['model']['sha256'][:12]} then, {new['model']['sha256'][:12]} now"
    for name, value in new["options"].items():
        if old["options"].get(name) != value:
            yield f"{name} {old['options'].get(name)} then, {value} now"
    if len(old["inputs"]) != len(new["inputs"]):
        yield f"{len(old['inputs'])} input files then, {len(new['inputs'])} now"
    for was, now in zip(old["inputs"], new["inputs"], strict=False):
        if was["sha256"] != now["sha256"]:
            yield f"{now['path']} has other content than {was['path']} had"
            return


def is_whole(path: Path, record: dict[str, Any]) -> bool:
    """Say whether a file has the ``bytes`` and the ``sha256`` that were recorded of it."""
    return (
        path.is_file()
        and path.stat().st_size == record["bytes"]
        and hash_file(path) == record["sha256"]
    )


def count_whole(bad: Path, shards: Sequence[dict[str, Any]]) -> int:
    """Return of how many shards, from the first on, the bad rows stand in a file as recorded."""
    if not bad.is_file():
        return next((i for i, shard in enumerate(shards) if shard["bad_bytes"]), len(shards))
    with files.open_input(bad) as stream:
        for i, shard in enumerate(shards):
            lines = stream.read(shard["bad_bytes"])
            if hashlib.sha256(lines).hexdigest() != shard["bad_sha256"]:
                return i
    return len(shards)


def append(path: Path, lines: bytes) -> None:
    """Append to a file and put it on the disk.

    Raises:
        StanceError: the disk is full or the folder is not writable.
    """
    try:
        with open(path, "ab") as stream:
            stream.write(lines)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise StanceError(
            str(path),
            expected="a place to write to",
            found=str(error.strerror),
            remedy="Free the disk or name another path.",
        ) from None


def copy(path: Path, target: Path) -> None:
    """Copy a file whole, or remove the target where there is none to copy."""
    if not path.is_file():
        target.unlink(missing_ok=True)
        return
    with files.open_input(path) as rows, files.open_output(target) as stream:
        shutil.copyfileobj(rows, stream)
