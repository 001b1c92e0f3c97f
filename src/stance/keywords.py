"""Two word lists: what speaks of negotiating, and what often marks a condition.

They stratify the real-news test, balance the data and make the keyword baseline. The model
never sees them.
"""

import re

NEGOTIATION = re.compile(
    r"\b(negotiat\w*|talks|talk(?:ing)? (?:to|with)|dialogues?|cease-?fires?|truces?|diplomacy|"
    r"diplomatic(?:ally)?|mediat\w*|armistice|peace|summits?|accords?|deals?|agreements?|"
    r"compromises?|concessions?|denuclearization)\b",
    re.IGNORECASE,
)

CONDITION = re.compile(
    r"\b(only (?:if|when|after|on)|unless|as long as|so long as|until|provided|providing|once|"
    r"(?:pre-?)?conditions?|conditional(?:ly)?|in (?:exchange|return)|if|first|before any|"
    r"without)\b",
    re.IGNORECASE,
)


def has_negotiation_word(text: str) -> bool:
    """Say whether the text holds a word of the negotiation list."""
    return NEGOTIATION.search(text) is not None


def has_condition_cue(text: str) -> bool:
    """Say whether the text holds a word that often marks a condition."""
    return CONDITION.search(text) is not None
