"""How fast: statements a second, time for one statement, time of a command from a cold shell.

    python benchmarks/speed.py --out benchmarks/results/speed.json

Contenders take turns, run after run, so that what else the machine does hits them alike; a ratio
is taken within each turn. Medians, with the lowest and the highest run.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from contenders import BUILDERS, REFERENCE, RELEASED, Contender, build_all
from environment import describe_environment, write_report
from sentences import hash_sentences, read_sentences
from stance.evaluation.timings import format_speed

SHORT_WORDS = (5, 20)  # of a statement that is timed alone
WARM_UP = 64


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=2000, help="sentences a run (default: 2000)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each (default: 5)")
    parser.add_argument("--singles", type=int, default=200, help="statements timed alone")
    parser.add_argument("--contenders", default=",".join(BUILDERS), help="names with commas")
    parser.add_argument("--model", type=Path, default=RELEASED, help="(default: the released one)")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    options = parser.parse_args()
    environment = describe_environment(options.model)
    texts, origin = read_sentences(options.rows)
    built, missing = build_all(options.contenders.split(","), options.model)
    for label in built.values():
        label(texts[:WARM_UP])
    report = {
        "schema": 1,
        "environment": environment,
        "sentences": {"n": len(texts), "origin": origin, "sha256": hash_sentences(texts)},
        "contenders": time_contenders(built, texts, options.runs),
        "missing": missing,
        "cold_start_s": spread([time_cold_start(options.model) for _ in range(options.runs)]),
        "load_after": os.getloadavg(),
    }
    for name, label in built.items():
        report["contenders"][name]["one_ms"] = time_singles(label, texts, options.singles)
    print(format_speed(report))
    write_report(report, options.out)


def time_contenders(
    built: dict[str, Contender], texts: list[str], runs: int, reference: str = REFERENCE
) -> dict:
    """Return each contender's rates, ratios to the reference and share of its labels kept."""
    rates: dict[str, list[float]] = {name: [] for name in built}
    labels: dict[str, list[str]] = {}
    names = list(built)
    for run in range(runs):
        turn = run % len(names)
        for name in names[turn:] + names[:turn]:
            seconds, labels[name] = stopwatch(built[name], texts)
            rates[name].append(len(texts) / seconds)
    results: dict[str, dict] = {}
    for name in names:
        results[name] = {"rows_per_s": spread(rates[name])}
        if reference in built:
            pairs = zip(rates[name], rates[reference], strict=True)
            same = sum(a == b for a, b in zip(labels[name], labels[reference], strict=True))
            results[name]["ratio"] = spread([rate / base for rate, base in pairs])
            results[name]["labels_kept"] = same / len(texts)
    return results


def stopwatch(label: Contender, texts: list[str]) -> tuple[float, list[str]]:
    """Return how many seconds a call took, and what it gave."""
    start = time.perf_counter()
    labels = label(texts)
    return time.perf_counter() - start, labels


def time_singles(label: Contender, texts: list[str], n: int) -> dict[str, float]:
    """Return the median and 95th percentile of the milliseconds for one short statement."""
    low, high = SHORT_WORDS
    short = [text for text in texts if low <= len(text.split()) <= high][:n]
    times = sorted(1000 * stopwatch(label, [text])[0] for text in short)
    return {"n": len(times), "p50": times[len(times) // 2], "p95": times[len(times) * 95 // 100]}


def time_cold_start(model: Path) -> float:
    """Return the seconds that ``stance predict`` takes as a whole process."""
    call = ["predict", "--model", str(model), "Kyiv walked out of the talks."]
    command = [sys.executable, "-m", "stance.cli", *call]
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


def spread(values: list[float]) -> dict[str, float | list[float]]:
    """Return the median, the lowest, the highest, and all values."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values),
            "runs": values}  # fmt: skip


if __name__ == "__main__":
    main()
