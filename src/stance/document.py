"""An article to its statements and the positions of its actors."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from stance import language
from stance.actors import read_table
from stance.cast import Cast, Party
from stance.errors import InputError
from stance.plain import simplify
from stance.reference import resolve
from stance.segment import Sentence, split
from stance.types import LABELS, NEUTRAL, OWN_WORDS, Actor, Analysis, Prediction, Statement

MAX_CHARACTERS = 1_000_000  # about 150,000 words: no article is longer
MAX_FOREIGN = 0.5  # share of the characters in statements of other languages
MAX_CONTROLS = 0.1  # share of control characters in a text
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
MIN_TAGS = 5
PAGE = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
SIGNS = {
    "%PDF-": "a PDF", "{\\rtf": "an RTF document", "PK\x03\x04": "a zip file or office document",
    "\xff\xfe": "UTF-16 text", "\xfe\xff": "UTF-16 text",
}  # fmt: skip
"""How files of other kinds begin, a byte a character."""
TAG = re.compile(
    r"</?(?:p|div|span|a|br|ul|ol|li|h[1-6]|table|tr|td|img|head|body|script|style|meta|link|"
    r"article|section|strong|em)\b[^<>]{0,500}>",
    re.IGNORECASE,
)

Predict = Callable[[list[str]], list[Prediction]]


def analyze(
    text: str,
    predict: Predict,
    *,
    document: str | None = None,
    actors: str | Path | None = None,
) -> Analysis:
    """Analyse an article.

    Every statement is scored once; then the evidence on each actor is gathered from those that
    take a position and name its holder, and decided once.

    Args:
        text: the article as plain text.
        predict: statements in, one prediction each out.
        document: a name for the article.
        actors: a TOML file that adds to the table of actors.

    Raises:
        InputError: the text is no English article: blank, HTML, too long, another language.
    """
    check_text(text)
    table = read_table(actors)
    sentences = split(text)
    judged = [sentence for sentence in sentences if not sentence.furniture]
    if not judged:
        found = "only page furniture" if sentences else "no letter or digit"
        raise refuse("at least one statement", found, "Pass the article's text.")
    foreign = [language.is_foreign(sentence.text) for sentence in judged]
    check_language(judged, foreign)
    predictions = predict([sentence.text for sentence in judged])
    read = [simplify(prediction) for prediction in predictions]
    cast = Cast([prediction.text for prediction in read], read, table)
    index = [n for n, sentence in enumerate(sentences) if not sentence.furniture]
    return Analysis(
        document, text,
        build_statements(sentences, foreign, predictions),
        tuple(build_actors(cast, foreign, index)),
    )  # fmt: skip


def check_text(text: str) -> None:
    """Raise unless a text can be an article."""
    if not isinstance(text, str):
        raise refuse("a string", type(text).__name__, "Read the file as text first.")
    if not text.strip():
        raise refuse("an article", "blank text", "Pass the article's text.")
    if len(text) > MAX_CHARACTERS:
        raise refuse(
            f"an article of at most {MAX_CHARACTERS:,} characters", f"{len(text):,}",
            "Split it into its articles, or label it line by line with stance predict --file.",
        )  # fmt: skip
    check_kind(text)
    controls = len(CONTROLS.findall(text))
    if controls > MAX_CONTROLS * len(text):
        raise refuse(
            "text", f"{controls} control characters among {len(text)}",
            "Convert the file to plain UTF-8 text.",
        )  # fmt: skip
    if PAGE.match(text) or sum(1 for _ in TAG.finditer(text)) >= MIN_TAGS:
        raise refuse("plain text", "HTML", "Take the article's text out of the page first.")


def check_kind(start: str) -> None:
    """Raise when a text, or the bytes of a file taken for characters, begin as another kind."""
    for sign, kind in SIGNS.items():
        if start.startswith(sign):
            raise refuse("plain text in UTF-8", kind, "Save the article as such.")


def check_language(sentences: Sequence[Sentence], foreign: Sequence[bool]) -> None:
    """Raise when most of the text is in other languages than English."""
    other = [s.text for s, is_foreign in zip(sentences, foreign, strict=True) if is_foreign]
    if sum(map(len, other)) > MAX_FOREIGN * sum(len(sentence.text) for sentence in sentences):
        raise refuse(
            "an article in English", f"language '{language.name_language(' '.join(other))}'",
            "Translate it first; the model reads English alone.",
        )  # fmt: skip


def refuse(expected: str, found: str, remedy: str) -> InputError:
    """Return the error of a text that is no article."""
    return InputError("article", expected=expected, found=found, remedy=remedy)


def build_statements(
    sentences: Sequence[Sentence], foreign: Sequence[bool], predictions: Sequence[Prediction]
) -> tuple[Statement, ...]:
    """Put sentences and predictions together; page furniture has none of the model's."""
    judged = iter(zip(foreign, predictions, strict=True))
    statements = []
    for sentence in sentences:
        if sentence.furniture:
            part, prediction = "furniture", predict_furniture(sentence.text)
        else:
            is_foreign, prediction = next(judged)
            part = "foreign" if is_foreign else "article"
        statements.append(Statement(sentence.start, sentence.end, part, prediction))
    return tuple(statements)


