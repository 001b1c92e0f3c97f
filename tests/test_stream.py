"""Streams: a text that comes again is not read again, and nobody can tell."""

import pytest

from stance import stream
from stance.model import load

TEXTS = [
    "Antonov urges the West to negotiate.", "The weather was fine.", "", "\u200b\u200d", " ",
    "Kyiv rejected talks, Moscow said.", "The army will not withdraw unless talks begin.",
]  # fmt: skip


@pytest.fixture(scope="module")
def released():
    return load(device="cpu")


@pytest.fixture
def model(released, monkeypatch):
    """The released model with nothing known yet; ``read`` counts the texts that it reads."""
    monkeypatch.setattr(released, "recent", stream.Recent())
    real = released.runtime.score_cuts
    released.read = 0

    def count(cuts):
        released.read += len(cuts)
        return real(cuts)

    monkeypatch.setattr(released.runtime, "score_cuts", count)
    return released


def test_a_text_that_comes_again_is_read_once_with_the_same_answer(model, monkeypatch):
    monkeypatch.setattr(stream, "BATCH", 3)
    texts = TEXTS * 5
    expected = model.predict(texts)
    model.read = 0
    assert list(model.stream(texts)) == expected
    assert list(model.stream(reversed(texts))) == expected[::-1]
    assert model.read == len(TEXTS)


def test_fast_scoring_reads_what_it_passes_on_once(model, monkeypatch):
    once = list(model.stream_fast(TEXTS))
    assert {read for _, read in once} == {True, False}
    monkeypatch.setattr(model, "recent", stream.Recent())
    monkeypatch.setattr(stream, "BATCH", len(TEXTS))
    model.read = 0
    assert list(model.stream_fast(TEXTS * 3)) == once * 3
    assert model.read == sum(read for _, read in once)


def test_the_first_stage_is_read_once(model, monkeypatch):
    """What becomes of the model folder while a job runs is of no concern to it."""
    once = list(model.stream_fast(TEXTS))
    monkeypatch.setattr("stance.model.read_first_stage", None)
    assert list(model.stream_fast(TEXTS)) == once


@pytest.mark.parametrize("text", ["", " ", "\u200b", "\u200b \u2060\ufeff", "\x00", "\u00ad\u200d"])
def test_a_text_without_a_readable_token_is_blank_with_and_without_a_first_stage(model, text):
    ((fast, _),) = model.stream_fast([text])
    assert fast == model.predict(text)
    assert (fast.label, fast.confidence, fast.reliable) == ("neutral", 1.0, False)


def test_who_changes_a_prediction_changes_no_other(model):
    first, second = model.stream([TEXTS[0]] * 2)
    first.scores.clear()
    assert second.scores
    assert next(iter(model.stream(TEXTS[:1]))) == second == model.predict(TEXTS[0])


def test_what_is_kept_is_bounded_and_the_last_used_stays(model, monkeypatch):
    monkeypatch.setattr(stream, "KEPT_TEXTS", 2)
    monkeypatch.setattr(stream, "BATCH", 1)
    a, b, c = TEXTS[0], TEXTS[1], TEXTS[5]
    list(model.stream([a, b, a, c, "talks " * 200]))
    assert list(model.recent.known) == [a, c]
    assert model.read == 4
