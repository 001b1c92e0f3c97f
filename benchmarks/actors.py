"""Does ``analyze`` find and merge the actors of articles it has not seen?

    STANCE_CORPORA=FOLDER python benchmarks/actors.py

Two public corpora say who is who in texts of several sentences; their texts stay where they are.

- ``persent_paragraphs``: articles about one named person. Each place that writes the full name or
  the surname should mean one actor of that name; an article whose places mean two is split.
- ``seesaw``: sentences of stories in order, each with the canonical name of its holder. It should
  mention that actor, by name, pronoun or role; a story that finds it as two is split.

Both are read as ``analyze`` reads an article: cut, scored by the model, cast. A fixed sample of
documents is drawn from those with no row in any layer, so that the released model has not seen
them. Intervals are bootstraps over documents. The cast is measured, not the positions on
negotiations: most of these articles take none.
"""

import argparse
import random
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from articles import is_one
from stance import files
from stance.actors import Table, fold_name, read_table
from stance.cast import Cast, Party
from stance.errors import InputError, StanceError
from stance.evaluation.intervals import draw_documents, take_interval
from stance.layers import document_of, find_corpora, iter_corpus
from stance.model import Model, load
from stance.reference import PRONOUNS, resolve
from stance.segment import split
from stance.types import Span

DATA = Path(__file__).parent.parent / "data"
DOCUMENTS, SEED = 150, 1
NAME = re.compile(r"[A-Z][\w’'-]+(?: [A-Z][\w’'-]+){1,2}")
SUFFIXES = ("II", "III", "IV", "Jr", "Sr")
Document = TypeVar("Document")
PRONOUN = re.compile(
    r"\b(?:" + "|".join(sorted(PRONOUNS, key=len, reverse=True)) + r")\b", re.IGNORECASE
)


@dataclass
class Tally:
    """Cases by measure: the document of each, and whether it was right."""

    cases: dict[str, list[tuple[str, bool]]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)

    def add(self, measure: str, document: str, *, right: bool) -> None:
        """Count one case."""
        self.cases[measure].append((document, right))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--model", help="model folder (default: the released model)")
    parser.add_argument("--documents", type=int, default=DOCUMENTS, help="documents a corpus")
    parser.add_argument("--part", type=int, default=1, help="which sample, from 1")
    parser.add_argument("--errors", action="store_true", help="list the errors by document id")
    options = parser.parse_args()
    try:
        corpora = find_corpora()
        if corpora is None:
            raise InputError("STANCE_CORPORA", expected="the folder of the corpora's texts",
                             found="nothing", remedy="See data/README.md.")  # fmt: skip
        model, table, tally = load(options.model), read_table(), Tally()
        for document, texts, name in draw(list(iter_named(corpora, table)), options):
            measure_named(document, build_cast(model, texts, table), name, tally)
        for document, sentences, holders in draw(list(iter_stories(corpora)), options):
            measure_story(document, build_cast(model, sentences, table), holders, tally)
    except StanceError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    if options.errors:
        print("\n".join(tally.errors) + "\n")
    for measure, cases in tally.cases.items():
        documents, right = zip(*cases, strict=True)
        draws = draw_documents(documents)
        share = take_interval(draws.sum(np.array(right)) / draws.sum(np.ones(len(right))))
        print(f"{measure:<72}{share.value:.3f} [{share.low:.3f}, {share.high:.3f}]  "
              f"n={len(right)}, {len(set(documents))} documents")  # fmt: skip
    return 0


def draw(documents: list[Document], options: argparse.Namespace) -> list[Document]:
    """Return a fixed sample of documents; no document is in two parts."""
    shuffled = random.Random(SEED).sample(documents, len(documents))
    start = (options.part - 1) * options.documents
    return shuffled[start : start + options.documents]


def read_seen() -> set[str]:
    """Return the documents that have a row in a layer or in real news."""
    paths = [path for name in ("layers", "realnews") for path in (DATA / name).glob("*.jsonl")]
    return {str(row["document"]) for path in paths for _, row in files.read_jsonl(path)}


def iter_named(corpora: Path, table: Table) -> Iterator[tuple[str, list[str], str]]:
    """Yield document, statements and the full name of the person that an article is about."""
    seen = read_seen()
    paragraphs: dict[str, list[str]] = defaultdict(list)
    names: dict[str, str] = {}
    for row_id, row in iter_corpus(corpora, "persent_paragraphs"):
        document = document_of("persent_paragraphs", row_id, row)
        paragraphs[document].append(row["text"])
        names[document] = row["target"]
    for document, texts in paragraphs.items():
        text, name = "\n\n".join(texts), names[document]
        person = NAME.fullmatch(name) and name.split()[-1] not in SUFFIXES
        other = name in table.names or set(name.lower().split()) & table.words["organisations"]
        if document not in seen and person and not other and name in text:
            yield document, [s.text for s in split(text) if not s.furniture], name


