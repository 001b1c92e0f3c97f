"""Is the pooled stance of an actor in an article the annotated one?

    python benchmarks/positions.py                      # from the committed predictions
    python benchmarks/positions.py --model runs/small   # a model that has seen no article runs
    python benchmarks/positions.py --folds runs/folds   # models that each left one out run

The annotated pooled stance of an actor in an article: the label that most of its statements have.
Its statements are the rows of ``data/articles.jsonl`` whose holder it is by ``data/actors.jsonl``,
each distinct text once; a row of several holders ("Russia; Ukraine") counts for each, and the
labels are the adjudicated ones. It is what ``document.pool`` makes of the annotation. An actor
whose labels tie has no annotated pooled stance; it is listed and counted, and judged by nothing.

No article is judged by a model that was trained on it. ``given whose statements they
are`` pools the model's scores over the annotated statements, which shows the pooling and the scores
alone; ``end to end`` is what ``analyze`` says. Beside them stand the vote of the predicted labels
(neutral ones do not vote, a tie is wrong) and the most frequent stance. Intervals are Wilson's over
actors; those of one article are not independent, so take them as a lower bound of the doubt.
"""

import argparse
import sys
from collections import Counter
from dataclasses import dataclass

from articles import (
    Gold,
    Tally,
    add_options,
    analyze_unseen,
    choose_predict,
    is_one,
    print_tally,
    read_actors,
)
from stance.actors import Table, read_table
from stance.document import fold, pool
from stance.errors import StanceError
from stance.rows import Row, read_rows
from stance.types import NEUTRAL, Actor, Analysis, Prediction

GIVEN, END = "given whose statements they are", "end to end"


@dataclass(frozen=True)
class Position:
    """What the annotation says of an actor in an article.

    Attributes:
        name: the actor.
        rows: its statements, each distinct text once.
        label: its pooled stance; None where labels tie.
    """

    name: str
    rows: tuple[Row, ...]
    label: str | None


def main() -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    add_options(parser)
    options = parser.parse_args()
    try:
        rows = read_rows(options.data_dir / "articles.jsonl")
        gold = read_actors(options.data_dir / "actors.jsonl", rows)
        table, tally = read_table(), Tally()
        parts = {document: [row for row in rows if row.document == document]
                 for document in sorted({row.document for row in rows})}  # fmt: skip
        for document, part in parts.items():
            positions = find_positions(part, gold, table)
            analysis = analyze_unseen(options, document, part)
            predict = choose_predict(options, document, part)
            print(f"\n== {document}: {len(positions)} actors annotated, "
                  f"{len(analysis.actors)} found")  # fmt: skip
            for position in positions:
                scores = predict([row.text for row in position.rows])
                compare(position, scores, analysis, table, tally)
            count_extra(positions, analysis, table, tally)
    except StanceError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print_tally(tally)
    return 0


def find_positions(rows: list[Row], gold: Gold, table: Table) -> list[Position]:
    """Return the annotated positions in an article, in order of their first statements."""
    held: list[tuple[str, dict[str, Row]]] = []
    for row in rows:
        for name in gold[row.id]["holder_actor"].split(";") if row.id in gold else ():
            known = next((part for other, part in held if is_one(other, name, table)), None)
            if known is None:
                known = {}
                held.append((name.strip(), known))
            known.setdefault(fold(row.text), row)
    return [Position(name, tuple(part.values()), find_most([row.label for row in part.values()]))
            for name, part in held]  # fmt: skip


def find_most(labels: list[str]) -> str | None:
    """Return the label that stands most often; None for a tie, or where there is none."""
    counts = Counter(labels).most_common(2)
    tied = len(counts) > 1 and counts[0][1] == counts[1][1]
    return counts[0][0] if counts and not tied else None


def compare(
    position: Position, scores: list[Prediction], analysis: Analysis, table: Table, tally: Tally
) -> None:
    """Count one annotated actor, and print what was found of it."""
    actor = find_actor(position.name, analysis, table)
    pooled, _ = pool(scores)
    said = f"{actor.label} ({actor.probability:.2f})" if actor else "not found"
    labels = ", ".join(f"{n} {label}" for label, n in
                       Counter(row.label for row in position.rows).most_common())  # fmt: skip
    mark = "=" if actor and actor.label == position.label else "x" if position.label else "-"
    print(f"{mark} {position.name[:40]:<40} {labels:<36} given {pooled:<12} {END} {said}")
    tally.add("an annotated actor is found", right=actor is not None)
    tally.add("an annotated actor has one stance", right=position.label is not None)
    if position.label is None:
        return
    taken = [item.label for item in scores if item.label != NEUTRAL]
    stances = {
        f"pooled stance, {GIVEN}": pooled,
        f"  vote of the labels, {GIVEN}": find_most(taken),
        f"  favor whoever it is, {GIVEN}": "favor",
        f"found with the pooled stance, {END}": actor.label if actor else None,
    }
    for name, label in stances.items():
        tally.add(name, right=label == position.label)
    if len(position.rows) > 1:
        tally.add(f"  of several statements, {GIVEN}", right=pooled == position.label)
    if actor:
        tally.add(f"pooled stance of those found, {END}", right=actor.label == position.label)


def find_actor(name: str, analysis: Analysis, table: Table) -> Actor | None:
    """Return the actor of that name in an analysis."""
    return next((a for a in analysis.actors if is_one(a.name, name, table)), None)


def count_extra(positions: list[Position], analysis: Analysis, table: Table, tally: Tally) -> None:
    """Count the actors found, and print those that the annotation does not know."""
    for actor in analysis.actors:
        known = any(is_one(actor.name, position.name, table) for position in positions)
        tally.add("a found actor is annotated", right=known)
        if not known:
            print(f"+ {actor.name[:40]:<40} not annotated, {actor.label} "
                  f"({actor.probability:.2f})")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
