import json

import pytest

import stance
from stance.document import analyze, pool, split
from stance.errors import InputError
from stance.model import load
from stance.report.analysis import render
from stance.types import LABELS, OWN_WORDS, Actor, Analysis, Prediction, Span

ARTICLE = """Orlov wants talks

Kyiv rejected talks , moscow said . The weather report of the minister .
Moscow urges dialogue , kyiv said .

Moscow will negotiate only if the army withdraws , the minister said . The army and the town .

Leave a Reply
"""


def score(text: str, **scores: float) -> Prediction:
    full = {label: scores.get(label, 0.0) for label in LABELS}
    return Prediction(
        text, max(full, key=full.get), full, max(full.values()), True, None, None, False
    )


@pytest.fixture(scope="module")
def model(tiny_model):
    return load(tiny_model.folder, device="cpu")


@pytest.fixture(scope="module")
def analysis(model):
    return model.analyze(ARTICLE, document="a.txt")


def test_analysis_is_the_contract(analysis):
    data = analysis.to_dict()
    assert list(data) == ["schema", "document", "statements", "actors"]
    assert (data["schema"], data["document"]) == (1, "a.txt")
    for entry in data["statements"]:
        assert list(entry) == ["start", "end", "text", "label", "scores", "confidence", "reliable",
                               "holder", "source", "truncated"]  # fmt: skip
    for actor in data["actors"]:
        assert list(actor) == ["name", "surface", "label", "probability", "statements", "sources"]
    json.dumps(data, allow_nan=False)


def test_statements_are_pieces_of_the_text_with_the_models_predictions(analysis, model):
    for statement in analysis.statements:
        assert ARTICLE[statement.start : statement.end] == statement.prediction.text
        if statement.part == "article":
            assert statement.prediction == model.predict(statement.prediction.text)
    assert [s.prediction.text for s in analysis.statements] == [s.text for s in split(ARTICLE)]


def test_page_furniture_is_not_scored(analysis):
    (last,) = (s for s in analysis.statements if s.part == "furniture")
    assert last.prediction.text == "Leave a Reply"
    assert (last.prediction.label, last.prediction.reliable) == ("neutral", False)


def test_actors_carry_stance_statements_only(analysis):
    assert analysis.actors
    for actor in analysis.actors:
        assert actor.label != "neutral"
        assert 0 < actor.probability <= 1
        assert actor.surface
        assert actor.sources
        assert list(actor.statements) == sorted(set(actor.statements))
        for i in actor.statements:
            assert analysis.statements[i].prediction.label != "neutral"
            assert analysis.statements[i].prediction.holder is not None


def test_scored_once(model, monkeypatch):
    calls = []
    monkeypatch.setattr(model, "_predict", lambda texts: calls.append(texts) or
                        [score(text, neutral=1.0) for text in texts])  # fmt: skip
    assert model.analyze(ARTICLE).actors == ()
    assert len(calls) == 1
    assert len(calls[0]) == len(split(ARTICLE)) - 1


def test_pool_is_the_mean_over_distinct_statements():
    clear, doubtful = score("a", favor=0.9, neutral=0.1), score("b", against=0.5, favor=0.1)
    assert pool([clear]) == ("favor", pytest.approx(0.9))
    assert pool([clear, doubtful]) == ("favor", pytest.approx(0.5))
    repeated = score("A.", favor=0.9, neutral=0.1)
    assert pool([clear, repeated, doubtful]) == ("favor", pytest.approx(0.5))
    weak = [score("a", favor=0.4, neutral=0.35), score("b", against=0.45, neutral=0.35)]
    assert pool(weak) == ("against", pytest.approx(0.225))


def test_released_model_says_who_and_according_to_whom():
    analysis = stance.analyze(
        "Russian Foreign Minister Sergey Orlov said on Monday that the Kremlin is ready for peace "
        "talks with Ukraine. He urged Kyiv to negotiate. Moscow offered a ceasefire. It rained."
    )
    actors = {actor.name: actor for actor in analysis.actors}
    assert actors["Russia"].label == "favor"
    assert set(actors["Russia"].surface) == {"the Kremlin", "Moscow"}
    assert set(actors["Russia"].sources) == {"Sergey Orlov", OWN_WORDS}
    assert actors["Sergey Orlov"].surface == ("He",)
    assert analysis.statements[-1].prediction.label == "neutral"


def test_a_source_called_by_its_name_is_not_said_twice():
    surface = {"Washington Post": ("the Washington Post",), "Russia": ("Russia", "Moscow")}
    actor = Actor("X", ("X",), "favor", 0.9, (0,), ("Washington Post", "Russia"), surface)
    assert actor.show_sources() == "Washington Post, Russia (“Moscow”)"


