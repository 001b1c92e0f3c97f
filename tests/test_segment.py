import random
import time
from itertools import groupby

import pytest

from stance.rows import read_rows
from stance.segment import split

ALPHABET = [
    *'aZ9é中ß .!?…"”’“‘«»()[]·*-—/\n\r\t\v\x1c\x85\u2028\xa0\u200b\ufeff\0\ud800🕊',
    *("U.S. ", "Mr. ", "The ", "\n\n", "\r\n", "/TASS/. ", "talks", "Advertisement "),
]


def cut(text: str) -> list[str]:
    return [sentence.text for sentence in split(text)]


@pytest.fixture(scope="module")
def articles(root):
    rows = read_rows(root / "data" / "articles.jsonl")
    return {
        document: ((root / "data" / "articles" / f"{document}.txt").read_text(), list(part))
        for document, part in groupby(rows, key=lambda row: row.document)
    }


def test_articles_are_cut_as_annotated(articles):
    for text, rows in articles.values():
        found = [(s.start, s.end) for s in split(text)]
        assert found == [(row.fields["start"], row.fields["end"]) for row in rows]


def test_page_furniture_of_the_articles_is_found(articles):
    for text, rows in articles.values():
        found = [s.text for s in split(text) if s.furniture]
        assert found == [row.text for row in rows if row.fields["part"] == "furniture"]


def test_offsets_hold_for_any_text():
    draw = random.Random(7)
    for _ in range(5000):
        text = "".join(draw.choices(ALPHABET, k=draw.randrange(50)))
        position = 0
        for sentence in split(text):
            assert sentence.text == text[sentence.start : sentence.end] == sentence.text.strip()
            assert any(map(str.isalnum, sentence.text))
            between = text[position : sentence.start]
            assert not any(map(str.isalnum, between))
            assert sentence.start >= position
            position = sentence.end
        assert not any(map(str.isalnum, text[position:]))


def test_within_a_paragraph_only_white_space_is_left_out():
    draw = random.Random(8)
    for _ in range(2000):
        text = "a " + "".join(draw.choices([c for c in ALPHABET if c.isprintable()], k=40))
        covered = {i for s in split(text) for i in range(s.start, s.end)}
        assert covered >= {i for i, char in enumerate(text) if not char.isspace()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Talks failed. The army left.", 2),
        ("The U.S. Senate met Mr. Orlo on Jan. 6. It rained.", 2),
        ("They met in the U.S. The talks failed.", 2),
        ("Gen. A. B. Orlo and St. Ives Inc. Chief Rowe met at 3 p.m. Monday.", 1),
        ("It grew by 2.5 percent, No. 5 of the list, i.e. Fig. 3.", 1),
        ("“We never asked. But we listen,” he said. She left.", 3),
        ('"No!" he said. "Never." The end.', 3),
        ("“Stop?” asked the envoy.", 1),
        ("Ready to talk ‘for the sake of all’Kremlin spokesman says yes.", 2),
        ("A call with chancellor OrloThe palace spoke of an attack.", 2),
        ("The talks ended.The envoy left.", 2),
        ("See www.example.Com or Example.Com now.", 1),
        ("He said so.· Then he left.", 2),
        ("Advertisement The talks go on.", 2),
        ("One line\nAnother line", 2),
        ("* * *", 0),
        ("", 0),
    ],
)
def test_sentences(text, expected):
    assert len(cut(text)) == expected, cut(text)


def test_wrapped_lines_are_joined_and_other_lines_are_not():
    wrapped = (
        "The two sides met again in the capital on Monday, and after several hours of\n"
        "what both of them called an open exchange the envoys agreed that they would be\n"
        "back at the same table in a week. Nobody expects that the next round is going\n"
        "to be any shorter than this one was, but it is on.\n"
        "\n"
        "Meanwhile the shelling of the suburbs goes on, as it has for more than a month,\n"
        "and the hospitals are full."
    )
    assert [" ".join(text.split()) for text in cut(wrapped)][2].startswith("Meanwhile")
    assert len(cut(wrapped)) == 3
    assert (
        len(cut("Home\nNews\nTalks fail in the capital\nThe two sides met again today.\n" * 3))
        == 12
    )


HIDDEN = "\u200b\u200d\u2060\ufeff\u00ad\x00\x07\x80\x9f\u202e\u2066\u200e"


@pytest.mark.parametrize("char", HIDDEN)
def test_what_nobody_sees_changes_no_cut(char):
    text = (
        "Mr. Orlo left on Jan. 6. The U.S. Senate said “no.” It rained.\n\nRead more\n"
        "The talks ended.The envoy left."
    )
    mixed = char + char.join(text) + char
    found = split(mixed)
    assert [s.text.replace(char, "") for s in found] == cut(text)
    assert [s.furniture for s in found] == [s.furniture for s in split(text)]
    assert all(s.text == mixed[s.start : s.end] == s.text.strip(char) for s in found)


def test_teaser_with_a_sentence_glued_on_is_no_furniture():
    assert [s.furniture for s in split("See also: Orlo leaves the talks")] == [True]
    assert [s.furniture for s in split("Read more The envoy rejected the offer.")] == [False]
    assert [s.furniture for s in split("The views of both sides differ. They said so.")] == [
        False
    ] * 2


@pytest.mark.parametrize(
    "piece", [". ", "a. ", "“a ", "a\n", "((", "CLICK HERE AB ", ".", "a.The ", "a@"]
)
def test_long_text_takes_seconds(piece):
    start = time.perf_counter()
    split(piece * (300_000 // len(piece)))
    split("Advertisement" + piece * (300_000 // len(piece)) + "x")
    assert time.perf_counter() - start < 20
