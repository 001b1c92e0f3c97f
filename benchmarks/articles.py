"""Compare ``analyze`` with the five annotated articles, statement by statement and actor by actor.

    python benchmarks/articles.py > runs/articles.txt       # from the committed predictions
    python benchmarks/articles.py --model runs/small        # a model that has seen none runs
    python benchmarks/articles.py --folds runs/folds        # models that each left one out run

No article is judged by a model that was trained on it. Prints every error by row id, then how many
statements are cut and labelled as annotated and how many actors are named as in
``data/actors.jsonl``: given the annotated spans, which shows the rules alone, and end to end, by
the model's own labels and spans. Intervals are Wilson's over rows; the rows of one article are
not independent, so take them as a lower bound of the doubt.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from segmentation import wilson
from stance import files
from stance.actors import Table, is_same_person, read_table
from stance.bundle import read_bundle
from stance.cast import Cast
from stance.document import analyze
from stance.errors import InputError, StanceError
from stance.evaluation.folds import saw_articles
from stance.evaluation.records import align, read_records
from stance.model import find_folder, load
from stance.reference import resolve
from stance.rows import Row, cut_span, read_rows
from stance.types import LABELS, NEUTRAL, Analysis, Prediction, Span

FIELDS = ("document", "id", "holder_actor", "source_actor", "reason", "votes")
GIVEN, END = "annotated spans", "end to end"

Predict = Callable[[list[str]], list[Prediction]]
Gold = dict[str, dict[str, Any]]


@dataclass
class Tally:
    """How often something was right, and what was wrong."""

    right: Counter[str] = field(default_factory=Counter)
    all: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, *, right: bool) -> None:
        """Count one case."""
        self.all[name] += 1
        self.right[name] += right


def main() -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    add_options(parser)
    options = parser.parse_args()
    try:
        rows = read_rows(options.data_dir / "articles.jsonl")
        gold = read_actors(options.data_dir / "actors.jsonl", rows)
        tally = Tally()
        for document in sorted({row.document for row in rows}):
            part = [row for row in rows if row.document == document]
            compare(options, document, part, gold, tally)
    except StanceError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print_tally(tally)
    return 0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say whose predictions are compared with which data."""
    models = parser.add_mutually_exclusive_group()
    models.add_argument("--model", type=Path, help="a model that was trained on no article, to run")
    models.add_argument("--folds", type=Path, help="a model an article, which it left out, to run")
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="the data folder")


def print_tally(tally: Tally) -> None:
    """Print the shares with their intervals."""
    print()
    for name, n in tally.all.items():
        low, high = wilson(tally.right[name], n)
        print(f"{name:<54}{tally.right[name]:>4} of {n:<4} {tally.right[name] / n:.3f} "
              f"[{low:.3f}, {high:.3f}]")  # fmt: skip


def read_actors(path: Path, rows: list[Row]) -> Gold:
    """Return the annotated actors by row id.

    Raises:
        InputError: a line lacks a field, is of a row that has no holder, or a row has no line.
    """
    held = {row.id: row for row in rows if row.holder}
    actors: Gold = {}
    for number, entry in files.read_jsonl(path):
        row = held.get(str(entry.get("id")))
        complete = set(entry) == set(FIELDS) and entry["holder_actor"]
        if not (row and complete and bool(entry["source_actor"]) == bool(row.source)):
            raise InputError(
                f"{path} line {number}", expected="fields " + ", ".join(FIELDS) + " for a row of "
                "articles.jsonl that has a holder, and a source where the row has one",
                found=str(entry)[:80], remedy="See 'Actors' in data/GUIDELINES.md.",
            )  # fmt: skip
        actors[row.id] = entry
    if set(actors) != set(held):
        raise InputError(str(path), expected=f"a line for each of {len(held)} rows with a holder",
                         found=f"{len(actors)}; missing {sorted(set(held) - set(actors))[:5]}",
                         remedy="Annotate them all.")  # fmt: skip
    return actors


def compare(
    options: argparse.Namespace, document: str, rows: list[Row], gold: Gold, tally: Tally
) -> None:
    """Analyse one article without a model that knows it, print the errors and count."""
    analysis = analyze_unseen(options, document, rows)
    print(f"\n== {document}: {len(rows)} rows, {len(analysis.statements)} statements found")
    found = {(s.start, s.end): i for i, s in enumerate(analysis.statements)}
    for row in rows:
        i = found.get((row.fields["start"], row.fields["end"]))
        tally.add("statement cut as annotated", right=i is not None)
        if i is None:
            print(f"{row.id}  not cut so: {row.text[:90]}")
        else:
            compare_label(row, analysis.statements[i].prediction, tally)
    compare_actors(rows, analysis, found, gold, tally)


def analyze_unseen(options: argparse.Namespace, document: str, rows: list[Row]) -> Analysis:
    """Analyse one article by a model that does not know it."""
    path = options.data_dir / "articles" / f"{document}.txt"
    predict = choose_predict(options, document, rows)
    return analyze(path.read_bytes().decode("utf-8"), predict, document=document)


def choose_predict(options: argparse.Namespace, document: str, rows: list[Row]) -> Predict:
    """Return a model that has not seen an article, or what answers with committed predictions."""
    if options.model or options.folds:
        return load_unseen(options.model or options.folds / document, document)
    return recall(options.data_dir / "predictions" / "articles.jsonl", rows)


