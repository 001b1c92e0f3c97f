"""Page furniture: what stands on a news page and is not part of the article."""

import re

TEASER = re.compile(
    r"""
    (?: see\ also | read\ (?:more|also|next) | also\ read | more\ on\ this\ story | recommended
      | related(?:\ (?:articles?|stories|news|content|topics|coverage))? | watch(?:\ live)?
      | don['’]t\ miss | (?:file\ )?(?:photo|image|picture)(?:\ (?:by|credit|courtesy))?
    ) (?: \s*: | \s+(?=(?-i:[A-Z“"‘])) | $ )
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""A link to another page, or a caption; where a full stop ends it, a sentence is glued on."""

FORM = re.compile(
    r"""
    (?: (?:story|article)\ continues\ below | continue\ reading\b | skip\ to\ (?:main|content)
      | (?:leave|post|write)\ a\ (?:reply|comment)\b | your\ email\ address\ will\ not
      | required\ fields\ are\ marked | sign\ (?:up|in)\ (?:to|for|with|here|now)\b
      | subscribe\ (?:to|now|for|here|today)\b | follow\ us\b | like\ us\ on\b
      | share\ this\b | (?:click|tap)\ here\b | download\ (?:the|our)\ (?:free\ )?app\b
      | join\ our\ (?:newsletter|channel|telegram|whatsapp)\b | support\ our\ journalism
      | (?:filed\ under|tags?|categor(?:y|ies)|keywords|share|comments?)\s*:
      | (?:last\ )?(?:updated|published|posted)(?:\ on|\ at)?\s*:?\s*\d
      | © | \(c\)\ | copyright\ \d
      | (?:this|the)\ (?:article|story|post)\ (?:was\ )?(?:first|originally)\ (?:appeared|published)
    )
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""What invites the reader to do something, or says where the page comes from."""

WHOLE = re.compile(
    r"""
    (?: (?:(?:advertisement|sponsored)\W*+)++ | share | print | menu | home | search | comments?
      | e-?mail | newsletters? | loading | listen | live | tags | more | next | previous
      | getty\ images | \d+\ (?:comments?|shares|min\ read) | all\ rights\ reserved
      | privacy\ policy | terms\ of\ (?:use|service) | back\ to\ top
      | (?:visit\s+)?(?:https?://|www\.)\S+ | [^\s@]++@[^\s@]+\.\w+ | [@#]\w+
      | [\w\ .,'’()-]{2,50}\ ?/[A-Z-]{2,20}/      # a dateline: CITY, date. /AGENCY/
      | [\w\ .()’'-]{2,60}\ is\ an?\ state-(?:owned|run|funded|controlled)\ (?:news|media)\b.*
    )[\s.…*]*
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""What nothing else stands beside."""

DISCLAIMER = re.compile(
    r"""
      \b(?:information|views|opinions)\ (?:provided|expressed)\ (?:by|in)\ (?:this|the|these)\b
    | \bre-?publish\w*\ (?:the|its|their)\ RSS\ feed | \bnot\ as\ an\ endorsement\ of\b
    | \b(?:re-?published|reproduced)\ (?:here\ )?(?:with|by)\ permission\b
    | \bdo(?:es)?\ not\ (?:necessarily\ )?reflect\ the\ (?:views|opinions?|position|policy)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)

LABEL = re.compile(
    r"\b(?:(?:Advertisement|ADVERTISEMENT)(?: Continue reading the main story)?:?|"
    r"CLICK HERE(?: [A-Z]{2,}){1,9}+) (?=\S)"
)
"""A label that gets glued to the sentence after it."""


def is_furniture(text: str) -> bool:
    """Say whether a sentence or line is page furniture: a link, a form, a dateline, a credit."""
    if TEASER.match(text):
        return text.rstrip("\"'”’)")[-1:] not in (".", "?", "!")
    return bool(FORM.match(text) or WHOLE.fullmatch(text))


def is_disclaimer(text: str) -> bool:
    """Say whether a sentence opens a disclaimer, which goes on to the end of its paragraph."""
    return DISCLAIMER.search(text) is not None
