"""Logits to calibrated probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from stance.types import NEUTRAL

LEAD = 1e-5  # of the most likely label over the next, so that it stays the most likely


@dataclass(frozen=True)
class Curve:
    """What a confidence is worth: the share of right labels, on straight lines between knots.

    Attributes:
        confidence: highest probability of the softmax at each knot, rising, 0 to 1.
        accuracy: share of right labels there, rising, 0 to 1.
    """

    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]

    def __post_init__(self) -> None:
        """Raise ValueError unless the knots rise from 0 to 1, as many of both."""
        if len(self.confidence) != len(self.accuracy):
            raise ValueError(f"{len(self.confidence)} confidences, {len(self.accuracy)} accuracies")
        for knots in (self.confidence, self.accuracy):
            numbers = bool(knots) and all(type(x) in (int, float) for x in knots)
            rising = numbers and all(x < y for x, y in pairwise(knots))
            if not (rising and knots[0] >= 0 and knots[-1] <= 1):
                raise ValueError(f"knots {knots} that do not rise within 0 to 1")

    def read(self, confidence: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the accuracy at each confidence; that of the last knot beyond it."""
        return np.asarray(np.interp(confidence, self.confidence, self.accuracy))


@dataclass(frozen=True)
class Curves:
    """A curve for each kind of prediction: a model may be too sure of one, too little of the other.

    Attributes:
        stances: where a stance is the most likely.
        neutral: where ``neutral`` is.
    """

    stances: Curve
    neutral: Curve


@dataclass(frozen=True)
class Calibration:
    """What turns logits into calibrated probabilities.

    Attributes:
        temperature: divisor of the logits before the softmax, above 0.
        curves: what the highest of the probabilities becomes; None to leave it.
    """

    temperature: float
    curves: Curves | None = None

    def calibrate(self, logits: NDArray[np.floating], labels: Sequence[str]) -> NDArray[np.float64]:
        """Return probabilities over the last axis; the most likely label stays so.

        Args:
            logits: any shape, the labels last.
            labels: the labels in the order of the logits.
        """
        scores = softmax(logits, self.temperature)
        if self.curves is None:
            return scores
        highest = scores.max(axis=-1)
        neutral = scores.argmax(axis=-1) == labels.index(NEUTRAL)
        wanted = np.where(
            neutral, self.curves.neutral.read(highest), self.curves.stances.read(highest)
        )
        return set_highest(scores, wanted)


def set_highest(scores: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities whose highest is as wanted, or as low as it can be and stay so.

    Args:
        scores: probabilities, (..., labels); the others keep their proportions.
        wanted: the highest of each, (...).
    """
    top = np.arange(scores.shape[-1]) == scores.argmax(axis=-1)[..., np.newaxis]
    others = np.where(top, 0.0, scores)
    rest = others.sum(axis=-1, keepdims=True)
    even = ~top / (scores.shape[-1] - 1)  # where nothing is left for the others
    others = np.where(rest > 0, others / np.where(rest > 0, rest, 1.0), even)
    second = others.max(axis=-1)
    least = (second + LEAD) / (1 + second)  # below it the next label would come first
    highest = np.clip(wanted, least, 1.0)[..., np.newaxis]
    return np.where(top, highest, others * (1 - highest))


def softmax(logits: NDArray[np.floating], temperature: float = 1.0) -> NDArray[np.float64]:
    """Return probabilities over the last axis.

    Args:
        logits: any shape, the labels last.
        temperature: divisor of the logits, above 0. It never moves the argmax.
    """
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
