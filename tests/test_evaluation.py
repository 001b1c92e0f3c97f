"""The harness: judges, sets, records, comparisons."""

import csv
import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from stance.errors import InputError
from stance.evaluation import baselines
from stance.evaluation.agreement import summarize_annotator
from stance.evaluation.baselines import Ground, fit_baselines
from stance.evaluation.compare import compare
from stance.evaluation.folds import load_fold
from stance.evaluation.judges import judge_by_model, judge_by_scorer
from stance.evaluation.place import Place
from stance.evaluation.probes import read_probes, summarize_phenomena
from stance.evaluation.records import Record, align, read_records, write_records
from stance.evaluation.results import read_results, write_results
from stance.evaluation.run import compare_with, evaluate, read_judged
from stance.evaluation.scorers import run_scorer
from stance.evaluation.slices import describe_row
from stance.evaluation.summary import summarize
from stance.model import load
from stance.rows import Row, build_row
from stance.sets import read_set
from stance.types import LABELS

LIGHT = ("majority", "keywords", "holders", "tfidf_svm")


def make_row(number, label="favor", document=None, **fields):
    return Row(str(number), document or str(number), "Kyiv urges talks.", label, None, None, fields)


def make_record(number, label="favor", *, reliable=True, **fields):
    scores = tuple(0.7 if name == label else 0.1 for name in LABELS)
    return Record(str(number), "m", None, label, scores, reliable, None, None, {}, **fields)


@pytest.fixture
def place(tiny_model, tiny_recipe):
    return Place(tiny_model.data, recipe=tiny_recipe, device="cpu")


@pytest.fixture
def judge(tiny_model):
    return judge_by_model(load(tiny_model.folder, device="cpu"))


@pytest.fixture
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


# Scorers


def score_by_word(texts):
    """Reject means against, everything else is neutral."""
    return [[0, 0, 0.9, 0.1] if "reject" in text else [0, 0, 0.2, 0.8] for text in texts]


def test_a_foreign_scorer_is_judged_like_a_model_but_for_spans_and_flags(place, monkeypatch):
    monkeypatch.syspath_prepend(str(place.data))
    (place.data / "foreign.py").write_text(
        "def score(texts):\n"
        "    return [[0, 0, 1, 0] if 'reject' in t else [0, 0, 0, 1] for t in texts]\n"
    )
    judge = judge_by_scorer("foreign:score")
    assert (judge.name, len(judge.sha256)) == ("foreign:score", 64)
    judged = evaluate(judge, ["written", "articles", "probes"], place, baselines=["majority"])
    entry = summarize(judged["written"].rows, judged["written"].records)
    assert entry["per_label"]["against"]["f1"]["value"] == 1
    assert "holder_f1" not in entry["metrics"]
    assert "reliable_share" not in entry["metrics"]
    assert {record.fold for record in judged["articles"].records} == {"one", "two"}


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (lambda texts: [[0, 0, 0, 1]], r"the shape \(1, 4\)"),
        (lambda texts: [["favor"] * 4 for _ in texts], "something else"),
        (lambda texts: [[float("nan"), 0, 0, 1] for _ in texts], "text 0.*nan"),
        (lambda texts: [[0.2, 0.2, 0.2, 0.2] for _ in texts], r"text 0.*0\.2"),
        (lambda texts: [[2, -1, 0, 0] for _ in texts], "text 0.*-1"),
    ],
)
def test_answers_that_are_no_scores_are_refused(answer, found):
    with pytest.raises(InputError, match=found):
        run_scorer(answer, ["a", "b"], "x:y")


def test_scorers_that_do_not_exist_are_refused():
    for name in ("no_such_module:score", "json:no_such_function", "json", "json:decoder.x", ""):
        with pytest.raises(InputError, match="module:function"):
            judge_by_scorer(name)


# Baselines


def test_keyword_rule():
    texts = ["It rained.", "Kyiv urges talks.", "No talks unless they leave.", "He rejected talks."]
    expected = ["neutral", "favor", "conditional", "against"]
    assert [LABELS[i] for i in baselines.score_keywords(texts).argmax(axis=1)] == expected


