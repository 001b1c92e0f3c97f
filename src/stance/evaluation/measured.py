"""What scripts of minutes found and left in ``data``: figures in words, for the cards."""

import json
from pathlib import Path
from typing import Any

from stance.bundle import Bundle, hash_file
from stance.evaluation import table

NOISE = "noise.json"
OWN_LABELS = "own_labels.json"
OWN_MODEL = "model"  # its name there
WEIGHTS = "model.safetensors"
UNKNOWN = "not measured yet"
WORST_NOISE = "a slip in one long word of ten"


def format_noise(data: Path, bundle: Bundle) -> str:
    """Return the card's line on misspellings."""
    found = read_found(data / NOISE)
    if not found:
        return f"- Texts full of misspellings: what they cost is {UNKNOWN} (`benchmarks/noise.py`)."
    cost = found["noises"][WORST_NOISE]["macro_f1"]
    return (
        f"- Texts full of misspellings: {WORST_NOISE} changes macro-F1 on real news by "
        f"{table.format_interval(cost, signed=True)} ({say_size(found)}; `benchmarks/noise.py`)"
        f"{say_earlier(found['model'], bundle.sha256)}."
    )


def format_noises(data: Path, bundle: Bundle) -> str:
    """Return the table noise x (macro-F1, accuracy, labels changed)."""
    found = read_found(data / NOISE)
    if not found:
        return f"What they cost is {UNKNOWN}."
    earlier = say_earlier(found["model"], bundle.sha256)
    return f"{say_size(found)}{earlier}:\n\n{tabulate_noises(found['noises'])}"


def tabulate_noises(noises: dict[str, Any]) -> str:
    """Return the same table alone, without what it was measured on."""
    rows = [
        [name, *(table.format_interval(part[metric], signed=True)
                 for metric in ("macro_f1", "accuracy")), f"{100 * part['changed']:.1f} %"]
        for name, part in noises.items()
    ]  # fmt: skip
    heads = ("noise", "macro-F1, minus without", "accuracy, minus without", "labels changed")
    return table.format_rows(heads, rows)


def format_own_labels(data: Path, bundle: Bundle) -> str:
    """Return how well the labels of a public corpus are learned from the released model."""
    found = read_found(data / OWN_LABELS)
    call = "`python examples/own_labels.py gwsd runs/gwsd --plain`"
    if not found:
        return f"How well labels of a public corpus are learned is {UNKNOWN}: {call}."
    earlier = say_earlier(found["encoder"], hash_file(bundle.folder / WEIGHTS))
    systems = dict(found["systems"])
    own = systems.pop(OWN_MODEL)
    beside = "; ".join(
        f"{name} on the same rows {table.format_interval(part['macro_f1'])}, the model minus it "
        f"{table.format_interval(part['model_minus_it'], signed=True)}"
        for name, part in systems.items()
    )
    return (
        f"On a public corpus, GWSD (labels {', '.join(found['labels'])}; {found['train']:,} rows "
        f"to train on, {found['test']:,} to test), from the released model: macro-F1 "
        f"{table.format_interval(own['macro_f1'])}{earlier}; {beside} ({call})."
    )


def read_found(path: Path) -> dict[str, Any]:
    """Return what a script has left; empty where it has left nothing."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def say_size(found: dict[str, Any]) -> str:
    """Return on how much was measured."""
    return f"{found['rows']:,} rows of {found['documents']:,} documents"


def say_earlier(measured: str, released: str) -> str:
    """Return that another model than the released one was measured, or nothing."""
    return "" if measured == released else f", by an earlier model, `{measured[:12]}`"
