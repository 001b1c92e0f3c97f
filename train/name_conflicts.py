"""Write into each row over public corpora which conflict its sentence names.

Usage: STANCE_CORPORA=DIR python train/name_conflicts.py [--data-dir data]

Names are those of ``data/conflicts.toml``. For composition tables and slices; the label files keep
their order and everything else.
"""

import argparse
import json
import re
import tomllib
from pathlib import Path

from stance import files
from stance.layers import find_corpora, read_texts
from stance.sets import find_data


def read_conflicts(data: Path) -> dict[str, re.Pattern[str]]:
    """Return one pattern a conflict."""
    with files.open_input(data / "conflicts.toml") as stream:
        names = tomllib.load(stream)["conflicts"]
    return {name: re.compile(r"\b(?:" + "|".join(words) + r")\b") for name, words in names.items()}


def name_conflict(text: str, conflicts: dict[str, re.Pattern[str]]) -> str | None:
    """Return the conflict with most names in the text, or None."""
    found = {name: len(pattern.findall(text)) for name, pattern in conflicts.items()}
    best = max(found, key=lambda name: found[name])
    return best if found[best] else None


def write_conflicts(path: Path, corpora: Path, conflicts: dict[str, re.Pattern[str]]) -> None:
    """Add ``conflict`` to the rows of a file; a row whose text is not at hand stays as it is."""
    rows = [row for _, row in files.read_jsonl(path)]
    texts: dict[tuple[str, str], str] = {}
    for corpus in {row["corpus"] for row in rows}:
        wanted = [row["row"] for row in rows if row["corpus"] == corpus]
        texts |= {(corpus, key): text for key, text in read_texts(corpora, corpus, wanted).items()}
    for row in rows:
        if (text := texts.get((row["corpus"], row["row"]))) is not None:
            row["conflict"] = name_conflict(text, conflicts)
    path.write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8"
    )


def main() -> None:
    """Name the conflicts of all layers and of real news."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, default="data")
    data = find_data(parser.parse_args().data_dir)
    corpora = find_corpora()
    assert corpora is not None, "set STANCE_CORPORA"
    conflicts = read_conflicts(data)
    for path in sorted([*(data / "layers").glob("*.jsonl"), *(data / "realnews").glob("*.jsonl")]):
        write_conflicts(path, corpora, conflicts)


if __name__ == "__main__":
    main()
