"""The harness from end to end: sets, results, the command."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from conftest import Trained
from made import make_record, make_row
from stance.cli import main
from stance.errors import InputError
from stance.evaluation import grounds
from stance.evaluation.against import check_rows, compare_sets, find_worse, read_other
from stance.evaluation.baselines import fit_baselines
from stance.evaluation.compare import compare
from stance.evaluation.folds import load_fold
from stance.evaluation.judges import judge_by_model
from stance.evaluation.records import read_records, write_records
from stance.evaluation.results import read_results, write_results
from stance.evaluation.run import evaluate, read_judged, say_judge
from stance.evaluation.summary import summarize
from stance.model import load
from stance.sets import read_labels
from stance.training.run import TrainOptions, train
from stance.types import LABELS

LIGHT = ("majority", "keywords", "holders", "tfidf_svm")


@pytest.fixture(scope="module")
def unaware(tmp_path_factory, tiny_recipe, tiny_data):
    """A model of a recipe that does not train on articles; the recipe lies beside it."""
    folder = tmp_path_factory.mktemp("unaware")
    text = tiny_recipe.read_text().replace('["articles", "written"]', '["written"]')
    (folder / "recipe.toml").write_text(
        text.replace("num_train_epochs = 16", "num_train_epochs = 1")
    )
    train(TrainOptions(folder / "recipe.toml", folder / "model", data=tiny_data, device="cpu"))
    return Trained(folder / "model", tiny_data)


@pytest.fixture(scope="module")
def judged(judge, place):
    return evaluate(judge, ["written", "probes"], place, baselines=LIGHT)


def test_results_have_the_contract(judge, judged, tmp_path):
    out = tmp_path / "results.json"
    results = write_results(out, {"name": judge.name, "sha256": judge.sha256}, judged)
    assert json.loads(out.read_text()) == results == read_results(out)
    assert results["schema"] == 1
    assert results["model"] == {"name": "tiny", "sha256": judge.sha256}
    entry = results["sets"]["written"]
    assert entry["n"] == 32
    for name in ("macro_f1", "f1_favor_against", "accuracy", "polarity_flip_rate", "ece", "brier",
                 "aurc", "holder_f1", "source_f1", "holder_exact", "accuracy_at_70",
                 "accuracy_at_80", "accuracy_at_90"):  # fmt: skip
        assert set(entry["metrics"][name]) == {"value", "low", "high"}
    assert list(entry["baselines"]) == list(LIGHT)
    for part in entry["baselines"].values():
        assert part["lead"]["accuracy"]["value"] == pytest.approx(
            entry["metrics"]["accuracy"]["value"] - part["metrics"]["accuracy"]["value"], abs=1e-5
        )
    assert list(entry["per_label"]) == list(LABELS)
    assert np.sum(entry["confusion"]) == entry["n"]
    wrong = entry["n"] - np.trace(entry["confusion"])
    assert len(entry["misread"]) == wrong
    assert entry["risk_coverage"][-1]["risk"] == pytest.approx(wrong / entry["n"], abs=1e-5)
    assert sum(bin_["n"] for bin_ in entry["reliability"]) == entry["n"]


def test_figures_come_back_from_the_written_records(tiny_model, judge, judged, tmp_path):
    results = write_results(tmp_path / "results.json", {"name": "x", "sha256": "y"}, judged)
    again = read_judged(tmp_path / "results", ["written", "probes"], tiny_model.data)
    for name, part in again.items():
        found = summarize(part.rows, part.records)
        assert found == {key: results["sets"][name][key] for key in found}
    assert "text" not in (tmp_path / "results" / "written.jsonl").read_text()


def test_a_model_that_saw_the_article_is_refused(tiny_model, place, judge):
    folds = tiny_model.folder.parent
    with pytest.raises(InputError, match="no such folder"):
        load_fold(replace(place, folds=folds), "two", judge.model)
    (folds / "one").symlink_to(tiny_model.folder)
    with pytest.raises(
        InputError, match="a model trained without one, found one trained without any"
    ):
        load_fold(replace(place, folds=folds), "one", judge.model)


def test_articles_are_judged_by_folds(tiny_model, tiny_recipe, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "stance.cli", "evaluate", "--model", tiny_model.folder,
         "--data-dir", tiny_model.data, "--recipe", tiny_recipe, "--folds", tmp_path / "folds",
         "--sets", "articles", "--out", tmp_path / "results.json", "--baselines", "keywords"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in (tmp_path / "folds").iterdir()) == ["one", "two"]
    records = read_records(tmp_path / "results" / "articles.jsonl")
    assert len({record.model for record in records}) == 2


def test_a_model_that_saw_no_article_judges_them_itself(unaware, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "stance.cli", "evaluate", "--model", unaware.folder,
         "--data-dir", unaware.data, "--folds", tmp_path / "folds", "--sets", "articles,written",
         "--out", tmp_path / "results.json", "--baselines", "majority,tfidf_svm"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "folds").exists()
    results = read_results(tmp_path / "results.json")
    records = read_records(tmp_path / "results" / "articles.jsonl")
    assert {(record.fold, record.model) for record in records} == {
        (None, results["model"]["sha256"])
    }
    assert set(records[0].baselines) == {"majority", "tfidf_svm"}
    for name in ("articles", "articles_core"):
        assert "has not seen any of the articles" in results["sets"][name]["judge"]
    assert results["sets"]["written"]["judge"] is None
    assert "articles: 6 rows of 2 documents" in done.stdout
    assert "judged by the model itself, which has not seen any of the articles" in done.stdout
    again = read_judged(tmp_path / "results", ["articles"], unaware.data)
    assert again["articles_core"].judge == results["sets"]["articles"]["judge"]


def test_baselines_of_the_articles_are_trained_once_where_no_rows_are_of_them(
    unaware, place, monkeypatch
):
    given = []

    def fit(ground, names, **more):
        given.append([row.id for row in ground.rows])
        return fit_baselines(ground, names, **more)

    monkeypatch.setattr(grounds, "fit_baselines", fit)
    who = judge_by_model(load(unaware.folder, device="cpu"))
    recipe = unaware.folder.parent / "recipe.toml"
    scorer = replace(who, model=None)
    for judge, where, times in ((who, place, 1), (scorer, replace(place, recipe=recipe), 1),
                                (scorer, place, 3)):  # fmt: skip
        given.clear()
        judged = evaluate(judge, ["articles", "written"], where, baselines=["majority"])
        assert len(given) == times
        assert {r.fold is None for r in judged["articles"].records} == {times == 1}
        assert (judged["articles"].judge is None) == (judge.model is None)


def test_leaving_an_article_out_of_none_is_refused(unaware, tmp_path):
    with pytest.raises(InputError, match="a recipe that trains on articles"):
        train(TrainOptions(unaware.folder.parent / "recipe.toml", tmp_path / "x",
                           data=unaware.data, leave_out="one"))  # fmt: skip


def test_runs_on_other_rows_are_not_compared(judged, judge, tmp_path):
    out = tmp_path / "a.json"
    write_results(out, {"name": "x", "sha256": "y"}, judged)
    for path in (out, tmp_path / "a"):
        compared = compare_sets(judged, read_other(path, list(judged)))
        assert set(compared) == {"written", "probes"}
        assert all(part["mcnemar"]["p"] == 1 for part in compared.values())
        assert all(part["same_gold"] for part in compared.values())
    with pytest.raises(InputError, match="found no folder"):
        read_other(tmp_path / "b.json", list(judged))
    with pytest.raises(InputError, match="no predictions of layers"):
        read_other(out, ["layers"])
    lines = (tmp_path / "a" / "written.jsonl").read_text().splitlines()
    (tmp_path / "a" / "written.jsonl").write_text("\n".join(lines[1:]) + "\n")
    with pytest.raises(InputError, match="one record for each of 32 rows"):
        compare_sets(judged, read_other(tmp_path / "a", list(judged)))
    rows = [make_row(1)]
    with pytest.raises(InputError, match="the statement of the labelled file"):
        compare(rows, [make_record(1, text="a")], [make_record(1, text="b")], "other")


@pytest.fixture
def run(tiny_model, tiny_recipe, tmp_path):
    def call(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "stance.cli", "evaluate", "--data-dir", tiny_model.data,
             "--recipe", tiny_recipe, "--out", tmp_path / "out.json", *map(str, arguments)],
            capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip

    return call


def test_own_file_against_an_earlier_run(tiny_model, run, tmp_path):
    text = "kyiv rejected talks , moscow said"
    with open(tmp_path / "mine.csv", "w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "label", "document", "outlet"])
        for i in range(30):
            writer.writerow([text, "against", f"d{i // 3}", f"o{i % 2}"])
    own = ("--data", tmp_path / "mine.csv", "--baselines", "keywords")
    (tmp_path / "words.py").write_text(
        "def score(texts):\n    return [[0, 0, 0, 1] for _ in texts]\n"
    )
    done = run(*own, "--scorer", "words:score")
    assert done.returncode == 0, done.stderr
    (tmp_path / "out.json").rename(tmp_path / "words.json")
    (tmp_path / "out").rename(tmp_path / "words")
    done = run(*own, "--model", tiny_model.folder, "--against", tmp_path / "words.json")
    assert done.returncode == 0, done.stderr
    assert "McNemar" in done.stdout
    entry = read_results(tmp_path / "out.json")["sets"]["own"]
    assert (entry["n"], entry["documents"]) == (30, 10)
    assert entry["against"]["difference"]["accuracy"]["value"] == 1
    assert {part["by"] for part in entry["slices"]} == {"label"}  # two outlets of 15 are too small
    assert read_records(tmp_path / "out" / "own.jsonl")[0].text == text


def test_rows_that_were_compared_first_are_not_read_again(
    judge, judged, place, tmp_path, monkeypatch
):
    write_results(tmp_path / "a.json", {"name": "x", "sha256": "y"}, judged)
    read = check_rows(read_other(tmp_path / "a.json", ["written", "probes"]), place, None)
    assert {name: rows == judged[name].rows for name, rows in read.items()} == {
        "written": True, "probes": True,
    }  # fmt: skip
    monkeypatch.setattr("stance.evaluation.run.read_set_rows", None)  # a call would fail
    again = evaluate(judge, ["written", "probes"], place, baselines=[], read=read)
    assert [r.label for r in again["written"].records] == [
        r.label for r in judged["written"].records
    ]


def test_a_wrong_other_run_costs_nothing(tiny_model, run, tmp_path):
    (tmp_path / "mine.csv").write_text("text,label\nkyiv rejected talks,against\n")
    (tmp_path / "words.py").write_text(
        "def score(texts):\n    print('judged')\n    return [[0, 0, 0, 1] for _ in texts]\n"
    )
    own = ("--data", tmp_path / "mine.csv", "--baselines", "none", "--scorer", "words:score")
    assert run(*own).stdout.startswith("judged")
    (tmp_path / "out").rename(tmp_path / "first")
    (tmp_path / "out.json").unlink()
    (tmp_path / "mine.csv").write_text("text,label\nkyiv urges talks,favor\n")
    for other, found in (("nowhere", "no folder nowhere"), ("first", "'kyiv rejected talks'")):
        done = run(*own, "--against", other)
        assert (done.returncode, done.stdout) == (2, "")
        assert found in done.stderr
    done = run("--data", tmp_path / "mine.csv", "--predictions", tmp_path / "first")
    assert done.returncode == 2
    (tmp_path / "mine.csv").write_text("text,label\nkyiv rejected talks,favor\n")
    done = run("--data", tmp_path / "mine.csv", "--predictions", tmp_path / "first",
               "--against", tmp_path / "nowhere")  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert not (tmp_path / "out.json").exists()


def test_a_run_that_was_measured_by_other_labels_is_said(tiny_model, run, tmp_path):
    own = ("--data", tmp_path / "mine.csv", "--baselines", "none")
    rows = [f"kyiv rejected talks {i}" for i in range(4)]
    for name, label in (("first", "against"), ("second", "neutral")):
        lines = "".join(f"{text},{label}\n" for text in rows)
        (tmp_path / "mine.csv").write_text(f"text,label\n{lines}")
        against = ("--against", tmp_path / "first.json") if name == "second" else ()
        done = run(*own, "--model", tiny_model.folder, *against)
        assert done.returncode == 0, done.stderr
        assert ("measured by other labels" in done.stderr) == (name == "second")
        assert ("by those of this run" in done.stdout) == (name == "second")
        if name == "first":
            (tmp_path / "out.json").rename(tmp_path / "first.json")
            (tmp_path / "out").rename(tmp_path / "first")


ALIKE = """
def calm(texts):
    return [[0, 0, 0, 1] for _ in texts]