def test_svm_learns_and_majority_does_not(tiny_data):
    train = read_set(tiny_data, "written", "train", None).rows
    test = read_set(tiny_data, "written", "test", None).rows
    fitted = fit_baselines(Ground(train))
    assert set(fitted) == set(LIGHT)
    gold = [row.label for row in test]

    def accuracy(name):
        scores = run_scorer(fitted[name], [row.text for row in test], name)
        return accuracy_score(gold, [LABELS[i] for i in scores.argmax(axis=1)])

    assert accuracy("tfidf_svm") > 0.9
    assert accuracy("majority") == 0.25
    assert set(fit_baselines(Ground([]))) == {"keywords"}
    assert set(fit_baselines(Ground(train), own_labels=False)) == {"majority", "tfidf_svm"}


def test_holder_baseline_sees_names_and_nothing_else():
    span = {"start": 0, "end": 4}
    cases = [("Kyiv urges talks", "favor"), ("Oslo rejects talks", "against")] * 5
    rows = [build_row({"id": str(i), "document": str(i), "label": label, "holder": span}, text)
            for i, (text, label) in enumerate(cases)]  # fmt: skip
    score = fit_baselines(Ground(rows), ["holders"])["holders"]
    texts = ["Oslo urges talks", "Kyiv rejects talks", "talks with kyiv"]
    assert [LABELS[i] for i in score(texts).argmax(axis=1)] == ["against", "favor", "favor"]
    other = score(["It rained.", "Someone rejects talks."])
    assert (other[0] == other[1]).all()


def test_encoder_baselines(place, judge):
    judged = evaluate(judge, ["written"], place, baselines=["embedding_lr", "zero_shot"])
    gold = [row.label for row in judged["written"].rows]
    found = [record.baselines for record in judged["written"].records]
    assert accuracy_score(gold, [entry["embedding_lr"] for entry in found]) > 0.6
    assert set(Counter(entry["zero_shot"] for entry in found)) <= set(LABELS)


def test_setfit_learns_from_a_few_rows(tiny_encoder, tiny_data, monkeypatch):
    from stance.training import fewshot

    monkeypatch.setattr(fewshot, "ROWS_A_LABEL", 8)
    monkeypatch.setattr(fewshot, "MAX_STEPS", 20)
    rows = read_set(tiny_data, "written", "train", None).rows
    texts, labels = [row.text for row in rows], [row.label for row in rows]
    encoder = {"name": str(tiny_encoder), "max_tokens": 32}
    score = fewshot.fit_setfit(encoder, texts, labels)
    found = run_scorer(score, texts, "setfit").argmax(axis=1)
    assert accuracy_score(labels, [LABELS[i] for i in found]) > 0.5


def test_embeddings_do_not_depend_on_the_batch(tiny_encoder):
    from stance.training.embedding import load_embedder

    choice = (("name", str(tiny_encoder)), ("max_tokens", 32))
    texts = ["kyiv rejected talks", "the weather report of the town in the market", ""]
    together = load_embedder(choice, "cpu")(texts)
    load_embedder.cache_clear()
    alone = np.stack([load_embedder(choice, "cpu")([text])[0] for text in texts])
    assert together == pytest.approx(alone, abs=1e-5)
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(3))


# The annotator


def vote(**labels):
    return [{"annotator": name, "kind": "language model", "label": label}
            for name, label in labels.items()]  # fmt: skip


def test_each_annotator_is_measured_against_the_others_alone():
    rows = [
        make_row(1, votes=vote(a="favor", b="favor", c="favor")),
        make_row(2, votes=vote(a="favor", b="favor", c="against")),
        make_row(3, votes=vote(a="favor", b="neutral", c="against")),
    ]
    found = summarize_annotator(rows, np.array([0, 2, 0]))
    assert found["annotators"] == 3
    # a: rows 1; b: row 1; c: rows 1 and 2, where he is wrong. With himself in the majority he
    # would have been right in more.
    assert found["n"] == pytest.approx(4 / 3, abs=0.1)
    assert found["annotator"]["accuracy"]["value"] == pytest.approx((1 + 1 + 0.5) / 3, abs=1e-5)
    assert found["judge"]["accuracy"]["value"] == pytest.approx((1 + 1 + 0.5) / 3, abs=1e-5)


def test_no_annotator_row_without_two_who_judged_every_row():
    assert summarize_annotator([make_row(1), make_row(2)], np.array([0, 0])) is None
    rows = [make_row(1, votes=vote(a="favor", b="favor")), make_row(2, votes=vote(a="favor"))]
    assert summarize_annotator(rows, np.array([0, 0])) is None


