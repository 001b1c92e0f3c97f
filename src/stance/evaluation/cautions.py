"""What to know of a set's figures before they are believed, in words."""

from typing import Any

from stance.evaluation.coverage import LEAST, say_coverage, say_flips
from stance.evaluation.intervals import RESAMPLES
from stance.evaluation.slices import MIN_DOCUMENTS, MIN_OF_LABEL, MIN_ROWS

NARROW = " !"  # behind the intervals of a slice, where they are too narrow
NOTE_SLICES = (
    f"Slices of at least {MIN_ROWS} rows; macro-F1 where each label has at least {MIN_OF_LABEL} "
    f"rows of {MIN_DOCUMENTS} documents. Where `!` stands, documents are so few that intervals are "
    f"too narrow: simulated, they hold the truth in less than {100 * LEAST:.0f} % of samples, "
    "or are too few to say. Of many slices, the worst first, some look bad by chance: each "
    "interval is of its slice alone, not adjusted for their number."
)


def name_set(name: str, entry: dict[str, Any]) -> str:
    """Return a set's name, with that of the user's own file it is."""
    return f"{name} ({file})" if (file := entry.get("file")) else name


def count(n: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{n} {noun}{'' if n == 1 else 's'}"


def list_cautions(entry: dict[str, Any]) -> list[str]:
    """Return what to know of a set's figures: few documents, absent labels, weights, the judge."""
    absent = [label for label, part in entry["per_label"].items() if not part["n"]]
    found = list_narrow(entry)
    if 0 < entry["resamples"] < RESAMPLES:
        found.append(
            f"by {entry['resamples']:,} resamples, not {RESAMPLES:,}, of so many documents"
        )
    if absent:
        found.append(f"no row is {' or '.join(absent)}, an F1 of 0 in the mean of four labels")
    if entry["weighted"]:
        size = entry["weighted"]["effective_n"]
        narrow = say_coverage(entry["weighted"]["coverage"])
        found.append(f"weighted they count as {size:.0f} rows" + (narrow and f", {narrow}"))
    found += list_rare(entry)
    if entry["judge"]:
        found.append(f"judged by {entry['judge']}")
    if entry.get("note"):
        found.append(entry["note"])
    return found


def list_narrow(entry: dict[str, Any]) -> list[str]:
    """Return what to know of intervals from few documents, if these are few."""
    documents, effective = entry["documents"], entry["effective_documents"]
    if documents < 2:
        return ["one document gives none"]
    narrow = say_coverage(entry["coverage"])
    uneven = f", in effect {effective:.0f}," if round(effective) < documents else ""
    return [f"from {documents} documents{uneven} they are {narrow}"] if narrow else []


def list_rare(entry: dict[str, Any]) -> list[str]:
    """Return what to know of the rates of polarity flips, if these are few."""
    weighted = entry["weighted"] or {}
    if entry["documents"] < 2:
        return []  # no interval
    found = (
        say_flips(entry.get("flips", 0), weighted=False),
        say_flips(weighted.get("flips", 0), weighted=True),
    )
    return [words for words in found if words]


def mark_narrow(part: dict[str, Any]) -> str:
    """Return the mark of a slice whose intervals are too narrow, or nothing."""
    return NARROW if say_coverage(part["coverage"]) else ""
