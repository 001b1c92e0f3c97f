"""Scored corpora: what ``stance score`` and ``stance predict`` write, read row by row."""

import math
import re
from array import array
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance import files, tables
from stance.actors import Table, read_table
from stance.errors import InputError
from stance.holders import name_actor
from stance.layers import hash_text
from stance.types import LABELS

SHARDS = "part-*.*"
PREDICTED = frozenset(
    ("label", "scores", *(f"score_{label}" for label in LABELS), "confidence", "reliable", "holder",
     "holder_start", "holder_end", "source", "source_start", "source_end", "truncated", "stage",
     "part", "actor")
)  # fmt: skip
"""Columns that tell what the model answered: whoever labels by hand should not see them."""

TOLERANCE = 0.01  # how far scores may be from a sum of 1
NONE = "(none)"  # what stands for an empty value of a column
OTHER = "(other)"  # and for its rarer values
PERIODS = {"year": 4, "month": 7, "day": 10}
"""Period -> characters of an ISO date that name it."""

DATE = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!\d)")


@dataclass(frozen=True)
class Scored:
    """A scored corpus, without its texts.

    Attributes:
        labels: the model's labels as positions in ``LABELS``, (n,).
        scores: calibrated probabilities, (n, labels).
        groups: values of the columns asked for, a tuple a row.
        hashes: hash of the text of those rows that it was asked for, by position.
    """

    labels: NDArray[np.int8]
    scores: NDArray[np.float32]
    groups: list[tuple[str, ...]]
    hashes: dict[int, str]


def number_groups(scored: Scored) -> tuple[list[tuple[str, ...]], NDArray[np.int64]]:
    """Return the groups in order and each row's position among them."""
    names = sorted(set(scored.groups), key=lambda group: tuple(map(order_value, group)))
    position = {name: i for i, name in enumerate(names)}
    return names, np.array([position[group] for group in scored.groups], dtype=np.int64)


def order_value(value: str) -> tuple[bool, bool, float, str]:
    """Return what a group's value is sorted by: none first, then numbers by size, then the rest."""
    number = float(value) if value.replace(".", "", 1).isdecimal() else None
    return (value != NONE, number is None, number or 0.0, value)


def iter_rows(path: str | Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row) of a scored file or of a folder of shards, in order.

    Raises:
        InputError: nothing is there, or a file is of another form.
    """
    for part in list_parts(Path(path)):
        kind = part.suffix.lower()
        if kind == ".parquet":
            yield from iter_parquet(part)
        else:
            read = tables.read_csv if kind == ".csv" else files.read_jsonl
            yield from ((f"{part} line {number}", row) for number, row in read(part))


def list_parts(path: Path) -> list[Path]:
    """Return the files of a scored corpus."""
    kinds = (".jsonl", ".csv", ".parquet")
    if not path.is_dir():
        if path.suffix.lower() in kinds:
            return [path]
        raise InputError(
            str(path), expected="a folder of shards, or a file that ends in " + ", ".join(kinds),
            found=f"'{path.suffix}'", remedy="Name what stance score or stance predict wrote.",
        )  # fmt: skip
    parts = sorted(part for part in path.glob(SHARDS) if part.suffix.lower() in kinds)
    if not parts:
        raise InputError(
            str(path), expected="shards part-00000.jsonl, ...", found="none",
            remedy="Name the folder that stance score wrote.",
        )  # fmt: skip
    return parts


def iter_parquet(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, row) of a Parquet file; needs the extra ``corpus``."""
    from stance import parquet

    for record in parquet.iter_parquet(path):
        if isinstance(record.value, InputError):
            raise record.value
        yield f"{path} row {record.line}", record.value