def iter_stories(corpora: Path) -> Iterator[tuple[str, list[str], list[tuple[int, str]]]]:
    """Yield document, sentences in order, and the holders: number of the sentence, name."""
    stories: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for row_id, row in iter_corpus(corpora, "seesaw"):
        story = stories[document_of("seesaw", row_id, row)]
        story.setdefault(row["text"], []).append(row["holder"])
    seen = read_seen()
    for document, sentences in stories.items():
        if len(sentences) > 1 and document not in seen:
            holders = [(i, name) for i, names in enumerate(sentences.values())
                       for name in dict.fromkeys(names)]  # fmt: skip
            yield document, list(sentences), holders


def build_cast(model: Model, texts: list[str], table: Table) -> Cast:
    """Return the cast that ``analyze`` makes of statements."""
    return Cast(texts, model.predict(texts), table)


def measure_named(document: str, cast: Cast, name: str, tally: Tally) -> None:
    """Count the places that name the person by whom the cast takes them to mean."""
    places = [(i, *span) for i, text in enumerate(cast.texts)
              for span in find_places(text, name, cast.table)]  # fmt: skip
    parties = [find_party(cast, *place) for place in places]
    right = [party is not None and is_one(party.name, name, cast.table) for party in parties]
    found = {id(party) for party, fine in zip(parties, right, strict=True) if fine}
    tally.add("persent: named person is an actor", document, right=bool(found))
    for fine in right:
        tally.add("persent: place that names the person means it", document, right=fine)
    others = {party.name for party, fine in zip(parties, right, strict=True) if party and not fine}
    if found:
        whole = len(found) == 1 and not others
        tally.add("persent: person is one actor, not split", document, right=whole)
    if not found or len(found) > 1 or others:
        tally.errors.append(f"{document} {name}: {len(found)} actors; others {sorted(others)}")


def find_places(text: str, name: str, table: Table) -> Iterator[tuple[int, int]]:
    """Yield where a text writes a full name or its surname alone, namesakes left out."""
    first, last = name.split()[0], name.split()[-1]
    for match in re.finditer(rf"(?:{re.escape(name)}|\b{re.escape(last)})(?!\w)", text):
        before = re.search(r"([A-Z][\w’'.-]*) $", text[max(0, match.start() - 30) : match.start()])
        word = before[1].rstrip(".").lower() if before else ""
        title = not before or word in table.words["roles"] | table.words["titles"]
        if match.group() == name or title or fold_name(word) == fold_name(first):
            yield match.span()


def find_party(cast: Cast, i: int, start: int, end: int) -> Party | None:
    """Return whom the shortest mention that holds a place means."""
    holding = [m for m in cast.mentions[i] if m.start <= start and end <= m.end]
    return min(holding, key=lambda m: m.end - m.start).party if holding else None


def measure_story(document: str, cast: Cast, holders: list[tuple[int, str]], tally: Tally) -> None:
    """Count the sentences that mention their holder, and the holders that are one actor."""
    found: dict[str, set[int]] = defaultdict(set)
    for i, name in holders:
        named = name.split()[-1] in cast.texts[i]
        parties = {id(p): p for p in find_parties(cast, i) if is_one(p.name, name, cast.table)}
        way = "named in it" if named else "meant by pronoun, role or another name"
        tally.add(f"seesaw: holder of a sentence, {way}", document, right=bool(parties))
        if not parties:
            tally.errors.append(f"{document} sentence {i}: {name} not found, {way}")
        found[name] |= set(parties)
    for name, parties_of in found.items():
        if parties_of and sum(other == name for _, other in holders) > 1:
            tally.add("seesaw: holder of several sentences is one actor, not split", document,
                      right=len(parties_of) == 1)  # fmt: skip


def find_parties(cast: Cast, i: int) -> Iterator[Party]:
    """Yield whom the mentions and the pronouns of a statement mean."""
    yield from (mention.party for mention in cast.mentions[i])
    for match in PRONOUN.finditer(cast.texts[i]):
        yield from resolve(cast, i, Span(*match.span(), match.group()))


if __name__ == "__main__":
    sys.exit(main())