@cache
def load_unseen(folder: Path, document: str) -> Predict:
    """Return a model that was trained without an article.

    Raises:
        InputError: the model was trained on the article.
    """
    model = load(folder)
    settings = model.bundle.settings
    if saw_articles(settings) and settings.left_out != document:
        raise InputError(str(folder), expected=f"a model trained without {document}",
                         found=f"one trained without {settings.left_out or 'any left out'}",
                         remedy="Train it with --leave-out, or without articles.")  # fmt: skip
    return model.predict


def recall(path: Path, rows: list[Row]) -> Predict:
    """Return what answers with the committed predictions of the rows of one article.

    Raises:
        InputError: a row has no prediction, or one of a model that saw the article; later on, a
            text that is no row.
    """
    released = read_bundle(find_folder(None, None))
    itself = None if saw_articles(released.settings) else released.sha256
    names = {row.id for row in rows}
    records = align(rows, [r for r in read_records(path) if r.id in names], str(path))
    known = {}
    for row, record in zip(rows, records, strict=True):
        if record.fold != row.document and record.model != itself:
            also = f" or model {itself[:12]}" if itself else ""
            raise InputError(f"{path} row {row.id}", expected=f"fold {row.document}{also}",
                             found=f"fold {record.fold}, model {record.model[:12]}",
                             remedy="Run stance evaluate.")  # fmt: skip
        known[row.text] = Prediction(
            row.text, record.label, dict(zip(LABELS, record.scores, strict=True)),
            max(record.scores), bool(record.reliable), cut_span(record.holder, row.text),
            cut_span(record.source, row.text), False,
        )  # fmt: skip

    def predict(texts: list[str]) -> list[Prediction]:
        unknown = [text for text in texts if text not in known]
        if unknown:
            raise InputError(str(path), expected="a prediction of each statement",
                             found=f"none of {unknown[0][:60]!r}",
                             remedy="Run a model: --model or --folds.")  # fmt: skip
        return [known[text] for text in texts]

    return predict


def compare_label(row: Row, prediction: Prediction, tally: Tally) -> None:
    """Count a label, and print it when it is wrong."""
    right = prediction.label == row.label
    tally.add("label as annotated", right=right)
    if row.fields["part"] != "furniture" and row.fields["duplicate_of"] is None:
        tally.add("  without furniture, duplicates", right=right)
    if not right:
        print(f"{row.id}  {row.label} -> {prediction.label} ({prediction.confidence:.2f}): "
              f"{row.text[:90]}")  # fmt: skip


def compare_actors(
    rows: list[Row], analysis: Analysis, found: dict[tuple[int, int], int], gold: Gold, tally: Tally
) -> None:
    """Count the actors of an article, and print the wrong ones."""
    table = read_table()
    places = [found.get((row.fields["start"], row.fields["end"])) for row in rows]
    own = [as_prediction(row) if i is None else analysis.statements[i].prediction
           for row, i in zip(rows, places, strict=True)]  # fmt: skip
    texts = [row.text for row in rows]
    given = Cast(texts, [as_prediction(row) for row in rows], table)
    end = Cast(texts, own, table)
    for k, row in enumerate(rows):
        named = [actor.name for actor in analysis.actors if places[k] in actor.statements]
        entry = gold.get(row.id)
        if entry is None:
            tally.add(f"no actor where none is, {END}", right=not named)
            if named:
                print(f"{row.id}  holder {END}: nobody -> {'; '.join(named)}")
            continue
        votes = [(vote["holder_actor"], vote["source_actor"]) for vote in entry["votes"]]
        tally.add("annotators name the same actors", right=len(set(votes)) == 1)
        answers = [("holder", GIVEN, name_span(given, k, row.holder)), ("holder", END, named)]
        if row.source:
            source = own[k].source if own[k].label != NEUTRAL else None
            answers += [("source", GIVEN, name_span(given, k, row.source)),
                        ("source", END, name_span(end, k, source))]  # fmt: skip
        for role, way, names in answers:
            wanted = entry[f"{role}_actor"]
            right = is_same(names, wanted, table)
            tally.add(f"{role}'s actor, {way}", right=right)
            if not right:
                print(f"{row.id}  {role} {way}: {wanted} -> {'; '.join(names) or 'nobody'}")


def name_span(cast: Cast, i: int, span: Span | None) -> list[str]:
    """Return whom a span of statement i means; the words of a pronoun that means nobody known."""
    if span is None:
        return []
    return [party.name for party in resolve(cast, i, span)] or [span.text]


def as_prediction(row: Row) -> Prediction:
    """Return a row's annotation in the form of a prediction."""
    scores = {label: float(label == row.label) for label in LABELS}
    return Prediction(row.text, row.label, scores, 1.0, row.label != NEUTRAL, row.holder,
                      row.source, False)  # fmt: skip


def is_same(found: list[str], annotated: str, table: Table) -> bool:
    """Say whether the found actors are the annotated ones, spellings and articles apart."""
    wanted = [name.strip() for name in annotated.split(";")]
    return len(found) == len(wanted) and all(
        any(is_one(name, other, table) for other in found) for name in wanted
    )


def is_one(left: str, right: str, table: Table) -> bool:
    """Say whether two names are one actor's."""
    left, right = (name.strip().removeprefix("the ").removeprefix("The ") for name in (left, right))
    sides = table.names.get(left, left), table.names.get(right, right)
    if sides[0].casefold() == sides[1].casefold():
        return True
    capitalised = left.istitle() and right.istitle()
    either = left in table.names or right in table.names
    return capitalised and not either and is_same_person(tuple(left.split()), tuple(right.split()))


if __name__ == "__main__":
    sys.exit(main())