def read_scored(
    path: str | Path,
    by: Sequence[str] = (),
    *,
    period: str | None = None,
    hashed: Container[int] = (),
    actors: str | Path | None = None,
    top: int | None = None,
) -> Scored:
    """Read a scored corpus.

    Args:
        path: a .csv, .jsonl or .parquet file, or a folder of shards.
        by: columns whose values are kept; ``actor``, where there is none, is the holder by the
            table of actors.
        period: ``year``, ``month`` or ``day``: the dates in the last of those columns are cut to
            it.
        hashed: positions of the rows whose text's hash is kept.
        actors: a TOML file that adds to the table of actors.
        top: how many values of a column are kept, the most frequent ones; the dates of a period
            are all kept.

    Raises:
        InputError: a row has no valid label or scores, or lacks a column.
    """
    labels, scores = array("b"), array("f")  # a corpus may have many millions of rows
    groups: list[tuple[str, ...]] = []
    known: dict[tuple[str, ...], tuple[str, ...]] = {}
    hashes = {}
    forms = read_table(actors)
    for position, (where, row) in enumerate(iter_rows(path)):
        labels.append(read_label(row, where))
        scores.extend(read_scores(row, where))
        group = [read_value(row, name, where, forms) for name in by]
        if period and group:
            group[-1] = cut_date(group[-1], period, f"{where} column '{by[-1]}'")
        groups.append(known.setdefault(tuple(group), tuple(group)))
        if position in hashed:
            hashes[position] = mark_text(read_text(row, where))
    if not labels:
        raise InputError(str(path), expected="at least one scored row", found="none",
                         remedy="Score the corpus first: stance score IN OUT.")  # fmt: skip
    if top is not None:
        groups = keep_top(groups, top, len(by) - (period is not None))
    table = np.array(scores, dtype=np.float32).reshape(-1, len(LABELS))
    return Scored(np.array(labels, dtype=np.int8), table, groups, hashes)


def keep_top(groups: Sequence[tuple[str, ...]], top: int, columns: int) -> list[tuple[str, ...]]:
    """Put the rarer values of the first columns together as ``OTHER``."""
    kept = []
    for column in range(columns):
        counts = Counter(group[column] for group in groups if group[column] != NONE)
        order = sorted(counts, key=lambda value: (-counts[value], value))
        kept.append({NONE, *order[:top]})
    new = {
        group: tuple(value if column >= columns or value in kept[column] else OTHER
                     for column, value in enumerate(group))
        for group in set(groups)
    }  # fmt: skip
    return [new[group] for group in groups]


def read_text(row: dict[str, Any], where: str) -> str:
    """Return a row's text."""
    text = row.get("text")
    if not isinstance(text, str):
        raise refuse(f"{where} column 'text'", "the statement", repr(text)[:60])
    return text


def mark_text(text: str) -> str:
    """Return the hash of a text, so written that no spreadsheet takes it for a number."""
    return f"sha256:{hash_text(text)}"


def read_label(row: dict[str, Any], where: str) -> int:
    """Return the position of a row's label."""
    label = row.get("label")
    if label not in LABELS:
        found = repr(label)[:60] if "label" in row else "no such column"
        raise refuse(f"{where} column 'label'", "one of " + ", ".join(LABELS), found)
    return LABELS.index(label)


def read_scores(row: dict[str, Any], where: str) -> list[float]:
    """Return a row's scores in the order of ``LABELS``."""
    nested = row.get("scores")
    values = [
        nested.get(label) if isinstance(nested, dict) else row.get(f"score_{label}")
        for label in LABELS
    ]
    try:
        scores = [float(value) for value in values]  # type: ignore[arg-type]
    except (TypeError, ValueError):
        scores = []
    if not scores or not all(0 <= score <= 1 for score in scores) or (
        not math.isclose(sum(scores), 1, abs_tol=TOLERANCE)
    ):  # fmt: skip
        raise refuse(f"{where} scores", "four probabilities that sum to 1", repr(values)[:80])
    return scores


def read_value(row: dict[str, Any], name: str, where: str, forms: Table) -> str:
    """Return a row's value in a column as text; a span stands for its text."""
    if name == "actor" and name not in row and "holder" in row:
        return name_actor(row, forms) or NONE
    if name not in row:
        columns = ", ".join(sorted(map(str, row)))
        raise InputError(
            f"{where} column '{name}'", expected="a column of that name",
            found=f"columns {columns}", remedy="Name one of them.",
        )  # fmt: skip
    value = row[name]
    if isinstance(value, dict) and "text" in value:
        value = value["text"]
    return NONE if value is None else " ".join(str(value).split()) or NONE


def cut_date(value: str, period: str, where: str) -> str:
    """Return the period of an ISO date."""
    if value == NONE:
        return NONE
    if not DATE.match(value):
        raise InputError(where, expected="a date such as 2024-05-31", found=repr(value)[:60],
                         remedy="Rewrite the dates, or leave out --period.")  # fmt: skip
    return value[: PERIODS[period]]


def refuse(where: str, expected: str, found: str) -> InputError:
    """Return the error of a row that was not scored."""
    return InputError(where, expected=expected, found=found,
                      remedy="Name what stance score or stance predict wrote.")  # fmt: skip
