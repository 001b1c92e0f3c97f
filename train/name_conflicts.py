"""Write into each row over public corpora which conflict its sentence names.

Usage: STANCE_CORPORA=DIR python train/name_conflicts.py [--data-dir data]

Names are those of ``data/conflicts.toml``. For composition tables and slices; the label files keep
their order and everything else.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from calling import make_parser, need_corpora, read_layer, run_script
from stance import files
from stance.errors import InputError
from stance.layers import read_texts
from stance.sets import find_data


@dataclass(frozen=True)
class Names:
    """The names of a conflict.

    Attributes:
        all: what is counted.
        needed: a sentence without any of these is not about the conflict; None asks for nothing.
    """

    all: re.Pattern[str]
    needed: re.Pattern[str] | None = None

    def count(self, text: str) -> int:
        """Return how many names the text holds, 0 where a needed one is missing."""
        there = self.needed is None or self.needed.search(text)
        return len(self.all.findall(text)) if there else 0


def read_conflicts(data: Path) -> dict[str, Names]:
    """Return the names of each conflict.

    Raises:
        InputError: the table has another form.
    """
    path = data / "conflicts.toml"
    with files.open_input(path) as stream:
        try:
            table = tomllib.load(stream)
            needs = {name: compile_names(words) for name, words in table["needs"].items()}
            conflicts = {
                name: Names(compile_names(words), needs.pop(name, None))
                for name, words in table["conflicts"].items()
            }
            if needs:
                raise ValueError(f"needs of unknown conflicts: {', '.join(needs)}")
        except (ValueError, KeyError, TypeError, AttributeError, re.error) as error:
            raise InputError(
                str(path),
                expected="tables [conflicts] and [needs] of lists of patterns",
                found=f"{type(error).__name__}: {error}",
                remedy="Mend the table, or take that of the repository.",
            ) from None
    return conflicts


def compile_names(words: list[str]) -> re.Pattern[str]:
    """Return the pattern of any of the names."""
    return re.compile(r"\b(?:" + "|".join(words) + r")\b")


def name_conflict(text: str, conflicts: Mapping[str, Names]) -> str | None:
    """Return the conflict with most names in the text, or None."""
    found = {name: names.count(text) for name, names in conflicts.items()}
    best = max(found, key=lambda name: found[name])
    return best if found[best] else None


def write_conflicts(path: Path, corpora: Path, conflicts: Mapping[str, Names]) -> None:
    """Add ``conflict`` to the rows of a file; a row whose text is not at hand stays as it is."""
    rows = list(read_layer(path))
    texts: dict[tuple[str, str], str] = {}
    for corpus in {row["corpus"] for row in rows}:
        wanted = [row["row"] for row in rows if row["corpus"] == corpus]
        texts |= {(corpus, key): text for key, text in read_texts(corpora, corpus, wanted).items()}
    for row in rows:
        if (text := texts.get((row["corpus"], row["row"]))) is not None:
            row["conflict"] = name_conflict(text, conflicts)
    files.write_jsonl(path, rows)


def main() -> None:
    """Name the conflicts of all layers and of real news."""
    parser = make_parser(__doc__)
    parser.add_argument("--data-dir", type=Path, default="data")
    data = find_data(parser.parse_args().data_dir)
    corpora, conflicts = need_corpora(), read_conflicts(data)
    for path in sorted([*(data / "layers").glob("*.jsonl"), *(data / "realnews").glob("*.jsonl")]):
        write_conflicts(path, corpora, conflicts)


if __name__ == "__main__":
    run_script(main)