def keen(texts):
    return [[1, 0, 0, 0] for _ in texts]
"""


@pytest.fixture
def call(tiny_data, tiny_recipe, tmp_path, monkeypatch, capsys, caplog):
    """The command in this process: its exit code, output and messages."""
    (tmp_path / "alike.py").write_text(ALIKE)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        caplog.clear()
        code = main(["evaluate", "--data-dir", str(tiny_data), "--recipe", str(tiny_recipe),
                     "--out", "out.json", *map(str, arguments)])  # fmt: skip
        said = capsys.readouterr()
        return SimpleNamespace(returncode=code, stdout=said.out, stderr=said.err + caplog.text)

    return run


@pytest.fixture
def own(call, tmp_path):
    """Call with one of two scorers of a file, and the ids of the user's rows, all 'favor'."""

    def run(name, ids, *more, head="text,label,id"):
        lines = (f"They met for the {i}th time.,favor,{i}\n" for i in ids)
        (tmp_path / "mine.csv").write_text(f"{head}\n" + "".join(lines))
        return call("--scorer", f"alike:{name}", "--data", "mine.csv", "--baselines", "none", *more)

    return run


def test_a_run_in_the_place_of_the_other_is_compared_with_it_on_the_rows_of_both(own, tmp_path):
    assert own("keen", range(1, 25)).returncode == 0
    first = read_results(tmp_path / "out.json")
    done = own("calm", range(30, 2, -1), "--against", tmp_path / "out.json", "--fail-if-worse")
    assert done.returncode == 1
    results = read_results(tmp_path / "out.json")
    against = results["sets"]["own"]["against"]
    assert against["difference"]["accuracy"]["value"] == -1
    assert (against["n"], against["left_out"]) == (22, {"this": 6, "other": 2})
    assert against["same_gold"] is None  # of rows that are gone nobody knows
    assert "worse than" in done.stderr
    assert "own: worse" in done.stderr
    assert "Compared on the 22 rows of both; left out are 6 of this run and 2" in done.stdout
    assert "From 22 documents of these, intervals are too narrow: simulated" in done.stdout
    assert results["model"]["sha256"] != first["model"]["sha256"]  # two functions of one file
    done = own("keen", range(1, 25), "--against", tmp_path / "out.json", "--fail-if-worse")
    assert done.returncode == 0, done.stderr


