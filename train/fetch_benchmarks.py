"""Get the public benchmarks, labels included, on your machine: fetch and convert.

Usage:
  python train/fetch_benchmarks.py             gwsd, plover_plv and semeval2016_taska into corpora/
  python train/fetch_benchmarks.py --raters    how one rater of GWSD agrees with the label of all

Their files come from the repositories and commits that src/stance/evaluation/benchmarks/*.toml
name; licences stand there too. OUT is the folder that STANCE_CORPORA names, or corpora/; rows that
train/corpora.py put there without labels are replaced by the whole sets.
"""

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from calling import make_parser, run_script
from corpora import TABLE
from sources import Source, Table, read_table
from stance.errors import StanceError
from stance.evaluation.benchmarks import Benchmark, list_benchmarks, read_benchmark
from stance.evaluation.intervals import draw_documents, take_interval
from stance.evaluation.metrics import compute_metrics, sum_confusions
from stance.evaluation.table import format_interval
from stance.files import write_bytes
from stance.layers import find_corpora
from stance.types import LABELS
from texts import clean

TARGETS = {"abortion": "Legalization of Abortion", "atheism": "Atheism",
           "climate": "Climate Change is a Real Concern", "feminist": "Feminist Movement",
           "hillary": "Hillary Clinton"}  # fmt: skip
SPLITS = {"train": "train", "val": "validation", "test": "test"}
GWSD_LABELS = {"agree": "favor", "disagree": "against", "neutral": "neutral"}
PLV_LABELS = {"1": "favor", "2": "favor", "3": "against", "4": "against"}  # verbal and material
TWEET_LABELS = {"0": "neutral", "1": "against", "2": "favor"}
PATHS = {
    "gwsd": ["GWSD.tsv"],
    "plover_plv": ["datasets/PLV_train.tsv", "datasets/PLV_test.tsv"],
    "semeval2016_taska": [
        f"datasets/stance/{target}/{split}_{part}.txt"
        for target in TARGETS for split in SPLITS for part in ("text", "labels")
    ],
}  # fmt: skip
Rows = Iterator[tuple[str, dict[str, Any]]]
"""Split, and a row of it."""


def read_tabs(content: bytes) -> list[dict[str, str]]:
    """Return the rows of a table with tabs between its cells."""
    stream = io.StringIO(content.decode("utf-8"), newline="")
    return list(csv.DictReader(stream, delimiter="\t"))


def convert_gwsd(files: Mapping[str, bytes]) -> Rows:
    """Yield the rows that have a label: the likeliest of the authors' inferred distribution."""
    for fields in read_tabs(files["GWSD.tsv"]):
        if fields["agree"]:  # screening sentences have none
            label = max(GWSD_LABELS, key=lambda name: float(fields[name]))
            split = "test" if fields["in_held_out_test"] == "True" else "train"
            yield split, {"id": fields["guid"], "text": clean(fields["sentence"]),
                          "label": GWSD_LABELS[label]}  # fmt: skip


def convert_plv(files: Mapping[str, bytes]) -> Rows:
    """Yield sentences with their marked actors; cooperation is favor, conflict against."""
    for split in ("train", "test"):
        for i, fields in enumerate(read_tabs(files[f"datasets/PLV_{split}.tsv"])):
            yield split, {"id": f"{split}-{i}", "text": clean(fields["sentence"]),
                          "holder": clean(fields["source"]), "target": clean(fields["target"]),
                          "label": PLV_LABELS[fields["gold_penta"]]}  # fmt: skip


def convert_semeval(files: Mapping[str, bytes]) -> Rows:
    """Yield the tweets of five targets; texts and labels stand in files of their own."""
    for name, target in TARGETS.items():
        for short, split in SPLITS.items():
            texts, labels = (
                files[f"datasets/stance/{name}/{short}_{part}.txt"].decode("utf-8").split("\n")
                for part in ("text", "labels")
            )
            for i, (text, label) in enumerate(zip(texts, filter(str.strip, labels), strict=False)):
                yield split, {"id": f"{name}-{short}-{i}", "text": clean(text), "target": target,
                              "label": TWEET_LABELS[label.strip()]}  # fmt: skip


