"""Files of each form are read, and texts are cut into what the rows of the layers are."""

import json

import pytest

import corpora
import sources
from stance.errors import InputError
from stance.layers import find_corpora
from stance.sets import join_texts
from texts import FORMS, clean, cut, read_texts


@pytest.mark.parametrize(
    ("form", "content", "texts"),
    [
        ("csv", '\ufeffa,b\n1,"x, ""y""\nz"\n', ["a", "b", "1", 'x, "y"\nz']),
        ("tsv", 'a\t"b\tc"\n', ["a", "b\tc"]),
        ("lines", 'a\t"b\r\nc\n', ["a", '"b\r', "c", ""]),
        ("brackets", "[Ki]ev met [Moscow].\t3", ["Kiev met Moscow.", "3"]),
        ("json", '{"a": ["b", {"c": "d"}], "e": 1, "f": null}', ["b", "d"]),
        ("jsonl", '{"a": "b"}\n\n["c"]', ["b", "c"]),
        ("sentences", json.dumps({"sentences": [{"content": c} for c in "abc"]}), ["b c"]),
        ("text", "a\nb", ["a\nb"]),
        ("markdown", '## A\n  * [B](http://b "B (b)") *saw* it. [(*C*)](http://c) [(D)](e)',
         ["A", "B saw it.  "]),
    ],
)  # fmt: skip
def test_forms(form, content, texts):
    assert list(read_texts(content.encode(), form)) == texts


def test_every_form_is_tested():
    (mark,) = (m for m in test_forms.pytestmark if m.name == "parametrize")
    assert {case[0] for case in mark.args[1]} == set(FORMS)


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("He came. “She said no.” They left.", "“She said no."),
        ("He came in 2022.But she left.", "But she left."),
        ("He said so.“We left.", "“We left."),
        ("He called it “war.”She left.", "She left."),
        ('He called it "war."She left.', "She left."),
        ('He left."She stayed."', '"She stayed."'),
        ("He told NATO.She left.", "He told NATO.She left."),
        ("Mr. Li met\n\n Ms. Wu.", "Li met\n\n Ms."),
        ("Head\n\n A &amp; B donâ€™t<br/>agree \u200b\n", "A & B don’t agree"),
        ("x" * 1199 + " yz", "x" * 1199),
    ],
)
def test_pieces(text, piece):
    assert piece in [part for _, part in cut(text)]


def test_cleaning_leaves_what_is_right():
    text = "Zelenskyy’s café — “no”; Ünal, москва"
    assert clean(text) == text


def spread(texts, form):
    """Return texts as a file of a form might hold them."""
    if form == "csv":
        return "".join('"' + text.replace('"', '""') + '",1\n' for text in texts)
    if form == "tsv":
        return "".join('x\t"' + text.replace('"', '""') + '"\n' for text in texts)
    if form in ("lines", "brackets"):
        return "".join(f"{text}\t0\n" for text in texts)
    if form == "jsonl":
        return "".join(json.dumps({"a": text}) + "\n" for text in texts)
    if form == "sentences":
        return json.dumps({"sentences": [{"content": text} for text in ["Headline", *texts]]})
    return json.dumps(texts) if form == "json" else "\n".join(texts)


@pytest.mark.corpora
@pytest.mark.parametrize("name", [s.name for s in sources.read_table(corpora.TABLE).sources])
def test_rows_survive_their_form(root, name):
    """The texts of the ready copy, put into a file of their source's form, are found in it."""
    (source,) = (s for s in sources.read_table(corpora.TABLE).sources if s.name == name)
    rows = corpora.group_rows(corpora.read_parts(root / "data"))[name]
    ready = find_corpora()
    if ready is None:
        raise InputError("STANCE_CORPORA", expected="a folder", found="none", remedy="Set it.")
    texts = [row.text for row in join_texts(rows, ready).rows]
    files = [("file", spread(texts, source.form).encode())]
    assert len(corpora.find_rows(files, source.form, rows)) >= 0.99 * len(rows)
