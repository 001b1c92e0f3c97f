"""Behavioural probes: pairs of statements whose label should change, or should not.

A pair passes when both its labels are right. Where the label should not change, the share of
pairs whose two labels agree, right or wrong, is given too: it tells a model that is unsteady
from one that is steadily wrong.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance import files
from stance.errors import InputError
from stance.evaluation.intervals import Array, Resamples, draw_documents, take_interval
from stance.evaluation.metrics import divide
from stance.evaluation.records import Record
from stance.rows import Row
from stance.types import LABELS

FILE = "probes.jsonl"
SIDES = ("a", "b")
EXPECTED = ("change", "invariance")


def read_probes(data: Path) -> list[Row]:
    """Return the statements of the probes, two rows a pair.

    Pairs that share a statement are one document, so that they are drawn together. The author,
    whose vote is what was meant, is an annotator beside those who read the statements blind.

    Raises:
        InputError: a line is not a pair, or its labels do not do what it expects.
    """
    rows: list[Row] = []
    home: dict[str, str] = {}
    for number, pair in files.read_jsonl(data / FILE):
        check_pair(pair, f"{data / FILE} line {number}")
        texts = [pair[side]["text"] for side in SIDES]
        document = next((home[text] for text in texts if text in home), pair["id"])
        for side, text in zip(SIDES, texts, strict=True):
            home.setdefault(text, document)
            label = pair[side]["label"]
            meant = {"annotator": "author", "kind": "language model", "label": label}
            fields = {"pair": pair["id"], "phenomenon": pair["phenomenon"],
                      "expected": pair["expected"],
                      "votes": [meant, *pair[side].get("votes", [])]}  # fmt: skip
            row_id = f"{pair['id']}/{side}"
            rows.append(Row(row_id, document, text, label, None, None, fields))
    return rows


def check_pair(pair: dict[str, Any], where: str) -> None:
    """Raise unless the line is a pair whose labels do what it expects."""
    try:
        labels = [pair[side]["label"] for side in SIDES]
        texts = [pair[side]["text"] for side in SIDES]
        right = (labels[0] != labels[1]) == (pair["expected"] == EXPECTED[0])
        sound = (
            right
            and pair["expected"] in EXPECTED
            and set(labels) <= set(LABELS)
            and all(isinstance(value, str) for value in (*texts, pair["id"], pair["phenomenon"]))
        )
    except (KeyError, TypeError):
        sound = False
    if not sound:
        raise InputError(
            where,
            expected="id, phenomenon, expected (change or invariance), a and b with text and label",
            found="another line, or labels that do not do what is expected",
            remedy="Mend the line.",
        )


def measure_pairs(
    rows: Sequence[Row], records: Sequence[Record], draws: Resamples
) -> dict[str, Array]:
    """Return the pass rate and the share of invariant pairs that do not change; {} without pairs.

    Each pair has two rows and both hold the pair's outcome, so means over rows are means over
    pairs.
    """
    if "pair" not in rows[0].fields:
        return {}
    passed, unchanged = judge_pairs(rows, [record.label for record in records])
    steady = np.array([row.fields["expected"] == EXPECTED[1] for row in rows])
    sums = draws.sum(np.column_stack([passed, np.ones(len(rows)), unchanged & steady, steady]))
    return {
        "pass_rate": divide(sums[:, 0], sums[:, 1], np.nan),
        "unchanged_share": divide(sums[:, 2], sums[:, 3], np.nan),
    }


def judge_pairs(
    rows: Sequence[Row], labels: Sequence[str]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return for each row whether its pair passed, and whether its pair's two labels agree."""
    found: dict[str, list[tuple[bool, str]]] = {}
    for row, label in zip(rows, labels, strict=True):
        found.setdefault(row.fields["pair"], []).append((label == row.label, label))
    passed = [all(right for right, _ in found[row.fields["pair"]]) for row in rows]
    unchanged = [len({label for _, label in found[row.fields["pair"]]}) == 1 for row in rows]
    return np.array(passed), np.array(unchanged)


def summarize_phenomena(rows: Sequence[Row], records: Sequence[Record]) -> dict[str, Any]:
    """Return figures by phenomenon: pass rates of the judge and the baselines, with intervals."""
    draws = draw_documents([row.document for row in rows])
    systems = {"": [record.label for record in records]}
    systems |= {
        name: [record.baselines[name] for record in records] for name in records[0].baselines
    }
    judged = {name: judge_pairs(rows, labels) for name, labels in systems.items()}
    result = {}
    for phenomenon in dict.fromkeys(row.fields["phenomenon"] for row in rows):
        inside = np.array([row.fields["phenomenon"] == phenomenon for row in rows])
        first = rows[int(inside.argmax())]
        invariant = first.fields["expected"] == EXPECTED[1]
        rates = {name: rate(draws, inside, passed) for name, (passed, _) in judged.items()}
        result[phenomenon] = {
            "expected": first.fields["expected"],
            "n": int(inside.sum()) // len(SIDES),
            "pass_rate": rates.pop(""),
            "unchanged_share": rate(draws, inside, judged[""][1]) if invariant else None,
            "baselines": rates,
        }
    return result


def rate(draws: Resamples, inside: NDArray[np.bool_], found: NDArray[np.bool_]) -> dict[str, Any]:
    """Return the share of the rows inside for which something was found."""
    sums = draws.sum(np.column_stack([inside & found, inside]))
    share = divide(sums[:, 0], sums[:, 1], np.nan)
    return take_interval(share, draws.count_documents(inside)).to_dict()
