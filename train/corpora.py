"""Get the texts behind the label layers on your machine: fetch, convert, prove.

Usage:
  python train/corpora.py                    fetch and convert into corpora/, then say what is there
  python train/corpora.py --only newsmtsc    one source, or several
  python train/corpora.py --check            say what is there, fetch nothing; with --only of these
                                             (exit code 1 where less than --least is there)
  python train/corpora.py --list             what can be rebuilt this way and what cannot

The repository ships labels, row ids and hashes; train/corpora.toml says where the texts are. Every
source is fetched at a pinned commit and searched for our rows by the hash of their text. A source
is taken only when at least --least of its rows are found. Run it again to go on after a stop.

OUT then has the layout that STANCE_CORPORA names (public/CORPUS/SPLIT.jsonl.gz, pool/*.jsonl.gz)
with the rows that are labelled, and downloads/, which may be deleted. Where STANCE_CORPORA names a
ready copy and no --out is given, that copy is checked and nothing is fetched.
"""

import argparse
import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sources import Source, Table, list_paths, name_source, read_table
from stance.errors import InputError, MissingExtraError, StanceError
from stance.evaluation.table import format_rows
from stance.files import write_bytes
from stance.layers import POOLS, collapse, find_corpora, hash_text, iter_corpus
from stance.rows import Row
from stance.sets import find_data, join_texts, read_labels
from stance.types import LABELS
from texts import cut, read_texts

TABLE = Path(__file__).with_suffix(".toml")
PARTS = (("layers", "train"), ("layers", "test"), ("realnews", "validation"), ("realnews", "test"))
BAD_CONTENT = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


def read_parts(data: Path, names: Sequence[str] | None = None) -> dict[str, list[Row]]:
    """Return the rows over corpora, without texts, by set and split: of some sources, or of all."""
    return {
        f"{name} / {split}": [
            row
            for row in read_labels(data, name, split)
            if names is None or name_source(row) in names
        ]
        for name, split in PARTS
    }


