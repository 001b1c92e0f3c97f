"""What misspelled words and other cases cost on real news, in points of macro-F1.

    STANCE_CORPORA=FOLDER python benchmarks/noise.py [--model FOLDER --out FILE]

The real-news test rows are read as they are and with noise; differences are paired, with 95 %
intervals by documents. The cards quote what it writes, ``data/noise.json``. A slip leaves a letter
out, doubles it, exchanges two, or hits a key beside it, in one word of ten among those of four
letters or more; training knows exchanged letters alone.
"""

import argparse
import random
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from contenders import RELEASED
from stance.errors import StanceError
from stance.evaluation.compare import compare
from stance.evaluation.judges import judge_by_model, judge_rows
from stance.evaluation.measured import NOISE, tabulate_noises
from stance.evaluation.records import Record
from stance.files import write_json
from stance.layers import find_corpora
from stance.model import load
from stance.rows import Row
from stance.sets import find_data, read_set

FOUND = Path(__file__).parent.parent / "data" / NOISE
SLIPS = 0.1  # share of words with a slip, of those that are long enough
LONG = re.compile(r"[A-Za-z]{4,}")
KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
BESIDE = {key: row[max(i - 1, 0) : i] + row[i + 1 : i + 2]
          for row in KEYS for i, key in enumerate(row)}  # fmt: skip


def misspell(text: str, seed: str) -> str:
    """Make slips in a text; the same seed makes the same."""
    rng = random.Random(seed)
    return LONG.sub(lambda word: slip(word[0], rng) if rng.random() < SLIPS else word[0], text)


def slip(word: str, rng: random.Random) -> str:
    """Return a word with one slip behind its first letter."""
    at = rng.randrange(1, len(word) - 1)
    return rng.choice((
        word[:at] + word[at + 1 :],
        word[:at] + word[at] + word[at:],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        word[:at] + rng.choice(BESIDE[word[at].lower()]) + word[at + 1 :],
    ))  # fmt: skip


NOISES: dict[str, Callable[[Row], str]] = {
    "a slip in one long word of ten": lambda row: misspell(row.text, row.id),
    "all lower case": lambda row: row.text.lower(),
    "all capitals": lambda row: row.text.upper(),
    "Every Word With A Capital": lambda row: row.text.title(),
}


def main() -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--model", type=Path, default=RELEASED, help="(default: the released one)")
    parser.add_argument("--out", type=Path, default=FOUND, help="(default: data/noise.json)")
    options = parser.parse_args()
    try:
        rows = read_set(find_data("data"), "realnews", "test", find_corpora()).rows
        judge = judge_by_model(load(options.model))
        plain = judge_rows(judge, {}, rows, None, bars=sys.stderr.isatty())
        noises = {}
        for name, change in NOISES.items():
            noisy = [replace(row, text=change(row)) for row in rows]
            noises[name] = measure(
                rows, judge_rows(judge, {}, noisy, None, bars=sys.stderr.isatty()), plain
            )
        documents = len({row.document for row in rows})
        write_json(options.out, {"model": judge.sha256, "rows": len(rows), "documents": documents,
                                 "noises": noises})  # fmt: skip
        print(f"{len(rows)} real-news test rows, model {judge.sha256[:12]}\n\n"
              f"{tabulate_noises(noises)}\n{options.out}")  # fmt: skip
    except StanceError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def measure(rows: list[Row], found: list[Record], plain: list[Record]) -> dict[str, Any]:
    """Return what a noise changes: two metrics, minus without it, and the share of labels."""
    difference = compare(rows, found, plain, "the rows without noise")["difference"]
    changed = sum(a.label != b.label for a, b in zip(found, plain, strict=True)) / len(rows)
    return {**{metric: difference[metric] for metric in ("macro_f1", "accuracy")},
            "changed": round(changed, 6)}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
