"""``stance analyze``: articles in, their statements and the positions of their actors out."""

import argparse
import json
import logging
import sys
from collections.abc import Callable
from typing import Any

from stance import files
from stance.commands import reading
from stance.commands.predict import format_line
from stance.document import MAX_CHARACTERS, check_kind
from stance.errors import InputError
from stance.tables import encode_row
from stance.types import ROWS, Analysis

FORMATS = ("json", "table", "html", "csv", "jsonl")
MAX_BYTES = 4 * MAX_CHARACTERS  # no character takes more in UTF-8
SIGN_BYTES = 8  # enough to tell a file of another kind
WIDTHS = (30, 11, 6, 12)  # of an actor's name, stance, probability and statements in the table

log = logging.getLogger(__name__)


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "analyze",
        help="analyse articles: who stands where, according to whom",
        description="Split an article into statements, label each, and say for each actor which "
        "position on negotiations its statements carry, how probable that is, and who says so. "
        "An article is a file of plain English text in UTF-8, at most a million characters.",
        epilog="examples: stance analyze article.txt   "
        "stance analyze --format html article.txt > page.html   "
        "stance analyze articles/*.txt > articles.jsonl   "
        "stance analyze --format csv articles/*.txt > rows.csv",
    )
    parser.add_argument("file", nargs="+", help="a text file; - for standard input")
    reading.add_options(parser)
    parser.add_argument(
        "--format", help="json, one object a file; table; html, a page; csv or jsonl, a row for "
        "each statement with the names of its actors, for stance sample and estimate (default: "
        "table on a terminal, else json)"
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Analyse and print; a file that is no article is said and left out, and the exit code is 2."""
    form = options.format or ("table" if sys.stdout.isatty() else "json")
    if form not in FORMATS:
        raise InputError(
            "--format", expected="one of " + ", ".join(FORMATS), found=form, remedy="Use one."
        )
    if form == "html" and len(options.file) > 1:
        raise InputError(
            "--format html", expected="one file", found=f"{len(options.file)} files",
            remedy="Write a page for each, or use --format json.",
        )  # fmt: skip
    model = reading.load_reader(options, "stance analyze")
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    if form == "csv":
        sys.stdout.write(encode_row(ROWS))
    refused = 0
    for name in options.file:
        try:
            analysis = model.analyze(read_article(name), document=name, actors=options.actors)
        except InputError as error:
            log.error("stance: %s", say_where(error, name))
            refused += 1
            continue
        say_left_out(analysis)
        sys.stdout.write(FORMATTERS[form](analysis))
        sys.stdout.flush()
    return 2 if refused else 0


def read_article(name: str) -> str:
    """Return the text of a file, or of standard input.

    Raises:
        InputError: the file is not readable, too large, of another kind or not UTF-8.
    """
    if name != "-":
        with files.open_input(name) as stream:
            data = stream.read(MAX_BYTES + 1)
    elif sys.stdin is None:
        raise InputError(name, expected="text", found="a closed stream", remedy="Name a file.")
    else:
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
    check_kind(data[:SIGN_BYTES].decode("latin-1"))
    if len(data) > MAX_BYTES:
        raise InputError(
            "article", expected=f"an article of at most {MAX_CHARACTERS:,} characters",
            found=f"more than {MAX_BYTES:,} bytes",
            remedy="Split it into its articles, or label it with stance predict --file.",
        )  # fmt: skip
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        files.decode_line(data.split(b"\n")[number - 1], name, number)  # says where and what
        raise


def say_where(error: InputError, name: str) -> str:
    """Return the message of an error with the file's name."""
    message = str(error)
    return message if message.startswith(name) else f"{name}: {message}"


def say_left_out(analysis: Analysis) -> None:
    """Say on standard error how much of an article speaks for no actor because of its language."""
    foreign = sum(statement.part == "foreign" for statement in analysis.statements)
    if foreign:
        log.warning("%s: %d of %d statements are not in English and count for no actor",
                    analysis.document, foreign, len(analysis.statements))  # fmt: skip


def format_json(analysis: Analysis) -> str:
    """Return an analysis as one line of JSON."""
    return json.dumps(analysis.to_dict(), ensure_ascii=False) + "\n"


def format_jsonl(analysis: Analysis) -> str:
    """Return a line of JSON for each statement."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in analysis.to_rows())


def format_csv(analysis: Analysis) -> str:
    """Return a line of CSV for each statement, without the header."""
    return "".join(encode_row(row.values()) for row in analysis.to_rows())


def format_html(analysis: Analysis) -> str:
    """Return an analysis as a page."""
    from stance.report.analysis import render

    return render(analysis)


def format_table(analysis: Analysis) -> str:
    """Return an analysis as tables for people; a confidence in brackets is not reliable."""
    lines = [f"== {show(analysis.document or 'article')}",
             "     " + format_line("stance", "conf", "holder", "statement")]  # fmt: skip
    for number, statement in enumerate(analysis.statements, start=1):
        item = statement.prediction
        if statement.part == "furniture":
            line = format_line("-", "", "(page furniture)", item.text)
        else:
            confidence = f"{item.confidence:.2f}" if item.reliable else f"({item.confidence:.2f})"
            holder = item.holder.text if item.holder else "-"
            line = format_line(item.label, confidence, holder, item.text)
        lines.append(f"{number:>3}  {line}")
    heads = ("actor", "stance", "prob", "statements")
    lines += ["", format_row(heads, "called; according to")]
    for actor in analysis.actors:
        numbers = ",".join(str(i + 1) for i in actor.statements)
        cells = (actor.name, actor.label, f"{actor.probability:.2f}", numbers)
        lines.append(format_row(cells, ", ".join(actor.surface) + "; " + actor.show_sources()))
    if not analysis.actors:
        lines.append("no statement takes a position on negotiations and names whose it is")
    return "\n".join(lines) + "\n\n"


def format_row(cells: tuple[str, ...], last: str) -> str:
    """Return a line of the table of actors."""
    padded = [f"{shorten(show(cell), width):<{width}}"
              for cell, width in zip(cells, WIDTHS, strict=True)]  # fmt: skip
    return "  ".join([*padded, show(last)])


def shorten(text: str, width: int) -> str:
    """Return a text of at most a width, an ellipsis at its end where it is cut."""
    return text if len(text) <= width else text[: width - 1] + "…"


def show(text: str) -> str:
    """Return a text with control characters as spaces."""
    return "".join(char if char.isprintable() else " " for char in text)


FORMATTERS: dict[str, Callable[[Analysis], str]] = {
    "json": format_json, "table": format_table, "html": format_html, "csv": format_csv,
    "jsonl": format_jsonl,
}  # fmt: skip
