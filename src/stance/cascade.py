"""The first stage of a cascade: a small network that says which statements need the full model.

Most sentences of an archive say nothing about negotiations. The first stage looks at a few tokens
at a time, at a small part of the full model's cost, and passes on whatever could carry a stance.
Its file is read with numpy alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance import objects
from stance.calibration import softmax
from stance.errors import InputError

Tensors = dict[str, NDArray[np.floating]]

DTYPES = {"F16": np.float16, "F32": np.float32}
CHUNK = 64  # texts at a time, so that what is computed stays in the cache
HEADER_BYTES = 8  # a safetensors file begins with the length of its JSON header


@dataclass(frozen=True)
class Kept:
    """What share of the statements with a stance the first stage passes on.

    Attributes:
        recall: the share, 0 to 1.
        low: lower end of its 95 % interval, a bootstrap by document.
        high: upper end.
        n: number of those statements.
    """

    recall: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class CascadeFacts:
    """When the first stage passes a statement on, and what that loses.

    Attributes:
        threshold: least probability of a stance, 0 to 1, with which a statement is passed on.
        recall: share of the statements that the full model gives a stance which are passed on,
            on real-news test rows, 0 to 1.
        low: lower end of its 95 % interval, a bootstrap by document.
        high: upper end.
        n: number of those statements.
        passed: share of all real-news sentences that is passed on, by the rows' draw weights.
        gold: the same as ``recall`` of the test rows that are labelled with a stance, whatever the
            full model says of them; None in a folder that was made before it was measured.
    """

    threshold: float
    recall: float
    low: float
    high: float
    n: int
    passed: float
    gold: Kept | None = None

    @classmethod
    def parse(cls, content: dict[str, Any]) -> "CascadeFacts":
        """Return the facts of a folder's settings.

        Raises:
            TypeError: a field is missing or unknown.
        """
        gold = content.get("gold")
        return cls(**content | {"gold": Kept(**gold) if gold else None})


class FirstStage:
    """Embeddings of tokens, a convolution over them, its highest and mean values, a linear head.

    Args:
        tensors: ``table`` (vocabulary, width), ``kernel`` (window, width, filters), ``bias``
            (filters,), ``head`` (2 * filters, labels), ``head_bias`` (labels,).
    """

    def __init__(self, tensors: Tensors) -> None:
        values = {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
        self.table, self.kernel, self.bias = values["table"], values["kernel"], values["bias"]
        self.head, self.head_bias = values["head"], values["head_bias"]

    def score(self, ids: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """Return the probabilities of the labels, (texts, labels).

        Args:
            ids: token ids of each text, special ones included, at least one.
        """
        chunks = (ids[i : i + CHUNK] for i in range(0, len(ids), CHUNK))
        return np.concatenate([self._score(chunk) for chunk in chunks])

    def _score(self, ids: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        window, width, _ = self.kernel.shape
        gap = window // 2  # zeros between two texts: no filter sees both
        lengths = np.array([len(text) for text in ids])
        starts = np.cumsum(lengths + gap) - lengths - gap
        rows = np.repeat(starts - np.cumsum(lengths) + lengths, lengths) + np.arange(lengths.sum())
        total = int(starts[-1] + lengths[-1])
        tokens = np.zeros((total + 2 * gap, width), dtype=np.float32)
        tokens[rows + gap] = self.table[np.concatenate([np.asarray(text) for text in ids])]
        values = sum(tokens[i : i + total] @ self.kernel[i] for i in range(window)) + self.bias
        hidden = np.zeros_like(values)
        hidden[rows] = np.maximum(values[rows], 0)
        highest = np.maximum.reduceat(hidden, starts)
        mean = np.add.reduceat(hidden, starts) / lengths[:, None]
        return softmax(np.concatenate([highest, mean], axis=1) @ self.head + self.head_bias)


def read_first_stage(path: Path) -> FirstStage:
    """Read the first stage of a verified model folder.

    Raises:
        InputError: the file has another form.
    """
    try:
        return FirstStage(read_tensors(path))
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(
            str(path),
            expected="safetensors of a first stage",
            found=f"{type(error).__name__}: {error}",
            remedy="Get the model folder again, or make it with train/cascade.py.",
        ) from None


def read_tensors(path: Path) -> Tensors:
    """Return the tensors of a safetensors file by name."""
    content = path.read_bytes()
    start = HEADER_BYTES + int.from_bytes(content[:HEADER_BYTES], "little")
    header = objects.parse_object(content[HEADER_BYTES:start].decode(errors="replace"), str(path))
    tensors: Tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        values = np.frombuffer(content[start + first : start + last], DTYPES[entry["dtype"]])
        tensors[name] = values.reshape(entry["shape"])
    return tensors
