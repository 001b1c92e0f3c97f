"""The tables of the model card and the dataset card, from committed labels and predictions."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from stance.bundle import Bundle
from stance.errors import InputError
from stance.evaluation import agreement, table
from stance.evaluation.intervals import draw_documents
from stance.evaluation.records import align, read_records
from stance.evaluation.run import EVALUATED, Judged, pick_core
from stance.evaluation.summary import encode, summarize, summarize_labels
from stance.keywords import has_negotiation_word
from stance.rows import Row
from stance.sets import is_released, read_labels, read_licences
from stance.types import LABELS

PREDICTED = ("realnews", "articles", "layers", "written")
TITLES = {
    "realnews": "real news (test)",
    "articles": "five articles (one left out)",
    "articles_core": "the same without page furniture and duplicates",
    "layers": "public corpora (held-out documents)",
    "written": "written statements (test)",
}
MARK = re.compile(r"(?P<start>(?P<lead># |<!-- )begin (?P<name>[\w-]+)(?: -->)?\n).*?"
                  r"(?P<end>(?P=lead)end (?P=name))", re.DOTALL)  # fmt: skip


def summarize_predictions(data: Path, bundle: Bundle) -> dict[str, dict[str, Any]]:
    """Return the summary of every set whose predictions are committed.

    Raises:
        InputError: predictions do not fit the labels, or come from another model.
    """
    summaries = {}
    for name in PREDICTED:
        judged = read_judged(data, name, bundle)
        summaries[name] = summarize(judged.rows, judged.records)
        if name == "articles":
            core = pick_core(judged)
            summaries["articles_core"] = summarize(core.rows, core.records)
    return {name: summaries[name] for name in TITLES}


def read_judged(data: Path, name: str, bundle: Bundle) -> Judged:
    """Return a set's labels with the committed predictions."""
    path = data / "predictions" / f"{name}.jsonl"
    records = read_records(path)
    models = {record.model for record in records}
    if name != "articles" and models != {bundle.sha256}:
        raise InputError(
            str(path),
            expected=f"predictions of the released model {bundle.sha256[:12]}",
            found=", ".join(sorted(model[:12] for model in models)),
            remedy="Run train/reproduce.sh.",
        )
    rows = read_labels(data, name, EVALUATED[name])
    return Judged(rows, align(rows, records, str(path)))


def build_model_tables(data: Path, bundle: Bundle) -> dict[str, str]:
    """Return the model card's tables by name."""
    summaries = summarize_predictions(data, bundle)
    tables = {
        "model-index": format_index(summaries),
        "overview": format_overview(summaries),
        "reliability": format_reliability(summaries, bundle),
        "annotator": format_annotator(data, bundle),
        "corpora": format_corpora(data),
    }
    for name, entry in summaries.items():
        tables[f"{name}-systems"] = table.format_systems(entry, "stance")
        tables[f"{name}-labels"] = table.format_labels(entry)
        tables[f"{name}-confusion"] = table.format_confusion(entry)
    return tables


def format_annotator(data: Path, bundle: Bundle) -> str:
    """Return an earlier annotator and the model, on the real-news rows that both judged."""
    judged = read_judged(data, "realnews", bundle)
    layer = read_labels(data, "layers", "withheld")
    rows, gold, earlier = agreement.pair_outside_votes(judged.rows, layer)
    records = {record.id: record for record in judged.records}
    model = encode([records[row.id].label for row in rows])
    draws = draw_documents([row.document for row in rows])
    lines = []
    for name, labels in (("the earlier annotator", earlier), ("stance", model)):
        scores = summarize_labels(gold, labels, draws, np.ones(len(rows)))
        lines.append([name, str(len(rows)),
                      *(table.format_interval(scores[x], percent=x == table.METRICS[-1])
                        for x in table.METRICS)])  # fmt: skip
    return table.format_rows(("judge", "rows", *table.HEADS[1:]), lines)


def format_corpora(data: Path) -> str:
    """Return the corpora whose rows the released model is trained on, with their licences."""
    licences = read_licences(data)
    rows = [row for row in read_labels(data, "layers", "train") if is_released(licences, row)]
    counts = Counter(row.fields["corpus"] for row in rows)
    lines = [[name, str(n), licences[name]["licence"]] for name, n in counts.most_common()]
    return table.format_rows(("corpus", "rows", "licence as stated"), lines)


def format_overview(summaries: dict[str, dict[str, Any]]) -> str:
    """Return the table set x metric."""
    names = ("macro_f1", "accuracy", "ece", "holder_share", "source_share")
    rows = [
        [TITLES[name], f"{entry['n']} / {entry['documents']}",
         *(table.format_interval(entry["metrics"][metric]) for metric in names)]
        for name, entry in summaries.items()
    ]  # fmt: skip
    heads = ("set", "rows / documents", "macro-F1", "accuracy", "calibration error",
             "holder found", "source found")  # fmt: skip
    return table.format_rows(heads, rows)


