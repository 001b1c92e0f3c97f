"""Texts to logits. The only user of onnxruntime and tokenizers."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from stance.errors import InputError
from stance.objects import SURROGATE
from stance.spans import Offsets
from stance.types import LABELS, NEUTRAL

MAX_WINDOWS = 64  # a statement's further windows are not read, and the prediction says so
STRIDE_TOKENS = 32  # overlap of two windows, so that no phrase is cut in both
MAX_CHARACTERS = 500_000  # far more than MAX_WINDOWS hold; the rest would only cost memory
SLOW_OPTIMIZERS = ["SkipLayerNormFusion"]  # its one step takes longer than the two it replaces


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
    """A piece of a text as token ids, with the characters that each token covers."""

    ids: list[int]
    offsets: Offsets


@dataclass(frozen=True)
class Cut:
    """A text in windows; ``truncated`` says whether further ones were left out."""

    windows: tuple[Window, ...]
    truncated: bool


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
        options.intra_op_num_threads = 1  # a statement is short: cores share out statements
        providers = choose_providers(device)
        self.session = onnxruntime.InferenceSession(
            str(onnx), options, providers=providers, disabled_optimizers=SLOW_OPTIMIZERS
        )
        self.threads = count_cores() if len(providers) == 1 else 1

    def score(self, texts: Sequence[str]) -> list[Scores]:
        """Score texts, each different one once; the result depends on each text alone."""
        different = list(dict.fromkeys(texts))
        scores = dict(zip(different, self.score_cuts(self.cut(different)), strict=True))
        return [scores[text] for text in texts]

    def cut(self, texts: Sequence[str]) -> list[Cut]:
        """Cut texts into windows of token ids that overlap."""
        cuts = []
        # A lone surrogate is no Unicode text; a replacement keeps the offsets right.
        clean = [SURROGATE.sub("\ufffd", text[:MAX_CHARACTERS]) for text in texts]
        for text, encoding in zip(texts, self.tokenizer.encode_batch(clean), strict=True):
            pieces = [encoding, *encoding.overflowing]
            windows = tuple(Window(piece.ids, piece.offsets) for piece in pieces[:MAX_WINDOWS])
            truncated = len(pieces) > MAX_WINDOWS or len(text) > MAX_CHARACTERS
            cuts.append(Cut(windows, truncated))
        return cuts

    def score_cuts(self, cuts: Sequence[Cut]) -> list[Scores]:
        """Score texts that are cut into windows, each window in a run of its own.

        In a run of several the scales of 8-bit products depend on all of them, so that scores
        would differ in the fourth decimal by what stands beside a text. Of a text of several
        windows the one that speaks most clearly of a position decides: a long text has one where
        any part of it has.
        """
        outputs = iter(self._run_all([window for cut in cuts for window in cut.windows]))
        scores = []
        for cut in cuts:
            rows = [(*next(outputs), window.offsets) for window in cut.windows]
            clearest = min(rows, key=lambda row: _neutrality(row[0], self.neutral))
            scores.append(Scores(*clearest, len(rows), cut.truncated))
        return scores

    def _run_all(
        self, windows: Sequence[Window]
    ) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        if len(windows) < 2 or self.threads < 2:
            return [self._run(window) for window in windows]
        with ThreadPoolExecutor(self.threads) as pool:  # of one call: it does not outlive a fork
            return list(pool.map(self._run, windows))

    def _run(self, window: Window) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the logits and pointer scores of a window."""
        ids = np.array([window.ids], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        logits, spans = self.session.run(["logits", "spans"], feed)
        return logits[0], spans[0]


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


def count_cores() -> int:
    """Return how many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _neutrality(logits: NDArray[np.float32], neutral: int | None) -> float:
    if neutral is None:  # labels of a user's own: what speaks most clearly of any of them
        second, first = np.sort(logits)[-2:]
        return float(second - first)
    return float(logits[neutral] - np.delete(logits, neutral).max())
