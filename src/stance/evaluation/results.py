"""``results.json``: what a run found, whole, in one file; and the per-row predictions beside it.

Of each set it holds ``metrics`` (value, low, high), the ``coverage`` that their 95 % intervals
really have from so few documents or effective rows (simulated; null from fewer than were), the
``flips`` in effect, ``per_label``, ``confusion``, ``baselines`` (metrics, and the judge's paired
lead), both again ``weighted`` where rows have weights, the ``annotator`` row, ``phenomena`` of
probes, ``slices``, the ``reliability`` and ``risk_coverage`` curves, the ``misread`` rows by id,
the ``models`` that judged, the ``judge`` in words where its name does not say all, the user's own
``file`` it is, why baselines are ``absent``, a ``note`` where they were trained on other rows than
the judge, the ``benchmark`` it is, a hash of the ``gold``, and the comparison ``against`` another
run, which is named with its models, on ``n`` rows of so many ``documents``, with the ``coverage``
of these, how many are ``left_out`` and whether it was measured by the ``same_gold``. What does not
apply is null.
"""

import hashlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from stance import __version__, files
from stance.errors import InputError
from stance.evaluation import benchmarks
from stance.evaluation.possible import find_fault
from stance.evaluation.records import Record, write_records
from stance.evaluation.summary import summarize
from stance.rows import Row
from stance.sets import hash_rows

SCHEMA = 1
ANEW = (
    "Write it anew: stance evaluate --predictions FOLDER --out NEW.json, FOLDER being the one of "
    "its name beside it, with --data FILE where it is of your own file; no model is needed."
)
MAYBE = (dict, type(None))
FIELDS: dict[str, Any] = {"model": dict, "stance_version": str, "environment": dict, "sets": dict}
"""What ``results.json`` holds beside its schema, and of which kind."""
SET_FIELDS: dict[str, Any] = {
    "n": int, "documents": int, "effective_documents": (int, float), "resamples": int,
    "metrics": dict, "per_label": dict,
    "weighted": MAYBE, "confusion": list, "baselines": dict, "annotator": MAYBE,
    "phenomena": MAYBE, "slices": list, "reliability": list, "risk_coverage": list,
    "misread": list, "judge": (str, type(None)), "benchmark": MAYBE, "gold": str,
    "against": MAYBE,
}  # fmt: skip
"""What each set of it holds."""
GOLD = ("holder", "source", "weight")
"""Fields of a row beside its label that measures are taken by."""
CORE = "articles_core"
"""The articles without page furniture and duplicates: a part of another set."""


@dataclass(frozen=True)
class Judged:
    """One evaluated set: its rows and what was said of them, in the same order.

    Attributes:
        rows: labelled rows.
        records: what was said of them.
        judge: who judged it, in words, where it is not the one of the whole run, or has to be
            known not to have seen the rows.
        file: name of the user's own file that it is, or None.
        absent: why baselines are not there, by name.
        note: in words, that baselines were trained on other rows than the judge, or None.
    """

    rows: list[Row]
    records: list[Record]
    judge: str | None = None
    file: str | None = None
    absent: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None


def write_results(
    out: Path,
    judge: dict[str, str | None],
    judged: dict[str, Judged],
    against: Mapping[str, dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Write ``results.json`` and, in the folder ``results`` beside it, one file of records a set.

    Args:
        out: ``results.json``, or another name; the folder is called like it.
        judge: name and SHA-256 of whoever was judged.
        judged: the sets.
        against: by set, the comparison with another run.

    Returns:
        The content of ``results.json``.
    """
    sets = {}
    for name, part in judged.items():
        sets[name] = {
            **summarize(part.rows, part.records),
            "models": sorted({record.model for record in part.records}),
            "judge": part.judge,
            "file": part.file,
            "absent": dict(part.absent),
            "note": part.note,
            "benchmark": describe_benchmark(name),
            "gold": hash_gold(part.rows),
            "against": (against or {}).get(name),
        }
        if name != CORE:
            write_records(out.with_suffix("") / f"{name}.jsonl", part.records)
    results = {
        "schema": SCHEMA,
        "stance_version": __version__,
        "model": judge,
        "data": {name: hash_rows(part.rows) for name, part in judged.items()},
        "environment": describe_environment(),
        "sets": sets,
    }
    files.write_json(out, results)
    return results


def hash_gold(rows: Sequence[Row]) -> str:
    """Return a SHA-256 over what a set's rows are measured by: ids, labels, spans, weights.

    The order of the rows and their texts have no part in it.
    """
    lines = sorted(
        json.dumps([row.id, row.label, *(row.fields.get(name) for name in GOLD)]) for row in rows
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def describe_benchmark(name: str) -> dict[str, Any] | None:
    """Return what a benchmark is, or None for another set."""
    known = name in benchmarks.list_benchmarks()
    return benchmarks.describe(benchmarks.read_benchmark(name)) if known else None


def describe_environment() -> dict[str, Any]:
    """Return what else a result may depend on."""
    packages = {}
    for name in ("numpy", "onnxruntime", "tokenizers", "scikit-learn"):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "packages": packages,
    }


def read_results(path: Path) -> dict[str, Any]:
    """Read a ``results.json``.

    Raises:
        InputError: the file is something else, or of another version.
    """
    content = files.read_object(path)
    sets = content.get("sets")
    if content.get("schema") != SCHEMA or not isinstance(sets, dict) or not sets:
        raise InputError(
            str(path),
            expected=f"a results.json of schema {SCHEMA} with at least one set",
            found=f"schema {content.get('schema')!r}" if sets else "no sets",
            remedy=ANEW,
        )
    check_fields(content, FIELDS, str(path))
    for name, entry in sets.items():
        check_fields(entry, SET_FIELDS, f"{path} set '{name}'")
        if fault := find_fault(name, entry):
            raise InputError(
                f"{path} set '{name[:80]}'",
                expected="figures that stance evaluate can have found",
                found=fault,
                remedy=ANEW,
            )
    return content


def check_fields(part: Any, fields: dict[str, Any], where: str) -> None:
    """Raise unless a part of the results has the fields that are read, each of its kind."""
    part = part if isinstance(part, dict) else {}
    wrong = [name for name, kind in fields.items() if not isinstance(part.get(name), kind)]
    if wrong:
        raise InputError(
            where,
            expected=f"the fields that stance evaluate {__version__} writes",
            found="none, or other ones, of " + ", ".join(wrong),
            remedy=ANEW,
        )
