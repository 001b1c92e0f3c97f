"""Whether figures of a ``results.json`` are possible: looked at before a page is made of them."""

import math
import re
from collections.abc import Iterator
from typing import Any

from stance.types import LABELS

NAME = re.compile(r"\w[\w-]*", re.ASCII)  # of a set; it becomes a file's name and a link's target
SIGNED = ("lead", "difference")  # parts that hold differences of metrics
WIDE = "brier"  # the metric that goes to 2


def find_fault(name: str, entry: dict[str, Any]) -> str | None:
    """Return what is impossible or missing in a set's entry, in words, or None.

    Args:
        name: of the set.
        entry: its part of ``results.json``.
    """
    if not NAME.fullmatch(name):
        return f"a set of the name {name!r}"
    if list(entry["per_label"]) != list(LABELS):
        return f"per_label of {', '.join(entry['per_label']) or 'no label'}"
    for part, where in ((entry, ""), (entry["weighted"], "weighted ")):
        if part is not None and "coverage" not in part:
            return f"no {where}coverage"
    return next(iter_impossible(entry, ()), None)


def iter_impossible(part: Any, path: tuple[str, ...]) -> Iterator[str]:
    """Yield figures that cannot be, each with its place."""
    if isinstance(part, float) and not math.isfinite(part):
        yield f"{'.'.join(path)} {part}"
    elif isinstance(part, list):
        for i, item in enumerate(part):
            yield from iter_impossible(item, (*path, str(i)))
    elif isinstance(part, dict):
        if {"value", "low", "high"} <= part.keys() and not is_interval(part, path):
            yield f"{'.'.join(path)} {part['value']} [{part['low']}, {part['high']}]"
        for key, item in part.items():
            yield from iter_impossible(item, (*path, key))


def is_interval(part: dict[str, Any], path: tuple[str, ...]) -> bool:
    """Say whether a value and its bounds, null where there are none, can be a metric's."""
    numbers = [part[key] for key in ("value", "low", "high")]
    known = [number for number in numbers if number is not None]
    if not all(isinstance(number, int | float) for number in known):
        return False
    most = 2 if any(WIDE in key for key in path) else 1
    least = -most if any(key in SIGNED for key in path) else 0
    low, high = numbers[1:]
    ordered = low is None or high is None or low <= high
    return ordered and all(least <= number <= most for number in known)
