"""``results.json`` to one page that opens offline, prints, and is read aloud by a screen reader."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, UndefinedError

from stance import __version__
from stance.errors import InputError
from stance.evaluation.cautions import NOTE_SLICES, count, list_cautions, mark_narrow, name_set
from stance.evaluation.table import (
    BASELINE_NAMES,
    HEADS,
    METRIC_NAMES,
    METRICS,
    NOTHING,
    PERCENT,
    format_interval,
    list_absent,
    list_systems,
    list_weighted,
    name_directed,
    name_other,
    show_difference,
)
from stance.report.plots import (
    Entry,
    Forest,
    pick_even,
    place_forest,
    place_reliability,
    place_risk,
)
from stance.types import LABELS

HEADLINE = ("macro_f1", "accuracy", "ece", "accuracy_at_80", "holder_share", "pass_rate")
LEADS = ("macro_f1", "f1_favor_against", "accuracy")
MOST_MISREAD = 1000  # rows that a page lists, the most confident ones
MOST_CHARACTERS = 600  # of a statement that a page shows


def build_report(results: dict[str, Any], texts: Mapping[str, Mapping[str, str]]) -> str:
    """Return the page.

    Args:
        results: what ``stance evaluate`` wrote.
        texts: by set, statements by row id, for the list of misread rows; may be empty.

    Raises:
        InputError: a figure that the page shows is missing, or of another kind.
    """
    try:
        return render(results, texts)
    except (
        ArithmeticError, AttributeError, LookupError, TypeError, ValueError, UndefinedError,
    ) as error:  # fmt: skip
        raise InputError(
            "results",
            expected=f"the figures that stance evaluate {__version__} writes",
            found=f"those of stance {results['stance_version']}: {type(error).__name__} {error}",
            remedy="Write the file anew: stance evaluate --predictions, with the folder beside it, "
            "needs no model.",
        ) from error


def render(results: dict[str, Any], texts: Mapping[str, Mapping[str, str]]) -> str:
    """Fill the template."""
    environment = Environment(
        loader=PackageLoader("stance.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    name = results["model"]["name"]
    sets = [
        build_section(title, entry, name, texts.get(title, {}))
        for title, entry in results["sets"].items()
    ]
    template = environment.get_template("evaluation.html")
    return template.render(
        results=results,
        name=name,
        sets=sets,
        labels=LABELS,
        lead_heads=("over", *(METRIC_NAMES[metric] for metric in LEADS)),
        headline=[(metric, METRIC_NAMES[metric]) for metric in HEADLINE],
    )


def build_section(
    title: str, entry: dict[str, Any], judge: str, texts: Mapping[str, str]
) -> dict[str, Any]:
    """Return what the page says of one set."""
    systems = list_systems(entry, judge)
    absent = list_absent(
        entry["baselines"], benchmark=bool(entry["benchmark"]), told=entry.get("absent")
    )
    misread = [
        {**row, "text": shorten(texts[row["id"]]) if row["id"] in texts else None}
        for row in entry["misread"][:MOST_MISREAD]
    ]
    risk = place_risk(entry["risk_coverage"])
    return {
        "title": title,
        "name": name_set(title, entry),
        "size": f"{count(entry['n'], 'row')} of {count(entry['documents'], 'document')}",
        "entry": entry,
        "headline": [show(entry["metrics"], metric) for metric in HEADLINE],
        "cautions": "".join(f"; {words}" for words in list_cautions(entry)),
        "metrics": [(METRIC_NAMES.get(name, name), show(entry["metrics"], name))
                    for name in entry["metrics"]],
        "comparison": place_forest(
            [
                Entry(name, scores["macro_f1"], show(scores, "macro_f1"), name == judge)
                for name, scores in systems
            ]
        ),
        "system_heads": HEADS,
        "systems": [(name, *(show(scores, metric) for metric in METRICS))
                    for name, scores in (*systems, *list_weighted(entry, judge))]
        + [(name, reason, *[""] * (len(METRICS) - 1)) for name, reason in absent],
        "leads": [
            (BASELINE_NAMES.get(name, name),
             *(format_interval(part["lead"][metric], signed=True) for metric in LEADS))
            for name, part in entry["baselines"].items()
        ],
        "labels": [
            (label, part["n"], format_interval(part["f1"]), f"{part['precision']:.3f}",
             f"{part['recall']:.3f}")
            for label, part in entry["per_label"].items()
        ],
        "confusion": shade(entry["confusion"]),
        "reliability": place_reliability(entry["reliability"]),
        "risk": risk,
        "risk_said": pick_even(risk.points),
        "note_slices": NOTE_SLICES.replace("`", ""),
        "slices": [
            (part["by"], part["value"], part["n"], part["documents"],
             format_interval(part["accuracy"]) + mark_narrow(part),
             format_interval(part["macro_f1"] or NOTHING))
            for part in entry["slices"]
        ],
        "phenomena": build_phenomena(entry),
        "published": build_published(entry, judge),
        "against": build_against(entry),
        "misread": misread,
        "has_statements": any(row["text"] is not None for row in misread),
    }  # fmt: skip


def shorten(text: str) -> str:
    """Return the beginning of a statement that is too long for a page."""
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + " …"


def show(scores: dict[str, Any], metric: str) -> str:
    """Return a metric with its interval in digits, a dash where there is none."""
    return format_interval(scores.get(metric, NOTHING), percent=metric in PERCENT)


def shade(confusion: list[list[int]]) -> list[list[tuple[int, int]]]:
    """Return counts with their share of the gold label's rows, in per cent."""
    return [
        [(count, round(100 * count / sum(row)) if sum(row) else 0) for count in row]
        for row in confusion
    ]


def build_phenomena(entry: dict[str, Any]) -> dict[str, Any] | None:
    """Return plot and table of the probes, the worst phenomenon first."""
    if not entry["phenomena"]:
        return None
    ranked = sorted(entry["phenomena"].items(), key=lambda item: item[1]["pass_rate"]["value"])
    return {
        "plot": place_forest(
            [Entry(name, part["pass_rate"], format_interval(part["pass_rate"]), True)
             for name, part in ranked]
        ),
        "rows": [
            (name, part["expected"], part["n"], format_interval(part["pass_rate"]),
             format_interval(part["unchanged_share"] or NOTHING))
            for name, part in ranked
        ],
    }  # fmt: skip


def build_published(entry: dict[str, Any], judge: str) -> dict[str, Any] | None:
    """Return a benchmark's official metric beside published figures."""
    benchmark = entry["benchmark"]
    if not benchmark:
        return None
    metric = benchmark["metric"]
    own = entry["metrics"][metric]
    published = [
        Entry(part["system"], {**NOTHING, "value": part["value"]}, f"{part['value']:.3f}")
        for part in benchmark["published"]
    ]
    return {
        "benchmark": benchmark,
        "metric": METRIC_NAMES[metric],
        "plot": place_forest([Entry(judge, own, format_interval(own), True), *published]),
        "rows": [(judge, format_interval(own), "this run")]
        + [(part["system"], f"{part['value']:.3f}", part["source"])
           for part in benchmark["published"]],
    }  # fmt: skip


def build_against(entry: dict[str, Any]) -> dict[str, Any] | None:
    """Return the paired comparison with another run."""
    against = entry["against"]
    if not against:
        return None
    rows = [
        Entry(name_directed(name), part, show_difference(name, part), True)
        for name, part in against["difference"].items()
    ]
    plot: Forest = place_forest(rows, signed=True)
    return {"plot": plot, "mcnemar": against["mcnemar"], "other": name_other(against),
            "rows": [(row.name, row.text) for row in rows]}  # fmt: skip
