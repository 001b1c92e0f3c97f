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
    texts = read_pools()
    origin = f"{len(texts):,} real news sentences of STANCE_CORPORA, drawn with seed {seed}"
    if len(texts) < n:
        texts = list(islice(number_cycles(vary_articles()), n))
        origin = "the sentences of the five articles, each with a word left out in turn"
    random.Random(seed).shuffle(texts)
    return texts[:n], origin


def iter_sentences() -> tuple[Iterator[str], str]:
    """Return different sentences without end, and where they come from.

    Texts that repeat would be cheaper than any archive: when all have come, they come again with a
    number behind.
    """
    texts = read_pools()
    if texts:
        return number_cycles(texts), f"{len(texts):,} real news sentences of STANCE_CORPORA"
    return number_cycles(vary_articles()), "the sentences of the five articles, varied"


def read_pools() -> list[str]:
    """Return the different sentences of the pools in STANCE_CORPORA; none without it."""
    corpora = os.environ.get("STANCE_CORPORA")
    paths = sorted(Path(corpora, "pool").glob("*.jsonl.gz")) if corpora else []
    return sorted({row["text"] for path in paths for row in read_rows(path)})


def read_rows(path: Path) -> Iterator[dict]:
    """Yield the rows of a packed JSON-lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def vary_articles() -> list[str]:
    """Return different sentences: the articles', then those without one word: long as news is."""
    rows = [json.loads(line) for line in ARTICLES.read_text(encoding="utf-8").splitlines()]
    sentences = [text.split() for text in sorted({row["text"] for row in rows})]
    longest = max(map(len, sentences))
    different = (
        " ".join(words[: turn - 1] + words[turn:] if turn else words)
        for turn in range(longest + 1)
        for words in sentences
        if turn <= len(words)
    )
    return list(dict.fromkeys(different))


def number_cycles(texts: list[str]) -> Iterator[str]:
    """Yield texts again and again, from the second time on with a number behind."""
    for cycle in count():
        for text in texts:
            yield f"{text} [{cycle}]" if cycle else text


def hash_sentences(texts: list[str]) -> str:
    """Return the SHA-256 of the sentences, one a line."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
