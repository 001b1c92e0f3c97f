"""Percentile bootstrap by document: whole documents are drawn, with replacement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
SEED = 20261127
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A value with the bounds of its 95 % interval."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        """Return the interval as plain data, rounded to six places; None where nothing is."""
        numbers = {name: float(getattr(self, name)) for name in ("value", "low", "high")}
        return {
            name: round(number, 6) if np.isfinite(number) else None
            for name, number in numbers.items()
        }


def draw_documents(documents: Sequence[str], resamples: int = RESAMPLES) -> NDArray[np.float64]:
    """Return how often each row counts in each resample, (resamples, n).

    A row counts as often as its document is drawn. The draw depends on nothing but the number
    of documents, so two systems on the same rows are compared on the same resamples.

    Args:
        documents: the document of each row, (n,).
        resamples: number of resamples.
    """
    names, rows = np.unique(np.asarray(documents), return_inverse=True)
    size = len(names)
    counts = np.random.default_rng(SEED).multinomial(size, np.full(size, 1 / size), size=resamples)
    return counts[:, rows].astype(float)


def estimate(
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    draws: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> Interval:
    """Return a statistic with its percentile interval.

    Args:
        statistic: row weights (m, n) to m values; NaN where a resample has nothing to measure.
        draws: as ``draw_documents`` returns them, (resamples, n).
        weights: weight of each row, (n,).
    """
    value = statistic(weights[None, :])[0]
    values = statistic(draws * weights)
    usable = values[np.isfinite(values)]
    if not len(usable):
        return Interval(float(value), float("nan"), float("nan"))
    low, high = np.quantile(usable, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(value), float(low), float(high))
