"""A frozen encoder as an embedder: mean of the last hidden states, of unit length."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from transformers import AutoModel, AutoTokenizer

from stance.training.encoders import resolve_encoder
from stance.training.recipe import EncoderChoice

BATCH_ROWS = 64


class Embedder:
    """Texts in, unit vectors out; a text is embedded once, however often it is asked for.

    Args:
        model: the encoder.
        tokenizer: its tokenizer.
        max_tokens: tokens to read of a text, special ones included.
    """

    def __init__(self, model: Any, tokenizer: Any, max_tokens: int) -> None:
        self.model, self.tokenizer, self.max_tokens = model.eval(), tokenizer, max_tokens
        self.known: dict[str, NDArray[np.float64]] = {}

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return one unit vector a text, (n, width)."""
        new = sorted({text for text in texts if text not in self.known}, key=len)
        for i in range(0, len(new), BATCH_ROWS):
            batch = new[i : i + BATCH_ROWS]
            self.known.update(zip(batch, self._embed(batch), strict=True))
        return np.stack([self.known[text] for text in texts])

    @torch.inference_mode()
    def _embed(self, texts: list[str]) -> NDArray[np.float64]:
        inputs = self.tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=self.max_tokens,
            return_tensors="pt",
            return_token_type_ids=False,
        ).to(self.model.device)
        hidden = self.model(**inputs).last_hidden_state.float()
        mask = inputs["attention_mask"].unsqueeze(-1)
        mean = (hidden * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)
        unit = torch.nn.functional.normalize(mean, dim=1)
        return np.asarray(unit.cpu().double().numpy())


@lru_cache(maxsize=1)
def load_embedder(encoder: tuple[tuple[str, Any], ...], device: str) -> Embedder:
    """Load the base encoder of a recipe, once.

    Args:
        encoder: the items of the recipe's table ``[encoder]``.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        StanceError: it is nowhere to be had.
    """
    choice = EncoderChoice(**dict(encoder))
    found = resolve_encoder(choice)
    use_gpu = device != "cpu" and torch.cuda.is_available()
    transformers.utils.logging.disable_progress_bar()
    model = AutoModel.from_pretrained(found.folder, dtype=torch.float32, use_safetensors=True)
    tokenizer = AutoTokenizer.from_pretrained(found.folder, use_fast=True)
    return Embedder(model.to("cuda" if use_gpu else "cpu"), tokenizer, choice.max_tokens)
