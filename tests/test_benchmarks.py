"""Public benchmarks: their descriptions, and the whole path on a tiny encoder."""

import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from made import make_record, make_row
from stance.cli import main
from stance.errors import InputError
from stance.evaluation import benchmarks
from stance.evaluation.card import BENCHMARKS, format_benchmarks
from stance.evaluation.metrics import compute_metrics, count_confusion
from stance.evaluation.outcomes import (
    measure_outcomes,
    read_outcomes,
    take_outcomes,
    write_outcomes,
)
from stance.evaluation.records import write_records
from stance.evaluation.results import read_results
from stance.evaluation.summary import summarize
from stance.training.recipe import read_recipe
from stance.types import LABELS

NAMES = benchmarks.list_benchmarks()


def test_the_three_are_there():
    assert NAMES == ("gwsd", "plover_plv", "semeval2016_taska")


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_says_what_it_is(name):
    benchmark = benchmarks.read_benchmark(name)
    assert benchmark.source.startswith("https://github.com/")
    assert len(benchmark.version) == 40
    assert benchmark.licence
    assert benchmark.paper
    assert set(benchmark.labels) < set(LABELS)
    described = benchmark.describe_labels("War")
    assert set(described) == set(benchmark.labels)
    assert "{" not in "".join(described.values())
    assert benchmark.metric in compute_metrics(count_confusion([0], [0]))
    assert benchmark.published
    for entry in benchmark.published:
        assert 0 < entry.value < 1
        assert entry.source