def test_who_waits_for_baselines_is_told_what_for(call, caplog):
    with caplog.at_level("INFO"):
        assert call("--scorer", "alike:keen", "--sets", "written",
                    "--baselines", "majority").returncode == 0  # fmt: skip
        assert "baselines: learning from" in caplog.text


def test_an_own_file_is_read_once(own, tmp_path, monkeypatch):
    assert own("keen", range(1, 25)).returncode == 0
    monkeypatch.setattr("stance.evaluation.run.read_own_rows", None)  # a call would fail
    assert own("keen", range(1, 31), "--against", tmp_path / "out.json").returncode == 0
    assert read_results(tmp_path / "out.json")["sets"]["own"]["n"] == 30  # not those of both alone


def test_an_own_file_without_ids_may_grow_but_not_change_places(own, tmp_path):
    head = "text,label,number"
    assert own("keen", range(1, 25), head=head).returncode == 0
    done = own("keen", range(1, 31), "--against", tmp_path / "out.json", head=head)
    assert done.returncode == 0, done.stderr
    against = read_results(tmp_path / "out.json")["sets"]["own"]["against"]
    assert (against["n"], against["same_gold"]) == (24, True)
    done = own("keen", range(30, 0, -1), "--against", tmp_path / "out.json", head=head)
    assert done.returncode == 2
    assert "Rows that have an `id` may change places" in done.stderr


