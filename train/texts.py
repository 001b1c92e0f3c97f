"""From the files of a repository to pieces of text: whole texts, paragraphs, sentences.

The label layers know each row by the hash of its text. So nothing here needs to know which column,
field or record a row came from: every text of a file is cut in every way the rows were once cut,
and the hash tells which pieces are rows.
"""

import csv
import html
import io
import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

MAX_CHARS = 1200  # rows of the public corpora end here
SENTENCE_END = re.compile(r"(?<=[.!?])[\"”’]?\s+(?=[\"“‘]?[A-Z])")
# Where a page lost the line end between two paragraphs. A straight quotation mark there may close
# the first or open the second.
GLUED = re.compile(r"(?<=[a-z0-9]{2}[.!?])(?=[\"“‘]?[A-Z])|(?<=[.!?]”)(?=[“‘]?[A-Z])")
GLUED_CLOSING = re.compile(r"(?<=[a-z0-9]{2}[.!?]\")(?=[A-Z])")

ADDRESS = r"\((?:[^()]|\([^()]*\))*\)"
SOURCE_LINK = re.compile(r"\[\([^\[\]]*\)\]" + ADDRESS)
LINK = re.compile(r"\[([^\[\]]*)\]" + ADDRESS)
MARKUP = re.compile(r"^\s*(?:[*+-]\s+|#+\s+)|\*+|\\(?=[^\w\s])")
INVISIBLE = re.compile("[\u200b\u200e\u200f\ufeff\x00-\x08\x0b\x0c\x0e-\x1f]")


def cut(text: str) -> Iterator[tuple[str, str]]:
    """Yield (the sentence before or "", piece) for every piece of a text that may be a row."""
    forms = (text, GLUED.sub(" ", text), GLUED.sub(" ", GLUED_CLOSING.sub(" ", text)))
    for form in dict.fromkeys(forms):
        before = ""
        for sentence in SENTENCE_END.split(form):
            yield before, sentence
            before = sentence
    for part in dict.fromkeys((text, *text.split("\n"))):
        yield "", part
        yield "", clean(part)


def clean(text: str) -> str:
    """Return a text as the rows of the public corpora have it.

    Entities are unescaped, line breaks of HTML and invisible characters taken out, broken encodings
    repaired, white space collapsed, and the text is cut at ``MAX_CHARS``.
    """
    text = re.sub(r"<br ?/?>", " ", html.unescape(html.unescape(text)))
    text = re.sub("[\u0080-\uffff]+", lambda run: repair(run.group()), text)
    text = INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    return " ".join(text.split())[:MAX_CHARS].strip()


def repair(run: str) -> str:
    """Return characters that are UTF-8 read as Windows-1252 or Latin-1 as they were meant."""
    for encoding in ("cp1252", "latin-1"):
        try:
            return run.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
    return run


def read_texts(data: bytes, form: str) -> Iterator[str]:
    """Yield the texts of a file.

    Raises:
        ValueError: the file is not of that form.
    """
    yield from FORMS[form](data.decode("utf-8-sig", "replace"))


def read_table(text: str, delimiter: str = ",") -> Iterator[str]:
    """Yield every cell."""
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    try:
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            yield from cells
    except csv.Error as error:
        raise ValueError(str(error)) from None


def read_tabs(text: str) -> Iterator[str]:
    """Yield every cell of a table whose cells are quoted where needed, with tabs between them."""
    yield from read_table(text, "\t")


def read_lines(text: str) -> Iterator[str]:
    """Yield every part between tabs of every line; quotation marks are text."""
    for line in text.split("\n"):
        yield from line.split("\t")


def read_brackets(text: str) -> Iterator[str]:
    """Yield the same without the brackets that mark entities."""
    yield from read_lines(re.sub(r"\[([^\[\]]+)\]", r"\1", text))


def read_json(text: str) -> Iterator[str]:
    """Yield every string."""
    yield from list_strings(json.loads(text))


def read_json_lines(text: str) -> Iterator[str]:
    """Yield every string of one value a line."""
    for line in text.split("\n"):
        if line.strip():
            yield from list_strings(json.loads(line))


def list_strings(value: Any) -> Iterator[str]:
    """Yield the strings in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from list_strings(part)


def read_sentences(text: str) -> Iterator[str]:
    """Yield an article that is stored by sentence, the headline first, without the headline."""
    sentences = json.loads(text).get("sentences", [])
    yield " ".join(sentence["content"] for sentence in sentences[1:])


def read_markdown(text: str) -> Iterator[str]:
    """Yield every line without its markup; links to a source, ``[(Paper)](...)``, are left out."""
    for line in text.split("\n"):
        yield MARKUP.sub("", LINK.sub(r"\1", SOURCE_LINK.sub("", line)))


def read_whole(text: str) -> Iterator[str]:
    """Yield the whole file."""
    yield text


FORMS: dict[str, Callable[[str], Iterator[str]]] = {
    "csv": read_table,
    "tsv": read_tabs,
    "lines": read_lines,
    "brackets": read_brackets,
    "json": read_json,
    "jsonl": read_json_lines,
    "sentences": read_sentences,
    "markdown": read_markdown,
    "text": read_whole,
}
