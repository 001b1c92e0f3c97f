"""Run ``analyze`` on the five articles and compare it, statement by statement, with the annotation.

    python train/score_articles.py --folds runs/folds

Each article is analysed by the fold model that was trained without it. Prints every error by row
id, then how many statements are cut and labelled as annotated and, where ``data/actors.jsonl`` is
there, how many actors are named as annotated: by the model's own spans (end to end), and by the
annotated spans (which shows the rules alone). Intervals are Wilson's; statements of one article
are not independent, so take them as a lower bound of the doubt.
"""

import argparse
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from stance import files
from stance.actors import Table, is_same_person, read_table
from stance.cast import Cast
from stance.errors import InputError, StanceError
from stance.estimate import Z
from stance.model import load
from stance.reference import resolve
from stance.rows import Row, read_rows
from stance.types import LABELS, NEUTRAL, Analysis, Prediction

FIELDS = ("document", "id", "holder_actor", "source_actor")


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
    parser.add_argument("--folds", type=Path, default=Path("runs/folds"), help="a model an article")
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help="the data folder")
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
    print()
    for name, n in tally.all.items():
        low, high = wilson(tally.right[name], n)
        print(f"{name:<34}{tally.right[name]:>4} of {n:<4} {tally.right[name] / n:.3f} "
              f"[{low:.3f}, {high:.3f}]")  # fmt: skip
    if not gold:
        print(f"no {options.data_dir / 'actors.jsonl'}: actors were not compared")
    return 0


def read_actors(path: Path, rows: list[Row]) -> dict[str, dict[str, str | None]]:
    """Return the annotated actors by row id; none where there is no such file.

    Raises:
        InputError: a line lacks a field, or is of a row that has no holder.
    """
    if not path.exists():
        return {}
    held = {row.id for row in rows if row.holder}
    actors = {}
    for number, entry in files.read_jsonl(path):
        if set(entry) != set(FIELDS) or entry["id"] not in held or not entry["holder_actor"]:
            raise InputError(
                f"{path} line {number}", expected="fields " + ", ".join(FIELDS) + " for a row of "
                "articles.jsonl that has a holder", found=str(entry)[:80],
                remedy="See 'Actors' in data/GUIDELINES.md.",
            )  # fmt: skip
        actors[str(entry["id"])] = entry
    if set(actors) != held:
        raise InputError(str(path), expected=f"a line for each of {len(held)} rows with a holder",
                         found=f"{len(actors)}; missing {sorted(held - set(actors))[:5]}",
                         remedy="Annotate them all.")  # fmt: skip
    return actors


def compare(
    options: argparse.Namespace, document: str, rows: list[Row],
    gold: dict[str, dict[str, str | None]], tally: Tally,
) -> None:  # fmt: skip
    """Analyse one article with its fold model, print the errors and count."""
    folder = options.folds / document
    model = load(folder)
    left_out = model.bundle.settings.left_out
    if left_out != document:
        raise InputError(str(folder), expected=f"a model trained without {document}",
                         found=f"one trained without {left_out}",
                         remedy="Train it with --leave-out.")  # fmt: skip
    path = options.data_dir / "articles" / f"{document}.txt"
    analysis = model.analyze(path.read_text(encoding="utf-8"), document=document)
    print(f"\n== {document}: {len(rows)} rows, {len(analysis.statements)} statements found")
    found = {(s.start, s.end): i for i, s in enumerate(analysis.statements)}
    for row in rows:
        i = found.get((row.fields["start"], row.fields["end"]))
        tally.add("statement cut as annotated", right=i is not None)
        if i is None:
            print(f"{row.id}  not cut so: {row.text[:90]}")
        else:
            compare_label(row, analysis.statements[i].prediction, tally)
    if gold:
        compare_actors(rows, analysis, found, gold, tally)


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
    rows: list[Row], analysis: Analysis, found: dict[tuple[int, int], int],
    gold: dict[str, dict[str, str | None]], tally: Tally,
) -> None:  # fmt: skip
    """Count the actors of an article, and print the wrong ones."""
    table = read_table()
    cast = Cast([row.text for row in rows], [as_prediction(row) for row in rows], table)
    for k, row in enumerate(rows):
        entry = gold.get(row.id)
        if entry is None or row.holder is None:
            continue
        holder, source = entry["holder_actor"] or "", entry["source_actor"]
        i = found.get((row.fields["start"], row.fields["end"]))
        named = [actor.name for actor in analysis.actors if i in actor.statements]
        ruled = [party.name for party in resolve(cast, k, row.holder)]
        right = {
            "end to end": is_same(named, holder, table),
            "by rules": is_same(ruled, holder, table),
        }
        tally.add("holder's actor, end to end", right=right["end to end"])
        tally.add("holder's actor, annotated spans", right=right["by rules"])
        if row.source and source:
            sources = [party.name for party in resolve(cast, k, row.source)]
            right["source"] = is_same(sources, source, table)
            tally.add("source's actor, annotated spans", right=right["source"])
        for way, fine in right.items():
            if not fine:
                names = {"end to end": named, "by rules": ruled}.get(way) or []
                given = sources if way == "source" else names
                wanted = source if way == "source" else holder
                print(f"{row.id}  actor {way}: '{wanted}' -> {given or 'nobody'}")


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


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Return the Wilson interval of a share."""
    centre = (hits + Z * Z / 2) / (n + Z * Z)
    half = Z * (hits * (n - hits) / n + Z * Z / 4) ** 0.5 / (n + Z * Z)
    return centre - half, centre + half


if __name__ == "__main__":
    sys.exit(main())
