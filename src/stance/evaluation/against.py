"""Another run to compare with: looked at before the long part, compared after it."""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from stance import files
from stance.errors import InputError
from stance.evaluation.compare import compare
from stance.evaluation.place import Place
from stance.evaluation.records import align, read_records
from stance.evaluation.results import CORE, Judged, hash_gold, read_results
from stance.evaluation.run import OWN, read_set_rows
from stance.own import read_own_rows
from stance.rows import Row

log = logging.getLogger(__name__)


def check_against(
    other: Path, names: Sequence[str], place: Place, own: Path | None
) -> dict[str, list[Row]]:
    """Raise unless another run can be compared with, before anything is trained or judged.

    Args:
        other: the other run's ``results.json``, or its folder of per-row predictions.
        names: the sets that will be judged.
        place: where the data are.
        own: the user's own file, for the set ``own``, or None.

    Returns:
        The rows of the shared sets, so that they need not be read again.

    Raises:
        InputError: the other run shares no set, or its rows are others.
    """
    read = {}
    for name, path in find_others(other, (*names, *([OWN] if own else []))).items():
        rows = read_own_rows(own) if own and name == OWN else read_set_rows(name, place)
        align(rows, read_records(path), str(path))
        read[name] = rows
    return read


def find_others(other: Path, names: Iterable[str]) -> dict[str, Path]:
    """Return the other run's files of predictions by set; of shared sets alone.

    Raises:
        InputError: there is none.
    """
    folder = name_folder(other)
    names = [name for name in names if name != CORE]  # a part of the articles
    found = {name: path for name in names if (path := folder / f"{name}.jsonl").is_file()}
    if not found:
        what = "no predictions of " + ", ".join(names)
        raise InputError(
            f"--against {other}",
            expected="a results.json with its folder of predictions, or that folder",
            found=what if folder.is_dir() else f"no folder {folder}",
            remedy="Name a run that judged the same sets.",
        )
    return found


def name_folder(other: Path) -> Path:
    """Return the folder of predictions of a run that is named by it or by its results."""
    return other.with_suffix("") if other.suffix == ".json" and not other.is_dir() else other


def add_comparison(
    out: Path, results: dict[str, Any], judged: dict[str, Judged], other: Path
) -> None:
    """Compare with another run, set by set, and write it into ``results.json``.

    Args:
        out: ``results.json``, as written.
        results: its content; each shared set gets its ``against``.
        judged: this run's sets.
        other: as for ``check_against``.

    Raises:
        InputError: the other run shares no set, or its rows are others.
    """
    found = find_others(other, judged)
    for name, part in judged.items():
        if name not in found:
            if name != CORE:
                log.warning("%s: nothing to compare with in %s", name, other)
            continue
        path = found[name]
        compared = compare(part.rows, part.records, read_records(path), str(path))
        results["sets"][name]["against"] = {"run": str(other), **compared}
        warn_of_other_gold(name, part, path.parent)
    files.write_json(out, results)


def warn_of_other_gold(name: str, part: Judged, folder: Path) -> None:
    """Say it when the other run was measured by other labels: both are compared by these."""
    results = folder.parent / f"{folder.name}.json"
    if not results.is_file():
        return
    entry = read_results(results)["sets"].get(name)
    if entry and entry["gold"] != hash_gold(part.rows):
        log.warning(
            "%s: %s was measured by other labels, spans or weights; both runs are compared by "
            "those of today, so that its figures here are not the ones in that file", name, results
        )  # fmt: skip
