"""``stance check``: is a file of rows, or a model folder, what it should be?"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stance import files
from stance.bundle import read_bundle
from stance.errors import InputError
from stance.rows import find_problems

MOST = 100  # problems printed; the count is of all


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "check",
        help="check a file of rows or a model folder",
        description="Check a JSON-lines file of labelled rows (every problem with line, field, "
        "expected, found and remedy), or a model folder (every file against its checksum).",
        epilog="examples: stance check data/articles.jsonl   stance check runs/small",
    )
    parser.add_argument("path", type=Path, help="a .jsonl file or a model folder")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check; exit code 2 when something is wrong."""
    if options.path.is_dir():
        bundle = read_bundle(options.path)
        sys.stdout.write(f"{options.path}: model {bundle.settings.name}, {bundle.sha256}, ok\n")
        return 0
    count = 0
    for problem in iter_problems(options.path):
        count += 1
        if count <= MOST:
            sys.stderr.write(problem + "\n")
    rows = sum(1 for _ in files.read_jsonl(options.path)) if not count else 0
    if count:
        sys.stderr.write(f"{options.path}: {count} problems\n")
        return 2
    sys.stdout.write(f"{options.path}: {rows} rows, ok\n")
    return 0


def iter_problems(path: Path) -> Iterator[str]:
    """Yield each problem of a file of rows as one line."""
    seen: dict[str, int] = {}
    for number, fields in files.read_jsonl(path):
        where = f"{path} line {number}"
        for problem in find_problems(fields):
            yield str(
                InputError(
                    f"{where} field '{problem.field}'",
                    expected=problem.expected,
                    found=problem.found,
                    remedy=problem.remedy,
                )
            )
        first = seen.setdefault(str(fields.get("id")), number)
        if first != number:
            yield f"{where} field 'id': expected a new id, found that of line {first}. Rename one."
