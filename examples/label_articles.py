"""Label every statement of the five source articles and print a table with a summary each.

Run it with ``make run``, or: python examples/label_articles.py
"""

import os
import shutil
import sys
import time
from collections import Counter
from itertools import groupby
from pathlib import Path

import stance
from stance.commands.predict import format_line
from stance.rows import read_rows

DATA = Path(__file__).parent.parent / "data"


def main() -> None:
    """Print the tables."""
    start = time.perf_counter()
    model = stance.load()
    rows = read_rows(DATA / "articles.jsonl")
    predictions = model.predict([row.text for row in rows])
    took = time.perf_counter() - start
    width = shutil.get_terminal_size((120, 24)).columns
    judged = zip(rows, predictions, strict=True)
    for document, part in groupby(judged, key=lambda pair: pair[0].document):
        print_article(document, list(part), width)
    seen = "articles/train" in model.bundle.settings.data
    print(
        f"{len(rows)} statements in {took:.1f} s by the model "
        f"{model.bundle.settings.name} ({model.bundle.sha256[:12]}). A confidence in brackets is "
        "not reliable."
    )
    if seen:
        print(
            "This model was trained on these articles: the table shows what it does, not how "
            "well. For that see model_card.md, where no article is judged by a model that saw it."
        )


def print_article(document: str, judged: list, width: int) -> None:
    """Print one article: a line a statement, then the counts.

    Page furniture and statements that stand in an article twice are printed, but not counted.
    """
    print(f"\n== {document}\n{format_line('stance', 'conf', 'holder', 'statement')}")
    counted = []
    for row, item in judged:
        confidence = f"{item.confidence:.2f}" if item.reliable else f"({item.confidence:.2f})"
        holder = item.holder.text if item.holder else "-"
        line = format_line(item.label, confidence, holder, item.text)
        print(line if len(line) <= width else line[: width - 1] + "…")
        if row.fields["part"] != "furniture" and row.fields["duplicate_of"] is None:
            counted.append(item)
    counts = Counter(item.label for item in counted)
    holders = Counter((item.holder.text, item.label) for item in counted if item.holder)
    shares = ", ".join(f"{n} {label}" for label, n in counts.most_common())
    print(f"-- {len(counted)} statements without page furniture and repetitions: {shares}")
    named = "; ".join(f"{name} {label} ({n})" for (name, label), n in holders.most_common(5))
    print(f"   who: {named}")


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    try:
        main()
    except BrokenPipeError:  # the reader has gone (for example `| head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
