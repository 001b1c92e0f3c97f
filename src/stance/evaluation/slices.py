"""What a row is like, and how well rows of one kind are judged."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.evaluation import metrics
from stance.evaluation.coverage import expect_coverage
from stance.evaluation.intervals import Array, Resamples, take_interval
from stance.evaluation.records import Record
from stance.layers import iter_corpus
from stance.rows import YEAR, Row
from stance.types import LABELS

MIN_OF_LABEL, MIN_DOCUMENTS = 10, 5  # of each label, for a slice to have a macro-F1
MIN_ROWS = 20  # a smaller slice says too little to be listed by itself
NO_CONFLICT = "none is named"
QUOTE = re.compile('["\u201c\u201d\u201e\u00ab\u00bb]')
LENGTHS = ((15, "under 15 words"), (30, "15 to 29 words"))
LONG = "30 words or more"
UNKNOWN = "unknown"  # what corpora write where they do not know the outlet
CELLS = len(LABELS) ** 2


def read_origins(rows: Sequence[Row], corpora: Path | None) -> dict[str, dict[str, str]]:
    """Return outlet and date by row id: from the row itself, or from its corpus where it tells."""
    origins = {row.id: pick_origin(row.fields) for row in rows}
    for corpus in {str(row.fields["corpus"]) for row in rows if row.fields.get("corpus")}:
        wanted = {row.fields["row"]: row.id for row in rows if row.fields.get("corpus") == corpus}
        for row_id, found in iter_corpus(corpora, corpus) if corpora else ():
            if row_id in wanted:
                origins[wanted[row_id]] = pick_origin(found)
    return origins


def pick_origin(fields: dict[str, Any]) -> dict[str, str]:
    """Return outlet and date where the fields hold them and know them."""
    found = {name: str(fields.get(name) or "") for name in ("outlet", "date")}
    return {name: text for name, text in found.items() if text and not text.startswith(UNKNOWN)}


def describe_text(row: Row, origin: dict[str, str]) -> dict[str, str]:
    """Return what only the text and its corpus tell of a row: the slices that its record keeps.

    Args:
        row: the row, with its text.
        origin: its outlet and date, where known.
    """
    found: dict[str, str | None] = {
        "outlet": origin.get("outlet"),
        "year": match[0] if (match := YEAR.match(origin.get("date", ""))) else None,
        "quoted": "yes" if QUOTE.search(row.text) else "no",
        "length": name_length(row.text),
    }
    return {name: value for name, value in found.items() if value}


def describe_label(row: Row) -> dict[str, str]:
    """Return what the labelled row itself tells: these slices need no text."""
    fields = row.fields
    found: dict[str, str | None] = {
        "stratum": fields.get("stratum"),
        "corpus": name_corpus(fields),
        "conflict": name_conflict(fields["conflict"]) if "conflict" in fields else None,
        "sure": name_certainty(fields.get("votes") or []),
    }
    return {name: value for name, value in found.items() if value}


def name_corpus(fields: dict[str, Any]) -> str | None:
    """Return the corpus, with the source in it where it is a collection."""
    corpus: str | None = fields.get("corpus")
    return f"recent/{fields['row'].split('/')[0]}" if corpus == "recent" else corpus


def name_conflict(conflict: str | None) -> str:
    """Return the conflict; the invented ones together, and the rows that name none."""
    if conflict is None or conflict == "none":
        return NO_CONFLICT
    return "invented" if conflict.startswith("invented") else conflict


def name_length(text: str) -> str:
    """Return the class of length."""
    words = len(text.split())
    return next((name for limit, name in LENGTHS if words < limit), LONG)


def name_certainty(votes: Sequence[dict[str, Any]]) -> str | None:
    """Return how sure the least sure annotator was, 1 (a coin toss) to 3 (clear)."""
    given = [vote["sure"] for vote in votes if vote.get("sure")]
    return str(min(given)) if given else None


def summarize_slices(
    rows: Sequence[Row],
    records: Sequence[Record],
    draws: Resamples,
    pairs: NDArray[np.int64],
) -> list[dict[str, Any]]:
    """Return accuracy and macro-F1 of each slice of enough rows, the worst accuracy first.

    What is too small to be a slice is put together with the like. Macro-F1 is given only where a
    slice holds enough rows of every label, and ``coverage`` is what its interval is worth.

    Args:
        rows: n rows.
        records: what was said of them.
        draws: resamples of their documents.
        pairs: gold label id times the number of labels, plus the predicted one, (n,).
    """
    documents = np.array([row.document for row in rows])
    gold, predicted = np.divmod(pairs, len(LABELS))
    found: list[dict[str, Any]] = []
    for name, values in gather_traits(rows, records).items():
        values = values if name == "label" else pool_small(values)
        kinds, kind = np.unique(values, return_inverse=True)
        sizes = np.bincount(kind)
        kept = [k for k, value in enumerate(kinds) if value and sizes[k] >= MIN_ROWS]
        if len(kept) + (name == "label") < 2:
            continue  # one slice is the set itself
        for k in kept:
            inside = kind == k
            confusions = draws.sum(np.eye(CELLS)[pairs] * inside[:, None])
            entry: dict[str, Any] = {"by": name, "value": str(kinds[k]), "n": int(sizes[k]),
                     "documents": len(np.unique(documents[inside]))}  # fmt: skip
            entry["coverage"] = expect_coverage(draws.document[inside])
            told = is_told(gold[inside], documents[inside])
            scores = measure(confusions, draws.count_documents(inside), with_macro=told)
            bounds = metrics.bound_means(draws.weighted(draws.weights * inside), gold, predicted)
            if told and "macro_f1" in bounds:  # all are right
                scores["macro_f1"] = bounds["macro_f1"].to_dict()
            found.append({**entry, **scores})
    return sorted(found, key=lambda entry: entry["accuracy"]["value"])


def gather_traits(rows: Sequence[Row], records: Sequence[Record]) -> dict[str, list[str]]:
    """Return the value of each row by trait, (n,) each; empty where it is not known."""
    told = [
        {"label": row.label, **record.slices, **describe_label(row)}
        for row, record in zip(rows, records, strict=True)
    ]
    names = dict.fromkeys(name for traits in told for name in traits)
    return {name: unify([traits.get(name, "") for traits in told]) for name in names}


def unify(values: Sequence[str]) -> list[str]:
    """Write values that differ in case alone as most rows do."""
    spelling: dict[str, str] = {}
    for value, _ in Counter(values).most_common():
        spelling.setdefault(value.casefold(), value)
    return [spelling[value.casefold()] for value in values]


def pool_small(values: Sequence[str]) -> list[str]:
    """Put the values of too few rows together under one name that says how many they are."""
    small = {value for value, n in Counter(values).items() if value and n < MIN_ROWS}
    name = f"{len(small)} others of under {MIN_ROWS} rows each"
    return [name if value in small and len(small) > 1 else value for value in values]


def is_told(gold: NDArray[np.int64], documents: NDArray[np.str_]) -> bool:
    """Say whether a slice holds enough of each label; resamples without one would count it 0."""
    return all(
        (gold == label).sum() >= MIN_OF_LABEL
        and len(np.unique(documents[gold == label])) >= MIN_DOCUMENTS
        for label in range(len(LABELS))
    )


def measure(confusions: Array, size: float, *, with_macro: bool) -> dict[str, Any]:
    """Return a slice's figures.

    Args:
        confusions: confusion matrices, (1 + resamples, cells).
        size: number of documents.
        with_macro: whether there is enough for macro-F1.
    """
    square = confusions.reshape(-1, len(LABELS), len(LABELS))
    scores = metrics.compute_metrics(square)
    return {
        "accuracy": take_interval(scores["accuracy"], size).to_dict(),
        "macro_f1": take_interval(scores["macro_f1"]).to_dict() if with_macro else None,
    }
