"""The difference between two groups' shares, with an interval.

Two intervals that overlap do not say that there is no difference. The interval of the difference
does: both groups' errors come from one draw, and stratum by stratum they are taken together.
"""

import numpy as np
from numpy.typing import NDArray

from stance.errors import InputError
from stance.estimate import MIN_LABELLED, Labelled, Share, Z, measure
from stance.scored import Scored, number_groups
from stance.types import LABELS

Mask = NDArray[np.bool_]


def estimate_differences(
    scored: Scored, labelled: Labelled | None, first: str, second: str
) -> list[Share]:
    """Estimate by how much a stance's share is larger in one group than in another.

    Args:
        scored: the corpus; its groups are those of the columns asked for.
        labelled: rows labelled by hand; None gives the naive differences alone.
        first: a value of the first column.
        second: the value whose share is taken off.

    Returns:
        Four differences for each combination of the other columns' values that both have; their
        rows are those of both groups, their labelled rows those of the group that has fewer.

    Raises:
        InputError: one of the values does not occur, or no combination has both.
    """
    names, index = number_groups(scored)
    for value in (first, second):
        if not any(name[:1] == (value,) for name in names):
            known = ", ".join(sorted({name[0] for name in names if name})[:10])
            raise InputError("--difference", expected="two values of the first column of --by: "
                             + known, found=repr(value), remedy="Name two of them.")  # fmt: skip
    pairs = [(i, names.index((second, *name[1:]))) for i, name in enumerate(names)
             if name[0] == first and (second, *name[1:]) in names]  # fmt: skip
    if first == second or not pairs:
        raise InputError("--difference", expected="values that stand beside the same others",
                         found=f"{first!r}, {second!r}", remedy="Name others.")  # fmt: skip
    shares = []
    for i, k in pairs:
        group = (f"{first} - {second}", *names[i][1:])
        shares += subtract(scored, labelled, group, index == i, index == k)
    return shares


def subtract(
    scored: Scored, labelled: Labelled | None, name: tuple[str, ...], left: Mask, right: Mask
) -> list[Share]:
    """Return the four differences between two groups."""
    naive = count_labels(scored, left) / left.sum() - count_labels(scored, right) / right.sum()
    gold = np.array([], dtype=np.int64)
    if labelled:
        gold = min((labelled.gold[part[labelled.rows]] for part in (left, right)), key=len)
    found = np.bincount(gold, minlength=len(LABELS))
    bounds = np.full((3, len(LABELS)), None)
    if labelled and len(gold) >= MIN_LABELLED:
        gap = measure(scored, labelled, left).subtract(measure(scored, labelled, right))
        reach = Z * gap.spread
        bounds = np.array([gap.share, gap.share - reach, gap.share + reach]).astype(object)
    return [
        Share(name, label, int((left | right).sum()), len(gold), int(found[k]), float(naive[k]),
              *bounds[:, k])
        for k, label in enumerate(LABELS)
    ]  # fmt: skip


def count_labels(scored: Scored, members: Mask) -> NDArray[np.int64]:
    """Return how often the model gives each label in a group, (labels,)."""
    return np.bincount(scored.labels[members], minlength=len(LABELS))
