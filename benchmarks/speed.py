"""How fast: statements a second, time for one statement, time of a command from a cold shell.

    python benchmarks/speed.py --out runs/speed.json

Contenders take turns, run after run, so that what else the machine does hits them alike; a ratio
is taken within each turn. Medians, with the lowest and the highest run.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from contenders import BUILDERS, REFERENCE, RELEASED, Contender, build_all
from sentences import hash_sentences, read_sentences
from stance.bundle import read_bundle

SHORT_WORDS = (5, 20)  # of a statement that is timed alone
WARM_UP = 64
PACKAGES = ("negotiation-stance", "numpy", "onnxruntime", "tokenizers", "torch", "transformers",
            "setfit", "sentence-transformers", "openvino")  # fmt: skip


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
    texts, origin = read_sentences(options.rows)
    built, missing = build_all(options.contenders.split(","), options.model)
    for label in built.values():
        label(texts[:WARM_UP])
    load_before = os.getloadavg()
    report = {
        "schema": 1,
        "environment": describe_environment(options.model),
        "sentences": {"n": len(texts), "origin": origin, "sha256": hash_sentences(texts)},
        "contenders": time_contenders(built, texts, options.runs),
        "missing": missing,
        "cold_start_s": spread([time_cold_start(options.model) for _ in range(options.runs)]),
        "load": {"before": load_before, "after": os.getloadavg()},
    }
    for name, label in built.items():
        report["contenders"][name]["one_ms"] = time_singles(label, texts, options.singles)
    print_report(report)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(report, indent=2) + "\n")


def time_contenders(built: dict[str, Contender], texts: list[str], runs: int) -> dict:
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
        if REFERENCE in built:
            pairs = zip(rates[name], rates[REFERENCE], strict=True)
            same = sum(a == b for a, b in zip(labels[name], labels[REFERENCE], strict=True))
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


def describe_environment(model: Path = RELEASED) -> dict:
    """Return the machine, the versions and the model that the figures belong to."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    affinity: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return {
        "machine": platform.machine(),
        "cpu": name_cpu(),
        "cores": len(affinity(0)) if affinity else os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "versions": versions,
        "model": read_bundle(model).sha256,
    }


def name_cpu() -> str:
    """Return the processor's name."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def print_report(report: dict) -> None:
    """Print the table in Markdown."""
    machine = report["environment"]
    print(f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}; "
          f"{report['sentences']['n']} sentences: {report['sentences']['origin']}\n")  # fmt: skip
    print("| contender | statements/s | times the Hub pipeline | labels kept | one, p50 / p95 ms |")
    print("| --- | --- | --- | --- | --- |")
    for name, result in report["contenders"].items():
        kept = f"{result['labels_kept']:.1%}" if "labels_kept" in result else ""
        ratio = format_spread(result["ratio"], 2) if "ratio" in result else ""
        one = f"{result['one_ms']['p50']:.1f} / {result['one_ms']['p95']:.1f}"
        print(f"| {name} | {format_spread(result['rows_per_s'], 0)} | {ratio} | {kept} | {one} |")
    for name, reason in report["missing"].items():
        print(f"| {name} | {reason} | | | |")
    print(f"\n`stance predict` from a cold shell: {format_spread(report['cold_start_s'], 2)} s")
    print(f"load of the machine before {report['load']['before'][0]:.1f}, "
          f"after {report['load']['after'][0]:.1f}")  # fmt: skip


def format_spread(values: dict, digits: int) -> str:
    """Return a median with the lowest and highest run."""
    low, median, high = (f"{values[key]:,.{digits}f}" for key in ("low", "median", "high"))
    return f"{median} [{low}, {high}]"


if __name__ == "__main__":
    main()
