"""SetFit as a baseline: contrastive fine-tuning on a few rows a label, then a linear head."""

import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from setfit import SetFitModel, Trainer, TrainingArguments
from sklearn.linear_model import LogisticRegression

from stance.training.encoders import resolve_encoder
from stance.training.recipe import EncoderChoice
from stance.types import LABELS

Scores = NDArray[np.float64]
ROWS_A_LABEL = 64
MAX_STEPS = 300  # of contrastive training, 16 pairs each: minutes on two cores
SEED = 1


def fit_setfit(
    encoder: dict[str, Any], texts: Sequence[str], labels: Sequence[str], *, bars: bool = False
) -> Callable[[Sequence[str]], Scores]:
    """Train SetFit on ``ROWS_A_LABEL`` rows of each label, drawn with a fixed seed.

    Args:
        encoder: a recipe's table ``[encoder]``.
        texts: n training texts.
        labels: their labels.
        bars: whether to show progress bars.

    Returns:
        A scorer: texts in, probabilities in the order of ``LABELS`` out.
    """
    rng = np.random.default_rng(SEED)
    rows: list[int] = []
    for label in LABELS:
        found = np.flatnonzero(np.array(labels) == label)
        rows += rng.permutation(found)[:ROWS_A_LABEL].tolist()
    folder = resolve_encoder(EncoderChoice(**encoder)).folder
    # Not SetFitModel.from_pretrained: a head that lies in the folder could run code of its own.
    body = SentenceTransformer(
        str(folder), local_files_only=True, model_kwargs={"use_safetensors": True}
    )
    model = SetFitModel(model_body=body, model_head=LogisticRegression())
    examples = Dataset.from_dict(
        {"text": [texts[i] for i in rows], "label": [LABELS.index(labels[i]) for i in rows]}
    )
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            output_dir=scratch, max_steps=MAX_STEPS, seed=SEED, report_to="none",
            save_strategy="no", show_progress_bar=bars,
        )  # fmt: skip
        Trainer(model=model, args=arguments, train_dataset=examples).train()
    known = [int(label) for label in model.model_head.classes_]

    def score(texts: Sequence[str]) -> Scores:
        scores = np.zeros((len(texts), len(LABELS)))
        scores[:, known] = model.predict_proba(list(texts), as_numpy=True, show_progress_bar=bars)
        return scores

    return score
