"""How often 95 % intervals hold the truth where there is little to resample: simulated.

Each table gives, for a number of documents or of effective rows, the share of 1,000 samples in
which the interval holds what the sample was drawn from: of accuracy or macro-F1, whichever is
worse. ``pytest -m slow tests/test_coverage.py`` simulates them again.
"""

from collections.abc import Mapping

import numpy as np

LEAST = 0.93  # of a nominal 0.95; below it every output says that intervals are too narrow
MANY_ROWS = 2  # rows a document, from which the table for documents of several rows is looked up

OF_SINGLE_ROWS = {10: 0.61, 20: 0.75, 30: 0.80, 50: 0.90, 75: 0.92, 100: 0.92, 150: 0.93, 200: 0.94}
"""By documents, where each has one row; the rarest of four labels is a tenth of the rows."""
OF_TEN_ROWS = {3: 0.53, 5: 0.71, 10: 0.87, 20: 0.90, 30: 0.92, 50: 0.94}
"""By documents, where each has ten rows, correlated by 0.36."""
BY_EFFECTIVE = {17: 0.81, 33: 0.87, 67: 0.90, 100: 0.91, 134: 0.92, 200: 0.93, 335: 0.94}
"""By Kish's effective size, where a tenth of the rows weigh 30 times as much as the others."""


def expect_coverage(documents: int, rows: int) -> float:
    """Return the share of samples whose interval holds the truth, 0 to 0.95.

    One document gives no interval: 0.
    """
    if documents < 2:
        return 0.0
    return look_up(OF_TEN_ROWS if rows >= MANY_ROWS * documents else OF_SINGLE_ROWS, documents)


def expect_weighted(effective_n: float) -> float:
    """Return the same for weighted figures, by Kish's effective number of rows."""
    return look_up(BY_EFFECTIVE, effective_n)


def say_coverage(share: float) -> str:
    """Return in words that intervals are too narrow, and how much; "" where they are not."""
    if share >= LEAST:
        return ""
    return f"too narrow: simulated, they hold the truth in {100 * share:.0f} % of samples, not 95"


def look_up(simulated: Mapping[int, float], size: float) -> float:
    """Return the share between the simulated sizes; beyond the last one it is as there."""
    return round(float(np.interp(size, list(simulated), list(simulated.values()))), 2)
