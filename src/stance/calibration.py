"""Logits to calibrated probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stance.types import NEUTRAL


@dataclass(frozen=True)
class Temperatures:
    """Divisors of the logits before the softmax, by the label that they lead to; above 0.

    Attributes:
        own: where a stance, or any label of a user's own, is the most likely.
        neutral: where ``neutral`` is; None for the same.
    """

    own: float
    neutral: float | None = None

    def calibrate(self, logits: NDArray[np.floating], labels: Sequence[str]) -> NDArray[np.float64]:
        """Return probabilities over the last axis; the most likely label stays so.

        Args:
            logits: any shape, the labels last.
            labels: the labels in the order of the logits.
        """
        by_label = np.array(
            [self.neutral if self.neutral and label == NEUTRAL else self.own for label in labels]
        )
        return softmax(logits, by_label[np.argmax(logits, axis=-1)][..., np.newaxis])


def softmax(logits: NDArray[np.floating], temperature: ArrayLike = 1.0) -> NDArray[np.float64]:
    """Return probabilities over the last axis.

    Args:
        logits: any shape, the labels last.
        temperature: divisor of the logits, above 0. It never moves the argmax.
    """
    scaled = np.asarray(logits, dtype=np.float64) / np.asarray(temperature)
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
