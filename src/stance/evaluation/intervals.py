"""Percentile bootstrap by document: whole documents are drawn, with replacement.

A statistic is computed once for the rows as they are and once for each resample, in one array:
place 0 is the sample itself. Differences and means of statistics are differences and means of
such arrays, which keeps them paired.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stance.errors import InputError

RESAMPLES = 10_000
SEED = 20261127
LEVEL = 0.95
EXACT = 1e-12  # how near to 0 or 1 a share of none or all may be computed
BLOCK = 256  # resamples that are held as floating point at once
MOST_COUNTS = 2 * 10**8  # bytes: with more than 20,000 documents fewer resamples are drawn

Array = NDArray[np.float64]


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


@dataclass(frozen=True)
class Resamples:
    """How often each document is drawn.

    Attributes:
        counts: (1 + resamples, documents); the first row is the sample itself, all ones.
        document: number of each row's document, (n,).
        weights: weight of each row, (n,); what a row counts each time its document is drawn.
    """

    counts: NDArray[np.uint8]
    document: NDArray[np.int64]
    weights: Array

    def weighted(self, weights: Array) -> "Resamples":
        """Return the same draws with other weights."""
        return Resamples(self.counts, self.document, np.asarray(weights, dtype=float))

    def sum(self, values: NDArray[np.generic]) -> Array:
        """Return the weighted sum over rows of each column, in each resample.

        Args:
            values: (n,) or (n, k).

        Returns:
            (1 + resamples,) or (1 + resamples, k).
        """
        columns = np.asarray(values, dtype=float).reshape(len(self.document), -1)
        by_document = np.zeros((self.counts.shape[1], columns.shape[1]))
        np.add.at(by_document, self.document, columns * self.weights[:, None])
        sums = np.concatenate(
            [self.counts[i : i + BLOCK].astype(float) @ by_document
             for i in range(0, len(self.counts), BLOCK)]
        )  # fmt: skip
        return np.asarray(sums if np.ndim(values) > 1 else sums[:, 0])

    def count_documents(self, inside: NDArray[np.bool_] | None = None) -> float:
        """Return how many documents the rows inside are of, as an effective number (Kish).

        It is their number where each has the same weight.

        Args:
            inside: (n,); None for all rows.
        """
        weights = self.weights if inside is None else self.weights * inside
        total = np.bincount(self.document, weights)
        return float(total.sum() ** 2 / (total**2).sum()) if total.any() else 0.0

    def blocks(self, order: NDArray[np.int64]) -> Iterator[Array]:
        """Yield the weight of each row in some resamples at a time, (block, n).

        Args:
            order: positions of the rows in the order wanted, (n,).
        """
        document, weights = self.document[order], self.weights[order]
        for i in range(0, len(self.counts), BLOCK):
            yield self.counts[i : i + BLOCK][:, document] * weights


def draw_documents(
    documents: Sequence[str] | NDArray[np.integer], resamples: int = RESAMPLES
) -> Resamples:
    """Draw as many documents as there are, with replacement, again and again.

    The draw depends on nothing but the number of documents, so two systems on the same rows are
    compared on the same resamples. With one document there is nothing to draw, and no interval.

    Args:
        documents: the document of each row, (n,).
        resamples: number of resamples.

    Raises:
        InputError: there are no rows.
    """
    if not len(documents):
        raise InputError(
            "evaluation", expected="at least one row", found="none", remedy="Check the set."
        )
    names, rows = np.unique(np.asarray(documents), return_inverse=True)
    size = len(names)
    resamples = min(resamples, MOST_COUNTS // size) if size > 1 else 0
    rng = np.random.default_rng(SEED)
    counts = np.ones((1 + resamples, size), dtype=np.uint8)
    for i in range(1, len(counts), BLOCK):
        block = counts[i : i + BLOCK]
        drawn = rng.integers(0, size, size=block.shape) + np.arange(len(block))[:, None] * size
        block[:] = np.bincount(drawn.ravel(), minlength=block.size).reshape(block.shape)
    return Resamples(counts, rows, np.ones(len(rows)))


def take_interval(values: Array, documents: float | None = None) -> Interval:
    """Return a statistic's value and percentile interval.

    A share of 0 or 1 is that in every resample, which tells nothing: it gets the bound of Clopper
    and Pearson instead.

    Args:
        values: (1 + resamples,), the sample's own value first; NaN where a resample has nothing
            to measure. Without any resample that has, the bounds are NaN.
        documents: of a share, the number of documents that it is of; None for other statistics.
    """
    usable = values[1:][np.isfinite(values[1:])]
    if not len(usable) or not np.isfinite(values[0]):
        return Interval(float(values[0]), float("nan"), float("nan"))
    value = float(values[0])
    if documents and min(value, 1 - value) < EXACT:
        return bound_share(value, documents)
    low, high = np.quantile(usable, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high))


def bound_share(value: float, documents: float) -> Interval:
    """Return a share of 0 or 1 with the bound of Clopper and Pearson.

    Args:
        value: 0 or 1.
        documents: number of documents that it is of.
    """
    reach = 1 - ((1 - LEVEL) / 2) ** (1 / documents)
    return Interval(value, max(value - reach, 0.0), min(value + reach, 1.0))


def bound_f1(value: float, documents: float) -> Interval:
    """Return an F1 of 0 or 1 with its bound.

    F1 is 2 s / (1 + s), s being the share of hits among the rows that have the label in gold or
    prediction: the bound of s gives that of F1.

    Args:
        value: 0 or 1.
        documents: number of documents with such a row.
    """
    share = bound_share(value, documents)
    return Interval(value, *(2 * bound / (1 + bound) for bound in (share.low, share.high)))
