"""A teacher, kept as its probabilities over sentences: row id, text hash, four bytes."""

import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from stance import files
from stance.bundle import read_bundle
from stance.errors import InputError
from stance.layers import hash_text, read_texts
from stance.training.variants import MARK, Neighbours, vary
from stance.types import LABELS, NEUTRAL

FOLDER = "teacher"
"""Folder of the data folder that holds one file a corpus."""

SURE = 0.90  # probability of neutral from which the teacher is sure
KEPT = 0.20  # share of such sentences that stays, by a hash of their ids

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SoftRow:
    """A sentence with a teacher's probabilities.

    Attributes:
        id: corpus and row, and the number of the variant if it is one.
        text: the sentence.
        probabilities: one for each of ``LABELS``, sum 1, in steps of about 1/255.
    """

    id: str
    text: str
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Taught:
    """What a teacher left behind.

    Attributes:
        rows: the sentences that the corpora at hand hold.
        sha256: SHA-256 of the files.
    """

    rows: list[SoftRow]
    sha256: str


def format_line(row_id: str, digest: str, probabilities: NDArray[np.float32]) -> str:
    """Return one line of a teacher file: row id, text hash, one byte a label in hex."""
    steps = np.round(np.asarray(probabilities) * 255).astype(np.uint8)
    return f"{row_id}\t{digest}\t{steps.tobytes().hex()}\n"


def parse_line(line: str, where: str) -> tuple[str, str, tuple[float, ...]]:
    """Return row id, text hash and probabilities of a line.

    Raises:
        InputError: the line has another form.
    """
    try:
        row_id, digest, steps = line.rstrip("\n").split("\t")
        values = np.frombuffer(bytes.fromhex(steps), np.uint8).astype(float)
        if len(values) != len(LABELS) or not values.sum():
            raise ValueError(steps)
    except ValueError:
        raise InputError(
            where,
            expected="row id, text hash and four bytes in hex, separated by tabs",
            found=repr(line[:80]),
            remedy="Take the file of the repository.",
        ) from None
    return row_id, digest, tuple(values / values.sum())


def read_teacher(data: Path, corpora: Path, encoder: Path | None = None) -> Taught:
    """Join a teacher's probabilities with the texts of the corpora.

    Rows whose text is absent, or another than the teacher read, are left out and counted.

    Args:
        data: the repository's data folder.
        corpora: the corpora folder.
        encoder: the base encoder's folder, whose words make the variants of labelled rows; None
            to leave the variants out.

    Raises:
        InputError: there is no teacher, or a line has another form.
    """
    paths = sorted((data / FOLDER).glob("*.tsv"))
    if not paths:
        raise InputError(
            f"recipe table [distillation], folder {data / FOLDER}",
            expected="a teacher's probabilities, CORPUS.tsv",
            found="none",
            remedy="Take the folder of the repository, or make it with train/teach.py.",
        )
    neighbours = Neighbours.load(encoder) if encoder else None
    rows: list[SoftRow] = []
    digest = hashlib.sha256()
    for path in paths:
        with files.open_input(path) as stream:
            content = stream.read()
        digest.update(content)
        rows.extend(join_lines(content.decode("utf-8").splitlines(), path, corpora, neighbours))
    return Taught(rows, digest.hexdigest())


def join_lines(
    lines: Iterable[str], path: Path, corpora: Path, neighbours: Neighbours | None
) -> list[SoftRow]:
    """Return the rows of one corpus."""
    parsed = [parse_line(line, f"{path} line {i}") for i, line in enumerate(lines, 1)]
    if neighbours is None:
        parsed = [entry for entry in parsed if MARK not in entry[0]]
    wanted = {row_id.split(MARK)[0] for row_id, _, _ in parsed}
    originals = read_texts(corpora, path.stem, wanted)
    rows = []
    for row_id, digest, probabilities in parsed:
        name, text = f"{path.stem}:{row_id}", originals.get(row_id.split(MARK)[0], "")
        if neighbours and MARK in row_id:
            text = vary(text, name, neighbours)
        if hash_text(text) == digest:
            rows.append(SoftRow(name, text, probabilities))
    if len(rows) < len(parsed):
        log.warning(
            "teacher over %s: %d of %d rows left out, the corpora hold no or another text",
            path.stem, len(parsed) - len(rows), len(parsed),
        )  # fmt: skip
    return rows


def thin(rows: Iterable[SoftRow]) -> list[SoftRow]:
    """Leave out most sentences that the teacher is sure are neutral: they are many and alike."""
    kept = []
    for row in rows:
        share = int(hashlib.sha256(f"sure:{row.id}".encode()).hexdigest()[:8], 16) / 2**32
        sure = row.probabilities[LABELS.index(NEUTRAL)] >= SURE
        if MARK in row.id or not sure or share < KEPT:
            kept.append(row)
    return kept


def count_lesson(data: Path) -> tuple[int, int, int, str]:
    """Return how many sentences a teacher judged, what a lesson takes of them, and their SHA-256.

    No texts are needed: which sentences are taken depends on ids and probabilities alone.

    Returns:
        All sentences; of the lesson those of the pools, and the variants; SHA-256 of the files.
    """
    rows: list[SoftRow] = []
    digest = hashlib.sha256()
    for path in sorted((data / FOLDER).glob("*.tsv")):
        content = path.read_bytes()
        digest.update(content)
        for number, line in enumerate(content.decode("utf-8").splitlines(), 1):
            name, _, probabilities = parse_line(line, f"{path} line {number}")
            rows.append(SoftRow(f"{path.stem}:{name}", "", probabilities))
    kept = thin(rows)
    variants = sum(MARK in row.id for row in kept)
    return len(rows), len(kept) - variants, variants, digest.hexdigest()


@dataclass(frozen=True)
class Teacher:
    """A trained model folder, read with torch: a large one is too slow through its ONNX file here.

    Attributes:
        classifier: the stock model for sequence classification.
        tokenizer: its tokenizer.
        temperature: what its scores are divided by.
    """

    classifier: Any
    tokenizer: Any
    temperature: float

    @classmethod
    def load(cls, folder: Path) -> "Teacher":
        """Read a model folder that ``stance train`` wrote."""
        settings = read_bundle(folder).settings
        classifier = AutoModelForSequenceClassification.from_pretrained(folder).eval()
        return cls(classifier, AutoTokenizer.from_pretrained(folder), settings.temperature)

    def score(self, texts: list[str], batch_size: int = 64) -> NDArray[np.float32]:
        """Return calibrated probabilities, (texts, labels); long texts are cut."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        scores = np.empty((len(texts), len(LABELS)), np.float32)
        for start in range(0, len(texts), batch_size):
            ids = order[start : start + batch_size]
            batch = self.tokenizer(
                [texts[i] for i in ids], truncation=True, padding=True, return_tensors="pt",
                return_token_type_ids=False,
            )  # fmt: skip
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
                logits = self.classifier(**batch).logits.float()
            scores[ids] = torch.softmax(logits / self.temperature, dim=1).numpy()
        return scores
