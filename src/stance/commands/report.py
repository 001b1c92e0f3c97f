"""``stance report``: results.json to one HTML page."""

import argparse
import sys
from pathlib import Path
from typing import Any

from stance import files
from stance.errors import InputError
from stance.layers import find_corpora
from stance.sets import find_data


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "report",
        help="turn results.json into one HTML page",
        description="Write one self-contained page of what stance evaluate found: figures with "
        "intervals, comparison, confusion, reliability, slices, probes, misread rows. It opens "
        "offline and prints.",
        epilog="example: stance report runs/results.json --out runs/report.html",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("results", type=Path, help="results.json of stance evaluate")
    parser.add_argument("--out", required=True, type=Path, help="HTML file to write")
    parser.add_argument(
        "--texts", action="store_true", help="show the statements of misread rows; those of public "
        "corpora need STANCE_CORPORA. Statements of your own file are always shown"
    )  # fmt: skip
    parser.add_argument(
        "--data-dir", type=Path, default=Path("data"), help="the repository's data, for --texts"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read, build and write the page."""
    from stance.evaluation.results import read_results
    from stance.evaluation.texts import collect_texts
    from stance.report.evaluation import build_report

    if options.out.resolve() == options.results.resolve():
        raise InputError(f"--out {options.out}", expected="another name than that of the results",
                         found="the same", remedy="Name an .html file.")  # fmt: skip
    results = read_results(options.results)
    data = find_data(options.data_dir) if options.texts else None
    texts = collect_texts(results, options.results.with_suffix(""), data, find_corpora())
    files.write_text(options.out, build_report(results, texts))
    sys.stdout.write(f"{options.out}\n")
    return 0
