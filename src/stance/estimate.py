"""Shares of stances in a scored corpus, with intervals that admit that the classifier errs.

A classifier's label counts are biased, and no number of rows mends that: the interval of the naive
share shrinks around a wrong value. A small sample labelled by hand, drawn with known
probabilities, mends it. The estimator is the stratified difference estimator of survey sampling
(Cassel, Sarndal and Wretman 1976), which prediction-powered inference (Angelopoulos et al. 2023)
is for a mean: the mean of the calibrated scores over all rows, plus the weighted mean of what the
scores miss on the labelled rows. It is right whatever the classifier does; a better classifier
only makes it narrower. ppi-python was not used: it knows neither strata nor draws without
replacement, and brings numba and gdown.

Variance: by stratum, with the finite-population correction. A few rows of a stratum often show no
error at all, and a stratum without errors would add nothing to the width. So each stratum is given
``PRIOR_ROWS`` rows more, as Agresti and Coull (1998) add four to a binomial, with the squared error
that is to be expected where the model gives that label (``expect_squares``), unless that makes its
variance smaller. Interval: Wilson's, at the number of rows of a simple random sample that would
have that variance (Korn and Graubard 1998 do so with Clopper and Pearson's).
``benchmarks/coverage.py`` measures what the intervals cover.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from stance.draw import MIN_STRATUM
from stance.errors import InputError
from stance.scored import NONE, Scored, number_groups
from stance.types import LABELS

LEVEL = 0.95
Z = NormalDist().inv_cdf((1 + LEVEL) / 2)
MIN_LABELLED = 20  # labelled rows below which a group gets no interval
MIN_FOUND = 5  # labelled rows with a stance, or without it, below which its interval is rough
PRIOR_ROWS = 4  # about Z squared
ALL = "(all)"

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Labelled:
    """Rows labelled by hand.

    Attributes:
        rows: their positions in the scored corpus, (m,).
        gold: positions of their labels in ``LABELS``, (m,).
        probability: with what probability each was drawn, above 0, up to 1, (m,).
        stratum: the stratum each was drawn from, (m,).
    """

    rows: NDArray[np.int64]
    gold: NDArray[np.int64]
    probability: Array
    stratum: NDArray[np.int64]


@dataclass(frozen=True)
class Share:
    """The share of one stance among the rows of a group.

    Attributes:
        group: the group's values in the columns asked for; (``ALL``,) for the whole corpus.
        label: the stance.
        rows: rows in the group.
        labelled: rows of it that were labelled by hand.
        found: those of them that have the stance.
        naive: share by the model's labels, uncorrected.
        share: corrected share, or None without labelled rows enough.
        low: lower bound of its 95 % interval, or None.
        high: upper bound, or None.
        change: corrected share minus that of the group before it, or None.
        change_low: lower bound of its 95 % interval, or None.
        change_high: upper bound, or None.
    """

    group: tuple[str, ...]
    label: str
    rows: int
    labelled: int
    found: int
    naive: float
    share: float | None = None
    low: float | None = None
    high: float | None = None
    change: float | None = None
    change_low: float | None = None
    change_high: float | None = None

    @property
    def rough(self) -> bool:
        """Whether there is an interval, from too few rows with the stance or without it."""
        return self.share is not None and min(self.found, self.labelled - self.found) < MIN_FOUND


def estimate_shares(
    scored: Scored, labelled: Labelled | None, *, changes: bool = True
) -> list[Share]:
    """Estimate the share of each stance in the corpus and in each of its groups.

    Args:
        scored: the corpus; its groups are those of the columns asked for.
        labelled: rows labelled by hand; None gives the naive shares alone.
        changes: whether the order of the last column's values means something.

    Returns:
        Four shares for the whole corpus, then four for each group in order. A group's change is
        against the group before it that has the same values in all columns but the last.
    """
    names, index = number_groups(scored)
    shares = estimate_group(scored, labelled, (ALL,), np.ones(len(index), dtype=bool), None)
    if names == [()]:
        return shares
    for i, name in enumerate(names):
        follows = changes and i > 0 and names[i - 1][:-1] == name[:-1]
        before = index == i - 1 if follows and names[i - 1][-1] != NONE else None
        shares += estimate_group(scored, labelled, name, index == i, before)
    return shares


def estimate_group(
    scored: Scored, labelled: Labelled | None, name: tuple[str, ...],
    members: NDArray[np.bool_], before: NDArray[np.bool_] | None,
) -> list[Share]:  # fmt: skip
    """Return the four shares of one group."""
    rows = int(members.sum())
    naive = np.bincount(scored.labels[members], minlength=len(LABELS)) / rows
    gold = labelled.gold[members[labelled.rows]] if labelled else np.array([], dtype=np.int64)
    found = np.bincount(gold, minlength=len(LABELS))
    columns: list[list[float | None]] = [[None] * len(LABELS)] * 6
    if labelled and len(gold) >= MIN_LABELLED:
        here = measure(scored, labelled, members)
        bounds = bound_share(here.share, here.spread)
        columns[:3] = [list(map(float, values)) for values in (here.share.clip(0, 1), *bounds)]
        if before is not None and before[labelled.rows].sum() >= MIN_LABELLED:
            change = here.subtract(measure(scored, labelled, before))
            reach = Z * change.spread
            columns[3:] = [list(map(float, values)) for values in
                           (change.share, change.share - reach, change.share + reach)]  # fmt: skip
    return [
        Share(name, label, rows, len(gold), int(found[k]), float(naive[k]),
              *(column[k] for column in columns))
        for k, label in enumerate(LABELS)
    ]  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """Shares of a group, or the difference of two groups, with what their variance is made of.

    Attributes:
        share: difference estimates: the mean score plus the sum of the errors, (labels,).
        errors: of each labelled row its weighted error over the group's size, (m, labels).
        expected: what the square of each error is expected to be, (m, labels).
        labelled: the rows labelled by hand.
    """

    share: Array
    errors: Array
    expected: Array
    labelled: Labelled

    def subtract(self, other: "Measured") -> "Measured":
        """Return the difference to a group that shares no row with this one."""
        return Measured(self.share - other.share, self.errors - other.errors,
                        self.expected + other.expected, self.labelled)  # fmt: skip

    @property
    def spread(self) -> Array:
        """The standard error, (labels,)."""
        variance = np.zeros(len(self.share))
        for stratum in np.unique(self.labelled.stratum):
            inside = self.labelled.stratum == stratum
            size = int(inside.sum())
            left = 1 - self.labelled.probability[inside].mean()  # finite-population correction
            if size > 1:
                seen = self.errors[inside].var(axis=0, ddof=1)
                prior = self.expected[inside].mean(axis=0)
                pooled = ((size - 1) * seen + PRIOR_ROWS * prior) / (size - 1 + PRIOR_ROWS)
                variance += left * size * np.maximum(seen, pooled)
        return np.sqrt(variance)


def measure(scored: Scored, labelled: Labelled, members: NDArray[np.bool_]) -> Measured:
    """Return the shares of a group."""
    rows = labelled.rows
    scores = scored.scores.astype(np.float64)
    weights = (members[rows] / labelled.probability / members.sum())[:, None]
    errors = (np.eye(len(LABELS))[labelled.gold] - scores[rows]) * weights
    expected = expect_squares(scored, labelled)[scored.labels[rows]] * weights**2
    return Measured(scores[members].mean(axis=0) + errors.sum(axis=0), errors, expected, labelled)


def expect_squares(scored: Scored, labelled: Labelled) -> Array:
    """Return the expected squared error of each score where the model gives each label.

    It is the mean over the labelled rows of all groups to which the model gives that label, or
    what calibrated scores expect of themselves there, whichever is larger.

    Returns:
        (labels given, labels).
    """
    scores = scored.scores[labelled.rows].astype(np.float64)
    seen = (np.eye(len(LABELS))[labelled.gold] - scores) ** 2
    expected = np.zeros((len(LABELS), len(LABELS)))
    for label in range(len(LABELS)):
        given = scored.labels[labelled.rows] == label
        if given.any():
            expected[label] = np.maximum(
                seen[given].mean(axis=0), (scores * (1 - scores))[given].mean(axis=0)
            )
    return expected


def bound_share(share: Array, spread: Array) -> tuple[Array, Array]:
    """Return the bounds of Wilson intervals at the effective sample size.

    The effective size is that of the share, or of a share as large as its standard error where the
    share is smaller (or as near to 1): there the estimate says little about its own variance.

    Args:
        share: estimated shares, (labels,); the estimator can leave 0 to 1 a little.
        spread: their standard errors, (labels,).
    """
    least = np.minimum(np.maximum(spread, 1e-9), 0.5)
    inner = np.clip(share, least, 1 - least)
    size = inner * (1 - inner) / np.maximum(spread, 1e-9) ** 2
    centre = (inner + Z**2 / (2 * size)) / (1 + Z**2 / size)
    reach = Z / (1 + Z**2 / size) * np.sqrt(inner * (1 - inner) / size + Z**2 / (4 * size**2))
    inside = np.clip(share, 0, 1)
    return np.minimum(centre - reach, inside), np.maximum(centre + reach, inside)


def check_design(scored: Scored, labelled: Labelled, where: str) -> None:
    """Raise unless the labelled rows are a whole stratified sample of the corpus.

    Raises:
        InputError: a stratum has a single row that others were not drawn beside, or the weights do
            not add up to the corpus: rows were taken out, or the sample is of another corpus.
    """
    for stratum in np.unique(labelled.stratum):
        inside = labelled.stratum == stratum
        if inside.sum() < MIN_STRATUM and labelled.probability[inside].min() < 1:
            raise InputError(
                f"{where} stratum {stratum}", expected=f"at least {MIN_STRATUM} rows",
                found=str(int(inside.sum())), remedy="Draw and label more rows of it.",
            )  # fmt: skip
    total = float((1 / labelled.probability).sum())
    if abs(total - len(scored.labels)) > 0.005 * len(scored.labels):
        raise InputError(
            where, expected=f"weights (1 / draw_probability) that add up to the corpus's "
            f"{len(scored.labels):,} rows", found=f"{total:,.0f}",
            remedy="Keep every drawn row, and name the corpus that the sample was drawn from.",
        )  # fmt: skip
