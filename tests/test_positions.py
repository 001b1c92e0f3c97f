"""The measure of pooled stances, on a tiny case and on the articles."""

import sys

import pytest

import articles
import positions as script
from stance.actors import read_table
from stance.rows import Row
from stance.types import LABELS, Actor, Analysis, Prediction

TABLE = read_table()


def make_row(n: int, text: str, label: str) -> Row:
    return Row(f"0-{n}", "0", text, label, None, None, {})


ROWS = [
    make_row(0, "Kyiv rejects talks.", "against"),
    make_row(1, "Kyiv rejects talks", "against"),  # the same text again
    make_row(2, "Ukraine wants talks.", "favor"),
    make_row(3, "Both offered terms.", "conditional"),
    make_row(4, "It rained.", "neutral"),
    make_row(5, "Moscow would talk.", "conditional"),
]
GOLD = {
    "0-0": {"holder_actor": "Ukraine"}, "0-1": {"holder_actor": "Ukraine"},
    "0-2": {"holder_actor": "Kyiv"}, "0-3": {"holder_actor": "Russia; Ukraine"},
    "0-5": {"holder_actor": "the Kremlin"},
}  # fmt: skip


def test_annotated_pooled_stance_counts_each_text_once_and_knows_ties():
    ukraine, russia = script.find_positions(ROWS, GOLD, TABLE)
    assert (ukraine.name, ukraine.label) == ("Ukraine", None)  # one of each
    assert [row.id for row in ukraine.rows] == ["0-0", "0-2", "0-3"]
    assert (russia.name, russia.label) == ("Russia", "conditional")


@pytest.mark.parametrize(
    ("scores", "found", "right"),
    [
        ((0.1, 0.6, 0.1, 0.2), "conditional", {"given": 1, "end": 1}),
        ((0.1, 0.6, 0.1, 0.2), "favor", {"given": 1, "end": 0}),
        ((0.2, 0.1, 0.1, 0.6), None, {"given": 0, "end": 0}),
    ],
)
def test_actor_is_counted_by_what_was_found(scores, found, right, capsys):
    position = script.Position("Russia", tuple(ROWS[3:4]), "conditional")
    by_label = dict(zip(LABELS, scores, strict=True))
    label = max(by_label, key=by_label.get)
    item = Prediction(ROWS[3].text, label, by_label, max(scores), True, None, None, False)
    actors = (Actor("Russia", ("Moscow",), found, 0.6, (0,), ()),) if found else ()
    tally = articles.Tally()
    analysis = Analysis(None, "", (), actors)
    script.compare(position, [item], analysis, TABLE, tally)
    script.count_extra([position], analysis, TABLE, tally)
    assert tally.right[f"pooled stance, {script.GIVEN}"] == right["given"]
    assert tally.right[f"found with the pooled stance, {script.END}"] == right["end"]
    assert tally.right["an annotated actor is found"] == bool(found)
    assert tally.right["a found actor is annotated"] == bool(found)
    assert "Russia" in capsys.readouterr().out


def test_the_articles_are_compared(root, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["positions.py", "--data-dir", str(root / "data")])
    assert script.main() == 0
    printed = capsys.readouterr().out
    assert printed.count("\n== ") == 5
    assert f"found with the pooled stance, {script.END}" in printed
