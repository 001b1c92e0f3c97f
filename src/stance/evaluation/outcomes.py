"""What is kept of a run on a benchmark: what was said of its rows, but not of which row.

The rows of the benchmarks, their labels included, are not ours to ship. Outcomes (the gold label
and what each system said) without the id of the row, and in an order of their own, are enough to
compute every figure and every interval again.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stance import files
from stance.errors import InputError
from stance.evaluation.intervals import draw_documents, take_interval
from stance.evaluation.metrics import bound_means, compute_metrics, sum_confusions
from stance.evaluation.records import Record
from stance.evaluation.summary import encode
from stance.rows import Row
from stance.types import LABELS


@dataclass(frozen=True)
class Outcome:
    """One row of a benchmark, nameless.

    Attributes:
        benchmark: name of the benchmark.
        document: number of the document; rows of one document are drawn together.
        gold: gold label, by our name.
        label: label of the fine-tuned model.
        baselines: label by name of baseline.
    """

    benchmark: str
    document: int
    gold: str
    label: str
    baselines: dict[str, str]


def take_outcomes(name: str, rows: Sequence[Row], records: Sequence[Record]) -> list[Outcome]:
    """Return the outcomes of a benchmark, sorted by what they are, so that places tell nothing."""
    documents: dict[str, list[tuple[str, str, tuple[tuple[str, str], ...]]]] = {}
    for row, record in zip(rows, records, strict=True):
        said = (row.label, record.label, tuple(record.baselines.items()))
        documents.setdefault(row.document, []).append(said)
    return [
        Outcome(name, number, gold, label, dict(baselines))
        for number, document in enumerate(sorted(sorted(said) for said in documents.values()))
        for gold, label, baselines in document
    ]


def write_outcomes(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Write one outcome a line."""
    files.write_jsonl(path, (asdict(outcome) for outcome in outcomes))


def read_outcomes(path: Path) -> dict[str, list[Outcome]]:
    """Return the outcomes by benchmark.

    Raises:
        InputError: a line lacks a field or holds a label that is not ours.
    """
    found: dict[str, list[Outcome]] = {}
    for number, fields in files.read_jsonl(path):
        try:
            outcome = Outcome(**fields)
            for name in (outcome.gold, outcome.label, *outcome.baselines.values()):
                if name not in LABELS:
                    raise ValueError(f"label {name!r}")
        except (AttributeError, TypeError, ValueError) as error:
            raise InputError(
                f"{path} line {number}",
                expected="an outcome that train/make_card.py --benchmarks writes",
                found=str(error),
                remedy="Write the file anew with train/reproduce.sh.",
            ) from None
        found.setdefault(outcome.benchmark, []).append(outcome)
    return found


def measure_outcomes(outcomes: Sequence[Outcome], metric: str) -> dict[str, dict[str, Any]]:
    """Return what each system scores, and the model's paired lead over it.

    Args:
        outcomes: the rows of one benchmark.
        metric: name of the official metric.

    Returns:
        By name of baseline, and under "" for the model, ``score`` and ``lead`` as intervals.
    """
    draws = draw_documents(np.array([outcome.document for outcome in outcomes]))
    gold = encode([outcome.gold for outcome in outcomes])
    said = {"": [outcome.label for outcome in outcomes]}
    said |= {
        name: [outcome.baselines[name] for outcome in outcomes] for name in outcomes[0].baselines
    }
    values = {
        name: compute_metrics(sum_confusions(draws, gold, encode(labels)))[metric]
        for name, labels in said.items()
    }
    bounds = {name: bound_means(draws, gold, encode(labels)) for name, labels in said.items()}
    return {
        name: {
            "score": (bounds[name].get(metric) or take_interval(value)).to_dict(),
            "lead": take_interval(values[""] - value).to_dict(),
        }
        for name, value in values.items()
    }