def test_failing_needs_another_run_and_an_interval(own, caplog):
    done = own("keen", [1], "--fail-if-worse")
    assert done.returncode == 2
    assert "--against OTHER" in done.stderr
    none = {"value": -1.0, "low": None, "high": None}
    assert find_worse({"own": {"run": "x", "difference": {"macro_f1": none}}}) == []
    assert "one document gives no interval" in caplog.text


def test_files_that_are_left_from_another_run_are_not_read(own, call, tmp_path):
    assert own("keen", [1, 2], "--sets", "written").returncode == 0
    assert own("calm", [1, 2]).returncode == 0
    assert (tmp_path / "out" / "written.jsonl").is_file()
    done = call("--predictions", "out", "--sets", "written")
    assert done.returncode == 2
    assert "found predictions of own" in done.stderr
    done = own("calm", [1, 2], "--sets", "written", "--against", "out")
    assert "written: nothing to compare with" in done.stderr


def test_predictions_of_an_own_file_alone_ask_for_it(own, call, tmp_path):
    assert own("keen", [1, 2]).returncode == 0
    results = json.loads((tmp_path / "out.json").read_text())
    del results["sets"]["own"]["slices"]  # as of an earlier version
    (tmp_path / "out.json").write_text(json.dumps(results))
    done = call("--predictions", "out")
    assert done.returncode == 2
    assert "name the file with --data" in done.stderr
    done = call("--predictions", "out", "--data", "mine.csv")
    assert done.returncode == 0, done.stderr
    assert read_results(tmp_path / "out.json")["model"] == results["model"]


