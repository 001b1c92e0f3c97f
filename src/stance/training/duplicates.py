"""Near-duplicate texts, so that none stands on both sides of a split."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

LEAST_WORDS = 6  # shorter texts ("Read more") repeat everywhere and say nothing of a common origin
LEAST_PIECES = 8  # a shorter text may stand within a longer one by chance
CONTAINED = 0.7


def shingle(text: str) -> set[str]:
    """Return the text's three-word pieces, in lower case."""
    words = re.findall(r"\w+", text.lower())
    return {" ".join(words[i : i + 3]) for i in range(max(1, len(words) - 2))}


def is_near_duplicate(left: set[str], right: set[str], threshold: float) -> bool:
    """Say whether two sets of pieces overlap, or the smaller stands within the larger."""
    shared, least = len(left & right), min(len(left), len(right))
    overlap = shared / (len(left) + len(right) - shared)
    return overlap >= threshold or (least >= LEAST_PIECES and shared / least >= CONTAINED)


def find_near_duplicates(texts: Sequence[str], *, threshold: float = 0.6) -> list[tuple[int, int]]:
    """List the pairs of texts whose three-word pieces overlap; exact.

    A pair counts when the Jaccard similarity of the two sets of pieces reaches the threshold, or
    when seven tenths of the shorter one's pieces (at least 8) stand in the longer one. Either way
    the smaller set shares that fraction of its pieces, so one of its rarest must be shared
    (prefix filtering, Chaudhuri, Ganti and Kaushik 2006): only those are looked up.

    Args:
        texts: n texts; those under six words are in no pair.
        threshold: least Jaccard similarity of the two sets of pieces, 0 to 1.

    Returns:
        Pairs (i, j) with i < j, sorted by j, then i.
    """
    pieces = [shingle(t) if len(t.split()) >= LEAST_WORDS else set() for t in texts]
    counts = Counter(piece for found in pieces for piece in found)
    holders: dict[str, list[int]] = defaultdict(list)
    for i, found in enumerate(pieces):
        for piece in found:
            if counts[piece] > 1:
                holders[piece].append(i)
    least = min(threshold, CONTAINED)
    pairs = set()
    for i, found in enumerate(pieces):
        rarest = sorted(found, key=lambda piece: (counts[piece], piece))
        looked_up = rarest[: len(found) - math.ceil(least * len(found)) + 1]
        near = {j for piece in looked_up for j in holders.get(piece, ()) if j != i}
        pairs |= {
            (min(i, j), max(i, j)) for j in near if is_near_duplicate(found, pieces[j], threshold)
        }
    return sorted(pairs, key=lambda pair: (pair[1], pair[0]))


def cluster(items: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Give every item the name of its connected cluster (union-find)."""
    parent = {item: item for item in items}

    def find(item: str) -> str:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for left, right in pairs:
        parent[find(left)] = find(right)
    return {item: find(item) for item in parent}
