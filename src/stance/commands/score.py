"""``stance score``: files of statements in, the same rows with predictions out."""

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stance.commands.train import wants_bars
from stance.errors import InputError

if TYPE_CHECKING:
    from stance.corpus import Summary
    from stance.outputs import Output

ENGINES = ("local", "ray")
MAX_SHARD_ROWS = 10_000_000
DESCRIPTION = """\
Label the statements of files of any size: rows in, the same rows with the prediction's columns
out, in constant memory. A job that was interrupted goes on with --resume and ends with the same
bytes. Columns of the input are kept; one with a name of ours is renamed input_NAME.
"""
EPILOG = """\
examples:
  stance score archive.csv scored --text-column sentence
  stance score 'dumps/**/*.jsonl.gz' scored.parquet
  stance score archive.csv scored --text-column sentence --resume   (after a crash)
  stance score --fast archive.csv scored --text-column sentence

A folder OUT holds part-00000.jsonl, part-00001.jsonl, ... (or .csv, .parquet) with the rows in
the order of the input, run.json (what was scored with what, and how far the job is) and
bad-rows.ndjson (rows that could not be scored, each with file, row, line and reason). When OUT is
a file, the last two stand beside it, and the parts in OUT.parts until the job is done.
"""

log = logging.getLogger(__name__)


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "score",
        help="label files of any size",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "inputs", nargs="+", metavar="IN", help="a file, a folder or a quoted glob: .txt (one "
        "statement a line), .csv, .jsonl, each also with .gz, or .parquet"
    )  # fmt: skip
    parser.add_argument(
        "out", type=Path, metavar="OUT",
        help="a folder for parts, or one file that ends in .csv, .jsonl or .parquet"
    )  # fmt: skip
    parser.add_argument(
        "--text-column", default="text", metavar="NAME",
        help="column that holds the statements (default: text)"
    )  # fmt: skip
    parser.add_argument(
        "--format", help="of the parts: jsonl, csv or parquet (default: by OUT's ending, or jsonl)"
    )
    parser.add_argument(
        "--shard-rows", type=parse_rows, default=10_000, metavar="N",
        help="input rows of a part (default: 10000); a crash costs the part at work, and of more "
        "than 100 parts up to one in a hundred"
    )  # fmt: skip
    parser.add_argument(
        "--fast", action="store_true", help="let a first stage answer the rows that it takes for "
        "neutral: several times faster, and some rows with a stance are missed; the summary and "
        "run.json say how many to expect, the column 'stage' which rows it answered"
    )  # fmt: skip
    parser.add_argument(
        "--resume", action="store_true", help="go on with the job begun at OUT, if there is one"
    )
    parser.add_argument("--model", help="model folder or Hub name (default: the released model)")
    parser.add_argument("--revision", help="commit, where --model names a Hub repository")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    parser.add_argument(
        "--engine", default="local", help="local, or ray for several machines (default: local)"
    )
    parser.add_argument(
        "--workers", type=parse_rows, metavar="N",
        help="with ray: number of models at work (default: one a machine)"
    )  # fmt: skip
    parser.add_argument(
        "--address", help="with ray: the cluster, such as auto or ray://head:10001 (default: "
        "a cluster of this machine alone)"
    )  # fmt: skip
    parser.set_defaults(run=run)


def parse_rows(text: str) -> int:
    """Return a number of rows or workers."""
    if not text.isdecimal() or not 0 < int(text) <= MAX_SHARD_ROWS:
        raise argparse.ArgumentTypeError(f"expected 1 to {MAX_SHARD_ROWS}, found {text}")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Score and sum up."""
    from stance.corpus import Job, score
    from stance.outputs import choose_output

    check_engine(options)
    output = choose_output(options.out, options.format)
    if output.form == "parquet":
        import pyarrow  # noqa: F401 - better said now than after the first shard
    job = Job(
        names=options.inputs,
        output=output,
        text_column=options.text_column,
        shard_rows=options.shard_rows,
        model=options.model,
        revision=options.revision,
        device=options.device,
        fast=options.fast,
        resume=options.resume,
        bars=wants_bars(),
    )
    if options.engine == "ray":
        from stance.cluster import use_ray

        summary = score(job, use_ray(address=options.address, workers=options.workers))
    else:
        summary = score(job)
    report(summary, output)
    return 0


def check_engine(options: argparse.Namespace) -> None:
    """Refuse an unknown engine, or options of the other one."""
    if options.engine not in ENGINES:
        raise InputError(
            "--engine", expected="local or ray", found=options.engine, remedy="Use one of those."
        )
    if options.engine == "local" and (options.address or options.workers):
        raise InputError(
            "call",
            expected="--engine ray with --address or --workers",
            found="--engine local",
            remedy="Add --engine ray.",
        )


def report(summary: "Summary", output: "Output") -> None:
    """Say what a job came to: rate and time, rows by label, bad rows."""
    from stance.inputs import count_rows

    if summary.new_rows:
        new, rate = count_rows(summary.new_rows), summary.new_rows / summary.seconds
        log.info("%s in %.1f s, %.0f a second", new, summary.seconds, rate)
    labels = ", ".join(f"{n:,} {label}" for label, n in summary.labels.items())
    log.info("%s holds %s: %s", output.path, count_rows(summary.rows), labels)
    if summary.cascade:
        log.info("%s", describe_cascade(summary.skipped, summary.rows, summary.cascade))
    if summary.bad_rows:
        log.info("rows that could not be scored: %s; see %s", f"{summary.bad_rows:,}", output.bad)


def describe_cascade(skipped: int, rows: int, facts: dict[str, Any]) -> str:
    """Say what a first stage answered, and what that is expected to lose."""
    from stance.inputs import count_rows

    recall, low, high = (f"{100 * facts[name]:.1f}" for name in ("recall", "low", "high"))
    return (
        f"first stage answered {skipped:,} of {count_rows(rows)} (stage 'first', neutral, not "
        f"reliable); expected loss: it passes on {recall} % [{low}, {high}] of the statements to "
        f"which the full model gives a stance ({facts['n']:,} of real news), the rest is missed"
        + describe_gold(facts.get("gold"))
    )


def describe_gold(gold: dict[str, Any] | None) -> str:
    """Say what a first stage keeps of the stances that rows are labelled with, if that is known."""
    if gold is None:
        return ""
    recall, low, high = (f"{100 * gold[name]:.1f}" for name in ("recall", "low", "high"))
    return f"; of {gold['n']:,} labelled with a stance it passes on {recall} % [{low}, {high}]"
