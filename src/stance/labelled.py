"""Samples to label by hand: written, and read back with every doubt said."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance import files, tables
from stance.errors import InputError
from stance.estimate import Labelled
from stance.scored import PREDICTED, Scored, iter_rows, mark_text, read_text
from stance.types import LABELS

OWN = ("row", "text_hash", "stratum", "draw_probability")
"""Columns that lead back to the corpus; ``gold`` is for whoever labels."""

GOLD = "gold"


def write_sample(
    out: Path, path: str | Path, drawn: NDArray[np.int64], probability: NDArray[np.float64],
    strata: NDArray[np.int64],
) -> None:  # fmt: skip
    """Write drawn rows for labelling: without the model's answers, in the order of the draw.

    Args:
        out: a .csv or .jsonl file.
        path: the scored corpus.
        drawn: positions of the rows, (n,).
        probability: with what probability each was drawn, (n,).
        strata: the stratum of each row of the corpus.
    """
    wanted = {int(position): i for i, position in enumerate(drawn)}
    rows: list[dict[str, Any]] = [{} for _ in drawn]
    for position, (where, row) in enumerate(iter_rows(path)):
        if position in wanted:
            i = wanted[position]
            text = read_text(row, where)
            kept = {name: value for name, value in row.items()
                    if name not in PREDICTED and name not in (*OWN, GOLD, "text")}  # fmt: skip
            own = (position + 1, mark_text(text), int(strata[position]), float(probability[i]))
            rows[i] = {**dict(zip(OWN, own, strict=True)), **kept, "text": text, GOLD: ""}
    files.write_text(out, FORMATS[out.suffix.lower()](rows))


def format_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Return rows as CSV with a header line."""
    columns = [*dict.fromkeys(name for row in rows for name in row if name != GOLD), GOLD]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {name: "" if value is None else value for name, value in row.items()} for row in rows
    )
    return stream.getvalue()


def format_jsonl(rows: Sequence[dict[str, Any]]) -> str:
    """Return rows as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


FORMATS = {".csv": format_csv, ".jsonl": format_jsonl}


def check_out(out: Path) -> None:
    """Raise unless a sample can be written there without losing one that was labelled."""
    if out.suffix.lower() not in FORMATS:
        raise InputError(f"--out {out}", expected="a name that ends in .csv or .jsonl",
                         found=f"'{out.suffix}'", remedy="Rename it.")  # fmt: skip
    if out.exists():
        raise InputError(f"--out {out}", expected="a new file", found="one that is there",
                         remedy="It may hold labels: name another, or delete it.")  # fmt: skip


def read_labelled(path: Path) -> tuple[Labelled, dict[int, str]]:
    """Read a sample that was labelled by hand.

    Args:
        path: the .csv or .jsonl file that ``stance sample`` wrote, its column ``gold`` filled in.

    Returns:
        The labelled rows, and the hash of each row's text by position in the corpus.

    Raises:
        InputError: a column is missing or a value is no row, label or probability.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"--labelled {path}", expected="a name that ends in .csv or .jsonl",
                         found=f"'{path.suffix}'", remedy="Save it as one of them.")  # fmt: skip
    read = tables.read_csv if path.suffix.lower() == ".csv" else files.read_jsonl
    cells, hashes = [], {}
    empty = 0
    for number, row in read(path):
        where = f"{path} line {number}"
        if str(row.get(GOLD) or "").strip() == "" and GOLD in row:
            empty += 1
            continue
        position, cell = read_cell(row, where)
        if position in hashes:
            raise refuse(f"{where} column 'row'", "each row once", f"row {position + 1} again")
        hashes[position] = str(row["text_hash"])
        cells.append((position, *cell))
    if empty or not cells:
        raise InputError(str(path), expected="a label in the column 'gold' of every row",
                         found=f"{empty} empty of {empty + len(cells)}",
                         remedy="Label them all, or draw a smaller sample.")  # fmt: skip
    rows, gold, probability, stratum = zip(*cells, strict=True)
    return Labelled(
        np.array(rows), np.array(gold), np.array(probability), np.array(stratum)
    ), hashes


def read_cell(row: dict[str, Any], where: str) -> tuple[int, tuple[int, float, int]]:
    """Return a row's position and its gold label, draw probability and stratum."""
    missing = [name for name in (*OWN, GOLD) if name not in row]
    if missing:
        raise refuse(f"{where} column '{missing[0]}'", "the column to be there",
                     "columns " + ", ".join(map(str, row)))  # fmt: skip
    gold = str(row[GOLD]).strip()
    if gold not in LABELS:
        raise InputError(f"{where} column 'gold'", expected="one of " + ", ".join(LABELS),
                         found=repr(gold)[:60], remedy="Use one of those.")  # fmt: skip
    number = read_number(row, "row", where)
    stratum = read_number(row, "stratum", where)
    probability = read_number(row, "draw_probability", where)
    if number != int(number) or number < 1 or stratum != int(stratum):
        raise refuse(f"{where} columns 'row' and 'stratum'", "whole numbers",
                     f"{row['row']!r} and {row['stratum']!r}")  # fmt: skip
    if not 0 < probability <= 1:
        raise refuse(f"{where} column 'draw_probability'", "a number above 0, up to 1",
                     repr(row["draw_probability"]))  # fmt: skip
    return int(number) - 1, (LABELS.index(gold), probability, int(stratum))


def read_number(row: dict[str, Any], name: str, where: str) -> float:
    """Return a cell as a finite number."""
    try:
        number = float(row[name])
    except (TypeError, ValueError):
        number = float("nan")
    if not np.isfinite(number):
        raise refuse(f"{where} column '{name}'", "a number", repr(row[name])[:60])
    return number


def check_origin(labelled: dict[int, str], scored: Scored, where: str) -> None:
    """Raise unless the labelled rows are those of the corpus."""
    for position, expected in labelled.items():
        if position >= len(scored.labels):
            raise refuse(f"{where} row {position + 1}", f"at most row {len(scored.labels)}",
                         f"row {position + 1}")  # fmt: skip
        if scored.hashes[position] != expected:
            raise refuse(f"{where} row {position + 1}", f"a text with hash {expected}",
                         f"{scored.hashes[position]} in that row of the corpus")  # fmt: skip


def refuse(where: str, expected: str, found: str) -> InputError:
    """Return the error of a sample that is not what it was."""
    return InputError(where, expected=expected, found=found,
                      remedy="Fill in nothing but 'gold' in the file that stance sample wrote, "
                      "and name the corpus it was drawn from.")  # fmt: skip
