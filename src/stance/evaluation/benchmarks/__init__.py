"""Public benchmarks: one TOML file each, texts from the corpora folder.

A benchmark has labels of its own. They take the places of ours (its ``favor`` trains the place of
our ``favor``), so a recipe is fine-tuned on it unchanged.
"""

import tomllib
from dataclasses import dataclass
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

from stance.errors import InputError
from stance.layers import collapse, hash_text, iter_corpus
from stance.rows import Row
from stance.selection import Rows
from stance.sets import hash_rows

HELD_OUT = 0.1  # share of the training rows that validates where there is no such split


@dataclass(frozen=True)
class Published:
    """A figure to stand beside ours.

    Attributes:
        system: what was measured.
        value: its score by the official metric, 0 to 1.
        source: where the figure stands; of a measured one, what it was computed from.
        measured: whether nobody has published the figure, and it was computed from what they did.
    """

    system: str
    value: float
    source: str
    measured: bool = False

    @property
    def origin(self) -> str:
        """Whether the figure is published or measured, and its source."""
        return f"{'measured' if self.measured else 'published'}: {self.source}"


@dataclass(frozen=True)
class Benchmark:
    """A benchmark.

    Attributes:
        name: name of its set.
        title: what people call it.
        corpus: its folder under ``public/`` of the corpora.
        source: repository.
        version: commit.
        paper: what to cite.
        licence: as stated.
        metric: the official metric, by our name.
        labels: their label by ours.
        descriptions: what each label means, in words, by our label; may name {target}.
        published: figures of others.
        validation: split to validate on; empty to hold out a tenth of the training rows by hash.
        per_target: whether each target has a model of its own.
        input: how the statement is put to the model, from the row's fields.
    """

    name: str
    title: str
    corpus: str
    source: str
    version: str
    paper: str
    licence: str
    metric: str
    labels: dict[str, str]
    descriptions: dict[str, str]
    published: tuple[Published, ...]
    validation: str = ""
    per_target: bool = False
    input: str = "{text}"

    def describe_labels(self, target: str) -> dict[str, str]:
        """Return what each label means toward a target."""
        return {name: text.format(target=target) for name, text in self.descriptions.items()}


def read_benchmark(name: str) -> Benchmark:
    """Return the benchmark of that name."""
    content = tomllib.loads((_folder() / f"{name}.toml").read_text(encoding="utf-8"))
    published = tuple(Published(**entry) for entry in content.pop("published", []))
    return Benchmark(name=name, published=published, **content)


def list_benchmarks() -> tuple[str, ...]:
    """Return the names of the benchmarks."""
    return tuple(sorted(path.stem for path in _folder().glob("*.toml")))


def _folder() -> Path:
    return Path(str(package_files("stance.evaluation"))) / "benchmarks"


def read_rows(benchmark: Benchmark, split: str, corpora: Path) -> list[Row]:
    """Return a split's rows, the statement as it is put to the model.

    Raises:
        InputError: the corpus is missing or holds a label that the benchmark does not know.
    """
    rows = [
        build_row(benchmark, row_id, fields)
        for row_id, fields in iter_corpus(corpora, benchmark.corpus)
        if row_id.split("/")[0] == split
    ]
    if not rows:
        raise InputError(
            f"benchmark '{benchmark.name}'",
            expected=f"public/{benchmark.corpus}/{split}.jsonl.gz in the corpora folder",
            found="no such file, or an empty one",
            remedy="Get it by train/fetch_benchmarks.py, from "
            f"{benchmark.source} at {benchmark.version}.",
        )
    return rows


def build_row(benchmark: Benchmark, row_id: str, fields: dict[str, Any]) -> Row:
    """Make a row of a corpus row; rows about one sentence are one document."""
    try:
        label, target = fields["label"], fields.get("target", "")
        sentence = collapse(fields["text"])
        text = benchmark.input.format_map({**fields, "text": sentence})
        if label not in benchmark.labels:
            raise ValueError(f"label {label!r}")
    except (KeyError, ValueError) as error:
        raise InputError(
            f"benchmark '{benchmark.name}' row {row_id}",
            expected="text, a label among " + ", ".join(benchmark.labels) + ", what 'input' names",
            found=str(error),
            remedy="Get the corpus again; data/README.md describes the form.",
        ) from None
    kept = {"target": target} if benchmark.per_target else {}
    return Row(row_id, hash_text(sentence)[:16], text, label, None, None, kept)


def read_training(benchmark: Benchmark, corpora: Path) -> dict[str, Rows]:
    """Return the rows to train a model on, by target; under "" where there is one model."""
    train = read_rows(benchmark, "train", corpora)
    if benchmark.validation:
        validation = read_rows(benchmark, benchmark.validation, corpora)
    else:
        validation = [row for row in train if _order(row.document) < HELD_OUT]
        train = [row for row in train if _order(row.document) >= HELD_OUT]
    return {
        target: Rows(
            [row for row in train if name_target(row) == target],
            [row for row in validation if name_target(row) == target],
            {f"{benchmark.name}/train": hash_rows(
                [row for row in (*train, *validation) if name_target(row) == target])},
        )
        for target in sorted({name_target(row) for row in train})
    }  # fmt: skip


def name_target(row: Row) -> str:
    """Return the target that a row's model is of; "" where all rows share one model."""
    return str(row.fields.get("target", ""))


def name_folder(benchmark: Benchmark, target: str) -> str:
    """Return the folder of a target's model below the folder of all fold models."""
    words = "".join(char if char.isalnum() else " " for char in target.lower()).split()
    return "/".join([benchmark.name, *(["-".join(words)] if words else [])])


def _order(document: str) -> float:
    return int(document[:8], 16) / 2**32


def describe(benchmark: Benchmark) -> dict[str, Any]:
    """Return what ``results.json`` says of a benchmark beside the figures."""
    return {
        "title": benchmark.title,
        "source": benchmark.source,
        "version": benchmark.version,
        "paper": benchmark.paper,
        "licence": benchmark.licence,
        "metric": benchmark.metric,
        "labels": benchmark.labels,
        "published": [
            {"system": entry.system, "value": entry.value, "source": entry.origin}
            for entry in benchmark.published
        ],
    }
