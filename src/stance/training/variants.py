"""Variants of labelled sentences, for a teacher to judge: words exchanged, parts cut away.

Real sentences with a stance are rare: the pools hold few that are not labelled yet. What a teacher
says of many variants of the labelled ones tells a small model more than their labels alone (as
augmentation does in TinyBERT, Jiao et al. 2020). A variant has no label but the teacher's, since an
exchanged word may turn the meaning.
"""

import random
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from transformers import AutoTokenizer

from stance.training.encoders import WEIGHTS

MARK = "~"
"""Between a row's id and the number of its variant."""

EXCHANGED = 0.18  # share of words exchanged, of those that have near ones
NEAR = 8  # words that count as near
ALIKE = 0.35  # least cosine similarity of two near words
CUT = 0.35  # share of variants of which a part is cut away
SHORTEST = 6  # words that a cut leaves at least
WORD = re.compile(r"\w+|\W+")
TABLE = "word_embeddings.weight"


@dataclass(frozen=True)
class Neighbours:
    """Which words are near which, by an encoder's table of token embeddings.

    Attributes:
        words: whole words of the vocabulary.
        places: place of each word in ``words``.
        vectors: their embeddings at length 1, (words, width).
        found: near words of the words that were asked for before.
    """

    words: list[str]
    places: dict[str, int]
    vectors: NDArray[np.float32]
    found: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> "Neighbours":
        """Read the table of an encoder with a WordPiece vocabulary; others give no neighbours."""
        vocabulary = AutoTokenizer.from_pretrained(folder).get_vocab()
        weights = load_file(folder / WEIGHTS)
        tables = [value for name, value in weights.items() if name.endswith(TABLE)]
        words = [word for word in vocabulary if word.isalpha() and len(word) > 2]
        if not tables or not words:
            return cls([], {}, np.zeros((0, 1), np.float32))
        table = tables[0]
        rows = table[[vocabulary[word] for word in words]].astype(np.float32)
        vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return cls(words, {word: i for i, word in enumerate(words)}, vectors)

    def find(self, word: str) -> list[str]:
        """Return the near words of a lower-case word, the nearest first; none for unknown ones."""
        if word not in self.places:
            return []
        if word not in self.found:
            alike = self.vectors @ self.vectors[self.places[word]]
            nearest = np.argsort(-alike)[1 : NEAR + 1]
            self.found[word] = [self.words[i] for i in nearest if alike[i] > ALIKE]
        return self.found[word]


def vary(text: str, seed: str, neighbours: Neighbours) -> str:
    """Return a variant of a text; the same seed gives the same."""
    rng = random.Random(seed)
    pieces = []
    for piece in WORD.findall(text):
        word = piece.lower()
        if (
            word in neighbours.places
            and rng.random() < EXCHANGED
            and (near := neighbours.find(word))
        ):
            other = rng.choice(near)
            pieces.append(other.capitalize() if piece[0].isupper() else other)
        else:
            pieces.append(piece)
    return cut("".join(pieces), rng)


def cut(text: str, rng: random.Random) -> str:
    """Return the text or, now and then, its beginning, its end or its middle."""
    if rng.random() >= CUT:
        return text
    words = text.split(" ")
    kept = max(SHORTEST, int(len(words) * rng.uniform(0.55, 0.95)))
    if kept >= len(words):
        return text
    start = rng.choice([0, len(words) - kept, rng.randrange(len(words) - kept + 1)])
    return " ".join(words[start : start + kept])
