"""``stance check``: is a file of rows, or a model folder, what it should be?"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stance.bundle import read_bundle
from stance.errors import InputError
from stance.own import (
    clean_label,
    find_id_problems,
    find_own_problems,
    find_weight_problems,
    is_csv,
    read_fields,
)
from stance.rows import Problem, find_problems, find_repetition
from stance.types import LABELS, NEUTRAL

NAMES = ("id", "document")  # strings in each row of the data folder
STANCES = set(LABELS) - {NEUTRAL}  # of labels, neutral may be anybody's
MOST = 100  # problems printed; the count is of all


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "check",
        help="check a file of rows or a model folder",
        description="Check a file of labelled rows (every problem with line, field, expected,\n"
        "found and remedy), or a model folder (every file against its checksum). JSON lines whose\n"
        "first row has an id and a document are checked as rows of the data folder, others as your "
        "own.\nThe labels of a CSV are the four stances, or your own where none but neutral is a "
        "stance.",
        epilog="examples:\n  stance check data/articles.jsonl\n  stance check mine.csv\n"
        "  stance check runs/small",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "path",
        type=Path,
        help="a .jsonl file of rows, your own .csv or .jsonl (text, label), or a model folder",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check; exit code 2 when something is wrong."""
    if options.path.is_dir():
        bundle = read_bundle(options.path)
        sys.stdout.write(f"{options.path}: model {bundle.settings.name}, {bundle.sha256}, ok\n")
        return 0
    own = list_own_labels(options.path)
    count = rows = 0
    for problem in iter_problems(options.path, any_label=bool(own)):
        rows += problem is None
        count += problem is not None
        if problem is not None and count <= MOST:
            sys.stderr.write(problem + "\n")
    if count:
        sys.stderr.write(f"{options.path}: {count} problems\n")
        return 2
    if not rows:
        raise InputError(
            str(options.path), expected="at least one row", found="none", remedy="Add rows."
        )
    labels = f", labels {', '.join(own)}" if own else ""
    sys.stdout.write(f"{options.path}: {rows} rows{labels}, ok\n")
    return 0


def list_own_labels(path: Path) -> list[str]:
    """Return the labels of a CSV; none where one beside neutral is a stance."""
    if not is_csv(path):
        return []
    found = {clean_label(str(fields.get("label", ""))) for _, fields in read_fields(path)} - {""}
    return [] if {label.lower() for label in found} & STANCES else sorted(found)


def iter_problems(path: Path, *, any_label: bool) -> Iterator[str | None]:
    """Yield None for each row read, and each of its problems as one line."""
    own = is_csv(path)
    ids: set[str] = set()
    labels: dict[str, str] = {}
    for i, (number, fields) in enumerate(read_fields(path)):
        yield None
        own |= i == 0 and not all(isinstance(fields.get(name), str) for name in NAMES)
        if own:
            problems = find_own_faults(fields, ids, labels, any_label=any_label)
        else:
            problems = find_faults(fields, ids)
        for problem in problems:
            yield str(
                InputError(
                    f"{path} line {number} field '{problem.field}'",
                    expected=problem.expected,
                    found=problem.found,
                    remedy=problem.remedy,
                )
            )


def find_own_faults(
    fields: dict[str, Any], ids: set[str], labels: dict[str, str], *, any_label: bool
) -> Iterator[Problem]:
    """Yield what is wrong with a row of a user's own file; note its id and label."""
    yield from find_own_problems(fields, labels, any_label=any_label)
    if not any_label:  # with other labels ids are not read
        yield from find_id_problems(fields, ids)


def find_faults(fields: dict[str, Any], ids: set[str]) -> Iterator[Problem]:
    """Yield what is wrong with a row of the form of the data folder; note its id."""
    yield from find_problems(fields)
    yield from find_weight_problems(fields)
    yield from find_repetition(fields, ids)