# Probes and slices


def test_probes_pass_where_both_labels_are_right(tiny_data):
    rows = read_probes(tiny_data)
    records = [make_record(row.id, row.label) for row in rows]
    records[1] = make_record(rows[1].id, "favor")  # one pair of four does not change
    records[8] = make_record(rows[8].id, "neutral")  # one invariant pair changes
    records[10] = make_record(rows[10].id, "neutral")  # one is wrong twice, but steady
    records[11] = make_record(rows[11].id, "neutral")
    entry = summarize(rows, records)
    assert entry["metrics"]["pass_rate"]["value"] == pytest.approx(5 / 8)
    assert entry["metrics"]["unchanged_share"]["value"] == pytest.approx(3 / 4)
    phenomena = summarize_phenomena(rows, records)
    assert phenomena["negated-verb"]["pass_rate"]["value"] == pytest.approx(3 / 4)
    assert phenomena["negated-verb"]["unchanged_share"] is None
    assert phenomena["name-swap"]["pass_rate"]["value"] == pytest.approx(2 / 4)
    assert phenomena["name-swap"]["unchanged_share"]["value"] == pytest.approx(3 / 4)
    assert phenomena["name-swap"]["n"] == 4


def test_pairs_that_share_a_statement_are_drawn_together(root):
    rows = read_probes(root / "data")
    assert len(rows) == 2 * 593
    home = {}
    for row in rows:
        home.setdefault(row.text, set()).add(row.document)
    assert max(len(found) for found in home.values()) == 1


def test_faulty_probes_are_refused(tmp_path):
    good = {"id": "x", "phenomenon": "p", "expected": "change",
            "a": {"text": "s", "label": "favor"},
            "b": {"text": "t", "label": "against"}}  # fmt: skip
    for fault in ({"expected": "invariance"}, {"expected": "maybe"}, {"a": {"text": "s"}}):
        (tmp_path / "probes.jsonl").write_text(json.dumps({**good, **fault}) + "\n")
        with pytest.raises(InputError, match="line 1"):
            read_probes(tmp_path)


def test_slices_come_worst_first_with_n():
    rows = [make_row(i, "favor" if i % 2 else "against", f"d{i // 2}") for i in range(80)]
    records = [
        make_record(i, "favor", slices={"year": "2022" if i < 40 else "2023", "quoted": "no"})
        for i in range(80)
    ]
    records[0] = make_record(0, "against", slices=records[0].slices)
    found = summarize(rows, records)["slices"]
    assert [(part["by"], part["value"], part["n"]) for part in found] == [
        ("label", "against", 40), ("year", "2023", 40), ("year", "2022", 40),
        ("label", "favor", 40),
    ]  # fmt: skip
    values = [part["accuracy"]["value"] for part in found]
    assert values == sorted(values)
    assert found[1]["documents"] == 20


def test_a_row_tells_its_slices():
    row = Row("1", "d", '"Talks," he said.', "favor", None, None,
              {"corpus": "recent", "row": "guardian/1#2", "stratum": "free/word",
               "votes": [{"sure": 3}, {"sure": 1}]})  # fmt: skip
    assert describe_row(row, {"outlet": "X", "date": "2022-01-02"}) == {
        "stratum": "free/word", "corpus": "recent/guardian", "outlet": "X", "year": "2022",
        "quoted": "yes", "length": "under 15 words", "sure": "1",
    }  # fmt: skip
    assert "year" not in describe_row(row, {"date": "9/20/16"})


# Comparisons


