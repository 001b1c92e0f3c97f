"""``stance check``: is a file of rows, or a model folder, what it should be?"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stance import files
from stance.bundle import read_bundle
from stance.errors import InputError
from stance.own import OTHER_KINDS, clean_label, find_own_problems, is_csv, read_fields
from stance.rows import find_problems, find_repetition
from stance.types import LABELS, NEUTRAL

STANCES = set(LABELS) - {NEUTRAL}  # of labels, neutral may be anybody's
MOST = 100  # problems printed; the count is of all


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "check",
        help="check a file of rows or a model folder",
        description="Check a JSON-lines file of labelled rows (every problem with line, field, "
        "expected,\nfound and remedy), a CSV of own rows, or a model folder (every file against "
        "its checksum).\nThe labels of a CSV are the four stances, or your own where none but "
        "neutral is a stance.",
        epilog="examples:\n  stance check data/articles.jsonl\n  stance check runs/small",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "path",
        type=Path,
        help="a .jsonl file of rows, a .csv of own rows (text, label), or a model folder",
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


def is_own(path: Path) -> bool:
    """Say whether a file is one of a user's own rows; other tables are, to be refused."""
    return is_csv(path) or path.suffix.lower() in OTHER_KINDS


def list_own_labels(path: Path) -> list[str]:
    """Return the labels of a file of own rows; none where one beside neutral is a stance."""
    if not is_own(path):
        return []
    found = {clean_label(str(fields.get("label", ""))) for _, fields in read_fields(path)} - {""}
    return [] if {label.lower() for label in found} & STANCES else sorted(found)


def iter_problems(path: Path, *, any_label: bool) -> Iterator[str | None]:
    """Yield None for each row read, and each of its problems as one line."""
    own = is_own(path)
    seen: set[str] = set()
    labels: dict[str, str] = {}
    for number, fields in read_fields(path) if own else files.read_jsonl(path):
        yield None
        problems = [*(find_own_problems(fields, labels, any_label=any_label) if own
                      else find_problems(fields))]  # fmt: skip
        for problem in (*problems, *find_repetition(fields, seen)):
            yield str(
                InputError(
                    f"{path} line {number} field '{problem.field}'",
                    expected=problem.expected,
                    found=problem.found,
                    remedy=problem.remedy,
                )
            )
