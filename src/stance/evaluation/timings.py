"""The tables of benchmarks/README.md, from the reports that the benchmarks wrote.

A report is the JSON of one benchmark. Each script prints its table with the same function that
fills the page.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stance.evaluation.goals import KEPT, format_goals, format_line
from stance.evaluation.table import format_rows

Report = dict[str, Any]

SHOWN = ("onnxruntime", "torch", "transformers", "setfit", "openvino")
SMALL = 0.02  # operators of a smaller share of the network's time are put together
AWARE = {
    "8 bits, one scale a statement": "8 bits, one scale a statement",
    "the other folder's file": "the same, fine-tuned for it",
}


def build_timing_tables(results: Path) -> dict[str, str]:
    """Return the tables by name; of a benchmark without a report, how to measure it.

    Args:
        results: the folder of the reports.
    """
    tables = {
        name: format_report(reports[0]) if (reports := read_reports(results, file)) else
        f"To be measured: `{command}`."
        for name, (file, format_report, command) in TABLES.items()
    }  # fmt: skip
    names = ("speed", "million_fast", "million", "quantisation")
    found = {name: reports[0] for name in names if (reports := read_reports(results, name))}
    return tables | {"speed-goals": format_goals(found), "speed-line": format_line(found)}


def read_reports(results: Path, name: str) -> list[Report]:
    """Return the report of a benchmark, or nothing where there is none."""
    path = results / f"{name}.json"
    return [json.loads(path.read_text(encoding="utf-8"))] if path.is_file() else []


def format_environment(report: Report) -> str:
    """Return machine, versions, model and load in a sentence."""
    found = report["environment"]
    known = found["versions"]
    versions = ", ".join(f"{name} {known[name]}" for name in SHOWN if known.get(name))
    words = (
        f"{found['cpu']}, {found['cores']} cores; Python {found['python']}, {versions}; "
        f"model `{found['model'][:12]}`."
    )
    if found.get("load"):
        words += f" Load average at the start {found['load'][0]:.1f}"
        words += f", at the end {report['load_after'][0]:.1f}." if "load_after" in report else "."
    return words


def format_speed(report: Report) -> str:
    """Return the table contender x speed, and the time of a cold start."""
    rows = []
    for name, found in report["contenders"].items():
        one = f"{found['one_ms']['p50']:.1f} / {found['one_ms']['p95']:.1f}"
        rows.append([name, format_spread(found["rows_per_s"], 0), *format_ratio(found), one])
    rows += [[name, reason, "", "", ""] for name, reason in report["missing"].items()]
    heads = ("contender", "statements/s", "times the Hub pipeline", "labels kept",
             "one, p50 / p95 ms")  # fmt: skip
    return (
        f"{format_environment(report)} {report['sentences']['n']:,} sentences a run "
        f"({report['sentences']['origin']}); median of {count_runs(report['contenders'])} runs, "
        f"lowest and highest.\n\n{format_rows(heads, rows)}\n\n"
        f"`stance predict` from a cold shell: {format_spread(report['cold_start_s'], 2)} s."
    )


def format_options(report: Report) -> str:
    """Return the table way to run the file x speed."""
    rows = [
        [name, format_spread(found["rows_per_s"], 0), *format_ratio(found)]
        for name, found in report["ways"].items()
    ]
    heads = ("way", "statements/s", "times the first", "the first's labels kept")
    return (
        f"{format_environment(report)} {report['sentences']['n']:,} sentences a run "
        f"({report['sentences']['origin']}); median of {count_runs(report['ways'])} runs, lowest "
        f"and highest.\n\n{format_rows(heads, rows)}"
    )


def format_million(report: Report) -> str:
    """Return rate and memory of a long job, as a whole and by quarters of its time."""
    words = (
        f"`stance score {' '.join(report['options'])}`".replace(" `", "`")
        + f": {report['rows']:,} different rows ({report['origin']}) in "
        f"{report['seconds']:,.0f} s, {report['rows_per_s']:.0f} a second, at most "
        f"{report['peak_rss_mb']:.0f} MB. {format_environment(report)}"
    )
    if report["cascade"]:
        recall, low, high = (100 * report["cascade"][key] for key in ("recall", "low", "high"))
        words += (
            f" The first stage answered {report['first_stage']:,} of the rows; it passes on "
            f"{recall:.1f} % [{low:.1f}, {high:.1f}] of the statements to which the model gives a "
            f"stance ({report['cascade']['n']:,} real-news test rows, interval by document)."
        )
    rows = [
        [str(number), f"{quarter['rows_per_s']:,.0f}", f"{quarter['peak_rss_mb']:.0f}"]
        for number, quarter in enumerate(report["quarters"], start=1)
    ]
    return words + "\n\n" + format_rows(("quarter of the time", "rows/s", "highest MB"), rows)


def format_forms(report: Report) -> str:
    """Return the table form of the ONNX file x (size, speed, labels changed), and the fastest."""
    rows = format_form_rows(report["forms"])
    rows += [[name, reason, "", "", "", "", ""] for name, reason in report["missing"].items()]
    kept = {name: 1 - form["labels_changed"]["value"] for name, form in report["forms"].items()}
    speed = {name: form["ratio"]["median"] for name, form in report["forms"].items()}
    fastest = max(speed, key=speed.__getitem__)
    best = max((name for name in kept if kept[name] >= KEPT), key=speed.__getitem__)
    words = f"Fastest: {fastest} ({speed[fastest]:.2f} times float32, {kept[fastest]:.1%} of the "
    words += "labels kept)"
    if best != fastest:
        words += (f"; fastest of those that keep {KEPT:.0%}: {best} ({speed[best]:.2f} times, "
                  f"{kept[best]:.1%})")  # fmt: skip
    return f"{format_form_lead(report)}\n\n{format_rows(FORM_HEADS, rows)}\n\n{words}."


def format_aware(report: Report) -> str:
    """Return the rows of the form that was fine-tuned for, before and after."""
    forms = {AWARE[name]: form for name, form in report["forms"].items() if name in AWARE}
    return f"{format_form_lead(report)}\n\n{format_rows(FORM_HEADS, format_form_rows(forms))}"


FORM_HEADS = ("form", "MB", "times float32", "ms, median", "labels changed",
              "largest score difference", "macro-F1")  # fmt: skip


def format_form_lead(report: Report) -> str:
    """Return what a table of forms was measured on."""
    return f"{format_environment(report)} One thread, {report['n']:,} real-news test rows."


def format_form_rows(forms: Mapping[str, Any]) -> list[list[str]]:
    """Return the lines of a table of forms."""
    rows = []
    for name, form in forms.items():
        value, low, high = (form["labels_changed"][key] for key in ("value", "low", "high"))
        rows.append([name, f"{form['mb']:.1f}", format_spread(form["ratio"], 2),
                     f"{form['one_ms']:.1f}", f"{value:.1%} [{low:.1%}, {high:.1%}]",
                     f"{form['largest_score_difference']:.3f}",
                     f"{form['macro_f1']:.3f}"])  # fmt: skip
    return rows


def format_breakdown(report: Report) -> str:
    """Return milliseconds by part, and of the network by operator, a column for each folder."""
    models = report["models"]
    heads = [f"{model['folder']} `{model['environment']['model'][:12]}`" for model in models]
    words = (
        "{wall:.2f} ms by the wall clock, {processor:.2f} of processor time "
        "({without_profiler:.2f} without the profiler)"
    )
    profiled = "; ".join(words.format(**model["profiled_ms"]) for model in models)
    return (
        f"{format_environment(report | {'environment': models[0]['environment']})} "
        f"{report['sentences']['n']:,} sentences ({report['sentences']['origin']}), milliseconds "
        "of processor time a statement.\n\n"
        + format_times("part", heads, [model["parts_ms"] for model in models])
        + "\n\n"
        + format_times("operator", heads, [model["operators_ms"] for model in models])
        + "\n\nThe operators sum up to the network: its processor time, divided by the shares that "
        f"the profiler found. The profiled passes took {profiled}, on one thread."
    )


def format_times(title: str, heads: list[str], columns: list[dict[str, float]]) -> str:
    """Return a table of times and shares; what is small in every column is put together."""
    wholes = [sum(times.values()) for times in columns]
    names = dict.fromkeys(name for times in columns for name in times)
    shown = [
        name for name in names
        if title == "part"
        or any(times.get(name, 0) >= SMALL * whole
               for times, whole in zip(columns, wholes, strict=True))
    ]  # fmt: skip
    lines = [{name: times[name] for name in shown if name in times} for times in columns]
    if len(shown) < len(names):
        for line, whole in zip(lines, wholes, strict=True):
            line["others"] = whole - sum(line.values())
    rows = [
        [name, *(f"{line[name]:.2f} ({line[name] / whole:.0%})" if name in line else ""
                 for line, whole in zip(lines, wholes, strict=True))]
        for name in dict.fromkeys((*shown, *lines[0]))
    ]  # fmt: skip
    rows.append(["all", *(f"{whole:.2f}" for whole in wholes)])
    return format_rows((title, *heads), rows)


def format_spread(values: Mapping[str, Any], digits: int) -> str:
    """Return a median with the lowest and highest run."""
    low, median, high = (f"{values[key]:,.{digits}f}" for key in ("low", "median", "high"))
    return f"{median} [{low}, {high}]"


def format_ratio(found: Mapping[str, Any]) -> tuple[str, str]:
    """Return the ratio to the reference and the share of its labels kept, where there is one."""
    if "ratio" not in found:
        return "", ""
    return format_spread(found["ratio"], 2), f"{found['labels_kept']:.2%}"


def count_runs(parts: Mapping[str, Any]) -> int:
    """Return how many runs each contender had."""
    return len(next(iter(parts.values()))["rows_per_s"]["runs"])


RUN = "python benchmarks/{0}.py --out benchmarks/results/{0}.json"
JOB = "python benchmarks/million.py --out runs/{0} --report benchmarks/results/{0}.json"
TABLES: dict[str, tuple[str, Callable[[Report], str], str]] = {  # report, its table, the command
    "speed": ("speed", format_speed, RUN.format("speed")),
    "runtime-options": ("options", format_options, RUN.format("options")),
    "million-fast": ("million_fast", format_million, JOB.format("million_fast") + " -- --fast"),
    "million": ("million", format_million, JOB.format("million")),
    "forms": ("quantisation", format_forms, RUN.format("quantisation")),
    "forms-aware": ("aware", format_aware, "python benchmarks/quantisation.py --against runs/aware "
                    "--forms '8 bits, one scale a statement' --out benchmarks/results/aware.json"),
    "breakdown": ("breakdown", format_breakdown, RUN.format("breakdown")),
}  # fmt: skip
