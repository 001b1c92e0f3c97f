"""Label layers: our labels joined with the texts of public corpora by row id and hash.

The repository ships labels, row ids and hashes only. The texts come from the folder that
``STANCE_CORPORA`` names: ``public/CORPUS/SPLIT.jsonl.gz`` and ``pool/{news,recent}.jsonl.gz``.
"""

import gzip
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from stance.errors import InputError

POOLS = {"article_bias_prediction": "news", "recent": "recent"}
"""Layer corpora whose texts are a pool: corpus name -> file name under ``pool/``."""


def collapse(text: str) -> str:
    """Collapse white space, the form that hashes and span offsets refer to."""
    return " ".join(text.split())


def hash_text(text: str) -> str:
    """Return the first 16 hex digits of the SHA-256 of the collapsed text."""
    return hashlib.sha256(collapse(text).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def find_corpora(path: str | None = None) -> Path | None:
    """Return the corpora folder: the given one, else ``STANCE_CORPORA``, else None.

    Raises:
        InputError: a folder is named but holds neither ``public`` nor ``pool``.
    """
    named = path or os.environ.get("STANCE_CORPORA")
    if not named:
        return None
    folder = Path(named)
    if not ((folder / "public").is_dir() or (folder / "pool").is_dir()):
        raise InputError(
            f"corpora folder {folder}",
            expected="a folder with public/ or pool/",
            found="neither" if folder.is_dir() else "no such folder",
            remedy="Set STANCE_CORPORA to the folder that data/README.md describes.",
        )
    return folder


def iter_corpus(corpora: Path, corpus: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (row id, row) of one corpus, texts as they stand in its files.

    Row ids are those of the label layers: SPLIT/ID for public corpora, ``row`` for the pools.
    """
    if corpus in POOLS:
        paths = [corpora / "pool" / f"{POOLS[corpus]}.jsonl.gz"]
    else:
        paths = sorted((corpora / "public" / corpus).glob("*.jsonl.gz"))
    for path in paths:
        if not path.is_file():
            continue
        split = path.name.removesuffix(".jsonl.gz")
        try:
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                for line in lines:
                    row = json.loads(line)
                    if not isinstance(row["text"], str):
                        raise TypeError(f"text {row['text']!r}")
                    yield (row["row"] if corpus in POOLS else f"{split}/{row['id']}"), row
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                str(path),
                expected=f"gzipped JSON lines with {'row' if corpus in POOLS else 'id'} and text",
                found=f"{type(error).__name__}: {error}",
                remedy="Get the corpus again; data/README.md describes the form.",
            ) from None


def document_of(corpus: str, row_id: str, row: dict[str, Any]) -> str:
    """Name the document that a corpus row belongs to; splits never divide it.

    A corpus without documents of more than one row counts each row as its own document.

    Raises:
        InputError: the row lacks the field that names its document.
    """
    key = row_id.split("#")[0]
    if corpus == "persent_paragraphs":
        key = row_id.rsplit("-", 1)[0]
    elif corpus in ("newsmtsc", "newsmtsc_mt") and "allsides_" in row_id:
        key = "_".join(row_id.split("allsides_")[1].split("_")[:2])
    elif corpus == "seesaw":
        key = row_id.split("/")[1].split("_DOCUMENT")[0]
    elif corpus == "unscon":
        if "meeting" not in row:
            raise InputError(
                f"{corpus} {row_id}",
                expected="a field 'meeting', which names the document",
                found=", ".join(row),
                remedy="New rows are drawn from the corpus as converted whole; rows that are "
                "labelled name their document themselves.",
            )
        key = str(row["meeting"])
    return f"{corpus}:{key}"


def read_texts(corpora: Path, corpus: str, wanted: Iterable[str]) -> dict[str, str]:
    """Return {row id: collapsed text} for those wanted rows that the corpus at hand holds."""
    ids = set(wanted)
    return {
        row_id: collapse(row["text"])
        for row_id, row in iter_corpus(corpora, corpus)
        if row_id in ids
    }
