"""Figures as text: tables for the terminal and for the model card."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from stance.evaluation.baselines import (
    BASELINES,
    MAJORITY,
    MAJORITY_HERE,
    NOT_DEFINED,
    SLOW,
    say_not_run,
)
from stance.evaluation.cautions import NOTE_SLICES, count, list_cautions, mark_narrow, name_set
from stance.evaluation.coverage import say_coverage

METRICS = ("macro_f1", "macro_f1_three", "f1_favor_against", "accuracy", "polarity_flip_rate")
HEADS = ("system", "macro-F1", "macro-F1 without conditional", "F1 favor/against", "accuracy",
         "polarity flips")  # fmt: skip
PERCENT = ("polarity_flip_rate", "polarity_flip_rate_weighted", "reliable_share",
           "reliable_accuracy", "reliable_stance_accuracy")  # fmt: skip
LOWER = ("polarity_flip_rate", "polarity_flip_rate_weighted", "ece", "brier", "aurc")
"""Metrics of which less is better."""
WORST = 10  # slices that are printed
NOTHING = {"value": None, "low": None, "high": None}
BASELINE_NAMES = {
    MAJORITY: "majority",
    MAJORITY_HERE: "majority of these rows",
    "keywords": "keyword rule",
    "holders": "names of known holders alone",
    "tfidf_svm": "TF-IDF + linear SVM",
    "embedding_lr": "frozen encoder + logistic regression",
    "zero_shot": "zero-shot by label descriptions",
    "setfit": "SetFit",
}
METRIC_NAMES = {
    "macro_f1": "macro-F1",
    "macro_f1_three": "macro-F1 without conditional",
    "f1_favor_against": "F1 favor/against",
    "accuracy": "accuracy",
    "polarity_flip_rate": "polarity flips",
    "ece": "calibration error",
    "brier": "Brier score",
    "aurc": "area under risk-coverage",
    "accuracy_at_70": "accuracy at 70 % coverage",
    "accuracy_at_80": "accuracy at 80 % coverage",
    "accuracy_at_90": "accuracy at 90 % coverage",
    "reliable_share": "reliable",
    "reliable_accuracy": "accuracy of the reliable",
    "reliable_stance_accuracy": "accuracy of the reliable, other than neutral",
    "holder_f1": "holder F1 (half overlap)",
    "holder_exact": "holder F1 (exact)",
    "holder_share": "holder found",
    "source_f1": "source F1 (half overlap)",
    "source_exact": "source F1 (exact)",
    "source_share": "source found",
    "pass_rate": "pairs passed",
    "unchanged_share": "invariant pairs unchanged",
}
METRIC_NAMES |= {f"{name}_weighted": f"{METRIC_NAMES[name]}, weighted" for name in METRICS}


def format_interval(entry: dict[str, Any], *, percent: bool = False, signed: bool = False) -> str:
    """Return a value with its interval, for example ``0.71 [0.66, 0.75]``.

    A dash stands for no value; a value without interval (one document) stands alone. Differences of
    shares, ``signed`` and ``percent``, are in points.
    """
    factor, places, unit = (100, 1, " points" if signed else " %") if percent else (1, 3, "")
    sign = "+" if signed else ""
    value, low, high = (
        None if entry[key] is None else f"{factor * entry[key]:{sign}.{places}f}"
        for key in ("value", "low", "high")
    )
    if value is None:
        return "-"
    return f"{value}{unit} [{low}, {high}]" if low and high else f"{value}{unit}"


def format_rows(heads: tuple[str, ...], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def list_systems(entry: dict[str, Any], judge: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the systems of one set with their metrics: the judge, the baselines, the annotator."""
    systems = [(judge, entry["metrics"]), *list_baselines(entry["baselines"])]
    if annotator := entry["annotator"]:
        others = "the other" if annotator["annotators"] == 2 else "the others"
        what = f"one annotator ({annotator['kind']}) against {others}, {annotator['n']:,.0f} rows"
        systems.append((what, annotator["annotator"]))
        systems.append((f"{judge} against the same", annotator["judge"]))
    return systems


