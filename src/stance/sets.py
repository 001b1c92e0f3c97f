"""The data sets by name: rows of the ``data`` folder, layers joined with their corpora."""

import hashlib
import logging
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stance import files
from stance.errors import InputError
from stance.layers import hash_text, read_texts
from stance.rows import Row, build_row, read_rows

SETS = ("articles", "written", "layers", "realnews")
NEED_CORPORA = ("layers", "realnews")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Joined:
    """Layer rows with their texts.

    Attributes:
        rows: rows whose text has the expected hash.
        refused: ids of rows whose text differs from the one that was labelled.
        absent: ids of rows that the corpora at hand do not hold.
    """

    rows: list[Row]
    refused: list[str]
    absent: list[str]


def find_data(path: str | Path) -> Path:
    """Return the data folder.

    Raises:
        InputError: it is not there, or is another folder.
    """
    folder = Path(path)
    if not (folder / "articles.jsonl").is_file():
        raise InputError(
            f"data folder {folder}",
            expected="a folder with articles.jsonl",
            found="none",
            remedy="Run in a clone of the repository, or name its data folder with --data-dir.",
        )
    return folder


def list_files(data: Path, name: str, split: str) -> list[Path]:
    """Return the files that hold a split of a set; the articles have one split, ``train``."""
    if name == "articles":
        return [data / "articles.jsonl"] if split == "train" else []
    if name == "layers":
        return sorted((data / "layers").glob("*.jsonl")) if split != "validation" else []
    return [data / name / f"{split}.jsonl"]


def read_labels(data: Path, name: str, split: str) -> list[Row]:
    """Return the rows of a split as they stand in the repository; layer rows have no text."""
    rows = [row for path in list_files(data, name, split) for row in read_rows(path)]
    return [row for row in rows if row.fields.get("split", split) == split]


def read_set(data: Path, name: str, split: str, corpora: Path | None) -> Joined:
    """Return the rows of a split with their texts.

    Raises:
        InputError: the set is unknown, or needs corpora and there are none.
    """
    if name not in SETS:
        raise InputError(
            f"set '{name}'", expected="one of " + ", ".join(SETS), found=name, remedy="Rename it."
        )
    rows = read_labels(data, name, split)
    if name not in NEED_CORPORA:
        return Joined(rows, [], [])
    if corpora is None:
        raise InputError(
            f"set '{name}'",
            expected="STANCE_CORPORA to name the folder with the corpora's texts",
            found="no such variable",
            remedy="Set it as data/README.md says, or leave the set out.",
        )
    return join_texts(rows, corpora)


def join_texts(rows: Iterable[Row], corpora: Path) -> Joined:
    """Give layer rows their texts; a row whose text has another hash is refused."""
    rows = list(rows)
    texts: dict[tuple[str, str], str] = {}
    for corpus in sorted({row.fields["corpus"] for row in rows}):
        wanted = [row.fields["row"] for row in rows if row.fields["corpus"] == corpus]
        found = read_texts(corpora, corpus, wanted)
        texts.update({(corpus, key): text for key, text in found.items()})
    joined, refused, absent = [], [], []
    for row in rows:
        text = texts.get((row.fields["corpus"], row.fields["row"]))
        if text is None:
            absent.append(row.id)
        elif hash_text(text) != row.fields["sha256"]:
            refused.append(row.id)
        else:
            joined.append(build_row(row.fields, text))
    return Joined(joined, refused, absent)


def read_licences(data: Path) -> dict[str, Any]:
    """Return the table of licences: corpus name to its entry."""
    path = data / "licences.toml"
    with files.open_input(path) as stream:
        try:
            content: dict[str, Any] = tomllib.load(stream)["corpora"]
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError) as error:
            raise InputError(
                str(path),
                expected="TOML with a table [corpora]",
                found=str(error),
                remedy="Take the file of the repository.",
            ) from None
    return content


def is_released(licences: Mapping[str, Any], row: Row) -> bool:
    """Say whether released weights may be trained on the row."""
    corpus = row.fields.get("corpus")
    if corpus is None:
        return True
    entry = licences[corpus]
    source = row.fields["row"].split("/")[0]
    return bool(entry.get("sources", {}).get(source, entry)["release"])


def read_usable(name: str, split: str, data: Path, corpora: Path | None) -> Joined:
    """Read a split and say how many rows the corpora at hand do not match, and which."""
    joined = read_set(data, name, split, corpora)
    for ids, reason in ((joined.refused, "another text"), (joined.absent, "no text")):
        if ids:
            some = ", ".join(ids[:5]) + ", ..." * (len(ids) > 5)
            log.warning("%s/%s: %d rows refused, the corpora hold %s for them: %s",
                        name, split, len(ids), reason, some)  # fmt: skip
    return joined


def hash_rows(rows: Sequence[Row]) -> str:
    """Return a SHA-256 over ids, labels and texts, in order."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(f"{row.id}\t{row.label}\t{row.text}\n".encode("utf-8", "replace"))
    return digest.hexdigest()
