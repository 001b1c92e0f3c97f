"""The tables of the model card, from committed labels and predictions."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

from stance.bundle import Bundle
from stance.errors import InputError
from stance.evaluation import agreement, benchmarks, cautions, metrics, table
from stance.evaluation.compare import compare, plant_regression
from stance.evaluation.coverage import say_coverage
from stance.evaluation.errors import format_errors, list_errors
from stance.evaluation.intervals import draw_documents
from stance.evaluation.measured import format_noise, format_noises, format_own_labels
from stance.evaluation.outcomes import measure_outcomes, read_outcomes
from stance.evaluation.promises import format_reliability, format_reliable, say_reliable
from stance.evaluation.records import align, read_records
from stance.evaluation.released import (
    TITLES,
    check_model,
    say_who_judged_articles,
    summarize_predictions,
)
from stance.evaluation.results import Judged
from stance.evaluation.run import EVALUATED
from stance.evaluation.summary import count_all, encode, pack
from stance.evaluation.trials import format_ablations, format_recipes
from stance.sets import is_released, read_labels, read_licences

PLANTED = 0.05  # share of labels that are changed to show what a comparison makes of it
WORST = 12  # slices that the card shows
BENCHMARKS = "benchmarks.jsonl"
VALIDATION = "validation.jsonl"
MARK = re.compile(r"(?P<start>(?P<lead># |<!-- )begin (?P<name>[\w-]+)(?: -->)?\n).*?"
                  r"(?P<end>(?P=lead)end (?P=name))", re.DOTALL)  # fmt: skip


def build_model_tables(data: Path, bundle: Bundle) -> dict[str, str]:
    """Return the model card's tables by name."""
    summaries = summarize_predictions(data, bundle)
    tables = {
        "articles-judge": say_who_judged_articles(bundle),
        "model-index": format_index(summaries),
        "overview": format_overview(summaries),
        "reliability": format_reliability(summaries, bundle),
        "reliability-labels": format_reliable(summaries["realnews"]),
        "annotator": format_annotator(data),
        "regression": format_regression(data),
        "corpora": format_corpora(data),
        "lesson": format_lesson(data, bundle),
        "benchmarks": format_benchmarks(data / "predictions"),
        "errors": format_validation_errors(data, bundle),
        "ablations": format_ablations(data / "ablations.json"),
        "noise": format_noise(data, bundle),
        "noises": format_noises(data, bundle),
        "own-labels": format_own_labels(data, bundle),
        "recipes": format_recipes(data / "recipes.json", TITLES),
    }
    tables["measures"] = format_measures(summaries)
    weighted = summaries["realnews"]["weighted"]
    narrow = say_coverage(weighted["coverage"])
    tables["realnews-weights"] = (
        f"Weighted, the {summaries['realnews']['n']:,} rows say as much as "
        f"{weighted['effective_n']:.0f} drawn alike would (Kish's effective sample size)."
    ) + (narrow and f" Their intervals are {narrow}.")
    tables["probes-phenomena"] = table.format_phenomena(summaries["probes"])
    for name, entry in summaries.items():
        slices = entry["slices"]
        tables[f"{name}-slices"] = table.format_slices(slices[:WORST])
        conflicts = [part for part in slices if part["by"] == "conflict"]
        tables[f"{name}-conflicts"] = table.format_slices(conflicts)
        tables[f"{name}-systems"] = table.format_systems(entry, "stance") + note_narrow(entry)
        tables[f"{name}-leads"] = table.format_leads(entry)
        tables[f"{name}-labels"] = table.format_labels(entry)
        tables[f"{name}-confusion"] = table.format_confusion(entry)
    return tables


