"""Whom a holder or source span means: names, coordinations, pronouns, bare nouns.

A pronoun means its nearest fitting antecedent: the statements are gone through backwards, and in
each the first mention that fits counts, for it tends to be the subject. "We" and "I" mean whoever
speaks. A pronoun without antecedent means nobody, and no actor is made of it.
"""

import re
from collections.abc import Iterator

from stance.cast import Cast, Party
from stance.types import Span

PRONOUNS = {
    **dict.fromkeys(("he", "him", "his", "himself", "she", "her", "hers", "herself"), "person"),
    **dict.fromkeys(("it", "its", "itself"), "side"),
    **dict.fromkeys(("they", "them", "their", "themselves", "both", "the two"), "several"),
    **dict.fromkeys(("i", "me", "my", "we", "us", "our", "myself", "ourselves"), "speaker"),
}
REACH = 5  # statements that a pronoun looks back
AHEAD = 2  # statements in which a quotation may still name its speaker
ARTICLE = re.compile(
    r"(?:(?:an?|the)\s+(?:number|group|handful|couple|majority)\s+of\s+)?"
    r"(?:(?:the|an?|this|that|both|some|many|several|all|most|one)\s+(?:of\s+)?)*",
    re.IGNORECASE,
)
MODIFIERS = re.compile(
    r"(?:(?!(?:of|to|for|by|with|in|on|at|from|against|close|near|and|or)\b)[a-z][\w-]*\s+)*"
)
TAIL = re.compile(r"\s(?:to|of|in|at|for|from)\s")
AND = re.compile(r",?\s+(?:and|or|nor|as well as|along with)\s+|,\s+")
JOINED = re.compile(r",?\s+and\s+(?:the\s+)?")
OWNED = ("its", "their", "his", "her")


def resolve(cast: Cast, i: int, span: Span) -> list[Party]:
    """Return whom a span of statement i means.

    Args:
        cast: everybody whom the document mentions.
        i: the statement.
        span: a holder or source in it.

    Returns:
        One party; several for a coordination ("Ukraine and Russia"); none where it is unclear.
    """
    return list(dict.fromkeys(_resolve(cast, i, span.start, span.end)))


