"""Per-row predictions: what the figures are computed from, and no text."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stance import files
from stance.errors import InputError
from stance.rows import Row
from stance.types import LABELS, Prediction, Span

PLACES = 6


@dataclass(frozen=True)
class Record:
    """What a model and the baselines say of one row.

    Attributes:
        id: the row's id.
        model: SHA-256 of the model that judged it.
        fold: the article that this model left out, or None.
        label: the model's label.
        scores: calibrated probability by label, in the order of ``LABELS``.
        reliable: the model's own flag.
        holder: offsets of the predicted holder, or None.
        source: offsets of the predicted source, or None.
        baselines: label by name of baseline.
    """

    id: str
    model: str
    fold: str | None
    label: str
    scores: tuple[float, ...]
    reliable: bool
    holder: dict[str, int] | None
    source: dict[str, int] | None
    baselines: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return the record as it is written."""
        return {
            "id": self.id,
            "model": self.model,
            "fold": self.fold,
            "label": self.label,
            "scores": list(self.scores),
            "reliable": self.reliable,
            "holder": self.holder,
            "source": self.source,
            "baselines": self.baselines,
        }


def build_records(
    rows: Sequence[Row],
    predictions: Sequence[Prediction],
    baselines: dict[str, list[str]],
    *,
    model: str,
    fold: str | None,
) -> list[Record]:
    """Put rows, predictions and baseline labels together, row by row."""
    return [
        Record(
            id=row.id,
            model=model,
            fold=fold,
            label=prediction.label,
            scores=tuple(round(prediction.scores[label], PLACES) for label in LABELS),
            reliable=prediction.reliable,
            holder=get_offsets(prediction.holder),
            source=get_offsets(prediction.source),
            baselines={name: labels[i] for name, labels in baselines.items()},
        )
        for i, (row, prediction) in enumerate(zip(rows, predictions, strict=True))
    ]


def get_offsets(span: Span | None) -> dict[str, int] | None:
    """Return the offsets of a span."""
    return {"start": span.start, "end": span.end} if span else None


def write_records(path: Path, records: Sequence[Record]) -> None:
    """Write one record a line."""
    files.write_jsonl(path, (record.to_dict() for record in records))


def read_records(path: Path) -> list[Record]:
    """Read records.

    Raises:
        InputError: a line lacks a field or holds a wrong value.
    """
    records = []
    for number, fields in files.read_jsonl(path):
        try:
            fields["scores"] = tuple(map(float, fields["scores"]))
            record = Record(**fields)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{path} line {number}",
                expected="a record of stance evaluate",
                found=str(error),
                remedy="Write the file anew with stance evaluate.",
            ) from None
        records.append(record)
    return records


def align(rows: Sequence[Row], records: Sequence[Record], where: str) -> list[Record]:
    """Return the records in the order of the rows.

    Raises:
        InputError: a row has no record, or a record no row.
    """
    by_id = {record.id: record for record in records}
    missing = [row.id for row in rows if row.id not in by_id]
    if missing or len(by_id) != len(rows):
        found = f"{len(by_id)} records; {len(missing)} rows without one {missing[:3]}"
        raise InputError(
            where,
            expected=f"one record for each of {len(rows)} rows",
            found=found,
            remedy="Write the file anew with stance evaluate.",
        )
    return [by_id[row.id] for row in rows]