def test_predictions_of_another_judge_do_not_pass_under_the_name_of_the_first(own, call, tmp_path):
    assert own("calm", [1, 2]).returncode == 0
    other = (tmp_path / "out" / "own.jsonl").read_text()
    assert own("keen", [1, 2]).returncode == 0
    (tmp_path / "out" / "own.jsonl").write_text(other)
    before = (tmp_path / "out.json").read_text()
    done = call("--predictions", "out", "--data", "mine.csv")
    assert done.returncode == 2
    assert "expected the predictions that out.json tells of" in done.stderr
    assert (tmp_path / "out.json").read_text() == before


def test_a_file_in_the_place_of_the_predictions_is_said_before_anything_is_judged(own, tmp_path):
    (tmp_path / "out").write_text("mine")
    done = own("no_such_function", [1, 2])
    assert done.returncode == 2
    assert "found a file of that name" in done.stderr


def test_who_judged_articles_and_benchmarks_is_told_without_results(tiny_data, tmp_path):
    rows = read_labels(tiny_data, "articles", "train")
    write_records(tmp_path / "r" / "articles.jsonl", [
        replace(make_record(row.id, row.label), model=row.document, fold=row.document)
        for row in rows
    ])  # fmt: skip
    for name in ("articles", "articles_core"):
        found = read_judged(tmp_path / "r", ["articles"], tiny_data)[name]
        assert found.judge == "models that have not seen the article"
    assert say_judge("gwsd", []) == "models fine-tuned on the benchmark's training rows"


def test_predictions_of_an_earlier_run_give_its_figures_again(tiny_model, run, tmp_path):
    first = run("--model", tiny_model.folder, "--sets", "probes", "--baselines", "none")
    assert first.returncode == 0, first.stderr
    results = read_results(tmp_path / "out.json")
    (tmp_path / "out.json").rename(tmp_path / "first.json")
    (tmp_path / "out").rename(tmp_path / "first")
    again = run("--predictions", tmp_path / "first")
    assert again.returncode == 0, again.stderr
    assert again.stdout == first.stdout
    assert read_results(tmp_path / "out.json")["model"] == results["model"]


def test_example_scorer_runs_without_a_change(run, root, tiny_model):
    done = subprocess.run(
        [sys.executable, "-m", "stance.cli", "evaluate",
         "--scorer", "examples.score_with_llm:score", "--data-dir", tiny_model.data,
         "--sets", "written", "--baselines", "none",
         "--out", tiny_model.data / "llm.json"],
        capture_output=True, text=True, check=False, cwd=root,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "written: 32 rows" in done.stdout


def test_calls_that_cannot_work_are_refused_at_once(tiny_model, tmp_path):
    base = [sys.executable, "-m", "stance.cli", "evaluate", "--data-dir", str(tiny_model.data)]
    for more, found in (
        (["--out", "results", "--sets", "written"], "the name of a .json file"),
        (["--out", "r.json", "--sets", ""], "at least one set"),
        (["--out", "r.json", "--predictions", "nowhere"], "no such folder"),
        (["--out", "r.json", "--scorer", ""], "module:function"),
        (["--out", "r.json", "--data", "none.csv"], "no such file"),
        (["--out", "r.json", "--sets", "gwsd"], "STANCE_CORPORA"),
        (["--out", "r.json", "--sets", "gwsd", "--scorer", "m:f"], "the four stances"),
    ):
        done = subprocess.run(
            [*base, *more], capture_output=True, text=True, check=False, cwd=tmp_path,
            env={**os.environ, "STANCE_CORPORA": ""},
        )  # fmt: skip
        assert done.returncode == 2, more
        assert found in done.stderr, more
        assert not (tmp_path / "r.json").exists()


def test_an_own_file_is_not_overwritten_by_its_predictions(tmp_path, capsys):
    own = tmp_path / "own.jsonl"
    own.write_text('{"text": "They met.", "label": "neutral"}\n')
    out = tmp_path.with_suffix(".json")
    assert main(["evaluate", "--data", str(own), "--out", str(out), "--baselines", "none"]) == 2
    assert "own.jsonl" in capsys.readouterr().err
    assert own.read_text() == '{"text": "They met.", "label": "neutral"}\n'


def test_an_unknown_set_is_named_outside_a_clone_too(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", "--sets", "foo", "--out", "out.json"]) == 2
    assert "--sets foo" in capsys.readouterr().err


def test_unknown_baselines_are_refused(run, tiny_model):
    done = run("--model", tiny_model.folder, "--sets", "written", "--baselines", "no_such")
    assert done.returncode == 2
    assert "setfit" in done.stderr
