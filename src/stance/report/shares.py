"""Shares of stances as a picture; needs matplotlib (extra ``corpus``)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stance.estimate import ALL, Share
from stance.types import LABELS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKERS = "osD^vPX*"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
MAX_SERIES = 7


def draw_shares(out: Path, shares: Sequence[Share], by: Sequence[str]) -> None:
    """Write the picture of shares; the file's ending says the format."""
    figure = plot(shares, by)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out)


def plot(shares: Sequence[Share], by: Sequence[str]) -> "Figure":
    """Plot a panel a stance: groups from left to right, a series for each of the leading columns.

    Args:
        shares: as ``estimate_shares`` returns them.
        by: the columns they are grouped by.
    """
    from matplotlib.figure import Figure

    grouped = [share for share in shares if share.group != (ALL,)] or list(shares)
    places = sorted({share.group[-1] for share in grouped})
    series = sorted({share.group[:-1] for share in grouped})
    corrected = any(share.share is not None for share in grouped)
    figure = Figure(figsize=(max(7, 0.5 * len(places) + 4), 9), layout="constrained")
    figure.suptitle(
        "Share of stances, with 95 % intervals; hollow: naive" if corrected
        else "NAIVE shares of stances: not corrected for the classifier's errors"
    )  # fmt: skip
    panels = figure.subplots(len(LABELS), 1, sharex=True)
    for panel, label in zip(panels, LABELS, strict=True):
        panel.set_ylabel(label)
        for n, name in enumerate(series[:MAX_SERIES]):
            points = [s for s in grouped if s.label == label and s.group[:-1] == name]
            draw_series(panel, points, places, n, len(series), " / ".join(name))
        panel.set_ylim(bottom=0)
        panel.grid(axis="y", alpha=0.3)
    panels[-1].set_xticks(range(len(places)), places, rotation=45 if len(places) > 6 else 0)
    panels[-1].set_xlabel(by[-1] if by else "")
    if len(series) > 1:
        panels[0].legend(title=f"first {MAX_SERIES} of {len(series)}" * (len(series) > MAX_SERIES))
    return figure


def draw_series(
    panel: Any, points: Sequence[Share], places: list[str], n: int, count: int, name: str
) -> None:
    """Draw one series: filled with intervals where corrected, and the naive shares hollow."""
    style = {"color": COLOURS[n % len(COLOURS)], "marker": MARKERS[n % len(MARKERS)]}
    shift = (n - (min(count, MAX_SERIES) - 1) / 2) * 0.1
    at = {share.group: places.index(share.group[-1]) + shift for share in points}
    panel.plot([at[s.group] for s in points], [s.naive for s in points], linestyle="none",
               markerfacecolor="none", alpha=0.6, label=name, **style)  # fmt: skip
    known = [s for s in points if s.share is not None]
    if known:
        middle = [s.share or 0.0 for s in known]
        reach = [[m - (s.low or 0.0) for m, s in zip(middle, known, strict=True)],
                 [(s.high or 0.0) - m for m, s in zip(middle, known, strict=True)]]  # fmt: skip
        panel.errorbar([at[s.group] for s in known], middle, yerr=reach, capsize=3, linewidth=1,
                       **style)  # fmt: skip
