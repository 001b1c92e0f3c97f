"""Rows and records made by hand, for tests of arithmetic."""

from stance.evaluation.records import Record
from stance.rows import Row
from stance.types import LABELS


def make_row(number, label="favor", document=None, **fields):
    return Row(str(number), document or str(number), "Kyiv urges talks.", label, None, None, fields)


def make_record(number, label="favor", *, reliable=True, **fields):
    scores = tuple(0.7 if name == label else 0.1 for name in LABELS)
    return Record(str(number), "m", None, label, scores, reliable, None, None, {}, **fields)