def _resolve(cast: Cast, i: int, start: int, end: int) -> Iterator[Party]:
    start, end = trim(cast.texts[i], start, end)
    text = cast.texts[i][start:end]
    sort = PRONOUNS.get(text.lower()) if text != "US" else None
    if sort:
        yield from find_antecedent(cast, i, start, sort)
        return
    party = find_owned(cast, i, start, text) or find_mentioned(cast, i, start, end)
    parts = [] if party else split_coordination(text)
    for left, right in parts:
        yield from _resolve(cast, i, start + left, start + right)
    if party or not parts:
        yield party or find_noun(cast, i, start, text)


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span without quotes and brackets at its ends."""
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and not (text[end - 1].isalnum() or text[end - 1] in ".)"):
        end -= 1
    return start, end


def split_coordination(text: str) -> list[tuple[int, int]]:
    """Return the parts of "A, B and C" that stand on their own; none when there is one."""
    cuts = list(AND.finditer(text))
    starts, ends = [0, *(cut.end() for cut in cuts)], [*(cut.start() for cut in cuts), len(text)]
    parts = [(left, right) for left, right in zip(starts, ends, strict=True) if left < right]
    own = [(left, right) for left, right in parts if text[left:right].split()[0] not in OWNED]
    return own if len(parts) > 1 else []


def find_mentioned(cast: Cast, i: int, start: int, end: int) -> Party | None:
    """Return the party of the mention that the span consists of, modifiers and tail apart."""
    text = cast.texts[i]
    article = ARTICLE.match(text, start, end)
    first = article.end() if article else start
    modifiers = MODIFIERS.match(text, first, end)
    last = modifiers.end() if modifiers else first
    for mention in sorted(cast.mentions[i], key=lambda m: m.start - m.end):
        rest = re.sub(r"^[’']s?$", "", text[mention.end : end])
        tail = TAIL.match(rest) and mention.party.kind != "group"
        if mention.start <= last and first < mention.end <= end and (not rest or tail):
            return mention.party
    return None


def find_owned(cast: Cast, i: int, start: int, text: str) -> Party | None:
    """Return the side that "his administration" or "its leaders" means, where it can be told."""
    owner, *_, head = text.lower().split() if len(text.split()) > 1 else ("", "")
    words = cast.table.words
    if owner not in OWNED or head not in words["institutions"] | words["states"]:
        return None
    for party in find_antecedent(cast, i, start, PRONOUNS[owner]):
        if party.kind == "person" and party.side:
            return cast.get_other(party.side, "side")
        return party if party.kind == "side" else None
    return None


def find_noun(cast: Cast, i: int, start: int, text: str) -> Party:
    """Return the side that "the country" or "the group" means, else the party of that name."""
    article = ARTICLE.match(text)
    name = text[article.end() :] if article else text
    table = cast.table
    is_state = name.lower() in table.words["states"]
    definite = article is not None and article.group().lower() in ("the ", "this ", "that ")
    head = name.lower().split()[-1:] if definite and name.islower() else [name.lower()]
    if is_state or table.words["movements"].issuperset(head):  # "the military bloc"
        for _, mention in cast.look_back(i, start, REACH):
            party = mention.party
            if party.kind == "side" and (party.name in table.states) == is_state:
                return party
    form = (
        table.find_form(name, 0) or ""
    )  # in a headline, or "the Russian and Ukrainian negotiators"
    whole = form and len(form) == len(name)
    side = table.names.get(form) or table.adjectives.get(form) if whole else None
    words = tuple(name.split())
    person = cast.find_person(i, words) if words and name.istitle() else None
    return person or (cast.get_other(side, "side") if side else cast.get_other(name, "group"))


def find_antecedent(cast: Cast, i: int, start: int, sort: str) -> list[Party]:
    """Return whom a pronoun means: a list of one or two, empty where nobody fits."""
    if sort == "speaker":
        return find_speaker(cast, i)
    if sort == "several":
        several = find_several(cast, i, start)
        if several:
            return several
        sort = "side"
    for _, mention in cast.look_back(i, start, REACH):
        if mention.party.kind == sort:
            return [mention.party]
    return []


def find_several(cast: Cast, i: int, start: int) -> list[Party]:
    """Return the nearest two parties joined by "and", or the nearest plural before them."""
    last = None
    for k, mention in cast.look_back(i, start, REACH):
        if mention.plural:
            return [mention.party]
        if last and last[0] == k:
            between = cast.texts[k][last[1].end : mention.start]
            if JOINED.fullmatch(between):
                return [last[1].party, mention.party]
        last = k, mention
    return []


def find_speaker(cast: Cast, i: int) -> list[Party]:
    """Return who says "we" in statement i: its source, or the speaker of its quotation."""
    source = cast.predictions[i].source
    if source and not has_speaker(source.text):  # "we and Zelensky said": no source of that "we"
        return resolve(cast, i, source)
    order = [i, *range(i + 1, i + AHEAD + 1), i - 1] if goes_on(cast.texts[i]) else [i, i - 1]
    for k in order:
        speaker = find_attribution(cast, k) if 0 <= k < len(cast.texts) else []
        if speaker:
            return speaker
    return []


def has_speaker(text: str) -> bool:
    """Say whether a word of the text means whoever speaks ("us", but not "US")."""
    words = re.findall(r"\w+", text)
    return any(PRONOUNS.get(word.lower()) == "speaker" and word != "US" for word in words)


def goes_on(text: str) -> bool:
    """Say whether a quotation is open at the end of a statement, or the statement shows none."""
    if re.search(r"[“”\"]", text) is None:
        return True
    return text.rfind("“") > text.rfind("”") or text.count('"') % 2 == 1


def find_attribution(cast: Cast, i: int) -> list[Party]:
    """Return who speaks in a statement, as a verb of saying beside a mention or "he" shows."""
    for mention in cast.mentions[i]:
        if mention.speaks:
            return [mention.party]
    verbs = "|".join(sorted(cast.table.words["speech"]))
    match = re.search(rf"(?:^|[”\"’,]\s+)(s?he)\s+(?:{verbs})\b", cast.texts[i], re.IGNORECASE)
    return find_antecedent(cast, i, match.start(1), "person") if match else []
