"""A shard of a corpus: its rows scored and written as one part, and the parts joined to a file."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from stance import files, objects, tables
from stance.bundle import hash_file
from stance.inputs import BadRow, Statement
from stance.model import Model
from stance.stream import cut, measure_row
from stance.types import COLUMNS, LABELS, Prediction

FORMS = ("jsonl", "csv", "parquet")
AHEAD_ROWS = 512  # read before they are scored together
AHEAD_CHARACTERS = 8_000_000  # of all columns
STAGE = "stage"
"""Column that says which stage of a cascade answered: ``FIRST`` or ``FULL``."""

FIRST, FULL = "first", "full"


@dataclass(frozen=True)
class Scorer:
    """What scores the statements of a corpus.

    Attributes:
        model: name and sha256 of the model, and the facts of its cascade where that is used.
        marks: names and types of the columns that it adds to the prediction's. The full model
            adds none; a cascade says in one which of its stages answered.
        stream: gives each statement's prediction, in order, and its marks.
    """

    model: dict[str, Any]
    marks: dict[str, type]
    stream: Callable[[Iterable[str]], Iterator[tuple[Prediction, dict[str, Any]]]]


def use_model(model: Model) -> Scorer:
    """Return the scorer that asks the full model about every statement."""

    def stream(texts: Iterable[str]) -> Iterator[tuple[Prediction, dict[str, Any]]]:
        return ((prediction, {}) for prediction in model.stream(texts))

    bundle = model.bundle
    return Scorer({"name": bundle.settings.name, "sha256": bundle.sha256}, {}, stream)


def use_cascade(model: Model) -> Scorer:
    """Return the scorer that asks the full model about what the first stage passes on.

    Raises:
        InputError: the model has no first stage.
    """

    def stream(texts: Iterable[str]) -> Iterator[tuple[Prediction, dict[str, Any]]]:
        for prediction, read in model.stream_fast(texts):
            yield prediction, {STAGE: FULL if read else FIRST}

    model.stream_fast(())  # refused here rather than at the first row
    settings = model.bundle.settings
    facts = asdict(settings.cascade) if settings.cascade else {}
    identity = {"name": settings.name, "sha256": model.bundle.sha256, "cascade": facts}
    return Scorer(identity, {STAGE: str}, stream)


@dataclass(frozen=True)
class Layout:
    """How rows are written.

    Attributes:
        form: one of ``FORMS``.
        renamed: input columns that would hide one of ours, and what they are called instead.
        columns: of a table all columns in order, each with the kinds of its values: Python types,
            or those of ``survey.Survey.columns``.
    """

    form: str
    renamed: dict[str, str]
    columns: dict[str, set[Any]]


@dataclass(frozen=True)
class Outcome:
    """What became of a shard.

    Attributes:
        labels: rows by label, in the order of ``LABELS``.
        bad: the rows that could not be scored.
        size: bytes of the part.
        sha256: of the part.
        skipped: rows that a first stage answered.
    """

    labels: dict[str, int]
    bad: list[BadRow]
    size: int
    sha256: str
    skipped: int = 0


def plan_layout(
    form: str, text_column: str, columns: dict[str, set[Any]], marks: dict[str, type]
) -> Layout:
    """Return how rows with these input columns are written; our columns come after them.

    The column of statements keeps its name ``text``: it is the prediction's text too.
    """
    ours: dict[str, type] = dict(COLUMNS)
    if form == "jsonl":
        ours = dict.fromkeys(Prediction.__dataclass_fields__, object)
    ours |= marks
    renamed: dict[str, str] = {}
    for name in columns:
        if name not in ours or name == text_column == "text":
            continue
        new = f"input_{name}"
        while new in ours or new in columns or new in renamed.values():
            new = f"input_{new}"
        renamed[name] = new
    table = {renamed.get(name, name): kinds for name, kinds in columns.items()}
    rest = {name: {kind} for name, kind in ours.items() if name not in table}
    return Layout(form, renamed, table | rest)


def write_part(
    path: Path, rows: Iterable[Statement | BadRow], scorer: Scorer, layout: Layout
) -> Outcome:
    """Score rows and write them as a file that appears whole or not at all.

    Raises:
        StanceError: the disk is full, or the folder is not writable.
    """
    bad: list[BadRow] = []
    labels: Counter[str] = Counter()
    stages: Counter[str] = Counter()

    def pick_statements() -> Iterator[Statement]:
        for row in rows:
            if isinstance(row, BadRow):
                bad.append(row)
            else:
                yield row

    def build_rows() -> Iterator[dict[str, Any]]:
        for chunk in cut(pick_statements(), measure_statement, AHEAD_ROWS, AHEAD_CHARACTERS):
            scored = scorer.stream(statement.text for statement in chunk)
            for statement, (prediction, marks) in zip(chunk, scored, strict=True):
                labels[prediction.label] += 1
                stages[marks.get(STAGE, FULL)] += 1
                yield build_row(statement, prediction, marks, layout)

    with files.open_output(path) as stream:
        write_rows(stream, build_rows(), layout)
    ordered = {label: labels[label] for label in LABELS}
    return Outcome(ordered, bad, path.stat().st_size, hash_file(path), stages[FIRST])


def measure_statement(statement: Statement) -> int:
    """Return about how many characters a statement takes in memory with all its columns."""
    return len(statement.text) + measure_row(statement.columns)


def build_row(
    statement: Statement, prediction: Prediction, marks: dict[str, Any], layout: Layout
) -> dict[str, Any]:
    """Return the input columns, then the prediction's, then the marks."""
    kept = {layout.renamed.get(name, name): v for name, v in statement.columns.items()}
    ours = prediction.to_dict() if layout.form == "jsonl" else prediction.to_columns()
    return kept | ours | marks


def write_rows(stream: IO[bytes], rows: Iterable[dict[str, Any]], layout: Layout) -> None:
    """Write rows in a layout's form."""
    if layout.form == "parquet":
        from stance.parquet import write_parquet

        write_parquet(stream, rows, layout.columns)
    elif layout.form == "csv":
        stream.write(encode_cells(layout.columns))
        for row in rows:
            stream.write(encode_cells(row.get(name) for name in layout.columns))
    else:
        for row in rows:
            stream.write(objects.encode_object(row))


def encode_cells(cells: Iterable[Any]) -> bytes:
    """Return a line of CSV; a lone surrogate, which UTF-8 cannot hold, becomes a question mark."""
    return tables.encode_row(cells).encode("utf-8", "replace")


def join_parts(stream: IO[bytes], parts: Sequence[Path], layout: Layout) -> None:
    """Write the rows of all parts as one file."""
    if layout.form == "parquet":
        from stance.parquet import join_parquet

        join_parquet(stream, parts, layout.columns)
        return
    header = encode_cells(layout.columns) if layout.form == "csv" else b""
    stream.write(header)
    for part in parts:
        with files.open_input(part) as rows:
            rows.seek(len(header))
            shutil.copyfileobj(rows, stream)