def predict_furniture(text: str) -> Prediction:
    """Return what page furniture gets: neutral, not reliable."""
    scores = {label: float(label == NEUTRAL) for label in LABELS}
    return Prediction(text, NEUTRAL, scores, 1.0, False, None, None, False)


def build_actors(cast: Cast, foreign: Sequence[bool], index: Sequence[int]) -> list[Actor]:
    """Gather the evidence on each actor, then decide.

    Args:
        cast: everybody whom the document mentions.
        foreign: whether a statement is in another language, by the cast's statements.
        index: position in the document of each of the cast's statements.
    """
    evidence: dict[Party, list[int]] = {}
    for i, prediction in enumerate(cast.predictions):
        if prediction.label == NEUTRAL or prediction.holder is None or foreign[i]:
            continue
        for party in resolve(cast, i, prediction.holder):
            evidence.setdefault(party, []).append(i)
    actors = []
    for party, carried in evidence.items():
        label, probability = pool([cast.predictions[i] for i in carried])
        sources = find_sources(cast, party, carried)
        actors.append(Actor(
            party.name, find_surface(cast, carried), label, probability,
            tuple(index[i] for i in carried), tuple(sources), sources,
        ))  # fmt: skip
    return sorted(actors, key=lambda actor: (-len(actor.statements), actor.statements))


def pool(predictions: Sequence[Prediction]) -> tuple[str, float]:
    """Return the stance that the statements of an actor carry together, and its probability.

    The probability of a stance is the mean of its calibrated scores over the actor's statements,
    each distinct text counted once, and the stance with the highest mean is the actor's: a linear
    opinion pool. So it is the share of the actor's statements that are expected to take that
    stance; for one statement it is that statement's score, repetition adds nothing to it, and
    statements that contradict each other lower it. Neutral is not among the stances, for each of
    the statements was read as a position; but its scores take their part of the mean.

    Args:
        predictions: those of the statements that carry the actor's position, at least one.
    """
    distinct = {fold(prediction.text): prediction for prediction in reversed(predictions)}
    means = {
        label: sum(prediction.scores[label] for prediction in distinct.values()) / len(distinct)
        for label in LABELS
        if label != NEUTRAL
    }
    label = max(means, key=lambda name: means[name])
    return label, means[label]


def fold(text: str) -> str:
    """Return a text without what does not make it another: case, white space, end stop."""
    return " ".join(text.casefold().split()).rstrip('.!?"”’')


def find_surface(cast: Cast, carried: Sequence[int]) -> tuple[str, ...]:
    """Return what the statements call their holder, each form once."""
    holders = [cast.predictions[i].holder for i in carried]
    return tuple(dict.fromkeys(" ".join(span.text.split()) for span in holders if span))


def find_sources(cast: Cast, party: Party, carried: Sequence[int]) -> dict[str, tuple[str, ...]]:
    """Return who says so: the sources that are not the actor, and ``OWN_WORDS``.

    Returns:
        Name of the source -> what the statements call it, each form once; the actor's own words
        may be ascribed to it, too.
    """
    forms: dict[str, list[str]] = {}
    for i in carried:
        source = cast.predictions[i].source
        parties = resolve(cast, i, source) if source else []
        others = [other.name for other in parties if other is not party]
        if source and not parties:
            others = [source.text]  # a pronoun without antecedent stays as it stands
        for name in others or [OWN_WORDS]:
            forms.setdefault(name, []).extend([source.text] if source else [])
    return {name: tuple(dict.fromkeys(found)) for name, found in forms.items()}