def test_what_sources_are_called_stays_visible():
    def judge(texts):
        spans = {"Kyiv rejects talks": "Kyiv", "Ukraine left": "Ukraine", "Kiev wants": "Kiev"}
        sources = ("Orlov", "the foreign minister", "The Ukrainian leadership")
        for text in texts:
            holder = next((h for start, h in spans.items() if start in text), None)
            found = next((word for word in sources if word in text), None) if holder else None
            label = "against" if holder else "neutral"
            places = [Span(text.index(w), text.index(w) + len(w), w) if w else None
                      for w in (holder, found)]  # fmt: skip
            scores = {name: float(name == label) for name in LABELS}
            yield Prediction(text, label, scores, 1.0, True, *places, False)

    text = (
        "Russian Foreign Minister Sergey Orlov spoke. Kyiv rejects talks, Orlov said. "
        "Ukraine left the table, the foreign minister said. "
        "The Ukrainian leadership said that Kiev wants no talks."
    )
    (actor,) = analyze(text, lambda texts: list(judge(texts))).actors
    assert actor.sources == ("Sergey Orlov", OWN_WORDS)
    assert actor.source_surface == {
        "Sergey Orlov": ("Orlov", "the foreign minister"),
        OWN_WORDS: ("The Ukrainian leadership",),
    }
    assert actor.show_sources() == (
        "Sergey Orlov (“Orlov”, “the foreign minister”), own words (“The Ukrainian leadership”)"
    )
    page = render(Analysis(None, text, (), (actor,)))
    assert "Sergey Orlov (“Orlov”, “the foreign minister”)" in page


HIDDEN = ("\u200b", "\u2060", "\u00ad", "\ufeff", "\x07", "\x80")


@pytest.mark.parametrize("char", HIDDEN, ids=ascii)
def test_what_nobody_sees_hides_no_actor(char):
    text = (
        "Russian Foreign Minister Sergey Orlov said that the Kremlin rejects peace talks. "
        "Orlov urged Kyiv to negotiate. It rained."
    )
    plain = stance.analyze(text)
    places = [i for i in range(2, len(text), 9) if text[i].isalpha()]
    mixed = "".join(char + c if i in places else c for i, c in enumerate(text))
    analysis = stance.analyze(mixed)
    assert analysis.actors == plain.actors
    for statement, same in zip(analysis.statements, plain.statements, strict=True):
        found = statement.prediction
        assert mixed[statement.start : statement.end] == found.text
        assert found.text.replace(char, "") == same.prediction.text
        for span in filter(None, (found.holder, found.source)):
            assert found.text[span.start : span.end] == span.text


def test_what_a_terminal_is_told_hides_no_actor():
    text = "\x1b[1;31mKyiv\x1b[0m rejected talks with Moscow, the \x1b[32mKremlin\x1b[m said."
    (actor,) = stance.analyze(text).actors
    assert (actor.name, actor.surface, actor.sources) == ("Ukraine", ("Kyiv",), ("Russia",))


def test_white_space_hides_no_actor():
    text = (
        "Russian Foreign Minister Sergey Orlov said the White House rejects talks with Syria. "
        "Mr Orlov urged the United Nations to negotiate."
    )
    wide = text.replace(" ", "\u00a0 ")
    assert [(a.name, a.surface, a.sources) for a in stance.analyze(wide).actors] == [
        (a.name, a.surface, a.sources) for a in stance.analyze(text).actors
    ]


PAGE = "<html><body><p>Talks.</p></body></html>"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "blank text"),
        (" \n\t\u00a0", "blank text"),
        ("* * *\n— —", "no letter or digit"),
        ("Leave a Reply\n\nRead more", "only page furniture"),
        (PAGE, "HTML"),
        ("<!DOCTYPE html>\n<title>Talks</title>", "HTML"),
        ("<p>Kyiv rejects talks.</p> <p>Moscow too.</p> <p>So <a href=x>there</a>.</p>", "HTML"),
        ("<head><title>x</title></head><body>Kyiv rejected talks.</body>", "HTML"),
        ("%PDF-1.4\n1 0 obj\n(Kyiv rejected talks)", "a PDF"),
        ("{\\rtf1\\ansi Kyiv rejected talks.}", "an RTF document"),
        ("Talks. " * 200_000, "1,400,000"),
        ("\0\1\2ab" * 50, "control characters"),
        ("Der Kreml lehnt Verhandlungen mit der Ukraine ab. Kiew will nicht reden.", "'de'"),
        ("Москва отвергла переговоры о прекращении огня. Киев тоже.", "'ru'"),
        (b"bytes", "bytes"),
        (None, "NoneType"),
    ],
)  # fmt: skip
def test_what_is_no_article_is_refused(model, text, found):
    with pytest.raises(InputError, match="article: expected") as caught:
        model.analyze(text)
    assert found in caught.value.found


def test_odd_articles_are_analysed(model):
    texts = ("Kyiv rejected talks", "a\0b rejected talks \x1b[31m.", "🕊️ talks")
    for text in (*texts, "<script>alert(1)</script> kyiv", "\ud800 talks failed . \u202e kyiv"):
        assert model.analyze(text).statements


def test_foreign_statement_speaks_for_no_actor(model):
    text = ARTICLE * 3 + "\nDer Kreml lehnt Verhandlungen mit der Ukraine weiterhin entschieden ab."
    analysis = model.analyze(text)
    (foreign,) = (i for i, s in enumerate(analysis.statements) if s.part == "foreign")
    assert not analysis.statements[foreign].prediction.reliable
    assert all(foreign not in actor.statements for actor in analysis.actors)