def write_corpus(folder, split, rows):
    path = folder / "public" / "semeval2016_taska" / f"{split}.jsonl.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt") as stream:
        stream.writelines(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def corpora(tmp_path):
    """Two targets toward which the same words mean opposite stances."""
    texts = {"urges dialogue": 1, "rejected talks": -1, "weather report": 0}
    for split, size in (("train", 24), ("validation", 6), ("test", 8)):
        rows = []
        for target, sign in (("Peace Talks", 1), ("War", -1)):
            for i in range(size):
                words, side = list(texts.items())[i % 3]
                label = {1: "favor", -1: "against", 0: "neutral"}[side * sign]
                rows.append({"id": f"{target}-{i}", "text": f"kyiv {words} .", "target": target,
                             "label": label})  # fmt: skip
        write_corpus(tmp_path, split, rows)
    return tmp_path


def test_fine_tunes_judges_and_stands_beside_the_published(tiny_recipe, tiny_data, corpora):
    command = [
        sys.executable, "-m", "stance.cli", "evaluate", "--sets", "semeval2016_taska",
        "--recipe", tiny_recipe, "--data-dir", tiny_data, "--folds", corpora / "folds",
        "--out", corpora / "results.json", "--device", "cpu",
    ]  # fmt: skip
    environment = {**os.environ, "STANCE_CORPORA": str(corpora)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    folders = sorted((corpora / "folds" / "semeval2016_taska").iterdir())
    assert [path.name for path in folders] == ["peace-talks", "war"]
    entry = read_results(corpora / "results.json")["sets"]["semeval2016_taska"]
    assert entry["n"] == 16
    assert entry["metrics"]["f1_favor_against"]["value"] > 0.9  # one model could not: words clash
    assert set(entry["baselines"]) == {"majority", "tfidf_svm", "embedding_lr", "zero_shot"}
    assert len(entry["models"]) == 2
    assert entry["benchmark"]["published"][0]["value"] == 0.729
    assert "TimeLMs-2021" in done.stdout
    assert "kyiv" not in (corpora / "results.json").read_text()
    assert "kyiv" not in (corpora / "results" / "semeval2016_taska.jsonl").read_text()
    other = corpora / "other.toml"
    other.write_text(Path(tiny_recipe).read_text().replace("patience = 20", "patience = 21"))
    command[command.index(tiny_recipe)] = other
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 2
    assert "another recipe or other rows" in done.stderr


def test_a_figure_that_nobody_published_is_called_measured():
    described = {name: benchmarks.describe(benchmarks.read_benchmark(name))["published"]
                 for name in benchmarks.list_benchmarks()}  # fmt: skip
    sources = [entry["source"] for entries in described.values() for entry in entries]
    assert all(source.startswith(("published: ", "measured: ")) for source in sources)
    (rater,) = described["gwsd"]
    assert rater["source"].startswith("measured: from the released ratings")
    assert described["plover_plv"][0]["source"] == (
        "published: output of demo.ipynb in the repository"
    )


def test_rows_come_as_the_description_says(corpora):
    benchmark = replace(
        benchmarks.read_benchmark("semeval2016_taska"), input="{target}: {text}", validation=""
    )
    (row, *_) = benchmarks.read_rows(benchmark, "test", corpora)
    assert row.text == "Peace Talks: kyiv urges dialogue ."
    parts = benchmarks.read_training(benchmark, corpora)
    assert set(parts) == {"Peace Talks", "War"}
    together = benchmarks.read_training(replace(benchmark, per_target=False), corpora)
    assert set(together) == {""}
    texts = {row.text for row in together[""].train}
    assert texts.isdisjoint(row.text for row in together[""].validation)


def test_corpora_that_do_not_fit_are_refused(corpora):
    benchmark = benchmarks.read_benchmark("semeval2016_taska")
    with pytest.raises(InputError, match=r"public/gwsd/test\.jsonl\.gz"):
        benchmarks.read_rows(benchmarks.read_benchmark("gwsd"), "test", corpora)
    write_corpus(corpora, "test", [{"id": "1", "text": "t", "target": "War", "label": "pro"}])
    with pytest.raises(InputError, match=r"row test/1: .*'pro'"):
        benchmarks.read_rows(benchmark, "test", corpora)
    write_corpus(corpora, "test", [{"id": "1", "text": "t", "label": "favor"}])
    with pytest.raises(InputError, match="'holder'"):
        benchmarks.read_rows(replace(benchmark, input="{holder}: {text}"), "test", corpora)


@pytest.mark.corpora
@pytest.mark.parametrize(
    ("name", "train", "test"),
    [("gwsd", 1850, 200), ("plover_plv", 1050, 1033), ("semeval2016_taska", 2620, 1249)],
)
def test_the_official_splits_are_whole(name, train, test):
    corpora = Path(os.environ["STANCE_CORPORA"])
    benchmark = benchmarks.read_benchmark(name)
    assert len(benchmarks.read_rows(benchmark, "train", corpora)) == train
    assert len(benchmarks.read_rows(benchmark, "test", corpora)) == test


def test_outcomes_give_the_figures_and_not_the_rows(tmp_path):
    rows = [make_row(i, LABELS[(0, 2, 3)[i % 3]], f"d{i // 2}") for i in range(60)]
    records = [
        replace(make_record(i, row.label if i % 5 else "favor"), baselines={"majority": "neutral"})
        for i, row in enumerate(rows)
    ]
    write_outcomes(tmp_path / BENCHMARKS, take_outcomes("gwsd", rows, records))
    found = read_outcomes(tmp_path / BENCHMARKS)["gwsd"]
    assert Counter(o.document for o in found) == Counter(i // 2 for i in range(60))
    assert take_outcomes("gwsd", rows[::-1], records[::-1]) == found  # order tells nothing
    whole = summarize(rows, records)
    measured = measure_outcomes(found, "macro_f1_three")
    expected = whole["metrics"]["macro_f1_three"]
    assert measured[""]["score"]["value"] == expected["value"]
    assert measured[""]["score"]["low"] == pytest.approx(expected["low"], abs=0.01)
    lead = whole["baselines"]["majority"]["lead"]["macro_f1_three"]
    assert measured["majority"]["lead"]["high"] == pytest.approx(lead["high"], abs=0.01)
    assert format_benchmarks(tmp_path).count("| this recipe |") == 1
    assert "| this recipe |" not in format_benchmarks(tmp_path / "none")
    table = format_benchmarks(tmp_path)
    assert "| keyword rule | - | - | not defined" in table
    assert "| SetFit | - | - | not run: an extra" in table
    assert (
        "| zero-shot by label descriptions | - | - | not in the predictions that were read" in table
    )
    text = (tmp_path / BENCHMARKS).read_text()
    (tmp_path / BENCHMARKS).write_text(text.replace('"gold": "against"', '"gold": "con"', 1))
    with pytest.raises(InputError, match="label 'con'"):
        read_outcomes(tmp_path / BENCHMARKS)


def test_predictions_of_a_benchmark_give_its_figures_again(corpora, root, tmp_path, monkeypatch):
    name = "semeval2016_taska"
    rows = benchmarks.read_rows(benchmarks.read_benchmark(name), "test", corpora)
    records = [make_record(row.id, row.label) for row in rows]
    write_records(tmp_path / "r" / f"{name}.jsonl", records)
    call = ["evaluate", "--predictions", str(tmp_path / "r"), "--data-dir", str(root / "data"),
            "--out", str(tmp_path / "again.json")]  # fmt: skip
    monkeypatch.setenv("STANCE_CORPORA", "")
    assert main(call) == 2
    monkeypatch.setenv("STANCE_CORPORA", str(corpora))
    assert main(call) == 0
    entry = read_results(tmp_path / "again.json")["sets"][name]
    assert entry["metrics"]["accuracy"]["value"] == 1
    assert entry["judge"] == "models fine-tuned on the benchmark's training rows"


def test_rows_about_one_sentence_are_one_document():
    benchmark = benchmarks.read_benchmark("plover_plv")
    fields = {"text": "A and B met.", "target": "B", "holder": "A", "label": "favor"}
    first = benchmarks.build_row(benchmark, "test/1", fields)
    other = benchmarks.build_row(benchmark, "test/2", {**fields, "target": "A", "holder": "B"})
    assert (first.document, first.text != other.text) == (other.document, True)


def test_benchmarks_are_fine_tuned_as_the_released_model_is(root):
    """Their recipe is the released one's, but for the rows and what belongs to them alone."""
    ours, theirs = (
        read_recipe(root / "train" / "recipes" / f"{name}.toml") for name in ("small", "benchmarks")
    )
    assert theirs.encoder == ours.encoder
    assert theirs.loss.label_smoothing == ours.loss.label_smoothing
    assert not theirs.distillation
