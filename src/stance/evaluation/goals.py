"""What was aimed at in speed and memory beside what was measured, and the page's line on speed."""

from collections.abc import Mapping
from typing import Any

from stance.evaluation.table import format_rows

Report = dict[str, Any]

KEPT = 0.99  # share of float32's labels that a form must keep
MILLION = 1_000_000
BUSY = 1.0  # load average at the start above which other work ran beside
TAKEN = "the folder's file"
JOBS = {"million_fast": "with `--fast`", "million": "without it"}  # reports of a million rows


def format_goals(found: Mapping[str, Report]) -> str:
    """Return the table goal x what was measured, as far as it was."""
    goals: list[tuple[str, str, float, str, bool]] = []
    if speed := found.get("speed"):
        ours, fast = (speed["contenders"].get(name) for name in ("ours", "fast"))
        if ours and "ratio" in ours:
            ratio, one, cold = ours["ratio"], ours["one_ms"], speed["cold_start_s"]
            goals = [
                ("`predict`, times the Hub pipeline", ">= 10", ratio["median"], "{:.1f}",
                 ratio["median"] >= 10),
                ("the pipeline's labels kept", ">= 99 %", 100 * ours["labels_kept"], "{:.2f} %",
                 ours["labels_kept"] >= KEPT),
                ("one short statement, median", "<= 4 ms", one["p50"], "{:.1f} ms",
                 one["p50"] <= 4),
                ("`stance predict` from a cold shell", "<= 0.8 s", cold["median"], "{:.2f} s",
                 cold["median"] <= 0.8),
            ]  # fmt: skip
        if ours and fast:
            times = fast["rows_per_s"]["median"] / ours["rows_per_s"]["median"]
            goals.append(("`--fast`, times `predict`", ">= 5", times, "{:.1f}", times >= 5))
    for name, how in JOBS.items():
        if job := found.get(name):
            peak = job["peak_rss_mb"]
            title = f"memory for {job['rows']:,} rows, {how}"
            goals.append((title, "<= 600 MB", peak, "{:.0f} MB", peak <= 600))
    rows = [
        [title, aim, form.format(value), "yes" if met else "**no**"]
        for title, aim, value, form, met in goals
    ]
    return format_rows(("aimed at", "goal", "measured", "met"), rows)


def format_line(found: Mapping[str, Report]) -> str:
    """Return the main README's paragraphs on speed and on float32."""
    words = []
    if speed := found.get("speed"):
        words.append(say_rates(speed))
    times = {name: MILLION / found[name]["rows_per_s"] for name in JOBS if name in found}
    if speed and "million" not in times:
        times["million"] = MILLION / speed["contenders"]["ours"]["rows_per_s"]["median"]
    if times:
        said = (f"{say_time(times[name])} {how}" for name, how in JOBS.items() if name in times)
        words.append(f"A million rows take about {', '.join(said)}.")
    words.append("How that was measured: [benchmarks/README.md](benchmarks/README.md).")
    return " ".join(words) + "\n\n" + say_precision(found.get("quantisation"))


def say_rates(speed: Report) -> str:
    """Return a sentence on how many statements a second there are."""
    machine, contenders = speed["environment"], speed["contenders"]
    ours, fast = contenders["ours"], contenders.get("fast")
    words = (
        f"On {machine['cores']} cores, {machine['cpu']}, `predict` labels "
        f"{ours['rows_per_s']['median']:,.0f} sentences of real news a second"
    )
    if "ratio" in ours:
        words += (
            f", {ours['ratio']['median']:.1f} times what the usual `transformers` pipeline does"
        )
    if fast:
        words += f"; `score --fast` {fast['rows_per_s']['median']:,.0f}"
    busy = machine.get("load", [0])[0] > BUSY
    return words + (" (other work ran beside, so these are low)." if busy else ".")


def say_precision(forms: Report | None) -> str:
    """Return whether there is a choice of float32, and what the 8-bit file changes."""
    words = "There is no float32 to choose: the package runs the folder's 8-bit file alone"
    if forms:
        changed = forms["forms"][TAKEN]["labels_changed"]
        words += (
            f" (it changes {changed['value']:.1%} [{changed['low']:.1%}, {changed['high']:.1%}] of "
            f"the labels on {forms['n']:,} real-news rows)"
        )
    return words + (
        '. `transformers.pipeline("text-classification", model=FOLDER)` reads the same folder\'s '
        "`model.safetensors` in float32: no calibration, no holder, no source."
    )


def say_time(seconds: float) -> str:
    """Return minutes, or hours from 90 minutes on."""
    minutes = seconds / 60
    return f"{minutes:.0f} minutes" if minutes < 90 else f"{minutes / 60:.1f} hours"
