"""``stance sample``: rows of a scored corpus to label by hand."""

import argparse
import logging
import shlex
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stance.errors import InputError
from stance.types import LABELS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from stance.scored import Scored

MAX_GROUPS = 500

log = logging.getLogger(__name__)


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "sample",
        help="draw rows of a scored corpus to label by hand",
        description="Draw rows of a scored corpus, so that rare labels are over-drawn, and write "
        "them with an empty column 'gold' and their draw probabilities, without the model's "
        "answers. Fill in gold with " + ", ".join(LABELS) + ", then run stance estimate.",
        epilog="examples: stance sample scored/ --n 300 --out sample.csv   "
        "stance sample scored.jsonl --by outlet --n 400 --out sample.csv",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("scored", help="what stance score or stance predict wrote: a folder of "
                        "shards, .csv, .jsonl or .parquet")  # fmt: skip
    parser.add_argument("--n", type=parse_count, default=300, help="rows to draw")
    parser.add_argument("--out", required=True, type=Path, help=".csv or .jsonl file to label")
    parser.add_argument("--blind", action="store_true", help="draw probabilities hint at the "
                        "model's answers: put them into a key beside the file, NAME.key.csv, that "
                        "whoever labels need not see")  # fmt: skip
    add_grouping(parser, "columns, separated by commas, whose groups are all to be drawn from")
    parser.add_argument("--seed", type=parse_seed, default=1, metavar="N", help="seed of the draw")
    parser.set_defaults(run=run)


def add_grouping(parser: argparse.ArgumentParser, by: str) -> None:
    """Add the options that say what the groups are."""
    parser.add_argument("--by", help=f"{by}; actor: the column of that name, else the holder "
                        "under one name (Kremlin and Moscow are Russia)")  # fmt: skip
    parser.add_argument("--period", choices=("year", "month", "day"),
                        help="cut the dates in the last column of --by")  # fmt: skip
    parser.add_argument("--top", type=parse_count, metavar="N", help="keep the N most frequent "
                        "values of each column of --by, all dates of a --period; the others "
                        "together are one group")  # fmt: skip
    parser.add_argument("--actors", help="TOML file that adds names to the table of actors")


def read_groups(
    options: argparse.Namespace, by: Sequence[str], hashed: Container[int] = ()
) -> "Scored":
    """Read the corpus with its groups.

    Raises:
        InputError: it is none, or has too many groups.
    """
    from stance.scored import read_scored

    scored = read_scored(options.scored, by, period=options.period, hashed=hashed,
                         actors=options.actors, top=options.top)  # fmt: skip
    check_groups(scored.groups, by)
    return scored


def parse_count(text: str) -> int:
    """Return a number of rows."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a number from 1, found {text}")
    return int(text)


def parse_seed(text: str) -> int:
    """Return a seed."""
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"expected 0 to {2**32 - 1}, found {text}")
    return int(text)


def parse_by(text: str | None, period: str | None) -> list[str]:
    """Return the names of the columns to group by."""
    names = [name.strip() for name in text.split(",")] if text else []
    if not all(names) or len(set(names)) < len(names):
        raise InputError("--by", expected="names separated by commas", found=repr(text),
                         remedy="Name each column once.")  # fmt: skip
    if period and not names:
        raise InputError("--period", expected="--by with a column of dates", found="no --by",
                         remedy="Name the column.")  # fmt: skip
    return names


def check_groups(groups: list[tuple[str, ...]], by: Sequence[str]) -> None:
    """Raise when the columns have too many values to be groups."""
    count = len(set(groups))
    if count > MAX_GROUPS:
        raise InputError(
            "--by " + ",".join(by), expected=f"at most {MAX_GROUPS} groups", found=f"{count:,}",
            remedy="Keep the most frequent values with --top, or cut dates with --period.",
        )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Draw and write."""
    from stance.draw import assign_strata, draw_sample
    from stance.labelled import check_out, write_sample

    check_out(options.out)
    by = parse_by(options.by, options.period)
    scored = read_groups(options, by)
    strata = assign_strata(scored)
    drawn, probability = draw_sample(strata, options.n, options.seed)
    write_sample(options.out, options.scored, drawn, probability, strata, blind=options.blind)
    warn_small(scored.groups, drawn)
    log.info(
        "%s: %s of %s rows from %d strata. Fill in the column 'gold', then: %s",
        options.out, f"{len(drawn):,}", f"{len(strata):,}", strata.max() + 1, say_next(options),
    )  # fmt: skip
    return 0


def warn_small(groups: Sequence[tuple[str, ...]], drawn: "NDArray[np.int64]") -> None:
    """Warn of the groups that got too few rows for an interval."""
    from stance.estimate import MIN_LABELLED

    counts = Counter(groups[i] for i in drawn)
    few = {group: counts[group] for group in sorted(set(groups)) if counts[group] < MIN_LABELLED}
    if few:
        log.warning(
            "%d of %d groups got fewer than %d rows and will get no interval: %s. Draw more rows, "
            "or name fewer or coarser columns.", len(few), len(set(groups)), MIN_LABELLED,
            list_groups(few),
        )  # fmt: skip


def list_groups(counts: Mapping[tuple[str, ...], int]) -> str:
    """Return the first of some groups with their numbers of rows."""
    some = "; ".join(f"{show_group(group)} ({n})" for group, n in list(counts.items())[:5])
    return some + "; ..." * (len(counts) > 5)


def show_group(group: Sequence[str]) -> str:
    """Return a group's name."""
    return " / ".join(group) or "the corpus"


def say_next(options: argparse.Namespace) -> str:
    """Return the command that reads the sample."""
    call = ["stance", "estimate", options.scored]
    for name in ("by", "period", "top", "actors"):
        value = getattr(options, name)
        call += [f"--{name}", str(value)] if value else []
    return shlex.join([*call, "--labelled", str(options.out)])
