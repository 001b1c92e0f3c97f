"""Downloads: resumed where they broke off, checked by SHA-256, there whole or not at all."""

import fnmatch
import hashlib
import tarfile
import time
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

import requests
from tqdm import tqdm

from sources import Source, Table
from stance.commands.train import wants_bars
from stance.errors import InputError, StanceError

ATTEMPTS = 5
PAUSE_S = 1.0  # before the second attempt; doubled before each further one
MAX_PAUSE_S = 60.0  # a server that asks for a longer pause is left alone
TIMEOUT_S = 60.0
CHUNK_BYTES = 1 << 16
BUSY = (429, 500, 502, 503, 504)
SUMS = "SHA256SUMS"
AGAIN = "Run the same command again later: it goes on where it stopped."


class AttemptError(Exception):
    """An attempt that may succeed the next time."""


def fetch(url: str, path: Path, *, sha256: str | None = None, resumable: bool = True) -> str:
    """Download a file, unless it is there already.

    The part that has arrived is kept in ``PATH.part`` until the file is whole.

    Args:
        url: where it is.
        path: where it goes.
        sha256: what it must be; a file at hand that is something else is downloaded anew.
        resumable: false for what a server may pack differently each time.

    Returns:
        The SHA-256 of the file.

    Raises:
        InputError: the server does not have the file.
        StanceError: it cannot be had now, is another file, or cannot be written.
    """
    if path.is_file():
        found = hash_file(path)
        if found == (sha256 or found):
            return found
        path.unlink()
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        receive_all(url, part, resumable=resumable)
        found = hash_file(part)
        if found != (sha256 or found):
            part.unlink()
            raise StanceError(
                url,
                expected=f"a file with SHA-256 {sha256}",
                found=found,
                remedy="Something else was sent, or the source has changed: nothing was kept.",
            )
        part.replace(path)
    except OSError as error:
        found = error.strerror or str(error)
        remedy = "Free the disk or name another folder; " + AGAIN
        raise StanceError(str(path), expected="a download", found=found, remedy=remedy) from None
    return found


def receive_all(url: str, part: Path, *, resumable: bool) -> None:
    """Receive a file in as many attempts as it takes, at most ``ATTEMPTS``."""
    for attempt in range(ATTEMPTS):
        try:
            return receive(url, part, resumable=resumable)
        except (AttemptError, requests.ConnectionError, requests.Timeout,
                requests.exceptions.ChunkedEncodingError) as error:  # fmt: skip
            last = str(error)
        if attempt + 1 < ATTEMPTS:
            time.sleep(PAUSE_S * 2**attempt)
    raise StanceError(url, expected="the whole file", found=last, remedy=AGAIN)


def receive(url: str, part: Path, *, resumable: bool) -> None:
    """Receive what is missing of a file, or all of it where the server sends no parts."""
    done = part.stat().st_size if resumable and part.exists() else 0
    # identity: a part of a file that was compressed on the way could not be resumed
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_S) as response:
        span = response.headers.get("Content-Range", "")
        if response.status_code == 416 and span == f"bytes */{done}":
            return  # there is nothing after what is here
        partial = response.status_code == 206
        if response.status_code == 416 or (partial and not span.startswith(f"bytes {done}-")):
            part.unlink(missing_ok=True)
            raise AttemptError(f"HTTP {response.status_code}, {span or 'no range'}")
        check_status(response)
        size = int(response.headers.get("Content-Length", 0)) or None
        with (
            part.open("ab" if partial else "wb") as out,
            tqdm(total=size, unit="B", unit_scale=True, desc=part.stem[-30:], leave=False,
                 disable=not wants_bars()) as bar,
        ):  # fmt: skip
            for chunk in response.iter_content(CHUNK_BYTES):
                out.write(chunk)
                bar.update(len(chunk))


def check_status(response: requests.Response) -> None:
    """Raise unless the server sends the file; wait first where it asks for that."""
    status = response.status_code
    if status in BUSY:
        asked = response.headers.get("Retry-After", "0")
        pause_s = float(asked) if asked.isdigit() else 0.0
        if pause_s > MAX_PAUSE_S:
            found = f"HTTP {status}, wait {pause_s:.0f} seconds"
            raise StanceError(response.url, expected="the file", found=found, remedy=AGAIN)
        time.sleep(pause_s)
        raise AttemptError(f"HTTP {status}")
    if status == 404:
        raise InputError(
            response.url,
            expected="the file at the pinned commit",
            found="HTTP 404",
            remedy="Check the path and the commit in the table of sources.",
        )
    if status not in (200, 206):
        remedy = "Open the address in a browser to see what the server says."
        raise StanceError(response.url, expected="the file", found=f"HTTP {status}", remedy=remedy)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_sums(folder: Path) -> dict[str, str]:
    """Return {path below the folder: SHA-256} of the downloads that were proven right before."""
    path = folder / SUMS
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return {name: digest for digest, name in (line.split("  ", 1) for line in lines)}


def iter_members(path: Path, patterns: Iterable[str], commit: str) -> Iterator[tuple[str, bytes]]:
    """Yield (path in the repository, content) of the wanted files of a repository's archive.

    Args:
        path: a ``.tar.gz`` as ``git archive`` makes it: one folder on top, the commit in its head.
        patterns: paths, ``*`` stands for any characters.
        commit: the commit that the archive must be of.

    Raises:
        StanceError: the archive is of another commit or damaged; it is deleted.
    """
    exact = {name for name in patterns if "*" not in name}
    globs = [name for name in patterns if "*" in name]
    try:
        with tarfile.open(path, "r|gz") as archive:
            for member in archive:
                found = archive.pax_headers.get("comment", "no commit")
                if found != commit:
                    raise tarfile.ReadError(found)
                name = member.name.partition("/")[2]
                wanted = name in exact or any(fnmatch.fnmatchcase(name, glob) for glob in globs)
                stream = archive.extractfile(member) if wanted and member.isfile() else None
                if stream:
                    yield name, stream.read()
    except (tarfile.TarError, EOFError, zlib.error) as error:
        path.unlink()
        remedy = "It was deleted; run the same command again."
        raise StanceError(
            str(path), expected=f"an archive of commit {commit}", found=str(error), remedy=remedy
        ) from None


def iter_files(
    source: Source, table: Table, paths: list[str], downloads: Path, sums: dict[str, str]
) -> Iterator[tuple[str, bytes]]:
    """Yield (path, content) of the source's files; note their SHA-256 in ``sums``."""
    folder = f"{source.folder}/{source.commit}"
    place = {"repository": source.repository, "commit": source.commit}
    if source.archive:
        name = f"{folder}.tar.gz"
        # packed anew for every caller, so that neither a hash nor a part of it can be relied on
        path = downloads / name
        sums[name] = fetch(table.archive_address.format(**place), path, resumable=False)
        yield from iter_members(path, paths, source.commit)
        return
    for path_in in paths:
        name = f"{folder}/{path_in}"
        address = table.file_address.format(path=quote(path_in), **place)
        expected = source.sha256.get(path_in) or sums.get(name)
        sums[name] = fetch(address, downloads / name, sha256=expected)
        yield path_in, (downloads / name).read_bytes()
