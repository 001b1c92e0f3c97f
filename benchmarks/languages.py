"""How often is English taken for another language, and how often is another language noticed?

    STANCE_CORPORA=FOLDER python benchmarks/languages.py

Short is at most 8 words, where it is hardest. English: the real-news test set, and the short
sentences of the pools that it was drawn from (any in another language count as errors here). The
sentences of ``benchmarks/languages.toml`` were written for this measure. Wilson 95 % intervals.
"""

import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from segmentation import wilson
from stance import files
from stance.errors import InputError, StanceError
from stance.language import is_foreign
from stance.layers import POOLS, find_corpora, iter_corpus, read_texts

HERE = Path(__file__).parent
SHORT = 8  # words


def main() -> int:
    """Measure and print."""
    try:
        for name, texts in iter_sets():
            hits = sum(map(is_foreign, texts))
            low, high = wilson(hits, len(texts))
            print(f"{name:<40}{hits:>6} of {len(texts):<7}{hits / len(texts):.4f} "
                  f"[{low:.4f}, {high:.4f}]")  # fmt: skip
    except StanceError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def iter_sets() -> Iterator[tuple[str, list[str]]]:
    """Yield sets of sentences by name.

    Raises:
        InputError: the corpora are not there.
    """
    corpora = find_corpora()
    if corpora is None:
        raise InputError("STANCE_CORPORA", expected="the folder of the corpora's texts",
                         found="nothing", remedy="See data/README.md.")  # fmt: skip
    ids: dict[str, list[str]] = defaultdict(list)
    for _, row in files.read_jsonl(HERE.parent / "data" / "realnews" / "test.jsonl"):
        ids[row["corpus"]].append(row["row"])
    test = [text for corpus, wanted in ids.items()
            for text in read_texts(corpora, corpus, wanted).values()]  # fmt: skip
    pools = {
        " ".join(row["text"].split()) for pool in POOLS for _, row in iter_corpus(corpora, pool)
    }
    yield "English, real news (test)", test
    yield "English, real news (test), short", [text for text in test if is_short(text)]
    yield "English, pools, short", sorted(filter(is_short, pools))
    written = tomllib.loads((HERE / "languages.toml").read_text(encoding="utf-8"))
    yield "English, written, names", written.pop("English")
    for language, texts in written.items():
        yield f"{language}, written", texts
    yield "all but English, written", [text for texts in written.values() for text in texts]


def is_short(text: str) -> bool:
    """Say whether a sentence has few words."""
    return len(text.split()) <= SHORT


if __name__ == "__main__":
    sys.exit(main())
