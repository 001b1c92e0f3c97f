"""Label every statement of the five source articles and print a table with a summary each.

Run it with ``make run``, or: python examples/label_articles.py
"""

import shutil
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
    """Print one article: a line a statement, then the counts."""
    print(f"\n== {document}\n{format_line('stance', 'conf', 'holder', 'statement')}")
    for _, item in judged:
        confidence = f"{item.confidence:.2f}" if item.reliable else f"({item.confidence:.2f})"
        holder = item.holder.text if item.holder else "-"
        print(format_line(item.label, confidence, holder, item.text)[:width])
    counts = Counter(item.label for _, item in judged)
    holders = Counter(
        (item.holder.text, item.label) for _, item in judged if item.holder
    ).most_common(4)
    print(
        f"-- {len(judged)} statements: " + ", ".join(f"{n} {label}" for label, n in counts.items())
    )
    print("   who: " + "; ".join(f"{name} {label} ({n})" for (name, label), n in holders))


if __name__ == "__main__":
    main()
