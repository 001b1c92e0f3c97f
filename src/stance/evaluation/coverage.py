"""How often 95 % intervals hold the truth where there is little to resample: simulated.

Each table gives, for a number of documents or of effective rows, the share of 1,000 samples in
which the interval holds what the sample was drawn from: of accuracy or macro-F1, whichever is
worse. Polarity flips are rarer; their rate is judged by how many of them there are in effect.
``pytest -m slow tests/test_coverage.py`` simulates it all again.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

LEAST = 0.93  # of a nominal 0.95; below it every output says that intervals are too narrow
MANY_ROWS = 2  # rows a document, from which the table for documents of several rows is looked up

OF_SINGLE_ROWS = {10: 0.61, 20: 0.75, 30: 0.80, 50: 0.90, 75: 0.92, 100: 0.92, 150: 0.93, 200: 0.94}
"""By effective documents, where each has one row; the rarest label is a tenth of the rows."""
OF_TEN_ROWS = {3: 0.53, 5: 0.71, 10: 0.87, 20: 0.90, 30: 0.92, 50: 0.94}
"""By effective documents, where each has ten rows, correlated by 0.36."""
BY_EFFECTIVE = {17: 0.81, 33: 0.87, 67: 0.90, 100: 0.91, 134: 0.92, 200: 0.93, 335: 0.94}
"""By Kish's effective size, where a tenth of the rows weigh 30 times as much as the others.

Looked up by effective documents, of ten rows and more, it is right within five points."""

OF_FLIPS = {0.5: 0.82, 1.2: 0.75, 2.5: 0.88, 5: 0.93, 10: 0.94}
OF_FLIPS_WEIGHTED = {0.8: 0.79, 2.6: 0.71, 5.2: 0.70, 10.3: 0.87, 20.6: 0.92, 40: 0.93}
"""By polarity flips in effect, of the interval of their rate: in documents of ten rows (of single
rows it holds more often), and in single rows weighted as above."""


def expect_coverage(documents: NDArray[np.integer]) -> float | None:
    """Return the share of samples whose interval holds the truth, 0 to 0.95.

    Documents of uneven size say less: what is looked up is their effective number. One document
    gives no interval: 0. None: so few were not simulated.

    Args:
        documents: number of each row's document, (n,).
    """
    sizes = np.unique(documents, return_counts=True)[1].astype(float)
    if len(sizes) < 2:
        return 0.0
    several = len(documents) >= MANY_ROWS * len(sizes)
    return look_up(OF_TEN_ROWS if several else OF_SINGLE_ROWS, count_effective(sizes))


def expect_weighted(documents: NDArray[np.integer], weights: NDArray[np.floating]) -> float | None:
    """Return the same for weighted figures: documents and rows promise, the smaller counts.

    Weights make few of many: what is looked up is the effective number of rows, or of documents
    where a few of them hold most of the weight. Unweighted figures of the same rows have no less.

    Args:
        documents: number of each row's document, (n,).
        weights: of each row, (n,).
    """
    total = np.bincount(documents, weights).astype(float)
    plain = expect_coverage(documents)
    if not plain:
        return plain
    weighted = look_up(BY_EFFECTIVE, min(count_effective(weights), count_effective(total)))
    return weighted and min(plain, weighted)


def count_effective(weights: NDArray[np.floating]) -> float:
    """Return Kish's effective size: how many alike would say as much as these, weighted."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def say_coverage(share: float | None) -> str:
    """Return in words that intervals are too narrow, and how much; "" where they are not.

    Where there are none, of one document, they are not.

    Args:
        share: 0 to 1; None where so few were not simulated.
    """
    if share is None:
        return "too narrow, and these too few to say how often they hold the truth"
    if share >= LEAST or not share:
        return ""
    return f"too narrow: simulated, they hold the truth in {100 * share:.0f} % of samples, not 95"


def say_flips(flips: float, *, weighted: bool) -> str:
    """Return in words that polarity flips are too few for the interval of their rate.

    It is "" where they are enough, and where there are none: that has a bound of its own.

    Args:
        flips: how many there are in effect: their rate times the effective number of documents.
        weighted: whether rows have weights.
    """
    narrow = say_coverage(look_up(OF_FLIPS_WEIGHTED if weighted else OF_FLIPS, flips))
    if not flips or not narrow:
        return ""
    whose = "weighted polarity flips" if weighted else "polarity flips"
    return f"{whose} are {flips:.1f} in effect, the intervals of their rate {narrow}"


def look_up(simulated: Mapping[int, float] | Mapping[float, float], size: float) -> float | None:
    """Return the share between the simulated sizes; beyond the last one it is as there.

    Below the first one nothing is known: None.
    """
    if size < min(simulated) - 1e-9:
        return None
    return round(float(np.interp(size, list(simulated), list(simulated.values()))), 2)