CONVERT: dict[str, Callable[[Mapping[str, bytes]], Rows]] = {
    "gwsd": convert_gwsd,
    "plover_plv": convert_plv,
    "semeval2016_taska": convert_semeval,
}


def get_files(benchmark: Benchmark, table: Table, downloads: Path) -> dict[str, bytes]:
    """Return the benchmark's files by path, fetched where they are not at hand."""
    from downloads import iter_files, read_sums

    repository = benchmark.source.removeprefix("https://github.com/")
    paths = PATHS[benchmark.name]
    source = Source(
        benchmark.name, repository, benchmark.version, benchmark.licence, paths, "lines"
    )
    return dict(iter_files(source, table, paths, downloads, read_sums(downloads)))


def convert(benchmark: Benchmark, files: Mapping[str, bytes], out: Path) -> dict[str, int]:
    """Write a benchmark's splits; return their numbers of rows.

    Raises:
        StanceError: a file is not of the form it had.
    """
    splits: dict[str, list[dict[str, Any]]] = {}
    try:
        for split, row in CONVERT[benchmark.name](files):
            splits.setdefault(split, []).append(row)
    except (KeyError, ValueError, TypeError) as error:
        raise StanceError(
            benchmark.name,
            expected="the files of " + benchmark.version,
            found=f"{type(error).__name__}: {error}",
            remedy="Delete them from the downloads and run the same command again.",
        ) from None
    for split, rows in splits.items():
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        path = out / "public" / benchmark.corpus / f"{split}.jsonl.gz"
        write_bytes(path, gzip.compress(lines.encode(), mtime=0))
    return {split: len(rows) for split, rows in splits.items()}


def measure_raters(content: bytes) -> str:
    """Return the agreement of one GWSD rater with the label of all, the mean over the raters.

    The label is inferred from all ratings, the rater's own among them.
    """
    rows = [row for row in read_tabs(content) if row["in_held_out_test"] == "True"]
    names = list(GWSD_LABELS)
    gold = [max(names, key=lambda name: float(row[name])) for row in rows]
    draws = draw_documents(np.arange(len(rows)))
    said = [name for name in rows[0] if name.startswith("worker_")]
    found = []
    for worker in said:
        rated = [row[worker].removesuffix("s") for row in rows]
        pairs = (
            np.array([LABELS.index(GWSD_LABELS[name]) for name in part]) for part in (gold, rated)
        )
        found.append(compute_metrics(sum_confusions(draws, *pairs)))
    scores = {
        metric: take_interval(np.mean([part[metric] for part in found], axis=0)).to_dict()
        for metric in ("macro_f1_three", "accuracy")
    }
    return (
        f"one rater of {len(said)} against the label of all, {len(rows)} held-out rows: macro-F1 "
        f"{format_interval(scores['macro_f1_three'])}, "
        f"accuracy {format_interval(scores['accuracy'])}"
    )


def main() -> None:
    """Fetch and convert, or measure the raters."""
    parser = make_parser(__doc__)
    parser.add_argument("--out", type=Path, help="folder to build, default that of STANCE_CORPORA")
    parser.add_argument("--raters", action="store_true", help="one rater of GWSD, write nothing")
    options = parser.parse_args()
    out = options.out or find_corpora() or Path("corpora")
    table, downloads = read_table(TABLE), out / "downloads"
    for name in ("gwsd",) if options.raters else list_benchmarks():
        benchmark = read_benchmark(name)
        files = get_files(benchmark, table, downloads)
        if options.raters:
            print(measure_raters(files["GWSD.tsv"]))
        else:
            counts = convert(benchmark, files, out).items()
            print(f"{name}: " + ", ".join(f"{split} {n:,}" for split, n in counts))


if __name__ == "__main__":
    run_script(main)
