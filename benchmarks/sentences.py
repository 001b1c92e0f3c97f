"""Sentences to time with: real news where STANCE_CORPORA names it, else the articles varied."""

import gzip
import hashlib
import json
import os
import random
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

ARTICLES = Path(__file__).parent.parent / "data" / "articles.jsonl"


def read_sentences(n: int, seed: int = 0) -> tuple[list[str], str]:
    """Return n different sentences in random order, and where they come from."""
    corpora = os.environ.get("STANCE_CORPORA")
    paths = sorted(Path(corpora, "pool").glob("*.jsonl.gz")) if corpora else []
    if paths:
        texts = sorted({row["text"] for path in paths for row in read_rows(path)})
        origin = f"{len(texts)} real news sentences of STANCE_CORPORA, drawn with seed {seed}"
        random.Random(seed).shuffle(texts)
        if len(texts) >= n:
            return texts[:n], origin
    texts = list(islice(vary_articles(), n))
    random.Random(seed).shuffle(texts)
    return texts, "the sentences of the five articles, each with a word left out in turn"


def read_rows(path: Path) -> Iterator[dict]:
    """Yield the rows of a packed JSON-lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def vary_articles() -> Iterator[str]:
    """Yield different sentences without end: the articles', then those without one word, ...

    Lengths stay those of news; texts that repeat would be cheaper than any archive. When every
    word has been left out once, the same come again with a number behind.
    """
    rows = [json.loads(line) for line in ARTICLES.read_text(encoding="utf-8").splitlines()]
    sentences = [text.split() for text in sorted({row["text"] for row in rows})]
    longest = max(map(len, sentences))
    different = dict.fromkeys(
        " ".join(words[: turn - 1] + words[turn:] if turn else words)
        for turn in range(longest + 1)
        for words in sentences
        if turn <= len(words)
    )
    for cycle in count():
        for text in different:
            yield f"{text} [{cycle}]" if cycle else text


def hash_sentences(texts: list[str]) -> str:
    """Return the SHA-256 of the sentences, one a line."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
