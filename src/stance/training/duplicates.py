"""Near-duplicate texts, so that none stands on both sides of a split."""

import re
from collections.abc import Iterable, Sequence

from datasketch import MinHash, MinHashLSH

MIN_WORDS = 6  # shorter texts ("Read more") repeat everywhere and say nothing of a common origin
PERMUTATIONS = 64


def shingle(text: str) -> set[str]:
    """Return the text's three-word pieces, in lower case."""
    words = re.findall(r"\w+", text.lower())
    return {" ".join(words[i : i + 3]) for i in range(max(1, len(words) - 2))}


def find_near_duplicates(texts: Sequence[str], *, threshold: float = 0.6) -> list[tuple[int, int]]:
    """List the pairs of texts whose three-word pieces overlap.

    Args:
        texts: n texts.
        threshold: least Jaccard similarity of the two sets of pieces, 0 to 1.

    Returns:
        Pairs (i, j) with i < j, in the order of j.
    """
    index = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS)
    pieces: list[set[str]] = []
    pairs = []
    for j, text in enumerate(texts):
        pieces.append(shingle(text))
        if len(text.split()) < MIN_WORDS:
            continue
        signature = MinHash(num_perm=PERMUTATIONS)
        signature.update_batch([piece.encode("utf-8", "replace") for piece in pieces[j]])
        for i in index.query(signature):
            shared = len(pieces[i] & pieces[j])
            if shared / len(pieces[i] | pieces[j]) >= threshold:
                pairs.append((i, j))
        index.insert(j, signature)
    return pairs


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
