"""How long does ``analyze`` take for an article of 40 sentences?

    python benchmarks/analyze.py

Prints the median of 5 runs, the model loaded and warm, and its parts: cutting into sentences,
telling their language, scoring, and finding the actors. What is remembered of an article's language
is forgotten before each run. The article is put together from the five articles' statements.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from stance.actors import read_table
from stance.cast import Cast
from stance.language import is_foreign, is_foreign_start
from stance.model import load
from stance.rows import read_rows
from stance.segment import split

DATA = Path(__file__).parent.parent / "data"
SENTENCES, RUNS = 40, 5


def main() -> None:
    """Measure and print."""
    rows = [r for r in read_rows(DATA / "articles.jsonl") if r.fields["part"] == "body"]
    text = "\n".join(row.text for row in rows[:SENTENCES])
    model, table = load(), read_table()
    texts = [sentence.text for sentence in split(text)]
    predictions = model.predict(texts)
    parts: dict[str, Callable[[], object]] = {
        "analyze": lambda: model.analyze(text),
        "  sentences": lambda: split(text),
        "  language": lambda: [is_foreign(text) for text in texts],
        "  scores": lambda: model.predict(texts),
        "  actors": lambda: Cast(texts, predictions, table),
    }
    print(f"{len(texts)} sentences, {len(text):,} characters, {os.cpu_count()} cores, "
          f"load {os.getloadavg()[0]:.1f}")  # fmt: skip
    for name, run in parts.items():
        run()  # warm
        print(f"{name:<12} {median(time_it(run) for _ in range(RUNS)) * 1000:>8.1f} ms")


def time_it(run: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    is_foreign_start.cache_clear()
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
