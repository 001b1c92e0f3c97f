"""The statements behind the misread rows, for those who may see them."""

import logging
from pathlib import Path
from typing import Any

from stance.errors import InputError
from stance.evaluation.place import Place
from stance.evaluation.records import read_records
from stance.evaluation.results import CORE
from stance.evaluation.run import OWN, read_set_rows

log = logging.getLogger(__name__)


def collect_texts(
    results: dict[str, Any], folder: Path, data: Path | None, corpora: Path | None
) -> dict[str, dict[str, str]]:
    """Return statements by set and row id.

    Args:
        results: what ``stance evaluate`` wrote.
        folder: the per-row predictions beside it, which hold the statements of a user's own file.
        data: the repository's data folder, or None for the user's own statements alone.
        corpora: the corpora folder, or None.
    """
    texts: dict[str, dict[str, str]] = {}
    for name in results["sets"]:
        path = folder / f"{name}.jsonl"
        if name == OWN and path.is_file():
            texts[name] = {record.id: record.text or "" for record in read_records(path)}
        elif data and name != OWN:
            known = "articles" if name == CORE else name
            try:
                rows = read_set_rows(known, Place(data, corpora))
            except InputError as error:
                log.warning("%s: without statements (%s)", name, error)
                continue
            texts[name] = {row.id: row.text for row in rows}
    return texts
