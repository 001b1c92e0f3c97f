"""What a scorer has answered, on disk at once: a run that was stopped asks for no text again."""

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stance.types import LABELS

TOLERANCE = 1e-3  # how far the scores of a text may be from a sum of 1

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answers:
    """A scorer's answers by the SHA-256 of the text, one JSON line each.

    Attributes:
        path: the file, of that scorer alone.
        scores: four probabilities, by the text's SHA-256.
    """

    path: Path
    scores: dict[str, list[float]] = field(default_factory=dict)

    def __contains__(self, text: str) -> bool:
        """Say whether the text was answered."""
        return hash_text(text) in self.scores

    def get(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the scores of texts that were answered, (n, labels)."""
        return np.array([self.scores[hash_text(text)] for text in texts])

    def add(self, texts: Sequence[str], scores: NDArray[np.float64]) -> None:
        """Keep the checked scores of n texts, (n, labels); they are on disk when it returns."""
        new = dict(zip(map(hash_text, texts), scores.tolist(), strict=True))
        self.scores.update(new)
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write("\n")  # after a line that a stop has cut short
            for text, row in new.items():
                stream.write(json.dumps({"text": text, "scores": row}) + "\n")
            stream.flush()
            os.fsync(stream.fileno())


def hash_text(text: str) -> str:
    """Return the SHA-256 of a text as it is: blanks may make another text to a scorer."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def is_answer(scores: NDArray[np.float64]) -> bool:
    """Say whether the scores of a text are a probability for each label."""
    return bool(
        scores.shape == (len(LABELS),)
        and np.isfinite(scores).all()
        and scores.min() >= 0
        and abs(scores.sum() - 1) <= TOLERANCE
    )


def find_file(folder: Path, scorer: str) -> Path:
    """Return where a scorer's answers are kept until its predictions are written.

    Args:
        folder: the folder of the per-row predictions.
        scorer: the scorer's SHA-256.
    """
    return folder / f"scorer-{scorer[:12]}.begun"


def read_answers(path: Path) -> Answers:
    """Return what a scorer has answered in a run that was stopped; said where there is any.

    The file is made where there is none: what cannot be written is better known before the scorer
    is asked.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.open("a").close()
    kept = dict(iterate_answers(path))
    if kept:
        log.info("going on: %s has the scorer's answers to %d texts (delete it to ask anew)",
                 path, len(kept))  # fmt: skip
    return Answers(path, kept)


def iterate_answers(path: Path) -> Iterator[tuple[str, list[float]]]:
    """Yield text and scores of each whole line; a stop may have cut one short."""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            answer = json.loads(line)
            text, scores = str(answer["text"]), [float(score) for score in answer["scores"]]
        except (ArithmeticError, KeyError, RecursionError, TypeError, ValueError):
            continue
        if is_answer(np.array(scores)):
            yield text, scores
