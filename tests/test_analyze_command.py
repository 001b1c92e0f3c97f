import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from stance.model import load
from stance.report.analysis import render
from stance.scored import read_scored
from stance.types import ROWS, Actor, Analysis, Prediction, Span, Statement

ARTICLE = """Envoy Orlov wants talks

Kyiv rejected talks , moscow said . The weather report of the minister .
Moscow urges dialogue , kyiv said .

Leave a Reply
"""
HOSTILE = 'Kyiv <script>alert(1)</script> rejected "talks" & <b>\x1b[31m\x07 peace\u202e . </span>'


def analyze(tiny_model, *arguments, data: bytes = b"") -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "stance.cli", "analyze", "--model", tiny_model.folder]
    return subprocess.run([*map(str, command), *map(str, arguments)], input=data,
                          capture_output=True, env=os.environ, check=False)  # fmt: skip


@pytest.fixture
def article(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(ARTICLE)
    return path


def test_one_json_object_a_file(tiny_model, article, tmp_path):
    other = tmp_path / "b.txt"
    other.write_bytes("\ufeffKyiv rejected talks .\r\nMoscow urges dialogue .".encode())
    done = analyze(tiny_model, article, other)
    assert done.returncode == 0, done.stderr
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert (first["schema"], first["document"]) == (1, str(article))
    text = "Kyiv rejected talks .\r\nMoscow urges dialogue ."
    for entry in second["statements"]:
        assert text[entry["start"] : entry["end"]] == entry["text"]
    assert done.stderr == b""


def test_table_shows_statements_and_actors(tiny_model, article):
    lines = analyze(tiny_model, "--format", "table", article).stdout.decode().splitlines()
    assert lines[1].split() == ["stance", "conf", "holder", "statement"]
    assert any("(page furniture)" in line and "Leave a Reply" in line for line in lines)
    assert any(line.startswith("actor") for line in lines)


def test_what_is_no_article_is_said_and_the_others_are_analysed(tiny_model, article, tmp_path):
    bad = {
        "empty.txt": (b"", "blank text"),
        "page.html": (b"<html><body><p>Talks</p></body></html>", "HTML"),
        "german.txt": (b"Der Kreml lehnt Verhandlungen mit der Ukraine ab.", "'de'"),
        "latin.txt": (b"fine\nVerhandlungen \xff\n", "latin.txt line 2"),
        "huge.txt": (b"Talks failed. " * 400_000, "more than 4,000,000 bytes"),
        "article.pdf": (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", "found a PDF"),
        "article.docx": (b"PK\x03\x04\xff\x00", "found a zip file or office document"),
        "wide.txt": ("Kyiv rejected talks .".encode("utf-16"), "found UTF-16 text"),
        "binary.txt": (bytes(range(32)) * 9, "control characters"),
    }
    for name, (content, _) in bad.items():
        (tmp_path / name).write_bytes(content)
    done = analyze(tiny_model, *(tmp_path / name for name in bad), tmp_path / "none", article)
    assert done.returncode == 2
    assert len(done.stdout.splitlines()) == 1
    messages = done.stderr.decode().splitlines()
    assert len(messages) == len(bad) + 1
    for message, (name, (_, words)) in zip(messages, bad.items(), strict=False):
        assert name in message
        assert "expected" in message
        assert words in message


def test_standard_input_and_bad_calls(tiny_model, article, tmp_path):
    done = analyze(tiny_model, "-", data=ARTICLE.encode())
    assert json.loads(done.stdout)["document"] == "-"
    for call, words in (
        (["--format", "xml", article], "json, table, html"),
        (["--format", "html", article, article], "one file"),
        (["--actors", tmp_path / "no.toml", article], "no such file"),
    ):
        done = analyze(tiny_model, *call)
        assert done.returncode == 2
        assert words in done.stderr.decode()
        assert done.stdout == b""


class Page(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.words = [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append(dict(attrs))

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def page(tiny_model) -> str:
    model = load(tiny_model.folder, device="cpu")
    return render(model.analyze(ARTICLE + HOSTILE, document="a <b>.txt"))


def test_page_holds_the_article_and_escapes_it(page):
    parsed = Page(page)
    assert not {"script", "link", "img", "iframe", "b>"} & set(parsed.tags)
    assert "\x1b" not in page
    assert "\x07" not in page
    text = re.sub(r"\s+", " ", "".join(parsed.words))
    assert "rejected talks , moscow said ." in text
    assert "<script>alert(1)</script>" in text
    assert "a <b>.txt" in text


def test_page_turns_no_text_around():
    turns = "\u202e\u202d\u202a\u202b\u202c\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
    name = f"Or{turns}lov"
    text = f"{name} wants talks.\n{turns}\n{name} left."
    scores = {"favor": 0.7, "conditional": 0.1, "against": 0.1, "neutral": 0.1}
    span = Span(0, len(name), name)
    item = Prediction(text[: len(name) + 13], "favor", scores, 0.7, True, span, span, False)
    actor = Actor(name, (name,), "favor", 0.7, (0,), (name,))
    statements = (Statement(0, len(item.text), "article", item),)
    page = render(Analysis(f"a{turns}.txt", text, statements, (actor,)))
    assert not set(turns) & set(page)
    assert page.count("Or" + "\ufffd" * len(turns) + "lov") >= 5


@pytest.mark.parametrize(("probability", "unclear"), [(0.49, 1), (0.5, 0)])
def test_page_marks_an_unclear_position(probability, unclear):
    actor = Actor("Orlov", ("Orlov",), "favor", probability, (), ("own words",))
    assert render(Analysis(None, "", (), (actor,))).count("(unclear)") == unclear


def test_page_needs_no_network(page):
    assert not re.search(r"(?:src|href)=\"(?!#)", page)
    assert "@import" not in page
    assert "url(" not in page
    assert "default-src 'none'" in page


def test_scores_can_be_reached_by_keyboard_and_screen_reader(page):
    attributes = Page(page).attributes
    ids = {a["id"] for a in attributes if "id" in a}
    judged = [a for a in attributes if a.get("tabindex") == "0"]
    assert len(judged) == 5
    assert all(a["aria-describedby"] in ids for a in judged)
    links = [a["href"] for a in attributes if a.get("href", "").startswith("#")]
    assert links
    assert all(link[1:] in ids for link in links)
    assert ".s:focus > .tip" in page


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_have_contrast_and_are_not_alone(page):
    styles = dict(
        re.findall(r"^\.(favor|conditional|against) \{ background: (#\w{6});", page, re.M)
    )
    borders = re.findall(r"border-bottom: 3px (\w+) (#\w{6})", page)
    assert len(styles) == 3
    assert all(contrast("#1b1b1b", background) >= 4.5 for background in styles.values())
    assert len({line for line, _ in borders}) == 3
    assert all(contrast(colour, background) >= 3 for colour in dict(borders).values()
               for background in styles.values())  # fmt: skip
    assert contrast("#5c5c5c", "#ffffff") >= 4.5
    assert contrast("#4a4a4a", "#ffffff") >= 4.5


def test_rows_group_by_actor(tiny_model, article, tmp_path):
    """One row a statement, in csv as in jsonl; stance sample and estimate read both."""
    done = analyze(tiny_model, "--format", "jsonl", article, article)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [tuple(row) for row in rows] == [ROWS] * len(rows)
    assert all(row["document"] == str(article) for row in rows)
    assert "Leave a Reply" not in {row["text"] for row in rows}  # page furniture is not scored
    one = json.loads(analyze(tiny_model, article).stdout)
    for row in rows:
        carried = [a["name"] for a in one["actors"] if row["statement"] - 1 in a["statements"]]
        assert row["actor"] == ("; ".join(sorted(carried)) or None)
        assert ARTICLE[row["start"] : row["end"]] == row["text"]
    table = tmp_path / "rows.csv"
    table.write_bytes(analyze(tiny_model, "--format", "csv", article, article).stdout)
    plain = tmp_path / "rows.jsonl"
    plain.write_bytes(done.stdout)
    shares = [read_scored(path, ["actor"]) for path in (table, plain)]
    assert shares[0].groups == shares[1].groups == [(row["actor"] or "(none)",) for row in rows]
    assert shares[0].scores == pytest.approx(shares[1].scores)
    command = [sys.executable, "-m", "stance.cli", "estimate", table, "--by", "actor"]
    printed = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    groups = {json.loads(line)["actor"] for line in printed.stdout.splitlines()}
    assert groups == {"(all)", *(row["actor"] or "(none)" for row in rows)}
