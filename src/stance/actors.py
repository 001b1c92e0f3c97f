"""The table of actors, and when two spellings are one name."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib.resources import files as package_files
from pathlib import Path
from typing import Any

from stance import files
from stance.errors import InputError

FIELDS = ("names", "capital", "government", "adjectives")
WORDS = (
    "institutions", "roles", "titles", "modifiers", "groups", "states", "movements",
    "organisations", "speech",
)  # fmt: skip

START = re.compile(r"\w+|\W")  # of a form: what it is looked up by
LETTERS = str.maketrans({"ł": "l", "ø": "o", "ı": "i", "đ": "d", "ß": "ss", "æ": "ae", "ð": "d"})
SPELLINGS = tuple(  # how one name is written after one alphabet or another, in this order
    (re.compile(pattern), spelling) for pattern, spelling in (
    (r"tsch|tch", "ch"), (r"sch", "sh"), (r"kh", "h"), (r"ph", "f"), (r"ck|q", "k"),
    (r"c(?![ehiy])", "k"), (r"w", "v"), (r"z", "s"), (r"x", "ks"), (r"ou", "u"),
    (r"^(?:[yij])e", "e"), (r"j", "y"), (r"(.)\1", r"\1"), (r"[iye]?[iy]$", "i"), (r"y", "i"),
))  # fmt: skip


@dataclass(frozen=True)
class Table:
    """Which forms name which state or organisation, and the words that actors are read by.

    Attributes:
        names: form as written -> name of the actor.
        capitals: those of the forms that are a city.
        adjectives: adjective as written -> name of the actor.
        states: names of those actors that are states.
        words: lists of words in lower case, by the names in ``WORDS``.
        fits: role -> roles that a person may have been introduced by.
    """

    names: dict[str, str]
    capitals: frozenset[str]
    adjectives: dict[str, str]
    states: frozenset[str]
    words: dict[str, frozenset[str]]
    fits: dict[str, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def _by_start(self) -> dict[str, list[tuple[str, str]]]:
        """Spellings and their forms, the longest first, by a spelling's first word.

        A form is also found in capitals, as in headlines, unless that is a form of its own.
        """
        forms = {form: form for form in (*self.names, *self.adjectives)}
        capitals = {form.upper(): form for form in forms if len(form.upper()) == len(form)}
        starts: dict[str, list[tuple[str, str]]] = {}
        for written, form in sorted((capitals | forms).items(), key=lambda item: -len(item[0])):
            first = START.match(written).group()  # type: ignore[union-attr]
            starts.setdefault(first, []).append((written, form))
        return starts

    def find_form(self, text: str, start: int) -> str | None:
        """Return the longest form that stands at a place, as whole words."""
        first = START.match(text, start)
        for written, form in self._by_start.get(first.group(), ()) if first else ():
            end = start + len(form)
            if text.startswith(written, start) and not text[end : end + 1].isalnum():
                return form
        return None

    def fits_role(self, role: str, known: set[str]) -> bool:
        """Say whether a person introduced by the known roles may be called by the role."""
        head = role.split()[-1]
        heads = {word.split()[-1] for word in known}
        return bool(
            known & {role, head}
            or (role == head and head in heads)
            or self.fits.get(head, frozenset()) & heads
        )


@lru_cache(maxsize=8)
def read_table(path: str | Path | None = None) -> Table:
    """Read the package's table and, on top of it, a user's.

    Args:
        path: a TOML file of the same form as the package's ``actors.toml``, or None.

    Raises:
        InputError: the file cannot be read or has another form.
    """
    own = Path(str(package_files("stance"))) / "actors.toml"
    return build_table([read_toml(place) for place in (own, path) if place is not None])


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read a table file and check its form."""
    with files.open_input(path) as stream:
        lines = [files.decode_line(raw, str(path), n) for n, raw in enumerate(stream, start=1)]
    try:
        content = tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", str(error))
        found = str(error)[: place.start()] if place else str(error)
        line = (place[1] if place else None) or len(lines)
        raise refuse(f"{path} line {line}", "TOML", found) from None
    for name in content:
        if name not in ("sides", "words", "fits"):
            raise refuse(f"{path} [{name}]", "tables sides, words or fits", f"'{name}'")
    for name in ("sides", "words", "fits"):
        if not isinstance(content.get(name, {}), dict):
            raise refuse(f"{path} {name}", "a table", repr(content[name])[:60])
    for side, entry in content.get("sides", {}).items():
        check_side(f'{path} [sides."{side}"]', entry)
    for name, words in (*content.get("words", {}).items(), *content.get("fits", {}).items()):
        check_words(f"{path} '{name}'", words)
    unknown = set(content.get("words", {})) - set(WORDS)
    if unknown:
        raise refuse(f"{path} [words]", "lists " + ", ".join(WORDS), ", ".join(sorted(unknown)))
    return content


