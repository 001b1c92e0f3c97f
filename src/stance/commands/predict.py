"""``stance predict``: statements in, one prediction a line out."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from stance import files
from stance.errors import InputError
from stance.tables import encode_row
from stance.types import COLUMNS, Prediction

FORMATS = ("jsonl", "csv", "table")
SPOOL_BYTES = 64 * 2**20
WIDTHS = {"label": 11, "holder": 24}


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "predict",
        help="label statements",
        description="Label statements with a stance toward negotiations: favor, conditional, "
        "against or neutral; with whose position it is and how sure the model is.",
        epilog="examples: stance predict 'Kyiv walked out of the talks.'   "
        "stance predict --file statements.txt --format csv > out.csv",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("text", nargs="*", help="a statement; quote it")
    parser.add_argument(
        "--file", help="a UTF-8 file with one statement a line; without it and without text, "
        "standard input is read"
    )  # fmt: skip
    parser.add_argument("--model", help="model folder or Hub name (default: the released model)")
    parser.add_argument("--revision", help="commit, where --model names a Hub repository")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument(
        "--format", help="one of jsonl, csv, table (default: table on a terminal, else jsonl)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Predict and print."""
    form = options.format or ("table" if sys.stdout.isatty() else "jsonl")
    if form not in FORMATS:
        raise InputError(
            "--format", expected="one of " + ", ".join(FORMATS), found=form, remedy="Use one."
        )
    if options.text and options.file:
        raise InputError(
            "call", expected="statements or --file", found="both", remedy="Leave one out."
        )
    texts = check_arguments(options.text) if options.text else read_statements(options.file)
    from stance.model import load

    model = load(options.model, revision=options.revision, device=options.device)
    predictions = model.stream(texts)
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    {"jsonl": print_jsonl, "csv": print_csv, "table": print_table}[form](predictions)
    sys.stdout.flush()
    return 0


def check_arguments(texts: list[str]) -> Iterator[str]:
    """Return the statements of the call; bytes that are not UTF-8 come as lone surrogates."""
    for number, text in enumerate(texts, start=1):
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise InputError(
                f"argument {number}",
                expected="UTF-8 text",
                found="other bytes",
                remedy="Set a UTF-8 locale, or put the statements into a file.",
            )
    return iter(texts)


def read_statements(path: str | None) -> Iterator[str]:
    """Return the statements of a file, or of standard input, one a line.

    The whole input is read, and checked, before the first statement is given, so that a bad byte
    leaves no half-written output; what does not fit in memory goes to a temporary file.
    """
    name = path or "standard input"
    spool: IO[bytes] = SpooledTemporaryFile(max_size=SPOOL_BYTES)  # noqa: SIM115 - read later
    if path is None and sys.stdin is None:
        raise InputError(name, expected="text", found="a closed stream", remedy="Use --file.")
    with files.open_input(path) if path else sys.stdin.buffer as stream:
        for number, raw in enumerate(stream, start=1):
            files.decode_line(raw, name, number)
            spool.write(raw)
    spool.seek(0)
    return files.iter_lines(spool, name)


def print_jsonl(predictions: Iterable[Prediction]) -> None:
    """Print one JSON object a line."""
    for prediction in predictions:
        sys.stdout.write(json.dumps(prediction.to_dict(), ensure_ascii=False) + "\n")


def print_csv(predictions: Iterable[Prediction]) -> None:
    """Print CSV with a header line."""
    columns: Iterable[str] = COLUMNS
    for number, item in enumerate(predictions):
        row = item.to_columns()
        if number == 0:
            columns = row  # a model with labels of its own has other score columns
            sys.stdout.write(encode_row(columns))
        sys.stdout.write(encode_row(row.values()))
    if columns is COLUMNS:
        sys.stdout.write(encode_row(columns))


def print_table(predictions: Iterable[Prediction]) -> None:
    """Print a table for people; a confidence in brackets is not reliable."""
    sys.stdout.write(format_line("stance", "conf", "holder", "statement") + "\n")
    for item in predictions:
        confidence = f"{item.confidence:.2f}" if item.reliable else f"({item.confidence:.2f})"
        holder = item.holder.text if item.holder else "-"
        sys.stdout.write(format_line(item.label, confidence, holder, item.text) + "\n")


def format_line(label: str, confidence: str, holder: str, text: str) -> str:
    """Return one line of the table; control characters become spaces."""
    holder, clean = (
        "".join(char if char.isprintable() else " " for char in part) for part in (holder, text)
    )
    short = holder if len(holder) <= WIDTHS["holder"] else holder[: WIDTHS["holder"] - 1] + "…"
    return f"{label:<{WIDTHS['label']}}  {confidence:>6}  {short:<{WIDTHS['holder']}}  {clean}"