def group_rows(parts: Mapping[str, Sequence[Row]]) -> dict[str, list[Row]]:
    """Return the rows of all parts by source."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for rows in parts.values():
        for row in rows:
            groups[name_source(row)].append(row)
    return groups


def find_rows(
    files: Iterable[tuple[str, bytes]], form: str, rows: Iterable[Row]
) -> dict[str, dict[str, str]]:
    """Return {row id: text and the sentence before} of the rows whose text is in the files.

    Raises:
        StanceError: a file is not of that form.
    """
    wanted: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        wanted[row.fields["sha256"]].append(row.fields["row"])
    found: dict[str, dict[str, str]] = {}
    for path, content in files:
        try:
            for text in read_texts(content, form):
                for before, piece in cut(text):
                    for row_id in wanted.get(hash_text(piece), ()):
                        texts = {"text": collapse(piece), "before": collapse(before)}
                        found.setdefault(row_id, texts)
        except BAD_CONTENT as error:
            raise StanceError(
                path,
                expected=f"a file of the form '{form}'",
                found=f"{type(error).__name__}: {error}",
                remedy="Delete it from the downloads and run the same command again.",
            ) from None
    return found


def write_rows(out: Path, corpus: str, found: Mapping[str, dict[str, str]]) -> None:
    """Add rows to the files of a corpus; each file is replaced whole."""
    rows: dict[str, dict[str, Any]] = dict(iter_corpus(out, corpus))
    files: dict[Path, list[dict[str, Any]]] = defaultdict(list)
    for row_id in sorted({*rows, *found}):
        split, _, key = row_id.partition("/")
        if corpus in POOLS:
            path, ids = out / "pool" / f"{POOLS[corpus]}.jsonl.gz", {"row": row_id}
        else:
            path, ids = out / "public" / corpus / f"{split}.jsonl.gz", {"id": key}
        files[path].append(ids | found[row_id] if row_id in found else rows[row_id])
    for path, part in files.items():
        lines = "".join(json.dumps(row) + "\n" for row in part)
        write_bytes(path, gzip.compress(lines.encode(), mtime=0))


def rebuild(source: Source, table: Table, rows: list[Row], out: Path, least: float) -> None:
    """Fetch and convert one source, unless all its rows are there.

    Raises:
        StanceError: a file cannot be had or read, or too few rows are in it.
    """
    from downloads import SUMS, iter_files, read_sums

    if len(join_texts(rows, out).rows) == len(rows):
        print(f"{source.name}: all {len(rows)} rows are there", file=sys.stderr)
        return
    print(f"{source.name}: github.com/{source.repository} ({source.licence})", file=sys.stderr)
    downloads = out / "downloads"
    sums = read_sums(downloads)
    files = iter_files(source, table, list_paths(source, rows), downloads, sums)
    found = find_rows(files, source.form, rows)
    if len(found) < least * len(rows):
        raise StanceError(
            source.name,
            expected=f"the texts of at least {least:.0%} of its {len(rows)} rows",
            found=f"{len(found)}",
            remedy=f"Delete {downloads / source.folder} and run again, or take what is there "
            "with --least.",
        )
    write_rows(out, source.name.split("/")[0], found)
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    write_bytes(downloads / SUMS, lines.encode())
    print(f"{source.name}: {len(found)} of {len(rows)} rows", file=sys.stderr)


def rebuild_all(table: Table, parts: Mapping[str, Sequence[Row]], out: Path, least: float) -> int:
    """Fetch and convert every source that rows come from; return how many failed."""
    for package in ("requests", "tqdm"):
        if find_spec(package) is None:
            raise MissingExtraError("train/corpora.py", "train", package)
    groups = group_rows(parts)
    failed = 0
    for source in table.sources:
        if source.name not in groups:
            continue
        try:
            rebuild(source, table, groups[source.name], out, least)
        except StanceError as error:
            print(f"{source.name} FAILED: {error}", file=sys.stderr)
            failed += 1
    return failed


def count_short(table: Table, parts: Mapping[str, Sequence[Row]], out: Path, least: float) -> int:
    """Return how many of the sources that can be rebuilt lack rows, and name them."""
    groups = group_rows(parts)
    short = 0
    for name in (source.name for source in table.sources if source.name in groups):
        there, rows = len(join_texts(groups[name], out).rows), len(groups[name])
        if there < least * rows:
            print(f"{name}: {there} of {rows} rows are there", file=sys.stderr)
            short += 1
    return short


def format_sources(table: Table, parts: Mapping[str, Sequence[Row]]) -> str:
    """Return the table of what can be rebuilt and what cannot, with rows by label."""
    groups = group_rows(parts)
    ways = {
        source.name: f"{source.repository}, {'archive' if source.archive else 'files'}"
        for source in table.sources
    }
    ways |= {name: f"**no**: {reason}" for name, reason in table.unavailable.items()}
    lines = [
        [name, ways.get(name, "**no**: not in the table"), *count_labels(parts, {name})]
        for name in sorted(groups)
    ]
    lost = set(groups) - {source.name for source in table.sources}
    lines.append(["together", "", *count_labels(parts, set(groups))])
    lines.append(["of these not", "", *count_labels(parts, lost)])
    return format_rows(("texts", "from github.com/", *parts), lines)


def count_labels(parts: Mapping[str, Sequence[Row]], names: set[str]) -> list[str]:
    """Return the rows of some sources in each part, label by label, as ``1/2/3/4`` or a dash."""
    cells = []
    for rows in parts.values():
        labels = [row.label for row in rows if name_source(row) in names]
        cells.append("/".join(str(labels.count(label)) for label in LABELS) if labels else "-")
    return cells


def report(parts: Mapping[str, Sequence[Row]], out: Path) -> str:
    """Return what is there: rows whose text has the right hash, by set, label and source."""
    lines = []
    missing: dict[str, int] = defaultdict(int)
    for name, rows in parts.items():
        joined = join_texts(rows, out)
        there = {row.id for row in joined.rows}
        for row in rows:
            missing[name_source(row)] += row.id not in there
        counts = []
        for label in LABELS:
            ids = [row.id for row in rows if row.label == label]
            counts.append(f"{sum(i in there for i in ids)} of {len(ids)}")
        lines.append([name, f"{len(there)} of {len(rows)}", *counts])
    lost = {name: count for name, count in sorted(missing.items()) if count}
    said = [f"without a text: {name}, {count} rows" for name, count in lost.items()]
    return "\n".join([format_rows(("set / split", "rows", *LABELS), lines), *said])


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="exit codes: 0 done, 1 a source failed or was refused, 2 the call is wrong",
    )
    parser.add_argument("--out", type=Path, help="folder to build, default corpora")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="sources, as --list names them")
    parser.add_argument("--least", type=float, default=0.99, metavar="SHARE",
                        help="share of a source's rows to be found, default 0.99")  # fmt: skip
    parser.add_argument("--check", action="store_true", help="say what is there")
    parser.add_argument("--list", action="store_true", help="say what can be rebuilt")
    parser.add_argument("--table", type=Path, default=TABLE, help="default train/corpora.toml")
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="default data")
    return parser.parse_args(arguments)


def check_options(options: argparse.Namespace, table: Table) -> None:
    """Refuse a share or a name that means nothing, whether or not something is to be fetched.

    Raises:
        InputError: ``--least`` is no share, or ``--only`` names what cannot be rebuilt.
    """
    if not 0 < options.least <= 1:
        found = f"{options.least:g}"
        remedy = "0.99 stands for 99 of 100 rows."
        raise InputError(
            "--least", expected="a share above 0, at most 1", found=found, remedy=remedy
        )
    known = [source.name for source in table.sources]
    for name in options.only or ():
        if name not in known:
            found = f"{name}: {table.unavailable.get(name, 'no such source')}"
            remedy = "Take it out or rename it."
            raise InputError("--only", expected=", ".join(known), found=found, remedy=remedy)


def run(options: argparse.Namespace) -> int:
    """Do what the options say; return the exit code."""
    table = read_table(options.table)
    check_options(options, table)
    parts = read_parts(find_data(options.data_dir), options.only)
    if options.list:
        print(format_sources(table, parts))
        return 0
    ready = find_corpora() if options.out is None else None
    out = ready or options.out or Path("corpora")
    if options.check and not out.is_dir():
        remedy = "Run without --check to build it, or name another one with --out."
        raise InputError("--check", expected="a folder", found=f"no {out}", remedy=remedy)
    bring = count_short if options.check or ready else rebuild_all
    failed = bring(table, parts, out, options.least)
    print(report(parts, out))
    if ready:
        print("STANCE_CORPORA names this ready copy: nothing was fetched", file=sys.stderr)
    elif not options.check:
        print(f"to use it: export STANCE_CORPORA={out.resolve()}", file=sys.stderr)
    return int(failed > 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    try:
        return run(parse(arguments))
    except StanceError as error:
        print(f"corpora: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("corpora: stopped; run the same command again to go on", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
