"""How scripts are called: options, what they need, and errors in one line, no traceback."""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from stance import files
from stance.errors import InputError, StanceError
from stance.layers import find_corpora
from stance.rows import find_problems


def make_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser whose help is the script's docstring."""
    return argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def need_corpora() -> Path:
    """Return the corpora folder.

    Raises:
        InputError: ``STANCE_CORPORA`` is not set, or names another folder.
    """
    corpora = find_corpora()
    if corpora is None:
        raise InputError(
            "STANCE_CORPORA",
            expected="the folder with the corpora's texts",
            found="no such variable",
            remedy="Set it as data/README.md says under 'Getting the texts'.",
        )
    return corpora


def read_layer(path: Path, *names: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a label file, each with the fields that are asked for.

    Raises:
        InputError: a row is faulty or lacks a field; with file and line.
    """
    for number, row in files.read_jsonl(path):
        where = f"{path} line {number}"
        for name in ("sha256", *names):
            if name not in row:
                raise InputError(
                    f"{where} field '{name}'",
                    expected="the field to be there",
                    found=", ".join(row),
                    remedy="Add it; data/README.md says under 'How to add a row' what it holds.",
                )
        for problem in find_problems(row):
            raise InputError(
                f"{where} field '{problem.field}'",
                expected=problem.expected,
                found=problem.found,
                remedy=problem.remedy,
            )
        yield row


def run_script(main: Callable[[], int | None]) -> NoReturn:
    """Run a script's main function and exit: 0 done, 1 it failed, 2 the call or input is wrong."""
    name = Path(sys.argv[0]).stem
    try:
        code = main() or 0
    except StanceError as error:
        print(f"{name}: {error}", file=sys.stderr)
        code = error.exit_code
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        print(f"{name}: {place}{error.strerror or error}", file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        code = 1
    sys.exit(code)