def list_baselines(baselines: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the baselines by their names in words, with their metrics."""
    return [(BASELINE_NAMES.get(name, name), part["metrics"]) for name, part in baselines.items()]


def list_absent(
    made: Collection[str], *, benchmark: bool, told: Mapping[str, str] | None = None
) -> list[tuple[str, str]]:
    """Return the baselines that are not there, by their names in words, with the reason.

    Args:
        made: names of those that are; where there are none, none were wanted.
        benchmark: whether the set has other labels than ours.
        told: the reasons that the run noted, by name.
    """
    there = {*made, *([MAJORITY] if MAJORITY_HERE in made else [])}
    absent = [name for name in BASELINES if name not in there] if made else []
    reasons = told or {}
    return [(BASELINE_NAMES[name], reasons.get(name) or say_why(name, benchmark=benchmark))
            for name in absent]  # fmt: skip


def say_why(name: str, *, benchmark: bool) -> str:
    """Return why a baseline is not there, where the run did not note it."""
    if benchmark and BASELINES[name].own_labels:
        return NOT_DEFINED
    return say_not_run(name) if name in SLOW else "not in the predictions that were read"


def list_weighted(entry: dict[str, Any], judge: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the systems of one set with metrics weighted to the pools; none without weights."""
    weighted = entry["weighted"]
    if not weighted:
        return []
    systems = [(judge, weighted["metrics"]), *list_baselines(weighted["baselines"])]
    return [(f"{name}, weighted", scores) for name, scores in systems]


def format_systems(entry: dict[str, Any], judge: str) -> str:
    """Return the table system x metric of one set, the judge first."""
    rows = [
        [name, *(format_interval(scores[metric], percent=metric in PERCENT)
                 for metric in METRICS)]
        for name, scores in (*list_systems(entry, judge), *list_weighted(entry, judge))
    ]  # fmt: skip
    absent = list_absent(
        entry["baselines"], benchmark=bool(entry["benchmark"]), told=entry.get("absent")
    )
    rows += [[name, reason, *[""] * (len(HEADS) - 2)] for name, reason in absent]
    return format_rows(HEADS, rows)


def format_leads(entry: dict[str, Any]) -> str:
    """Return how far the judge is ahead of each baseline of one set, paired."""
    parts = [(entry["baselines"], "")]
    if entry["weighted"]:
        parts.append((entry["weighted"]["baselines"], ", weighted"))
    rows = [
        [BASELINE_NAMES.get(name, name) + note,
         *(show_difference(metric, part["lead"][metric]) for metric in METRICS)]
        for baselines, note in parts
        for name, part in baselines.items()
    ]  # fmt: skip
    return format_rows(("ahead of", *HEADS[1:]), rows)


def format_phenomena(entry: dict[str, Any]) -> str:
    """Return the table phenomenon x (pairs, passed, unchanged) of the probes, the worst first."""
    rows = [
        [name, part["expected"], str(part["n"]), format_interval(part["pass_rate"]),
         format_interval(part["unchanged_share"]) if part["unchanged_share"] else "-"]
        for name, part in sorted(
            entry["phenomena"].items(), key=lambda item: float(item[1]["pass_rate"]["value"])
        )
    ]  # fmt: skip
    heads = ("phenomenon", "label should show", "pairs", "both right", "label unchanged")
    return format_rows(heads, rows)


def format_slices(slices: Sequence[dict[str, Any]]) -> str:
    """Return the table of slices, in their order."""
    rows = [
        [f"{part['by']}: {part['value']}", f"{part['n']} / {part['documents']}",
         format_interval(part["accuracy"]) + mark_narrow(part),
         format_interval(part["macro_f1"]) if part["macro_f1"] else "-"]
        for part in slices
    ]  # fmt: skip
    table = format_rows(("slice", "rows / documents", "accuracy", "macro-F1"), rows)
    return f"{table}\n\n{NOTE_SLICES}" if rows else table


def show_difference(metric: str, entry: dict[str, Any]) -> str:
    """Return a difference with its interval, signed."""
    return format_interval(entry, percent=metric in PERCENT, signed=True)


def name_directed(metric: str) -> str:
    """Return a metric's name, and that less is better where it is."""
    return METRIC_NAMES.get(metric, metric) + (" (lower is better)" if metric in LOWER else "")


def name_other(against: dict[str, Any]) -> str:
    """Return what the other run is and how far it is like this one; nothing without a name."""
    if not against.get("run"):
        return ""
    hashes = ", ".join(model[:12] for model in against["other"])
    found = f"The other is {against['run']}, SHA-256 {hashes}. "
    left = against.get("left_out", {"this": 0, "other": 0})
    if any(left.values()):
        found += (f"Compared on the {count(against['n'], 'row')} of both; left out are "
                  f"{left['this']} of this run and {left['other']} of the other. ")  # fmt: skip
        if narrow := say_coverage(against.get("coverage", 0.0)):
            found += f"From {against['documents']} documents of these, intervals are {narrow}. "
    if against.get("same_gold") is False:
        found += ("It was measured by other labels, spans or weights; here both are by those of "
                  "this run, so that its figures are not the ones it was given. ")  # fmt: skip
    return found


def format_against(against: dict[str, Any]) -> str:
    """Return the paired comparison of one set: difference by metric, and McNemar's test."""
    rows = [[name_directed(name), show_difference(name, part)]
            for name, part in against["difference"].items()]  # fmt: skip
    test = against["mcnemar"]
    note = (
        f"\n\n{name_other(against)}Right alone: this {test['only_this']} rows, the other "
        f"{test['only_other']}; McNemar p = {test['p']:.3g}."
    )
    return format_rows(("metric", "this minus the other"), rows) + note


def format_labels(entry: dict[str, Any]) -> str:
    """Return the table label x (n, F1, precision, recall) of one set."""
    rows = [
        [label, str(part["n"]), format_interval(part["f1"]), f"{part['precision']:.3f}",
         f"{part['recall']:.3f}"]
        for label, part in entry["per_label"].items()
    ]  # fmt: skip
    return format_rows(("label", "rows", "F1", "precision", "recall"), rows)


def format_confusion(entry: dict[str, Any]) -> str:
    """Return the confusion matrix of one set: rows are gold, columns predicted."""
    labels = list(entry["per_label"])
    rows = [
        [label, *map(str, counts)]
        for label, counts in zip(labels, entry["confusion"], strict=True)
    ]  # fmt: skip
    return format_rows(("gold \\ predicted", *labels), rows)


def format_results(results: dict[str, Any]) -> str:
    """Return every set's tables, as ``stance evaluate`` prints them."""
    parts = []
    for name, entry in results["sets"].items():
        parts += [
            format_head(name, entry),
            "",
            format_systems(entry, "judge"),
            "",
            format_labels(entry),
            "",
        ]
        if entry["phenomena"]:
            parts += [format_phenomena(entry), ""]
        if entry["slices"]:
            parts += [format_slices(entry["slices"][:WORST]), ""]
        if entry["benchmark"]:
            parts += [format_published(entry), ""]
        if entry["against"]:
            parts += [format_against(entry["against"]), ""]
    return "\n".join(parts)


def format_head(name: str, entry: dict[str, Any]) -> str:
    """Return the line above a set's tables: how much there is, and what to know of its figures."""
    title = name_set(name, entry)
    size = f"{count(entry['n'], 'row')} of {count(entry['documents'], 'document')}"
    head = f"{title}: {size}, 95 % intervals"
    return "; ".join([head, *list_cautions(entry)])


def format_published(entry: dict[str, Any]) -> str:
    """Return a benchmark's official metric beside published figures."""
    benchmark = entry["benchmark"]
    metric = benchmark["metric"]
    rows = [["this run", format_interval(entry["metrics"][metric]), ""]]
    rows += [
        [BASELINE_NAMES.get(name, name), format_interval(part["metrics"][metric]), "this run"]
        for name, part in entry["baselines"].items()
    ]
    rows += [
        [name, "-", reason]
        for name, reason in list_absent(
            entry["baselines"], benchmark=True, told=entry.get("absent")
        )
    ]
    rows += [[part["system"], f"{part['value']:.3f}", part["source"]]
             for part in benchmark["published"]]  # fmt: skip
    return format_rows((benchmark["title"], METRIC_NAMES[metric], "source"), rows)
