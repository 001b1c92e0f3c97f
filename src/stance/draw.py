"""Which rows of a scored corpus to label: a stratified draw with known probabilities."""

import numpy as np
from numpy.typing import NDArray

from stance.errors import InputError
from stance.scored import Scored, number_groups
from stance.types import LABELS

MIN_STRATUM = 2  # labelled rows that a variance needs
AIM_STRATUM = 5  # labelled rows that the smallest stratum gets where there are enough


def assign_strata(scored: Scored) -> NDArray[np.int64]:
    """Return each row's stratum: its predicted label within its group, (n,)."""
    cells = number_groups(scored)[1] * len(LABELS) + scored.labels
    return np.asarray(np.unique(cells, return_inverse=True)[1], dtype=np.int64)


def draw_sample(
    strata: NDArray[np.int64], n: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draw rows without replacement within strata, small strata over-drawn.

    A stratum gets draws in proportion to the square root of its size, at least ``AIM_STRATUM``
    where n allows it and never fewer than ``MIN_STRATUM`` (all of a smaller one).

    Args:
        strata: each row's stratum, (N,).
        n: how many rows to draw; all, when there are fewer.
        seed: of the draw.

    Returns:
        Positions of the drawn rows in random order, (n,), and the probability of each, (n,).

    Raises:
        InputError: n is too small for the number of strata.
    """
    sizes = np.bincount(strata)
    counts = allocate(sizes, min(n, len(strata)))
    random = np.random.default_rng(seed)
    order = np.argsort(strata, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    drawn = np.concatenate([
        order[start + random.permutation(size)[:count]]
        for start, size, count in zip(starts, sizes, counts, strict=True)
    ])  # fmt: skip
    drawn = random.permutation(drawn)
    return drawn, (counts / sizes)[strata[drawn]]


def allocate(sizes: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Share n draws out among strata of the given sizes."""
    for least in (AIM_STRATUM, MIN_STRATUM):
        floor = np.minimum(sizes, least)
        if floor.sum() <= n:
            break
    else:
        raise InputError(
            "--n", expected=f"at least {floor.sum()}: {MIN_STRATUM} rows for each of "
            f"{len(sizes)} strata", found=str(n), remedy="Draw more rows, or leave out --by.",
        )  # fmt: skip
    low, high = 0.0, float(n)
    wanted = np.sqrt(sizes)
    for _ in range(100):  # the factor that makes the draws add up to n
        middle = (low + high) / 2
        fits = np.clip(wanted * middle, floor, sizes).sum() <= n
        low, high = (middle, high) if fits else (low, middle)
    exact = np.clip(wanted * low, floor, sizes)
    counts = np.floor(exact + 1e-9).astype(np.int64)
    rest = np.argsort(counts - exact, kind="stable")
    for i in (i for i in rest if counts[i] < sizes[i]):
        if counts.sum() >= n:
            break
        counts[i] += 1
    return counts
