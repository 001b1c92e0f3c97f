"""Texts to logits. The only user of onnxruntime and tokenizers."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from stance.errors import InputError
from stance.spans import Offsets
from stance.types import LABELS, NEUTRAL

MAX_WINDOWS = 64  # a statement's further windows are not read, and the prediction says so
STRIDE_TOKENS = 32  # overlap of two windows, so that no phrase is cut in both
MAX_CHARACTERS = 500_000  # far more than MAX_WINDOWS hold; the rest would only cost memory
BATCH_TOKENS = 4096  # padded tokens a batch: large enough to fill two cores, small in memory
SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Scores:
    """What the model gives for one text.

    Attributes:
        logits: stance logits, (labels,).
        spans: pointer scores of the window that decides, (tokens, 4).
        offsets: characters that each of its tokens covers.
        windows: number of windows the text was read in.
        truncated: whether windows past ``MAX_WINDOWS`` were left unread.
    """

    logits: NDArray[np.float32]
    spans: NDArray[np.float32]
    offsets: Offsets
    windows: int
    truncated: bool


@dataclass(frozen=True)
class Window:
    """A piece of a text as token ids; ``text`` is the text's position in the batch."""

    text: int
    ids: list[int]
    offsets: Offsets


class Runtime:
    """A tokenizer and an ONNX session.

    Args:
        onnx: the ONNX file: token ids and mask in, ``logits`` and ``spans`` out.
        tokenizer: the ``tokenizer.json``.
        max_tokens: tokens of a window, special ones included.
        device: ``cpu``, ``cuda``, or ``auto`` for CUDA where onnxruntime offers it.
        labels: labels in the order of the logits.

    Raises:
        InputError: the device is unknown or not to be had.
    """

    def __init__(
        self,
        onnx: Path,
        tokenizer: Path,
        *,
        max_tokens: int,
        device: str,
        labels: tuple[str, ...] = LABELS,
    ) -> None:
        self.neutral = labels.index(NEUTRAL) if NEUTRAL in labels else None
        self.tokenizer = Tokenizer.from_file(str(tokenizer))
        self.tokenizer.enable_truncation(max_tokens, stride=min(STRIDE_TOKENS, max_tokens // 4))
        self.tokenizer.no_padding()
        self.tokenizer.encode_special_tokens = True  # "[SEP]" in a statement is only text
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = len(os.sched_getaffinity(0)) if _has_affinity() else 0
        self.session = onnxruntime.InferenceSession(
            str(onnx), options, providers=choose_providers(device)
        )

    def score(self, texts: Sequence[str]) -> list[Scores]:
        """Score texts; the result does not depend on their order or number.

        A text longer than a window is read in overlapping windows, and the window that speaks
        most clearly of a position decides: a long text has one where any part of it has.
        """
        windows, truncated = self._cut(texts)
        outputs: list[list[tuple[NDArray[np.float32], NDArray[np.float32], Offsets]]]
        outputs = [[] for _ in texts]
        for batch in _batches(windows):
            logits, spans = self._run(batch)
            for window, row, tags in zip(batch, logits, spans, strict=True):
                outputs[window.text].append((row, tags[: len(window.ids)], window.offsets))
        return [
            Scores(*min(rows, key=lambda row: _neutrality(row[0], self.neutral)), len(rows), cut)
            for rows, cut in zip(outputs, truncated, strict=True)
        ]

    def _cut(self, texts: Sequence[str]) -> tuple[list[Window], list[bool]]:
        windows, truncated = [], []
        # A lone surrogate is no Unicode text; a replacement keeps the offsets right.
        clean = [SURROGATE.sub("\ufffd", text[:MAX_CHARACTERS]) for text in texts]
        for i, encoding in enumerate(self.tokenizer.encode_batch(clean)):
            pieces = [encoding, *encoding.overflowing]
            truncated.append(len(pieces) > MAX_WINDOWS or len(texts[i]) > MAX_CHARACTERS)
            windows += [Window(i, piece.ids, piece.offsets) for piece in pieces[:MAX_WINDOWS]]
        return windows, truncated

    def _run(self, batch: list[Window]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        length = max(len(window.ids) for window in batch)
        ids = np.zeros((len(batch), length), dtype=np.int64)
        mask = np.zeros_like(ids)
        for i, window in enumerate(batch):
            ids[i, : len(window.ids)] = window.ids
            mask[i, : len(window.ids)] = 1
        logits, spans = self.session.run(
            ["logits", "spans"], {"input_ids": ids, "attention_mask": mask}
        )
        return logits, spans


def choose_providers(device: str) -> list[Any]:
    """Return onnxruntime's providers for a device name."""
    has_cuda = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    if device == "cpu" or (device == "auto" and not has_cuda):
        return ["CPUExecutionProvider"]
    if device in ("auto", "cuda") and has_cuda:
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]
    if device == "cuda":
        found, remedy = "no CUDA provider in onnxruntime", "Install onnxruntime-gpu, or use cpu."
    else:
        found, remedy = repr(device), "Use one of those."
    raise InputError("device", expected="auto, cpu or cuda", found=found, remedy=remedy)


def _has_affinity() -> bool:
    return hasattr(os, "sched_getaffinity")


def _batches(windows: list[Window]) -> Iterator[list[Window]]:
    batch: list[Window] = []
    for window in sorted(windows, key=lambda window: len(window.ids)):
        if batch and (len(batch) + 1) * len(window.ids) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


def _neutrality(logits: NDArray[np.float32], neutral: int | None) -> float:
    if neutral is None:  # labels of a user's own: what speaks most clearly of any of them
        second, first = np.sort(logits)[-2:]
        return float(second - first)
    return float(logits[neutral] - np.delete(logits, neutral).max())
