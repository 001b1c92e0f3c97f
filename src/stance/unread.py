"""What a text gets that the full model did not read: neutral, not reliable."""

import numpy as np
from numpy.typing import NDArray

from stance.spans import Offsets
from stance.types import LABELS, NEUTRAL, Prediction


def is_blank(text: str, offsets: Offsets) -> bool:
    """Say whether a text has no readable token; of zero-width characters nothing is left."""
    return not text.strip() or not any(end > start for start, end in offsets)


def predict_blank(text: str, labels: tuple[str, ...]) -> Prediction:
    """Return what a text without a readable token gets: neutral, not reliable."""
    scores = {label: float(label == NEUTRAL) for label in labels}
    return Prediction(text, NEUTRAL, scores, 1.0, False, None, None, False)


def predict_skipped(text: str, probabilities: NDArray[np.floating], offsets: Offsets) -> Prediction:
    """Return what a text gets that the first stage did not pass on: neutral, not reliable."""
    if is_blank(text, offsets):
        return predict_blank(text, LABELS)
    scores = dict(zip(LABELS, map(float, probabilities), strict=True))
    return Prediction(text, NEUTRAL, scores, scores[NEUTRAL], False, None, None, False)