def format_annotator(data: Path) -> str:
    """Return an earlier annotator and the model, on the real-news rows that both judged."""
    rows = read_labels(data, "realnews", "test")
    layer = read_labels(data, "layers", "withheld")
    shared, gold, earlier = agreement.pair_outside_votes(rows, layer)
    records = {r.id: r for r in read_records(data / "predictions" / "realnews.jsonl")}
    model = encode([records[row.id].label for row in shared])
    draws = draw_documents([row.document for row in shared])
    lines = []
    for name, labels in (("the earlier annotator", earlier), ("stance", model)):
        scores = pack(
            metrics.compute_metrics(metrics.sum_confusions(draws, gold, labels)),
            count_all(draws, gold, labels),
        )
        lines.append([name, str(len(shared)),
                      *(table.format_interval(scores[x], percent=x in table.PERCENT)
                        for x in table.METRICS)])  # fmt: skip
    return table.format_rows(("judge", "rows", *table.HEADS[1:]), lines)


def format_regression(data: Path) -> str:
    """Return what a comparison shows when labels of the released model are changed on purpose."""
    rows = read_labels(data, "realnews", "test")
    path = data / "predictions" / "realnews.jsonl"
    records = align(rows, read_records(path), str(path))
    found = compare(rows, plant_regression(records, PLANTED), records, str(path))
    shown = {name: found["difference"][name] for name in table.METRICS}
    text = table.format_against({**found, "difference": shown})
    return f"{text} {len(rows):,} rows of {len({row.document for row in rows}):,} documents."


def format_corpora(data: Path) -> str:
    """Return the corpora whose rows the released model is trained on, with their licences."""
    licences = read_licences(data)
    rows = [row for row in read_labels(data, "layers", "train") if is_released(licences, row)]
    counts = Counter(row.fields["corpus"] for row in rows)
    lines = [[name, str(n), licences[name]["licence"]] for name, n in counts.most_common()]
    return table.format_rows(("corpus", "rows", "licence as stated"), lines)


def format_lesson(data: Path, bundle: Bundle) -> str:
    """Return how many sentences a teacher's lesson has; nothing where there is no teacher."""
    from stance.training.teacher import count_lesson

    total, pools, variants, digest = count_lesson(data)
    if not total:
        return ""
    text = (
        f"Of the {total:,} sentences of `data/teacher` the lesson takes {pools + variants:,}: "
        f"{pools:,} of the pools, and {variants:,} variants of labelled rows in which words are "
        "exchanged or parts cut away."
    )
    same = bundle.settings.data.get("teacher") == digest
    return text if same else f"{text} The released model learned an earlier state of that folder."


def note_narrow(entry: dict[str, Any]) -> str:
    """Return what to know of a set's intervals below its table, if they are too narrow."""
    words = (*cautions.list_narrow(entry), *cautions.list_rare(entry))
    return f"\n\nIntervals: {'; '.join(words)}." if words else ""


def format_overview(summaries: dict[str, dict[str, Any]]) -> str:
    """Return the table set x metric."""
    names = ("macro_f1", "accuracy", "ece", "holder_share", "source_share")
    rows = [
        [entry["title"], f"{entry['n']} / {entry['documents']}",
         *(table.format_interval(entry["metrics"].get(metric, table.NOTHING)) for metric in names)]
        for entry in summaries.values()
    ]  # fmt: skip
    heads = ("set", "rows / documents", "macro-F1", "accuracy", "calibration error",
             "holder found", "source found")  # fmt: skip
    narrow = [f"{entry['title']}: {words}" for entry in summaries.values()
              for words in cautions.list_narrow(entry)]  # fmt: skip
    note = f"\n\nIntervals, {'; '.join(narrow)}." if narrow else ""
    return f"{table.format_rows(heads, rows)}\n\n{say_reliable(summaries['realnews'])}{note}"


