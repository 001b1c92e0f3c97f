"""The actor of a scored row: its holder under one name, as ``actors.toml`` has it.

``stance score`` reads each row alone. So a pronoun names nobody here, and a bare surname stays
as it is; ``stance analyze``, which sees the article, resolves both and writes a column ``actor``.
"""

from typing import Any

from stance.actors import Table
from stance.cast import Cast
from stance.reference import resolve
from stance.types import LABELS, Prediction, Span


def name_actor(row: dict[str, Any], table: Table) -> str | None:
    """Return the name of the actor whose position a row carries.

    Args:
        row: of a scored file, nested (``stance predict``) or flat (csv and parquet).
        table: the table of actors.

    Returns:
        The name; names joined by "; " where there are several; None where there is no holder, or
        nobody can be told.
    """
    text, holder = str(row["text"]), read_holder(row)
    if holder is None or not holder.text:
        return None
    prediction = Prediction(text, str(row["label"]), dict.fromkeys(LABELS, 0.25), 0.25, False,
                            holder, None, False)  # fmt: skip
    parties = resolve(Cast([text], [prediction], table), 0, holder)
    return "; ".join(sorted({party.name for party in parties})) or None


def read_holder(row: dict[str, Any]) -> Span | None:
    """Return a row's holder, or None."""
    nested = row.get("holder")
    flat = (row.get("holder_start"), row.get("holder_end"))
    places: tuple[Any, Any] = (
        (nested.get("start"), nested.get("end")) if isinstance(nested, dict) else flat
    )
    try:
        start, end = (int(float(place)) for place in places)
    except (TypeError, ValueError):
        return None
    return Span(start, end, str(row["text"])[start:end])
