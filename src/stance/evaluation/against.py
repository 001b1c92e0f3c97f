"""Another run to compare with: read before anything is judged or written, compared after it."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from stance.errors import InputError
from stance.evaluation.compare import compare
from stance.evaluation.coverage import expect_coverage
from stance.evaluation.earlier import Earlier, find_earlier
from stance.evaluation.place import Place
from stance.evaluation.records import Record, align, read_records
from stance.evaluation.results import CORE, Judged, hash_gold
from stance.evaluation.run import OWN, read_set_rows
from stance.evaluation.table import show_difference
from stance.own import read_own_rows
from stance.rows import Row

Known = TypeVar("Known", Row, Record)
"""What has an id."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Other:
    """Another run, in memory: this run may be written in its place.

    Attributes:
        name: as it was named.
        run: where it lies.
        records: its predictions by set; of the sets that this run has too.
    """

    name: str
    run: Earlier
    records: dict[str, list[Record]]


def read_other(path: Path, names: Sequence[str]) -> Other:
    """Read another run.

    Args:
        path: its ``results.json``, or its folder of per-row predictions.
        names: the sets of this run.

    Raises:
        InputError: it shares no set, or its predictions are damaged.
    """
    run = find_earlier(path)
    records = {name: read_records(run.files[name]) for name in names if name in run.files}
    if not records:
        what = "no predictions of " + ", ".join(names)
        raise InputError(
            f"--against {path}",
            expected="a results.json with its folder of predictions, or that folder",
            found=what if run.folder.is_dir() else f"no folder {run.folder}",
            remedy="Name a run that judged the same sets.",
        )
    return Other(str(path), run, records)


def check_rows(other: Other, place: Place, own: Path | None) -> dict[str, list[Row]]:
    """Raise unless the other run judged the same rows, before anything is trained or judged.

    Args:
        other: the other run.
        place: where the data are.
        own: the user's own file, for the set ``own``, or None.

    Returns:
        All rows of the shared sets, so that they need not be read again.

    Raises:
        InputError: its rows are others.
    """
    read = {}
    for name, records in other.records.items():
        rows = read_own_rows(own) if own and name == OWN else read_set_rows(name, place)
        where = str(other.run.files[name])
        common = list_common(name, rows, records, where)
        align(keep(rows, common), keep(records, common), where)
        read[name] = rows
    return read


def list_common(name: str, rows: Sequence[Row], records: Sequence[Record], where: str) -> set[str]:
    """Return the ids to compare on: of a user's own file, which may grow, those of both runs.

    Raises:
        InputError: there are none.
    """
    ids = {row.id for row in rows}
    if name != OWN:
        return ids | {record.id for record in records}
    common = ids & {record.id for record in records}
    if not common:
        raise InputError(
            where,
            expected="predictions of some of the file's rows",
            found=f"none of the ids {sorted(ids)[:3]}",
            remedy="Give rows the `id` that they had then; without that column it is their line.",
        )
    return common


def keep(items: Sequence[Known], ids: set[str]) -> list[Known]:
    """Return the items with these ids, in their order."""
    return [item for item in items if item.id in ids]


def compare_sets(judged: Mapping[str, Judged], other: Other) -> dict[str, dict[str, Any]]:
    """Return the comparison with another run by set, as ``results.json`` holds it.

    Raises:
        InputError: the other run's rows are others.
    """
    compared = {}
    for name, part in judged.items():
        if name in other.records:
            compared[name] = compare_set(name, part, other)
        elif name != CORE:
            log.warning("%s: nothing to compare with in %s", name, other.name)
    return compared


def compare_set(name: str, part: Judged, other: Other) -> dict[str, Any]:
    """Return the comparison on one set."""
    records, where = other.records[name], str(other.run.files[name])
    common = list_common(name, part.rows, records, where)
    rows = keep(part.rows, common)
    found = compare(rows, keep(part.records, common), keep(records, common), where)
    gold = other.run.sets.get(name, {}).get("gold") if len(rows) == len(records) else None
    if gold not in (None, hash_gold(rows)):
        log.warning("%s: %s was measured by other labels, spans or weights", name, other.name)
    names, documents = np.unique([row.document for row in rows], return_inverse=True)
    return {
        "run": other.name,
        "n": len(rows),
        "documents": len(names),
        "coverage": expect_coverage(documents),
        "left_out": {"this": len(part.rows) - len(rows), "other": len(records) - len(rows)},
        "same_gold": gold == hash_gold(rows) if gold else None,
        **found,
    }


def find_worse(compared: Mapping[str, dict[str, Any]]) -> list[str]:
    """Return the sets whose macro-F1 fell: its paired interval lies below zero. Each is logged."""
    worse = []
    for name, part in compared.items():
        macro = part["difference"]["macro_f1"]
        if macro["high"] is None:
            log.warning("%s: one document gives no interval, so nothing is found worse", name)
        elif macro["high"] < 0:
            log.error("%s: worse than %s: macro-F1 %s",
                      name, part["run"], show_difference("macro_f1", macro))  # fmt: skip
            worse.append(name)
    return worse