def format_reliability(summaries: dict[str, dict[str, Any]], bundle: Bundle) -> str:
    """Return what the reliable flag keeps, set by set."""
    fitted = bundle.settings.reliability
    rows = [
        [TITLES[name], *(table.format_interval(entry["metrics"][metric], percent=True) for metric in
         ("reliable_share", "reliable_accuracy", "reliable_stance_accuracy"))]
        for name, entry in summaries.items()
    ]  # fmt: skip
    heads = ("set", "reliable", "accuracy of these", "of these, other than neutral")
    note = (
        f"\n\nFitted on {fitted.n} validation rows: at a confidence of {fitted.threshold:.3f} or "
        f"more, {100 * fitted.coverage:.1f} % of them, for an accuracy of "
        f"{100 * fitted.accuracy:.0f} % (one-sided Clopper-Pearson bound at "
        f"{100 * fitted.level:.0f} %, which takes rows as independent and validation rows as "
        f"representative). Temperature {bundle.settings.temperature:.3f}."
    )
    return table.format_rows(heads, rows) + note


def format_index(summaries: dict[str, dict[str, Any]]) -> str:
    """Return the card's ``model-index`` as YAML."""
    lines = ["model-index:", "- name: negotiation-stance", "  results:"]
    for name, entry in summaries.items():
        lines += [
            "  - task:",
            "      type: text-classification",
            "    dataset:",
            f"      name: {TITLES[name]}",
            f"      type: negotiation-stance-{name}",
            "    metrics:",
        ]
        for metric in ("macro_f1", "accuracy"):
            value = entry["metrics"][metric]
            span = f"{value['low']:.3f} to {value['high']:.3f}"
            lines += [f"    - type: {metric}", f"      value: {value['value']:.3f}",
                      f"      name: {metric} (95 % {span})"]  # fmt: skip
    return "\n".join(lines)


def build_data_tables(data: Path) -> dict[str, str]:
    """Return the dataset card's tables by name."""
    parts: dict[str, list[Row]] = {}
    for name, split in (
        ("articles", "train"), ("written", "train"), ("written", "validation"), ("written", "test"),
        ("layers", "train"), ("layers", "test"), ("realnews", "validation"), ("realnews", "test"),
    ):  # fmt: skip
        parts[f"{name} / {split}"] = read_labels(data, name, split)
    return {
        "composition": format_composition(parts),
        "agreement": format_agreement(data),
        "rounds": format_rounds(data),
        "keywords": format_keywords(parts),
    }


def format_composition(parts: dict[str, list[Row]]) -> str:
    """Return the table set x label."""
    rows = []
    for name, part in parts.items():
        counts = Counter(row.label for row in part)
        documents = len({row.document for row in part})
        rows.append([name, str(len(part)), str(documents), *(str(counts[x]) for x in LABELS)])
    return table.format_rows(("set / split", "rows", "documents", *LABELS), rows)


def format_agreement(data: Path) -> str:
    """Return alpha and span overlap, set by set."""
    rows = []
    for name, splits, annotators in (
        ("articles", ("train",), ("A", "B")),
        ("realnews", ("validation", "test"), ("A", "B", "C")),
        ("layers", ("train", "test"), ("L1", "L2")),
    ):
        part = [row for split in splits for row in read_labels(data, name, split)]
        votes = agreement.collect_votes(part, annotators)
        spans = (agreement.compare_span_votes(part, annotators, x) for x in ("holder", "source"))
        rows.append([name, str(len(annotators)), str(len(votes[0])),
                     f"{agreement.compute_alpha(part, annotators):.3f}",
                     *(f"{value:.3f}" for value in spans)])  # fmt: skip
    heads = ("set", "annotators", "rows", "alpha of labels", "holder overlap", "source overlap")
    return table.format_rows(heads, rows)


def format_rounds(data: Path) -> str:
    """Return how the layer rows were drawn and how many annotators judged them."""
    rows = [row for split in ("train", "test") for row in read_labels(data, "layers", split)]
    counts = Counter((row.fields["round"], len(row.fields["votes"])) for row in rows)
    lines = [[name, *(str(counts[name, votes]) for votes in (1, 2, 3))]
             for name in sorted({name for name, _ in counts})]  # fmt: skip
    return table.format_rows(("round", "one vote", "two votes", "three votes"), lines)


def format_keywords(parts: dict[str, list[Row]]) -> str:
    """Return the share of rows with a negotiation word by label; real news from its strata."""
    rows = []
    for name, part in parts.items():
        if name.startswith("layers"):
            continue
        shares = []
        for label in LABELS:
            found = [mentions(row) for row in part if row.label == label]
            shares.append(f"{100 * sum(found) / len(found):.0f} %" if found else "-")
        rows.append([name, *shares])
    return table.format_rows(("set / split", *LABELS), rows)


def mentions(row: Row) -> bool:
    """Say whether the row holds a negotiation word, by its text or its stratum."""
    return has_negotiation_word(row.text) if row.text else "word" in row.fields["stratum"]


def fill(text: str, tables: dict[str, str]) -> str:
    """Put the tables between their marks.

    Raises:
        InputError: the text has a mark that no table is made for.
    """

    def put(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in tables:
            names = ", ".join(tables)
            raise InputError(f"mark '{name}'", expected=names, found=name, remedy="Rename it.")
        return f"{match['start']}{tables[name]}\n{match['end']}"

    return MARK.sub(put, text)