def test_a_planted_regression_is_found_and_a_run_against_itself_is_not():
    rng = np.random.default_rng(0)
    rows = [make_row(i, LABELS[i % 4], f"d{i // 3}") for i in range(600)]
    good = [
        make_record(i, row.label if rng.uniform() < 0.8 else "neutral")
        for i, row in enumerate(rows)
    ]
    spoilt = list(good)
    for i in rng.choice(600, 30, replace=False):  # 5 % of the rows get another label
        spoilt[i] = make_record(i, LABELS[(LABELS.index(good[i].label) + 1) % 4])
    found = compare(rows, spoilt, good, "other")
    assert found["difference"]["accuracy"]["high"] < 0
    assert found["difference"]["macro_f1"]["high"] < 0
    assert found["mcnemar"]["p"] < 0.01
    same = compare(rows, good, good, "other")
    assert same["difference"]["macro_f1"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert same["mcnemar"] == {"only_this": 0, "only_other": 0, "p": 1.0}


def test_mcnemar_agrees_with_the_binomial():
    from scipy.stats import binomtest

    rows = [make_row(i) for i in range(20)]
    this = [make_record(i, "favor" if i < 12 else "against") for i in range(20)]
    other = [make_record(i, "against" if i < 9 else "favor") for i in range(20)]
    found = compare(rows, this, other, "other")["mcnemar"]
    assert (found["only_this"], found["only_other"]) == (9, 8)
    assert found["p"] == pytest.approx(binomtest(9, 17).pvalue, rel=0.01)


def test_runs_on_other_rows_are_not_compared(judged, judge, tmp_path):
    write_results(tmp_path / "a.json", {"name": "x", "sha256": "y"}, judged)
    assert set(compare_with(judged, tmp_path / "a.json")) == {"written", "probes"}
    assert set(compare_with(judged, tmp_path / "a")) == {"written", "probes"}
    with pytest.raises(InputError, match="no predictions of written"):
        compare_with(judged, tmp_path / "b.json")
    lines = (tmp_path / "a" / "written.jsonl").read_text().splitlines()
    (tmp_path / "a" / "written.jsonl").write_text("\n".join(lines[1:]) + "\n")
    with pytest.raises(InputError, match="one record for each of 32 rows"):
        compare_with(judged, tmp_path / "a")
    rows = [make_row(1)]
    with pytest.raises(InputError, match="the statement that this run judged"):
        compare(rows, [make_record(1, text="a")], [make_record(1, text="b")], "other")


# Bad input


def test_one_document_and_absent_labels_have_a_stated_convention():
    rows = [make_row(i, "favor", "only") for i in range(30)]
    entry = summarize(rows, [make_record(i) for i in range(30)])
    assert entry["metrics"]["accuracy"] == {"value": 1.0, "low": None, "high": None}
    assert entry["metrics"]["macro_f1"]["value"] == 0.25  # three labels that never occur count 0
    assert entry["resamples"] == 0


def test_records_that_do_not_align_are_refused(tmp_path):
    record = make_record("a")
    write_records(tmp_path / "r.jsonl", [record])
    assert read_records(tmp_path / "r.jsonl") == [record]
    with pytest.raises(InputError, match="1 records; 0 rows without one"):
        align([], [record], "x")
    line = (tmp_path / "r.jsonl").read_text()
    for old, new, found in (
        ("", "", "line 2.*a second time"),
        ('"label": "favor"', '"label": "maybe"', "line 1.*maybe"),
        ("0.7", "NaN", "line 1.*nan"),
        ('"id": "a"', '"id": "b", "more": 1', "line 1.*more"),
    ):
        changed = line.replace(old, new) if old else line + line
        (tmp_path / "r.jsonl").write_text(changed)
        with pytest.raises(InputError, match=found):
            read_records(tmp_path / "r.jsonl")
    (tmp_path / "r.jsonl").write_text('{"id": "a"}\n')
    with pytest.raises(InputError, match="line 1: expected a record"):
        read_records(tmp_path / "r.jsonl")


def test_other_files_are_no_results(tmp_path):
    for text in (
        "[]",
        "{}",
        '{"schema": 2, "sets": {"a": {}}}',
        '{"schema": 1, "sets": {"a": {}}}',
    ):
        (tmp_path / "r.json").write_text(text)
        with pytest.raises(InputError, match=r"r\.json"):
            read_results(tmp_path / "r.json")


# The command


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
    with open(tmp_path / "mine.csv", "w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "label", "document", "outlet"])
        for i in range(30):
            writer.writerow(["kyiv rejected talks .", "against", f"d{i // 3}", f"o{i % 2}"])
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
    assert read_records(tmp_path / "out" / "own.jsonl")[0].text == "kyiv rejected talks ."


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


def test_unknown_baselines_are_refused(run, tiny_model):
    done = run("--model", tiny_model.folder, "--sets", "written", "--baselines", "no_such")
    assert done.returncode == 2
    assert "setfit" in done.stderr