def check_side(where: str, entry: Any) -> None:
    """Raise unless a side's entry has the right form."""
    if not isinstance(entry, dict):
        raise refuse(where, "a table", repr(entry)[:60])
    for name, value in entry.items():
        if name == "state":
            if not isinstance(value, bool):
                raise refuse(f"{where} state", "true or false", repr(value)[:60])
        elif name in FIELDS:
            check_words(f"{where} {name}", value)
        else:
            raise refuse(where, "fields state, " + ", ".join(FIELDS), f"'{name}'")


def check_words(where: str, words: Any) -> None:
    """Raise unless a value is a list of strings that are not empty."""
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        raise refuse(where, "a list of strings that are not empty", repr(words)[:60])


def refuse(where: str, expected: str, found: str) -> InputError:
    """Return the error of a table file."""
    return InputError(where, expected=expected, found=found,
                      remedy="Write it as the package's actors.toml is written.")  # fmt: skip


def build_table(contents: list[dict[str, Any]]) -> Table:
    """Make one table of the contents of files; what stands in a later one wins."""
    names: dict[str, str] = {}
    capitals: set[str] = set()
    adjectives: dict[str, str] = {}
    organisations: dict[str, bool] = {}
    words: dict[str, set[str]] = {name: set() for name in WORDS}
    fits: dict[str, set[str]] = {}
    for content in contents:
        for side, entry in content.get("sides", {}).items():
            organisations[side] = not entry.get("state", not organisations.get(side, False))
            capital = entry.get("capital", [])
            capitals.update(capital)
            for form in (side, *entry.get("names", []), *capital, *entry.get("government", [])):
                names[form] = side
            adjectives.update(dict.fromkeys(entry.get("adjectives", []), side))
        add(words, content.get("words", {}))
        add(fits, content.get("fits", {}))
    states = frozenset(side for side, other in organisations.items() if not other)
    return Table(
        names, frozenset(capitals), adjectives, states,
        {name: frozenset(group) for name, group in words.items()},
        {name: frozenset(group) for name, group in fits.items()},
    )  # fmt: skip


def add(groups: dict[str, set[str]], lists: Mapping[str, list[str]]) -> None:
    """Add lists of words to the sets of the same names."""
    for name, words in lists.items():
        groups.setdefault(name, set()).update(word.lower() for word in words)


@lru_cache(maxsize=4096)
def fold_name(word: str) -> str:
    """Return what the spellings of one name share: Zelensky, Zelenskyy, Selenskyj.

    It undoes how names are written after one alphabet or another, and nothing else: two names
    that sound alike stay two.
    """
    plain = unicodedata.normalize("NFKD", word.lower().translate(LETTERS))
    folded = "".join(char for char in plain if char.isalpha() and not unicodedata.combining(char))
    for pattern, spelling in SPELLINGS:
        folded = pattern.sub(spelling, folded)
    return folded


def drop_vowels(folded: str) -> str:
    """Return the consonants of a folded name, what Vladimir and Volodymyr share."""
    return re.sub(r"(?!^)[aeiou]", "", folded) if len(folded) > 1 else folded


def is_same_person(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Say whether two names, given word by word, may be one person's.

    A single word fits the last or the first word of a longer name (Xi Jinping is Xi); two longer
    names fit when their last words do and their first words share the consonants, or when all
    words of the one stand in the other.
    """
    short, long = sorted((tuple(map(fold_name, left)), tuple(map(fold_name, right))), key=len)
    if len(short) == 1:
        return short[0] in (long[0], long[-1])
    if short[-1] == long[-1] and drop_vowels(short[0]) == drop_vowels(long[0]):
        return True
    return set(short) <= set(long)
