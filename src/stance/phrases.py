"""Phrases of a statement that may name an actor: names, roles, sides, institutions, groups."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from stance.actors import Table
from stance.segment import OPENERS

WORD = re.compile(r"[^\W_]+(?:[-’'.][^\W_]+)*")
OWNS = re.compile(r"(?:’s|'s|(?<=s)[’'])(?!\w)")
INDEFINITE = re.compile(
    r"\b(?:a|an|some|one|another|any|every|each|no|former|ex)[ -]$", re.IGNORECASE
)
DEFINITE = re.compile(r"\b(?:the|this|that|its|their|our|his|her)\s$", re.IGNORECASE)
PLACE = re.compile(r"\b(?:in|at|near|outside|around)\s$", re.IGNORECASE)
VERB_BEFORE = re.compile(r"(\w+),?\s+(?:the\s+)?$")
VERB_AFTER = re.compile(r",?\s+(?:also |later |has |had |then |once |earlier )?(\w+)")
NEAR = 25  # characters beside a phrase in which a verb of saying is looked for
MAX_NAME = 4  # words of a person's name
QUALIFIERS = frozenset(("prime", "foreign", "defence", "defense", "interior", "finance", "press"))

NOT_NAMES = OPENERS | frozenset(
    ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "January",
     "February", "March", "April", "May", "June", "July", "August", "September", "October",
     "November", "December", "Yesterday", "Tomorrow", "West", "Western", "East", "Eastern", "North",
     "Northern", "South", "Southern", "Then", "Yes", "Like", "Despite", "Asked", "Speaking")
)  # fmt: skip


@dataclass(frozen=True)
class Phrase:
    """A phrase that may name an actor.

    Attributes:
        kind: ``person`` (by name), ``role`` (a person by role), ``side`` (a state or organisation
            by name), ``institution`` (of a side or a person), ``group`` (a plural noun).
        start: offset in the statement, of the owner if there is one; the article stands before it.
        end: offset; a possessive ending stands after it.
        name: words of the person's name, or of the owner's of an institution or role.
        roles: the person's roles, in lower case.
        side: the side that the phrase names or belongs to, or None.
        definite: whether a role means somebody known: the president, Russia's envoy.
        speaks: whether a verb of saying stands beside it.
        plural: whether "they" may mean it.
    """

    kind: str
    start: int
    end: int
    name: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    side: str | None = None
    definite: bool = True
    speaks: bool = False
    plural: bool = False


@dataclass(frozen=True)
class Token:
    """A word, or a form of the table, with its place in a phrase."""

    word: str
    start: int
    end: int
    kind: str
    side: str | None = None
    owns: bool = False


def find_phrases(text: str, table: Table) -> list[Phrase]:
    """Return the phrases of a statement that may name an actor, in order."""
    phrases: list[Phrase] = []
    for run in iter_runs(text, iter_tokens(text, table)):
        owner: Phrase | None = None
        for part in cut_run(run):
            phrase = read_part(text, part, owner, table)
            phrases += [phrase] if phrase else []
            owner = phrase if part[-1].owns else None
    return phrases


def is_headline(text: str) -> bool:
    """Say whether nearly all longer words are capitalised, so that a capital shows no name."""
    words = [word for word in WORD.findall(text) if len(word) > 3]
    return len(words) > 3 and sum(word[0].isupper() for word in words) > 0.7 * len(words)


def iter_tokens(text: str, table: Table) -> Iterator[Token]:
    """Yield the words of a text that may stand in a phrase, a form of the table as one."""
    position = 0
    for match in WORD.finditer(text):
        start, word = match.start(), match.group()
        if start < position:
            continue
        form = table.find_form(text, start)
        side = None
        if form is None:
            word = word.removesuffix("’s").removesuffix("'s")
            kind = classify(word, table)
        elif form in table.names:
            word, kind, side = form, "side", table.names[form]
        else:
            word, kind, side = form, "adjective", table.adjectives[form]
        end = start + len(word)
        owns = OWNS.match(text, end)
        position = owns.end() if owns else max(end, match.end() if form is None else end)
        yield Token(word, start, end, kind, side, owns is not None)


def classify(word: str, table: Table) -> str:
    """Return what a word may be in a phrase; an empty string when nothing."""
    lower = word.lower()
    for kind in ("institutions", "roles", "titles", "groups", "modifiers"):
        if lower in table.words[kind]:
            return kind
    if word[0].isupper() and word not in NOT_NAMES:
        return "name"
    return "of" if word == "of" else ""


def iter_runs(text: str, tokens: Iterator[Token]) -> Iterator[list[Token]]:
    """Yield runs of such words with nothing but a blank between them."""
    run: list[Token] = []
    for token in tokens:
        gap = text[run[-1].end : token.start] if run else " "
        abbreviated = run and run[-1].kind == "titles" and gap == ". "
        if not token.kind or not (OWNS.sub("", gap) == " " or abbreviated):
            if run:
                yield run
            run = []
        if token.kind:
            run.append(token)
    if run:
        yield run


def cut_run(run: list[Token]) -> Iterator[list[Token]]:
    """Yield the parts of a run: one ends with an owner, a plural noun or a full name."""
    part: list[Token] = []
    for token, following in zip(run, [*run[1:], None], strict=True):
        part.append(token)
        named = token.kind == "name" and following and following.kind not in ("name", "of")
        titled = following and following.kind in ("institutions", "groups", "modifiers")
        if token.owns or token.kind in ("institutions", "groups") or (named and not titled):
            yield part
            part = []
    if part:
        yield part


def read_part(text: str, part: list[Token], owner: Phrase | None, table: Table) -> Phrase | None:
    """Return the phrase that a part of a run makes, or None."""
    while part and part[-1].kind in ("modifiers", "of", "adjective", "titles"):
        part = part[:-1]
    while part and part[0].kind == "of":
        part = part[1:]
    if not part:
        return None
    head, start, end = part[-1], (owner or part[0]).start, part[-1].end
    sides = [token.side for token in part if token.side]
    names = tuple(token.word for token in part if token.kind == "name")
    found = Phrase(
        head.kind, start, end, names, tuple(read_roles(part)),
        sides[-1] if sides else owner.side if owner else None,
        is_definite(text, start, owned=bool(sides or owner)), speaks(text, start, end, table),
    )  # fmt: skip
    if head.kind == "name":
        return read_name(text, part, found, table)
    if not found.name and owner and owner.kind == "person":
        found = replace(found, name=owner.name)
    if head.kind in ("roles", "side") and any(token.kind == "roles" for token in part):
        return replace(found, kind="role")
    if head.kind == "side":
        is_place = head.word in table.capitals and PLACE.search(text[max(0, start - 9) : start])
        return None if is_place else replace(found, start=head.start)
    plural = head.word.lower() in table.words["groups"]
    if head.kind == "institutions" and (found.side or found.name):
        return replace(found, kind="institution", plural=plural)
    return replace(found, kind="group", plural=True) if plural else None


def read_roles(part: list[Token]) -> Iterator[str]:
    """Yield the roles in a part of a run, with the word that tells ministers apart."""
    for before, token in zip([None, *part], part, strict=False):
        if token.kind in ("roles", "titles"):
            word = before.word.lower() if before else ""
            yield f"{word} {token.word.lower()}" if word in QUALIFIERS else token.word.lower()


def read_name(text: str, part: list[Token], found: Phrase, table: Table) -> Phrase | None:
    """Return the person, or the organisation, that the capitalised words at the end name."""
    first = len(part)
    while first and part[first - 1].kind == "name":
        first -= 1
    words = tuple(token.word for token in part[first:])
    if len(words) > 1 and is_acronym(words[0]) and not is_acronym(words[-1]):
        words = words[1:]  # "CNN Anna Marsh": whoever she works for is not of her name
    if is_organisation(text, part[first:], found, table):
        return replace(found, kind="side", name=(), side=text[found.start : found.end])
    return replace(found, kind="person", name=words) if len(words) <= MAX_NAME else None


def is_acronym(word: str) -> bool:
    """Say whether a word is written in capitals alone."""
    return len(word) > 1 and word.isupper()


def is_organisation(text: str, names: list[Token], found: Phrase, table: Table) -> bool:
    """Say whether capitalised words name an organisation rather than a person."""
    lower = {word.lower() for token in names for word in token.word.split("-")}
    if lower & table.words["organisations"]:
        return True
    if found.roles:
        return False
    article = re.search(r"\b[Tt]he $", text[max(0, found.start - 4) : found.start])
    return article is not None or all(is_acronym(t.word) for t in names)


def is_definite(text: str, start: int, *, owned: bool) -> bool:
    """Say whether what stands before a role shows that somebody known is meant."""
    before = text[max(0, start - 15) : start]
    return not INDEFINITE.search(before) and (owned or DEFINITE.search(before) is not None)


def speaks(text: str, start: int, end: int, table: Table) -> bool:
    """Say whether a verb of saying stands beside a phrase."""
    before = VERB_BEFORE.search(text[max(0, start - NEAR) : start])
    after = VERB_AFTER.match(text[end : end + NEAR])
    verbs = table.words["speech"]
    return any(match and match[1].lower() in verbs for match in (before, after))
