"""The comparison of analyze with the annotated articles, on actors made up for the test."""

import importlib.util
import json

import pytest

from stance.actors import read_table
from stance.errors import InputError
from stance.rows import read_rows
from stance.types import Actor, Analysis, Statement


@pytest.fixture(scope="module")
def script(root):
    spec = importlib.util.spec_from_file_location("score", root / "train" / "score_articles.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("found", "annotated", "same"),
    [
        (["Russia"], "the Kremlin", True),
        (["Sergei Orlow"], "Sergey Orlov", True),
        (["Orlov"], "Sergey Orlov", True),
        (["Western military observers"], "the Western military observers", True),
        (["Ukraine", "Russia"], "Russia; Ukraine", True),
        (["Russia"], "Russia; Ukraine", False),
        (["Russia"], "Sergey Orlov", False),
        (["Ivan Orlov"], "Sergey Orlov", False),
        ([], "Russia", False),
    ],
)
def test_actors_are_compared_by_who_they_are(script, found, annotated, same):
    assert script.is_same(found, annotated, read_table()) == same


def test_actors_file_must_be_complete(script, root, tmp_path):
    rows = read_rows(root / "data" / "articles.jsonl")
    held = [row for row in rows if row.holder]
    lines = [{"document": row.document, "id": row.id, "holder_actor": "X", "source_actor": None}
             for row in held]  # fmt: skip
    path = tmp_path / "actors.jsonl"
    assert script.read_actors(path, rows) == {}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert len(script.read_actors(path, rows)) == len(held)
    for wrong in (lines[1:], [{**lines[0], "id": "000-001"}, *lines[1:]], [{"id": "000-000"}]):
        path.write_text("".join(json.dumps(line) + "\n" for line in wrong))
        with pytest.raises(InputError, match="expected"):
            script.read_actors(path, rows)


def test_errors_are_counted_and_printed_by_row(script, root, capsys):
    rows = read_rows(root / "data" / "articles.jsonl")[:6]
    spans = {(row.fields["start"], row.fields["end"]): i for i, row in enumerate(rows)}
    statements = tuple(Statement(*span, "article", script.as_prediction(rows[i]))
                       for span, i in spans.items())  # fmt: skip
    actor = Actor("Nobody Known", ("x",), "favor", 1.0, (0, 5), ("own words",))
    analysis = Analysis(None, "", statements, (actor,))
    gold = {row.id: {"holder_actor": "Nobody Known", "source_actor": None}
            for row in rows if row.holder}  # fmt: skip
    tally = script.Tally()
    script.compare_actors(rows, analysis, spans, gold, tally)
    assert tally.right["holder's actor, end to end"] == 2
    assert tally.all["holder's actor, end to end"] == len(gold)
    printed = capsys.readouterr().out
    assert "000-000  actor by rules: 'Nobody Known'" in printed
    script.compare_label(rows[0], script.as_prediction(rows[1]), tally)
    assert "000-000  favor -> neutral" in capsys.readouterr().out
