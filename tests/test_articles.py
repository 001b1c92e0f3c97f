"""The comparison of analyze with the annotated articles, on actors made up for the test."""

import argparse
import json
from pathlib import Path

import pytest

import articles as script
from stance.actors import read_table
from stance.errors import InputError
from stance.rows import read_rows
from stance.types import Actor, Analysis, Statement


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
def test_actors_are_compared_by_who_they_are(found, annotated, same):
    assert script.is_same(found, annotated, read_table()) == same


def test_actors_are_annotated_twice_for_every_row_with_a_holder(root):
    rows = read_rows(root / "data" / "articles.jsonl")
    documents = {row.id: row.document for row in rows}
    actors = script.read_actors(root / "data" / "actors.jsonl", rows)
    for row_id, entry in actors.items():
        assert entry["document"] == documents[row_id]
        assert [vote["annotator"] for vote in entry["votes"]] == ["A", "B"]
        assert {vote["kind"] for vote in entry["votes"]} == {"language model"}
        answers = [(vote["holder_actor"], vote["source_actor"]) for vote in entry["votes"]]
        assert (entry["holder_actor"], entry["source_actor"]) in answers
        assert (entry["reason"] is None) == (answers[0] == answers[1])


def test_actors_file_must_be_complete(root, tmp_path):
    rows = read_rows(root / "data" / "articles.jsonl")
    lines = [json.loads(line) for line in (root / "data" / "actors.jsonl").read_text().splitlines()]
    path = tmp_path / "actors.jsonl"
    for wrong in (
        lines[1:],
        [{**lines[0], "id": "000-001"}, *lines[1:]],
        [{**lines[0], "source_actor": "Russia"}, *lines[1:]],
        [{"id": "000-000"}],
    ):
        path.write_text("".join(json.dumps(line) + "\n" for line in wrong))
        with pytest.raises(InputError, match="expected"):
            script.read_actors(path, rows)


def test_committed_predictions_are_of_models_that_have_not_seen_the_article(root, tmp_path):
    rows = read_rows(root / "data" / "articles.jsonl")[:27]
    path = root / "data" / "predictions" / "articles.jsonl"
    predict = script.recall(path, rows)
    named = [item for item in predict([row.text for row in rows]) if item.holder]
    assert named
    assert all(item.holder.text == item.text[item.holder.start : item.holder.end] for item in named)
    with pytest.raises(InputError, match="a prediction of each statement"):
        predict(["It rained."])
    wrong = tmp_path / "wrong.jsonl"
    lines = map(json.loads, path.read_text().splitlines())
    other = [{**line, "model": "0" * 64, "fold": "001_b6f9f60ada94fb83"} for line in lines]
    wrong.write_text("".join(json.dumps(line) + "\n" for line in other))
    with pytest.raises(InputError, match="expected fold 000"):
        script.recall(wrong, rows)


def test_predictions_of_a_model_that_saw_no_article_are_taken(root, tmp_path, monkeypatch):
    rows = read_rows(root / "data" / "articles.jsonl")[:27]
    lines = (root / "data" / "predictions" / "articles.jsonl").read_text().splitlines()
    sha256 = script.read_bundle(script.find_folder(None, None)).sha256
    path = tmp_path / "itself.jsonl"
    anew = [{**json.loads(line), "model": sha256, "fold": None} for line in lines]
    path.write_text("".join(json.dumps(line) + "\n" for line in anew))
    monkeypatch.setattr(script, "saw_articles", lambda settings: False)
    assert script.recall(path, rows)([rows[0].text])
    monkeypatch.setattr(script, "saw_articles", lambda settings: True)
    with pytest.raises(InputError, match="expected fold 000_64536dd576d9eb02, found fold None"):
        script.recall(path, rows)
    with pytest.raises(InputError, match="a model trained without one"):
        script.load_unseen(script.find_folder(None, None), "one")


def test_the_whole_comparison_runs(root, capsys):
    rows = read_rows(root / "data" / "articles.jsonl")
    gold = script.read_actors(root / "data" / "actors.jsonl", rows)
    options = argparse.Namespace(model=None, folds=None, data_dir=Path(root / "data"))
    tally = script.Tally()
    for document in sorted({row.document for row in rows}):
        part = [row for row in rows if row.document == document]
        script.compare(options, document, part, gold, tally)
    assert tally.all["holder's actor, end to end"] == len(gold)
    assert tally.all["label as annotated"] == len(rows)
    for way in (script.GIVEN, script.END):
        assert tally.right[f"holder's actor, {way}"] > 0.6 * len(gold)
    assert capsys.readouterr().out.count("==") == 5


def test_errors_are_counted_and_printed_by_row(root, capsys):
    rows = read_rows(root / "data" / "articles.jsonl")[:6]
    spans = {(row.fields["start"], row.fields["end"]): i for i, row in enumerate(rows)}
    statements = tuple(Statement(*span, "article", script.as_prediction(rows[i]))
                       for span, i in spans.items())  # fmt: skip
    actor = Actor("Nobody Known", ("x",), "favor", 1.0, (0, 5), ("own words",))
    analysis = Analysis(None, "", statements, (actor,))
    gold = {row.id: {"holder_actor": "Nobody Known", "source_actor": None, "votes": []}
            for row in rows if row.holder}  # fmt: skip
    tally = script.Tally()
    script.compare_actors(rows, analysis, spans, gold, tally)
    assert tally.right["holder's actor, end to end"] == 2
    assert tally.all["holder's actor, end to end"] == len(gold)
    printed = capsys.readouterr().out
    assert "000-005  holder annotated spans: Nobody Known -> Anatoly Antonov" in printed
    script.compare_label(rows[0], script.as_prediction(rows[1]), tally)
    assert "000-000  favor -> neutral" in capsys.readouterr().out
