"""How exactly are texts cut into sentences, beside the light splitters that are installed?

    python benchmarks/segmentation.py

Sets: the five articles (gold: every row of ``data/articles.jsonl``; the rules were written with
them in view), the written statements joined five at a time, and, where STANCE_CORPORA is set,
sentences of public corpora joined the same way (cut by others' splitters, whose errors count
against all). A sentence counts when both its ends are right. Recall has a Wilson 95 % interval.

To compare: pip install sentencex nupunkt pysbd syntok sentence-splitter
"""

import importlib
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from stance.layers import find_corpora, iter_corpus, read_texts
from stance.rows import read_rows
from stance.segment import split

DATA = Path(__file__).parent.parent / "data"
CORPORA = ("unscon", "gwsd", "plover_gsr", "newsmtsc", "seesaw", "directed_sentiment")
JOINED, MOST, SEED = 5, 1000, 1
WHOLE = re.compile(r"[\"“‘(]?[A-Z].*[.!?][\"”’)]?")  # a sentence that can be told when joined

Gold = list[tuple[str, list[tuple[int, int]]]]
Splitter = Callable[[str], list[str]]


def main() -> None:
    """Print a line for each set and splitter."""
    print(
        f"{'set':<20}{'splitter':<20}{'n':>6}{'precision':>11}{'recall':>8}{'F1':>7}  recall 95 %"
    )
    for name, gold in iter_sets():
        for splitter, cut in find_splitters().items():
            hits, predicted, n = count(gold, cut)
            precision, recall = hits / max(predicted, 1), hits / n
            f1 = 2 * hits / (predicted + n)
            low, high = wilson(hits, n)
            print(f"{name:<20}{splitter:<20}{n:>6}{precision:>11.3f}{recall:>8.3f}{f1:>7.3f}"
                  f"  [{low:.3f}, {high:.3f}]")  # fmt: skip


def iter_sets() -> Iterator[tuple[str, Gold]]:
    """Yield the sets: texts with the spans of their sentences."""
    yield "articles", read_articles()
    texts = [
        row.text for path in sorted((DATA / "written").glob("*.jsonl")) for row in read_rows(path)
    ]
    yield "written", join(texts)
    corpora = find_corpora()
    for corpus in CORPORA if corpora else ():
        ids = [key for key, _ in iter_corpus(corpora, corpus)]
        yield corpus, join(list(read_texts(corpora, corpus, ids).values()))


def read_articles() -> Gold:
    """Return the articles' paragraphs, so that no splitter has to know what a line end means."""
    gold: dict[str, list[tuple[int, int]]] = {}
    for row in read_rows(DATA / "articles.jsonl"):
        gold.setdefault(row.document, []).append((row.fields["start"], row.fields["end"]))
    pieces = []
    for document, spans in gold.items():
        text = (DATA / "articles" / f"{document}.txt").read_text(encoding="utf-8")
        for line in re.finditer(r"[^\n]*\S[^\n]*", text):
            inside = [(a - line.start(), b - line.start()) for a, b in spans
                      if line.start() <= a < line.end()]  # fmt: skip
            pieces.append((line.group(), inside))
    return pieces


def join(texts: list[str]) -> Gold:
    """Join sentences by a blank, some at a time, in random order."""
    whole = sorted({text for text in texts if WHOLE.fullmatch(text)})
    random.Random(SEED).shuffle(whole)
    pieces = []
    for i in range(0, min(len(whole), MOST), JOINED):
        part, start, spans = whole[i : i + JOINED], 0, []
        for text in part:
            spans.append((start, start + len(text)))
            start += len(text) + 1
        pieces.append((" ".join(part), spans))
    return pieces


def find_splitters() -> dict[str, Splitter]:
    """Return our splitter and those whose packages are installed."""
    found: dict[str, Splitter] = {"stance": lambda text: [piece.text for piece in split(text)]}
    for name, build in OTHERS.items():
        try:
            found[name] = build(importlib.import_module(name))
        except ModuleNotFoundError:
            continue
    return found


def build_syntok(syntok: object) -> Splitter:
    """Adapt syntok, which gives tokens."""
    analyze = importlib.import_module("syntok.segmenter").analyze
    return lambda text: [
        text[sentence[0].offset : sentence[-1].offset + len(sentence[-1].value)]
        for paragraph in analyze(text) for sentence in paragraph
    ]  # fmt: skip


OTHERS: dict[str, Callable[..., Splitter]] = {
    "sentencex": lambda m: lambda text: list(m.segment("en", text)),
    "nupunkt": lambda m: m.sent_tokenize,
    "pysbd": lambda m: m.Segmenter(language="en", clean=False).segment,
    "syntok": build_syntok,
    "sentence_splitter": lambda m: m.SentenceSplitter("en").split,
}


def count(gold: Gold, cut: Splitter) -> tuple[int, int, int]:
    """Return how many sentences were found exactly, how many were given, how many there are."""
    hits = predicted = n = 0
    for text, spans in gold:
        given = set(align(text, cut(text)))
        hits += len(given & set(spans))
        predicted += len(given)
        n += len(spans)
    return hits, predicted, n


def align(text: str, sentences: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the offsets of sentences given as strings, their white space perhaps changed."""
    position = 0
    for sentence in filter(None, map(str.strip, sentences)):
        pattern = r"\s+".join(map(re.escape, sentence.split()))
        match = re.compile(pattern).search(text, position)
        if match:
            position = match.end()
            yield match.span()


def wilson(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the Wilson interval of a share."""
    centre = (hits + z * z / 2) / (n + z * z)
    half = z * (hits * (n - hits) / n + z * z / 4) ** 0.5 / (n + z * z)
    return max(centre - half, 0.0), min(centre + half, 1.0)


if __name__ == "__main__":
    main()
