"""Which rows a model is trained and validated on."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stance.errors import InputError
from stance.layers import hash_text
from stance.rows import Row
from stance.sets import NEED_CORPORA, hash_rows, is_released, read_licences, read_usable
from stance.types import LABELS

FALLBACK = ("written",)  # what is validated on when the corpora are not at hand

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rows:
    """Rows to train on and to validate on.

    Attributes:
        train: rows to train on.
        validation: rows for early stopping and calibration.
        hashes: SHA-256 of the rows that were used, by set and split.
        left_out: the article that was not trained on, or None.
        refused: ids of rows that the corpora at hand do not match.
        labels: the labels in order: the four stances, or those of a user's own file.
    """

    train: list[Row]
    validation: list[Row]
    hashes: dict[str, str]
    left_out: str | None = None
    refused: list[str] = field(default_factory=list)
    labels: tuple[str, ...] = LABELS


@dataclass(frozen=True)
class Source:
    """Where rows come from.

    Attributes:
        data: the repository's data folder.
        corpora: the corpora folder, or None.
        release: leave out corpora that ``licences.toml`` does not release.
        left_out: an article that must not be trained on, or None.
    """

    data: Path
    corpora: Path | None
    release: bool
    left_out: str | None = None


def select_rows(source: Source, *, train: Sequence[str], validation: Sequence[str]) -> Rows:
    """Gather the rows of the named sets.

    Sets that need corpora are left out with a warning when there are none; validation falls
    back on the written statements then.

    Args:
        source: where rows come from and which are left out.
        train: sets to train on.
        validation: sets to validate on.

    Raises:
        InputError: a set cannot be read, no row to train on is left, or the article to leave out
            does not exist.
    """
    rows = Rows([], [], {}, source.left_out)
    for name in list_usable(train, source, "training"):
        rows.train.extend(select_split(name, "train", source, rows))
    if train and not rows.train:
        raise InputError(
            "training rows",
            expected="at least one row of " + ", ".join(train),
            found="none",
            remedy="Set STANCE_CORPORA, or name a set that needs no corpora.",
        )
    for name in list_usable(validation, source, "validation") or (FALLBACK if validation else ()):
        rows.validation.extend(select_split(name, "validation", source, rows))
    if validation and not rows.validation:
        raise InputError(
            "validation rows",
            expected="at least one row of " + ", ".join(validation),
            found="none",
            remedy="Check STANCE_CORPORA and the data folder.",
        )
    return rows


def list_usable(names: Sequence[str], source: Source, purpose: str) -> list[str]:
    """Return the sets that can be read, and say which cannot."""
    usable = [name for name in names if source.corpora or name not in NEED_CORPORA]
    missing = [name for name in names if name not in usable]
    if missing:
        log.warning("STANCE_CORPORA is not set: %s without %s", purpose, ", ".join(missing))
    return usable


def select_split(name: str, split: str, source: Source, rows: Rows) -> list[Row]:
    """Return a split's rows; note their hash and the refused ones."""
    joined = read_usable(name, split, source.data, source.corpora)
    rows.refused.extend([*joined.refused, *joined.absent])
    selected = joined.rows
    if source.release:
        licences = read_licences(source.data)
        selected = [row for row in selected if is_released(licences, row)]
    if name == "articles" and source.left_out is not None:
        selected = drop_article(selected, source.left_out)
    rows.hashes[f"{name}/{split}"] = hash_rows(selected)
    return selected


def drop_article(rows: list[Row], document: str) -> list[Row]:
    """Return the rows without those of one article, and without rows of the same text as one."""
    texts = {hash_text(row.text) for row in rows if row.document == document}
    if not texts:
        raise InputError(
            f"--leave-out {document}",
            expected="one of " + ", ".join(sorted({row.document for row in rows})),
            found=document,
            remedy="Name an article by its file name without .txt.",
        )
    return [row for row in rows if hash_text(row.text) not in texts]
