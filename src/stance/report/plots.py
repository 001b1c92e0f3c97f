"""Plots as geometry: where each mark of an inline SVG stands. Templates draw them.

Plots are narrow enough to be read on a phone without zooming: a unit is a pixel of a page that is
360 pixels wide. They have no script and no font of their own, and a table beside each says the
same in numbers.
"""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 320
MARGIN = 22  # half of the widest label of a tick, and some air
ROW = 34  # a name and its digits above, its interval below
LINE = 16
CHARACTERS = 40  # that a line holds, of a bold name and its digits
AXIS = 30
SQUARE = 250  # of a plot with two axes
SAID = 5  # points of such a plot that are said in words
LEFT = 54  # the name of the axis, and the widest label of a tick


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its place and its label."""

    at: float
    label: str


@dataclass(frozen=True)
class Bar:
    """A row of a forest plot: a value with its interval.

    Attributes:
        name: what is measured.
        lines: the same, wrapped to the plot's width, each with its base line.
        text: value and interval in digits.
        text_y: base line of the digits.
        y: middle of the interval.
        at: place of the value; None where there is none.
        low: place of the lower bound; None without interval.
        high: place of the upper bound; None without interval.
        main: whether the row is the one that the plot is about.
    """

    name: str
    lines: list[tuple[float, str]]
    text: str
    text_y: float
    y: float
    at: float | None
    low: float | None
    high: float | None
    main: bool


@dataclass(frozen=True)
class Forest:
    """A forest plot: one row a value; ``zero`` is the place of no difference, or None."""

    bars: list[Bar]
    ticks: list[Tick]
    zero: float | None
    width: int
    height: float


@dataclass(frozen=True)
class Entry:
    """What a forest plot is made of: a name, an interval as plain data, its text."""

    name: str
    interval: dict[str, Any]
    text: str
    main: bool = False


def place_forest(entries: Sequence[Entry], *, signed: bool = False) -> Forest:
    """Place the rows of a forest plot, from 0 to 1, or symmetric about 0 for differences."""
    bounds = [
        abs(entry.interval[key])
        for entry in entries
        for key in ("value", "low", "high")
        if entry.interval[key] is not None
    ]
    reach = round_up(max(bounds, default=1.0)) if signed else 1.0
    start, steps = (-reach, 4) if signed else (0.0, 5)

    def place(value: float | None) -> float | None:
        if value is None:
            return None
        share = (value - start) / (reach - start)
        return round(MARGIN + share * (WIDTH - 2 * MARGIN), 1)

    bars = []
    top = 0.0
    for entry in entries:
        lines = textwrap.wrap(entry.name, CHARACTERS) or [""]
        beside = len(lines[-1] + entry.text) <= CHARACTERS
        extra = LINE * (len(lines) - beside)
        bars.append(Bar(
            name=entry.name,
            lines=[(top + 13 + i * LINE, line) for i, line in enumerate(lines)],
            text=entry.text,
            text_y=top + 13 + extra,
            y=top + 24 + extra,
            at=place(entry.interval["value"]),
            low=place(entry.interval["low"]),
            high=place(entry.interval["high"]),
            main=entry.main,
        ))  # fmt: skip
        top += ROW + extra
    values = [start + i * (reach - start) / steps for i in range(steps + 1)]
    ticks = [Tick(place(value) or 0.0, format_tick(value, signed=signed)) for value in values]
    return Forest(bars, ticks, place(0.0) if signed else None, WIDTH, top + AXIS)


def round_up(value: float) -> float:
    """Return the next of 1, 2, 5 times a power of ten, at least 0.01."""
    value = max(value, 0.01)
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value - 1e-12)


def format_tick(value: float, *, signed: bool) -> str:
    """Return the label of a tick, without needless zeros."""
    text = f"{value:+.3f}" if signed and value else f"{value:.3f}"
    return text.rstrip("0").rstrip(".")


@dataclass(frozen=True)
class Point:
    """A point of a plot with two axes, and what it stands for in words."""

    x: float
    y: float
    size: float
    text: str


@dataclass(frozen=True)
class Square:
    """A plot with two axes.

    Attributes:
        points: the points, in the order of the line through them.
        x_ticks: of the horizontal axis.
        y_ticks: of the vertical axis.
        line: the points as an SVG polyline wants them.
        left: place of the vertical axis.
        bottom: place of the horizontal axis.
        width: of the plot.
        height: of the plot.
    """

    points: list[Point]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    line: str
    left: int
    bottom: int
    width: int
    height: int


def place_square(
    points: Sequence[tuple[float, float, float, str]], *, x_low: float, y_high: float
) -> Square:
    """Place points of a plot whose horizontal axis runs to 1 and whose vertical starts at 0.

    Args:
        points: x, y, share of the rows behind it (0 to 1) and words, each.
        x_low: start of the horizontal axis.
        y_high: end of the vertical axis.
    """

    def place_x(value: float) -> float:
        return round(LEFT + (value - x_low) / (1 - x_low) * (WIDTH - LEFT - MARGIN), 1)

    def place_y(value: float) -> float:
        return round(MARGIN + (1 - value / y_high) * (SQUARE - MARGIN), 1)

    placed = [
        Point(place_x(x), place_y(y), round(2 + 10 * math.sqrt(share), 1), text)
        for x, y, share, text in points
    ]
    shares = [i / 5 for i in range(6)]
    return Square(
        points=placed,
        x_ticks=[
            Tick(place_x(x_low + s * (1 - x_low)), f"{x_low + s * (1 - x_low):.2g}") for s in shares
        ],
        y_ticks=[Tick(place_y(s * y_high), f"{s * y_high:.2g}") for s in shares],
        line=" ".join(f"{point.x},{point.y}" for point in placed),
        left=LEFT,
        bottom=SQUARE,
        width=WIDTH,
        height=SQUARE + AXIS + 10,
    )


def pick_even(points: Sequence[Point]) -> list[Point]:
    """Return a few of the points, evenly, the first and the last among them."""
    step = (len(points) - 1) / (SAID - 1)
    places = dict.fromkeys(round(i * step) for i in range(SAID))
    return [points[i] for i in places]


def place_reliability(bins: Sequence[dict[str, float]]) -> Square:
    """Place the reliability diagram: accuracy by confidence, larger points for more rows."""
    total = sum(entry["n"] for entry in bins)
    points = [
        (
            entry["confidence"],
            entry["accuracy"],
            entry["n"] / total,
            f"confidence {entry['confidence']:.2f}: accuracy {entry['accuracy']:.2f}, "
            f"{entry['n']} rows",
        )
        for entry in bins
    ]
    return place_square(points, x_low=0.0, y_high=1.0)


def place_risk(curve: Sequence[dict[str, float]]) -> Square:
    """Place the risk-coverage curve: error rate among the most confident."""
    highest = max(entry["risk"] for entry in curve)
    points = [
        (
            entry["coverage"],
            entry["risk"],
            0.0,
            f"the most confident {100 * entry['coverage']:.0f} %: error rate {entry['risk']:.3f}",
        )
        for entry in curve
    ]
    return place_square(points, x_low=0.0, y_high=round_up(highest))
