"""Samples to label by hand: written, and read back with every doubt said.

Nothing in a sample tells what the model answered, but for how rare answers were over-drawn: strata
and draw probabilities. Of a blind sample these stand in a key beside it, which whoever labels need
not see; each row of the sample names it.
"""

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

OWN = ("row", "text_hash")
"""Columns that lead back to the corpus; ``gold`` is for whoever labels."""

DRAWN = ("stratum", "draw_probability")
KEY = "key"
"""Column of a blind sample that names the file with the ``DRAWN`` ones."""
GOLD = "gold"


def name_key(out: Path) -> Path:
    """Return where the key of a blind sample is written."""
    return out.with_name(f"{out.stem}.key.csv")


def write_sample(
    out: Path, path: str | Path, drawn: NDArray[np.int64], probability: NDArray[np.float64],
    strata: NDArray[np.int64], *, blind: bool,
) -> None:  # fmt: skip
    """Write drawn rows for labelling, in the order of the draw.

    Args:
        out: a .csv or .jsonl file.
        path: the scored corpus.
        drawn: positions of the rows, (n,).
        probability: with what probability each was drawn, (n,).
        strata: the stratum of each row of the corpus.
        blind: put strata and draw probabilities into a key beside the file.
    """
    wanted = {int(position): i for i, position in enumerate(drawn)}
    rows: list[dict[str, Any]] = [{} for _ in drawn]
    key = name_key(out)
    cells = [
        dict(zip(DRAWN, (int(strata[position]), float(share)), strict=True))
        for position, share in zip(drawn, probability, strict=True)
    ]
    for position, (where, row) in enumerate(iter_rows(path)):
        if position in wanted:
            text = read_text(row, where)
            own = dict(zip(OWN, (position + 1, mark_text(text)), strict=True))
            kept = {name: value for name, value in row.items() if is_blind(name)}
            known = {KEY: key.name} if blind else cells[wanted[position]]
            rows[wanted[position]] = {**own, **known, **kept, "text": text, GOLD: ""}
    if blind:
        order = sorted(range(len(drawn)), key=lambda i: int(drawn[i]))
        files.write_text(key, format_csv([{"row": int(drawn[i]) + 1, **cells[i]} for i in order]))
    files.write_text(out, FORMATS[out.suffix.lower()](rows))


def is_blind(name: str) -> bool:
    """Say whether a column of the corpus may stand beside a text that is to be labelled."""
    own = (*OWN, *DRAWN, KEY, GOLD, "text")
    return name.removeprefix("input_") not in PREDICTED and name not in own


def format_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Return rows as CSV with a header line."""
    columns = dict.fromkeys(name for row in rows for name in row if name != GOLD)
    columns |= dict.fromkeys(name for name in rows[0] if name == GOLD)  # the last
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
    for path in (out, name_key(out)):
        if path.exists():
            raise InputError(f"--out {path}", expected="a new file", found="one that is there",
                             remedy="A sample may hold labels: name another.")  # fmt: skip


def read_labelled(path: Path) -> tuple[Labelled, dict[int, str]]:
    """Read a sample that was labelled by hand.

    Args:
        path: the .csv or .jsonl file that ``stance sample`` wrote, its column ``gold`` filled in;
            the key of a blind one lies in the same folder.

    Returns:
        The labelled rows, and the hash of each row's text by position in the corpus.

    Raises:
        InputError: a column is missing or a value is no row, label or probability.
    """
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"--labelled {path}", expected="a name that ends in .csv or .jsonl",
                         found=f"'{path.suffix}'", remedy="Save it as one of them.")  # fmt: skip
    read = tables.read_csv if path.suffix.lower() == ".csv" else files.read_jsonl
    gold: dict[int, int] = {}
    hashes = {}
    drawn: dict[int, tuple[int, float]] = {}
    keys = set()
    empty = 0
    for number, row in read(path):
        where = f"{path} line {number}"
        check_columns(row, (*OWN, GOLD), where)
        if not str(row[GOLD] or "").strip():
            empty += 1
            continue
        position = read_position(row, where)
        if position in gold:
            raise refuse(f"{where} column 'row'", "each row once", f"row {position + 1} again")
        gold[position] = read_gold(row, where)
        hashes[position] = str(row["text_hash"])
        if KEY in row:
            keys.add(Path(str(row[KEY])).name)
        else:
            drawn[position] = read_drawn(row, where)
    if empty or not gold:
        raise InputError(str(path), expected="a label in the column 'gold' of every row",
                         found=f"{empty} empty of {empty + len(gold)}",
                         remedy="Label them all, or draw a smaller sample.")  # fmt: skip
    if len(keys) > 1:
        raise refuse(f"{path} column 'key'", "one key", ", ".join(sorted(keys)))
    if keys:
        drawn |= read_key(path.with_name(keys.pop()))
    if drawn.keys() != gold.keys():
        odd = min(drawn.keys() ^ gold.keys()) + 1
        raise refuse(str(path), f"the {len(drawn)} rows of the key",
                     f"{len(gold)} rows; row {odd} is in one of the two alone")  # fmt: skip
    stratum, probability = zip(*(drawn[position] for position in gold), strict=True)
    return Labelled(
        np.array(list(gold)), np.array(list(gold.values())), np.array(probability),
        np.array(stratum),
    ), hashes  # fmt: skip


def read_key(path: Path) -> dict[int, tuple[int, float]]:
    """Return the stratum and the draw probability of each drawn row, by position in the corpus."""
    if not path.is_file():
        raise InputError(str(path), expected="the key that stance sample wrote beside the sample",
                         found="no such file", remedy="Put it beside the labels.")  # fmt: skip
    key = {}
    for number, row in tables.read_csv(path):
        where = f"{path} line {number}"
        check_columns(row, ("row",), where)
        key[read_position(row, where)] = read_drawn(row, where)
    return key


def read_drawn(row: dict[str, Any], where: str) -> tuple[int, float]:
    """Return a row's stratum and draw probability."""
    check_columns(row, DRAWN, where)
    stratum = read_number(row, "stratum", where)
    probability = read_number(row, "draw_probability", where)
    if stratum != int(stratum):
        raise refuse(f"{where} column 'stratum'", "a whole number", repr(row["stratum"]))
    if not 0 < probability <= 1:
        raise refuse(f"{where} column 'draw_probability'", "a number above 0, up to 1",
                     repr(row["draw_probability"]))  # fmt: skip
    return int(stratum), probability


def check_columns(row: dict[str, Any], names: Sequence[str], where: str) -> None:
    """Raise unless a row has the columns."""
    for name in names:
        if name not in row:
            raise refuse(f"{where} column '{name}'", "the column to be there",
                         "columns " + ", ".join(map(str, row)))  # fmt: skip


def read_gold(row: dict[str, Any], where: str) -> int:
    """Return the position of a row's gold label; case and blanks around it do not matter."""
    gold = str(row[GOLD]).strip().lower()
    if gold not in LABELS:
        raise InputError(f"{where} column 'gold'", expected="one of " + ", ".join(LABELS),
                         found=repr(gold)[:60], remedy="Use one of those.")  # fmt: skip
    return LABELS.index(gold)


def read_position(row: dict[str, Any], where: str) -> int:
    """Return a row's position in the corpus."""
    number = read_number(row, "row", where)
    if number != int(number) or number < 1:
        raise refuse(f"{where} column 'row'", "a whole number", repr(row["row"]))
    return int(number) - 1


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
                      "keep every row, and name the corpus it was drawn from.")  # fmt: skip
