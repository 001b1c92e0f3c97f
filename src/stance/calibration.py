"""Logits to calibrated probabilities."""

import numpy as np
from numpy.typing import NDArray


def softmax(logits: NDArray[np.floating], temperature: float = 1.0) -> NDArray[np.float64]:
    """Return probabilities over the last axis.

    Args:
        logits: any shape, the labels last.
        temperature: divisor of the logits, above 0. It never moves the argmax.
    """
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
