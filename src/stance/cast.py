"""The cast of a document: which actors its statements mention, and where.

What is one actor: forms that the table gives one side, spellings of one name, a bare surname and
the full name, a role and the person introduced by it. Nothing else is merged.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from stance.actors import Table, fold_name, is_same_person
from stance.phrases import Phrase, find_phrases, is_headline
from stance.types import Prediction

NEAR = 3  # statements between a role and a person whose role nobody has said
MOST = 500  # mentions looked through for a person, before a place and after it
APPOSITION = re.compile(
    r"(?:\s(?:to|of|for|in|at)\s[^,;.]{1,40})?,\s(?:(?:the|an?)\s)?(?:[\w.]+[’']s?\s)?"
)


@dataclass(eq=False)
class Party:
    """An actor as far as it is known.

    Attributes:
        name: what it is called; a person by the fullest form found.
        kind: ``person``, ``side`` or ``group``.
        words: the words of a person's name; empty where no name is given.
        roles: roles the person was introduced by.
        side: the state or organisation that the person belongs to, or None.
    """

    name: str
    kind: str
    words: tuple[str, ...] = ()
    roles: set[str] = field(default_factory=set)
    side: str | None = None


@dataclass(frozen=True)
class Mention:
    """A place in a statement that means a party; ``speaks`` and ``plural`` as in ``Phrase``."""

    start: int
    end: int
    party: Party
    speaks: bool
    plural: bool


Fits = Callable[[Party], bool]


class Cast:
    """Everybody whom a document mentions.

    Args:
        texts: the document's statements.
        predictions: what the model says of each; the names among its holders and sources count
            as persons.
        table: the table of actors.
    """

    def __init__(
        self, texts: Sequence[str], predictions: Sequence[Prediction], table: Table
    ) -> None:
        self.texts, self.predictions, self.table = texts, predictions, table
        self.persons: dict[str, list[Party]] = {}  # by each folded word of their names
        self.others: dict[str, Party] = {}
        self.mentions: list[list[Mention]] = [[] for _ in texts]
        phrases = [
            (i, phrase) for i, text in enumerate(texts) for phrase in find_phrases(text, table)
        ]
        self._introduce(phrases)
        for i, phrase in phrases:
            self._note(i, phrase, self._find_party(i, phrase))
        roles = [(i, phrase) for i, phrase in phrases if phrase.kind == "role"]
        for i, phrase in roles:  # now that all named persons have their places
            self._note(i, phrase, self._find_by_role(i, phrase))
        for mentions in self.mentions:
            mentions.sort(key=lambda mention: mention.start)

    def look_back(self, i: int, start: int, reach: int) -> Iterator[tuple[int, Mention]]:
        """Yield mentions before a place: those of the nearest statement first, each in order."""
        for k in range(i, max(-1, i - reach - 1), -1):
            for mention in self.mentions[k]:
                if k < i or mention.end <= start:
                    yield k, mention

    def get_other(self, name: str, kind: str) -> Party:
        """Return the side or group of that name."""
        return self.others.setdefault(name.casefold(), Party(name, kind))

    def find_person(self, i: int, words: tuple[str, ...]) -> Party | None:
        """Return the person of that name who was mentioned last before, else the first known."""
        known = self.persons.get(fold_name(words[-1])) or self.persons.get(fold_name(words[0]), [])
        fitting = [person for person in known if is_same_person(person.words, words)]
        if len(fitting) > 1:
            for k in range(i, max(-1, i - MOST), -1):
                for mention in reversed(self.mentions[k][-MOST:]):
                    if mention.party in fitting:
                        return mention.party
        return fitting[0] if fitting else None

    def _introduce(self, phrases: list[tuple[int, Phrase]]) -> None:
        """Gather the persons: those with a role, who speak or recur, or whom the model found."""
        surnames = {phrase.name[-1] for _, phrase in phrases
                    if phrase.kind == "person" and len(phrase.name) == 1}  # fmt: skip
        for n, (i, phrase) in enumerate(phrases):
            if phrase.kind != "person":
                continue
            beside = self._find_apposition(phrases, n)
            full = len(phrase.name) > 1 and not is_headline(self.texts[i])
            known = full and (phrase.speaks or phrase.name[-1] in surnames)
            if phrase.roles or beside or known or self._is_span(i, phrase):
                self._add_person(phrase, beside)

    def _find_apposition(self, phrases: list[tuple[int, Phrase]], n: int) -> Phrase | None:
        """Return the role that stands beside a name, between commas."""
        i, phrase = phrases[n]
        for k in (n - 2, n - 1, n + 1, n + 2):
            if not 0 <= k < len(phrases) or phrases[k][0] != i or phrases[k][1].kind != "role":
                continue
            left, right = sorted((phrase, phrases[k][1]), key=lambda p: p.start)
            if APPOSITION.fullmatch(self.texts[i], left.end, right.start):
                return phrases[k][1]
        return None

    def _is_span(self, i: int, phrase: Phrase) -> bool:
        """Say whether the phrase ends a holder or source that the model found."""
        spans = (self.predictions[i].holder, self.predictions[i].source)
        return any(span and span.start >= phrase.start and span.end == phrase.end for span in spans)

    def _add_person(self, phrase: Phrase, beside: Phrase | None) -> None:
        """Add a person, or what the phrase says of one that is known."""
        words = phrase.name
        known = [p for word in words for p in self.persons.get(fold_name(word), [])]
        person = next((p for p in known if is_same_person(p.words, words)), None)
        if person is None:
            person = Party("", "person")
        if len(words) > len(person.words):
            person.name, person.words = " ".join(words), words
            for word in words:
                namesakes = self.persons.setdefault(fold_name(word), [])
                namesakes += [person] if person not in namesakes else []
        person.roles.update(phrase.roles, beside.roles if beside else ())
        person.side = person.side or phrase.side or (beside.side if beside else None)

    def _note(self, i: int, phrase: Phrase, party: Party | None) -> None:
        """Keep a mention."""
        if party:
            self.mentions[i].append(
                Mention(phrase.start, phrase.end, party, phrase.speaks, phrase.plural)
            )

    def _find_party(self, i: int, phrase: Phrase) -> Party | None:
        """Return whom a phrase means; None for a role, which waits, and for what is no actor."""
        if phrase.kind == "person":
            names = [phrase.name]
            if is_headline(self.texts[i]):  # "Putin Open to Talks"
                names += [(word,) for word in phrase.name]
            return next(filter(None, (self.find_person(i, name) for name in names)), None)
        if phrase.kind == "side" and phrase.side:
            return self.get_other(phrase.side, "side")
        text = self.texts[i][phrase.start : phrase.end]
        if phrase.kind == "institution":
            owner = self.find_person(i, phrase.name) if phrase.name else None
            side = phrase.side or (owner.side if owner else None)
            return self.get_other(side, "side") if side else self.get_other(text, "group")
        return self.get_other(text, "group") if phrase.kind == "group" else None

    def _find_by_role(self, i: int, phrase: Phrase) -> Party:
        """Return the person whom a role means, or a party without a name.

        The nearest who was introduced by such a role, before the place or else after it; failing
        that, the nearest with a full name whose role nobody has said.
        """
        owner = self.find_person(i, phrase.name) if phrase.name else None
        side = owner.side if owner else phrase.side
        role = phrase.roles[-1]

        def belongs(party: Party) -> bool:
            same_side = None in (side, party.side) or side == party.side
            return party.kind == "person" and party is not owner and same_side

        def has_role(party: Party) -> bool:
            return belongs(party) and self.table.fits_role(role, party.roles)

        def may_have_it(party: Party) -> bool:
            return belongs(party) and not party.roles and len(party.words) > 1

        if phrase.definite:
            found = self._find_nearest(i, phrase.start, has_role, len(self.texts))
            found = found or self._find_nearest(i, phrase.start, may_have_it, NEAR)
            if found:
                return found
        party = self.get_other(self.texts[i][phrase.start : phrase.end], "person")
        party.roles.add(role)
        party.side = party.side or side
        return party

    def _find_nearest(self, i: int, start: int, fits: Fits, reach: int) -> Party | None:
        """Return the nearest fitting party, before a place or else after it."""
        before = (mention for _, mention in self.look_back(i, start, reach))
        after = (
            mention
            for k in range(i, min(len(self.texts), i + reach + 1))
            for mention in self.mentions[k]
            if k > i or mention.start > start
        )
        for mentions in (before, after):
            for mention in islice(mentions, MOST):
                if fits(mention.party):
                    return mention.party
        return None