def format_measures(summaries: dict[str, dict[str, Any]]) -> str:
    """Return the table metric x set of what the other tables leave out."""
    names = ("brier", "aurc", "accuracy_at_70", "accuracy_at_80", "accuracy_at_90", "holder_f1",
             "holder_exact", "source_f1", "source_exact")  # fmt: skip
    rows = [
        [table.METRIC_NAMES[metric],
         *(table.format_interval(entry["metrics"].get(metric, table.NOTHING))
           for entry in summaries.values())]
        for metric in names
    ]  # fmt: skip
    heads = [f"{entry['title']}, {entry['n']} rows" for name, entry in summaries.items()]
    return table.format_rows(("metric", *heads), rows)


def format_benchmarks(folder: Path) -> str:
    """Return the table benchmark x system: the recipe, baselines on the same rows, published.

    Before the first run on the benchmarks there are the published figures alone.

    Args:
        folder: the folder of predictions.
    """
    known = read_outcomes(folder / BENCHMARKS) if (folder / BENCHMARKS).is_file() else {}
    rows: list[list[str]] = []
    for name in benchmarks.list_benchmarks():
        benchmark, outcomes = benchmarks.read_benchmark(name), known.get(name, [])
        found = measure_outcomes(outcomes, benchmark.metric) if outcomes else {}
        size = f"{len(outcomes)} rows" if outcomes else "not measured yet"
        title = f"{benchmark.title}, {table.METRIC_NAMES[benchmark.metric]}, {size}"
        rows.append([title, "", "", "", ""])
        for system, part in found.items():
            score = table.format_interval(part["score"])
            lead = table.format_interval(part["lead"], signed=True) if system else ""
            rows.append(["", table.BASELINE_NAMES.get(system, "this recipe"), score, lead, ""])
        rows += [["", system, "-", "-", reason]
                 for system, reason in table.list_absent(found, benchmark=True)]  # fmt: skip
        rows += [["", entry.system, f"{entry.value:.3f}", "", entry.origin]
                 for entry in benchmark.published]  # fmt: skip
    heads = ("benchmark", "system", "score", "this recipe minus it", "source, where not this run")
    return table.format_rows(heads, rows)


def format_validation_errors(data: Path, bundle: Bundle) -> str:
    """Return the released model's kinds of errors on real-news validation."""
    path = data / "predictions" / VALIDATION
    records = read_records(path)
    known = {row.id: row for row in read_labels(data, "realnews", "validation")}
    rows = [known[record.id] for record in records if record.id in known]
    check_model("validation", Judged(rows, align(rows, records, str(path))), path, bundle)
    return format_errors(list_errors(rows, records))


def format_index(summaries: dict[str, dict[str, Any]]) -> str:
    """Return the card's ``model-index`` as YAML.

    A set's revision is the hash of what its rows are measured by, ``gold`` in ``results.json``: it
    names the labels, whatever commit of whatever repository they stand in.
    """
    lines = ["model-index:", "- name: negotiation-stance", "  results:"]
    for name, entry in summaries.items():
        lines += [
            "  - task:",
            "      type: text-classification",
            "    dataset:",
            f"      name: {entry['title']}",
            f"      type: negotiation-stance-{name}",
            f"      split: {EVALUATED.get(name.removesuffix('_core'), 'test')}",
            f'      revision: "{entry["gold"]}"',
            "    metrics:",
        ]
        for kind, metric in (("f1", "macro_f1"), ("accuracy", "accuracy")):
            value = entry["metrics"][metric]
            span = f"{value['low']:.3f} to {value['high']:.3f}"
            lines += [f"    - type: {kind}", f"      value: {value['value']:.3f}",
                      f"      name: {metric} (95 % {span})"]  # fmt: skip
    return "\n".join(lines)


def fill(text: str, tables: dict[str, str]) -> str:
    """Put the tables between their marks; an empty one leaves nothing there.

    Raises:
        InputError: the text has a mark that no table is made for.
    """

    def put(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in tables:
            names = ", ".join(tables)
            raise InputError(f"mark '{name}'", expected=names, found=name, remedy="Rename it.")
        body = f"{tables[name]}\n" if tables[name] else ""
        return f"{match['start']}{body}{match['end']}"

    return MARK.sub(put, text)
