r"""A job of a million rows: its rate, and its memory over time.

    python benchmarks/million.py --out runs/million_fast \
        --report benchmarks/results/million_fast.json -- --fast

Makes different rows beforehand, from real news where STANCE_CORPORA names it, else from the five
articles, runs ``stance score`` on them as a user would, looks at the process and its children each
second, and writes a report and, beside it, a plot.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from itertools import islice, pairwise
from pathlib import Path

import psutil

from environment import describe_environment, write_report
from sentences import iter_sentences
from stance.evaluation.timings import format_million

MEGABYTE = 1_000_000


def main() -> None:
    """Make the rows, score them, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="(default: a million)")
    parser.add_argument("--out", type=Path, default=Path("runs/million"), help="folder to make")
    parser.add_argument("--report", type=Path, help="JSON file (default: OUT/million.json)")
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between two looks")
    parser.add_argument(
        "score",
        nargs="*",
        help="further options of stance score, after --, such as --shard-rows 5000",
    )
    options = parser.parse_args()
    environment = describe_environment()
    options.out.mkdir(parents=True)
    source = options.out / "rows.jsonl"
    origin = write_rows(source, options.rows)
    command = [sys.executable, "-m", "stance.cli", "score", source, options.out / "scored"]
    seconds, samples = watch([*map(str, command), *options.score], options)
    run = json.loads((options.out / "scored" / "run.json").read_text())
    report = {
        "schema": 1,
        "environment": environment | {"model": run["model"]["sha256"]},
        "cascade": run["model"].get("cascade"),
        "options": options.score,
        "origin": origin,
        "rows": run["rows"],
        "bad_rows": run["bad_rows"],
        "first_stage": run["skipped"],
        "seconds": seconds,
        "rows_per_s": run["rows"] / seconds,
        "peak_rss_mb": max(sample["rss_mb"] for sample in samples),
        "quarters": measure_quarters(samples),
        "load_after": os.getloadavg(),
        "samples": samples,
    }
    path = options.report or options.out / "million.json"
    write_report(report, path)
    plot(samples, path.with_suffix(".png"))
    print(format_million(report))


def write_rows(path: Path, n: int) -> str:
    """Write n different rows with an id; return where their sentences come from."""
    sentences, origin = iter_sentences()
    with open(path, "w", encoding="utf-8") as stream:
        for i, text in enumerate(islice(sentences, n)):
            stream.write(json.dumps({"id": i, "text": text}, ensure_ascii=False) + "\n")
    return origin


def watch(command: list[str], options: argparse.Namespace) -> tuple[float, list[dict]]:
    """Run a command; return its seconds, and each second the memory in use and rows done."""
    samples: list[dict] = []
    start = time.perf_counter()
    job = subprocess.Popen(command)
    while job.poll() is None:
        samples.append(
            {
                "s": round(time.perf_counter() - start, 2),
                "rss_mb": round(measure(job.pid) / MEGABYTE, 1),
                "rows": count_done(options.out / "scored" / "run.json"),
            }
        )
        time.sleep(options.interval)
    if job.returncode:
        raise SystemExit(f"stance score ended with exit code {job.returncode}")
    return time.perf_counter() - start, samples


def measure(pid: int) -> int:
    """Return the bytes of memory that a process and its children hold."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        return sum(member.memory_info().rss for member in family)
    except psutil.NoSuchProcess:
        return 0


def count_done(path: Path) -> int:
    """Return how many rows the journal of a job has."""
    return json.loads(path.read_text())["rows"] if path.is_file() else 0


def measure_quarters(samples: list[dict]) -> list[dict[str, float]]:
    """Return the rate and the highest memory in each quarter of the time: neither should drift."""
    quarters = []
    edges = [i * (len(samples) - 1) // 4 for i in range(5)]
    for first, last in pairwise(edges):
        begin, end = samples[first], samples[last]
        rate = (end["rows"] - begin["rows"]) / max(end["s"] - begin["s"], 1e-9)
        peak = max(sample["rss_mb"] for sample in samples[first : last + 1])
        quarters.append({"rows_per_s": rate, "peak_rss_mb": peak})
    return quarters


def take_rates(samples: list[dict], points: int = 40) -> list[tuple[float, float]]:
    """Return seconds and rows a second between looks at which parts had been finished."""
    grown = [samples[0]] + [b for a, b in pairwise(samples) if b["rows"] > a["rows"]]
    kept = grown[:: max(1, len(grown) // points)]
    return [(b["s"], (b["rows"] - a["rows"]) / (b["s"] - a["s"])) for a, b in pairwise(kept)]


def plot(samples: list[dict], path: Path) -> None:
    """Draw memory and rate over time."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, memory = pyplot.subplots(figsize=(7, 3.5))
    seconds = [sample["s"] for sample in samples]
    memory.plot(seconds, [sample["rss_mb"] for sample in samples], color="C0")
    memory.set_xlabel("seconds")
    memory.set_ylabel("memory, MB", color="C0")
    memory.set_ylim(bottom=0)
    rate = memory.twinx()
    rate.plot(*zip(*take_rates(samples), strict=True), color="C1")
    rate.set_ylabel("rows a second", color="C1")
    rate.set_ylim(bottom=0)
    figure.tight_layout()
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
