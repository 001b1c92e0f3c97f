"""``stance estimate``: shares and trends of stances in a scored corpus, with intervals."""

import argparse
import csv
import io
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stance.commands.sample import add_grouping, list_groups, parse_by, read_groups, show_group
from stance.difference import estimate_differences
from stance.errors import InputError, MissingExtraError
from stance.estimate import (
    ALL,
    MIN_FOUND,
    MIN_LABELLED,
    Share,
    check_design,
    estimate_shares,
)
from stance.labelled import check_origin, read_labelled
from stance.scored import NONE

FORMATS = ("table", "csv", "jsonl")
NAIVE = "NAIVE: not corrected for the classifier's errors"
NUMBERS = ("naive", "share", "low", "high", "change", "change_low", "change_high")

log = logging.getLogger(__name__)


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "estimate",
        help="shares of stances in a scored corpus, with intervals",
        description="Estimate the share of each stance in a scored corpus and in the groups of its "
        "columns, with 95 % intervals that account for the classifier's errors, from a sample "
        "labelled by hand (stance sample). Where the last column holds dates, the change of a "
        "group is against the one before it. "
        "Without --labelled only the naive shares are given, marked as such.",
        epilog="examples: stance estimate scored/ --by outlet,date --period month "
        "--labelled sample.csv --plot trend.png   stance estimate scored.jsonl --by outlet",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("scored", help="what stance score or stance predict wrote: a folder of "
                        "shards, .csv, .jsonl or .parquet")  # fmt: skip
    add_grouping(parser, "columns to group by, separated by commas")
    parser.add_argument("--labelled", type=Path, help="the sample, its column 'gold' filled in")
    parser.add_argument(
        "--difference", nargs=2, metavar=("A", "B"), help="add the shares where the first column "
        "of --by is A, less those where it is B, with their intervals"
    )  # fmt: skip
    parser.add_argument("--plot", type=Path, help="picture to write (.png, .svg or .pdf); needs "
                        "the extra 'corpus'")  # fmt: skip
    parser.add_argument(
        "--format", help="one of table, csv, jsonl (default: table on a terminal, else jsonl)"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Estimate, print and draw."""
    form = options.format or ("table" if sys.stdout.isatty() else "jsonl")
    if form not in FORMATS:
        raise InputError(
            "--format", expected="one of " + ", ".join(FORMATS), found=form, remedy="Use one."
        )
    if options.plot:
        check_plot(options.plot)
    by = parse_by(options.by, options.period)
    if options.difference and not by:
        raise InputError("--difference", expected="--by with the column that has the two values",
                         found="no --by", remedy="Name the column.")  # fmt: skip
    labelled, hashes = read_labelled(options.labelled) if options.labelled else (None, {})
    scored = read_groups(options, by, hashes)
    if labelled:
        check_origin(hashes, scored, str(options.labelled))
        check_design(scored, labelled, str(options.labelled))
    shares = estimate_shares(scored, labelled, changes=has_order(scored.groups))
    gaps = []
    if options.difference:
        gaps = estimate_differences(scored, labelled, *options.difference)
    warn(shares + gaps, corrected=labelled is not None)
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    sys.stdout.write(f"{''.join(FORMATTERS[form](shares + gaps, by))}")
    if options.plot:
        from stance.report.shares import draw_shares

        draw_shares(options.plot, shares, by)
    return 0


def has_order(groups: Sequence[tuple[str, ...]]) -> bool:
    """Say whether the last column holds dates or numbers, so that changes mean something."""
    return all(group[-1] == NONE or group[-1][0].isdigit() for group in set(groups) if group)


def check_plot(path: Path) -> None:
    """Raise when a picture cannot be drawn there, before anything is read."""
    from importlib.util import find_spec

    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise InputError(f"--plot {path}", expected="a name that ends in .png, .svg or .pdf",
                         found=f"'{path.suffix}'", remedy="Rename it.")  # fmt: skip
    if find_spec("matplotlib") is None:
        raise MissingExtraError("stance estimate --plot", "corpus", "matplotlib")


def warn(shares: Sequence[Share], *, corrected: bool) -> None:
    """Say on standard error which shares have no interval."""
    if not corrected:
        log.warning(
            "%s. Label a sample (stance sample) and pass it with --labelled: without it no number "
            "here says how far it may be off.", NAIVE,
        )  # fmt: skip
        return
    few = {s.group: s.labelled for s in shares if s.share is None}
    if few:
        log.warning("%d groups have fewer than %d labelled rows and get no interval: %s",
                    len(few), MIN_LABELLED, list_groups(few))  # fmt: skip
    rough = {(*s.group, s.label): min(s.found, s.labelled - s.found) for s in shares if s.rough}
    if rough:
        log.warning(
            "%d intervals are ROUGH, from fewer than %d labelled rows with the stance, or without "
            "it: %s. Label more rows, or take larger groups.",
            len(rough), MIN_FOUND, list_groups(rough),
        )  # fmt: skip


def note(share: Share) -> str:
    """Return what a reader of the number must know."""
    if share.share is not None:
        return f"ROUGH: {share.found} of {share.labelled} labelled rows" if share.rough else ""
    return NAIVE if share.labelled == 0 else f"{NAIVE}; only {share.labelled} labelled rows"


def build_row(share: Share, by: Sequence[str]) -> dict[str, Any]:
    """Return a share as plain data: a column for each of those grouped by."""
    names = share.group if share.group != (ALL,) else (ALL,) * len(by)
    numbers = {name: getattr(share, name) for name in NUMBERS}
    return {
        **dict(zip(by, names, strict=True)), "label": share.label, "rows": share.rows,
        "labelled": share.labelled, "found": share.found,
        **{name: None if x is None else round(x, 6) for name, x in numbers.items()},
        "note": note(share),
    }  # fmt: skip


def format_jsonl(shares: Sequence[Share], by: Sequence[str]) -> list[str]:
    """Return one JSON object a share."""
    return [json.dumps(build_row(share, by), ensure_ascii=False) + "\n" for share in shares]


def format_csv(shares: Sequence[Share], by: Sequence[str]) -> list[str]:
    """Return CSV with a header line."""
    stream = io.StringIO()
    rows = [build_row(share, by) for share in shares]
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return [stream.getvalue()]


def format_table(shares: Sequence[Share], by: Sequence[str]) -> list[str]:
    """Return a table for people."""
    corrected = any(share.share is not None for share in shares)
    heads = (",".join(by) or "corpus", "stance", "rows", "labelled", "found", "naive", "share",
             "95 %", "change", "95 %")  # fmt: skip
    rows = [heads] + [
        ("".join(c if c.isprintable() else " " for c in show_group(share.group))[:72], share.label,
         f"{share.rows:,}", str(share.labelled), f"{share.found}{' ROUGH' * share.rough}",
         f"{share.naive:.3f}",
         *show_interval(share.share, share.low, share.high),
         *show_interval(share.change, share.change_low, share.change_high))
        for share in shares
    ]  # fmt: skip
    widths = [max(len(row[i]) for row in rows) for i in range(len(heads))]
    lines = ["  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)).rstrip()
             for row in rows]  # fmt: skip
    return [f"{line}\n" for line in ([] if corrected else [f"*** {NAIVE} ***"]) + lines]


def show_interval(value: float | None, low: float | None, high: float | None) -> tuple[str, str]:
    """Return a number and its interval; dashes where there is none."""
    if value is None or low is None or high is None:
        return "-", "-"
    return f"{value:.3f}", f"[{low:.3f}, {high:.3f}]"


FORMATTERS = {"table": format_table, "csv": format_csv, "jsonl": format_jsonl}
