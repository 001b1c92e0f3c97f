"""Who is judged, and what stands beside: scorers, baselines, an annotator."""

import sys
from collections import Counter
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from made import make_row
from stance.errors import InputError
from stance.evaluation import baselines
from stance.evaluation.agreement import summarize_annotator
from stance.evaluation.answers import find_file, read_answers
from stance.evaluation.baselines import Ground, fit_baselines
from stance.evaluation.judges import Judge, judge_by_scorer, judge_rows
from stance.evaluation.place import Place
from stance.evaluation.results import write_results
from stance.evaluation.run import evaluate, read_judged
from stance.evaluation.scorers import load_scorer, predict_with, run_scorer
from stance.evaluation.summary import summarize
from stance.evaluation.table import format_systems
from stance.rows import build_row
from stance.sets import read_set
from stance.types import LABELS

LIGHT = ("majority", "keywords", "holders", "tfidf_svm")


def test_a_foreign_scorer_is_judged_like_a_model_but_for_spans_and_flags(
    place, tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "foreign.py").write_text(
        "def score(texts):\n"
        "    return [[0, 0, 1, 0] if 'reject' in t else [0, 0, 0, 1] for t in texts]\n"
    )
    judge = judge_by_scorer("foreign:score", tmp_path)
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


def test_a_scorer_that_fails_is_named_with_the_place():
    def broken(texts):
        return [texts[0][10_000]]

    with pytest.raises(InputError, match=r"scorer mine.*IndexError.*test_judges.py line") as caught:
        run_scorer(broken, ["a", "b"], "mine")
    assert isinstance(caught.value.__cause__, IndexError)


def test_what_a_scorer_raises_is_said_in_one_line():
    def broken(texts):
        raise ValueError("a page\nof lines")

    with pytest.raises(InputError, match="ValueError: a page of lines"):
        run_scorer(broken, ["a"], "mine")


@pytest.mark.parametrize(
    ("bad", "found"),
    [
        (lambda texts: [[float("nan")] * 4 if t == "300" else [0, 0, 0, 1] for t in texts],
         "scorer mine row 'r300': expected 4 probabilities that sum to 1, found .*nan"),
        (lambda texts: [[0, 0, 0, 1] for t in texts if t != "300"],
         r"scorer mine rows 'r288' to 'r319': expected 32 rows .*found the shape \(31, 4\)"),
        (lambda texts: [[0, 0, 0, 1] for t in texts if int(t) < 300 or t + 1],
         "scorer mine rows 'r288' to 'r319': expected scores of 32 texts, found TypeError"),
    ],
)  # fmt: skip
def test_a_faulty_answer_is_found_by_the_rows_it_is_to(bad, found, tmp_path):
    with pytest.raises(InputError, match=found):
        judge_numbers(bad, tmp_path)


def judge_numbers(scorer, folder, sha256="a"):
    rows = [replace(make_row(f"r{i}"), text=str(i)) for i in range(600)]
    answers = read_answers(find_file(folder, sha256))
    ask = partial(predict_with, scorer, name="mine", answers=answers)
    return judge_rows(Judge("mine", sha256, ask, chunk=32), {}, rows, None, bars=False)


def test_a_scorer_that_was_stopped_is_not_asked_again(tmp_path, caplog):
    caplog.set_level("INFO")
    asked = []

    def score(texts):
        asked.extend(texts)
        if len(asked) > limit:
            raise ConnectionError("no answer")
        return [[1 / 3, 1 / 7, 1 / 11, 1 - 1 / 3 - 1 / 7 - 1 / 11] for _ in texts]

    limit = 300
    with pytest.raises(InputError, match="no answer"):
        judge_numbers(score, tmp_path)
    assert not caplog.records
    kept = tmp_path / "scorer-a.begun"
    kept.write_text(kept.read_text()[:-20])  # a machine that lost power cut the last line short
    asked.clear()
    limit = 600
    records = judge_numbers(score, tmp_path)
    assert asked == [str(i) for i in range(287, 600)]
    assert "answers to 287 texts" in caplog.text
    asked.clear()
    assert judge_numbers(score, tmp_path) == records
    assert asked == []
    assert judge_numbers(score, tmp_path, sha256="b") != records
    assert len(asked) == 600


def test_texts_that_differ_in_blanks_alone_have_answers_of_their_own(tmp_path):
    answers = read_answers(tmp_path / "scorer-a.begun")
    rows = [replace(make_row(f"r{i}"), text=text) for i, text in enumerate(("a  b", "a b"))]
    found = predict_with(
        lambda texts: [[1, 0, 0, 0] if "  " in t else [0, 0, 0, 1] for t in texts],
        rows, "mine", answers,
    )  # fmt: skip
    assert [prediction.label for prediction in found] == ["favor", "neutral"]


@pytest.mark.parametrize(
    "scores",
    ["[NaN, 0, 0, 1]", "[2, -1, 0, 0]", "[0.9, 0.9, 0, 0]", "[1" + "0" * 400 + ", 0, 0, 0]",
     "[1, 0, 0]", "[" * 100_000, "null", "\\x00\\xff"],
)  # fmt: skip
def test_a_damaged_answer_is_asked_for_again(scores, tmp_path):
    path = tmp_path / "scorer-a.begun"
    read_answers(path).add(["good"], np.array([[0.0, 0, 0, 1]]))
    line = path.read_text().strip()
    path.write_text(f"{line}\n{line.replace('[0.0, 0.0, 0.0, 1.0]', scores)}\n")
    assert read_answers(path).get(["good"]).tolist() == [[0, 0, 0, 1]]
    path.write_text(line.replace("[0.0, 0.0, 0.0, 1.0]", scores))
    assert "good" not in read_answers(path)


def test_no_scorer_is_asked_where_its_answers_cannot_be_kept(tmp_path):
    find_file(tmp_path, load_scorer("json:loads")[1]).mkdir()
    with pytest.raises(OSError, match="directory"):
        judge_by_scorer("json:loads", tmp_path)


def test_scorers_that_do_not_exist_are_refused(tmp_path):
    for name in (
        "no_such_module:score",
        "json:no_such_function",
        "json",
        "json:decoder.x",
        ".m:f",
        "",
    ):
        with pytest.raises(InputError, match="module:function"):
            judge_by_scorer(name, tmp_path)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (
            "import os\nKEY = os.environ['NO_SUCH_KEY']\n",
            r"KeyError: 'NO_SUCH_KEY' \(.*broken_\d.py line 2\)",
        ),
        ("def score(:\n", r"SyntaxError: invalid syntax \(broken_\d.py, line 1\)"),
        (
            "raise RuntimeError('no licence')\n",
            r"RuntimeError: no licence \(.*broken_\d.py line 1\)",
        ),
    ],
)
def test_a_scorer_whose_module_fails_is_named_with_the_place(content, found, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = f"broken_{len(content) % 10}"
    (tmp_path / f"{name}.py").write_text(content)
    with pytest.raises(InputError, match=f"--scorer {name}:score: .*{found}"):
        judge_by_scorer(f"{name}:score", tmp_path)


def test_a_scorer_may_import_its_neighbour_at_its_first_call(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*sys.path])
    (tmp_path / "lazy_neighbour.py").write_text("ANSWER = [0, 0, 0, 1]\n")
    (tmp_path / "lazy_scorer.py").write_text(
        "def score(texts):\n"
        "    from lazy_neighbour import ANSWER\n"
        "    return [ANSWER for _ in texts]\n"
    )
    found = judge_by_scorer("lazy_scorer:score", tmp_path).predict([make_row("1")])
    assert found[0].label == "neutral"


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


@pytest.fixture
def calm(tmp_path, monkeypatch):
    """A scorer outside of a clone, and a file of its user's own: (judge, file)."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "quiet.py").write_text(
        "def score(texts):\n    return [[0, 0, 0, 1]] * len(texts)\n"
    )
    own = tmp_path / "mine.csv"
    own.write_text("text,label\n" + "They met.,neutral\n" + "They rejected talks.,against\n" * 2)
    return judge_by_scorer("quiet:score", tmp_path), own


def test_each_absent_baseline_has_its_own_reason(calm, tmp_path):
    judge, own = calm
    out = tmp_path / "out.json"
    judged = evaluate(judge, [], Place(None), own=own)
    entry = write_results(out, {"name": "x", "sha256": None}, judged)["sets"]["own"]
    assert list(entry["baselines"]) == ["majority_here", "keywords"]
    assert judged["own"].records[0].baselines["majority_here"] == "against"
    assert set(entry["absent"]) == {
        "holders", "tfidf_svm", "embedding_lr", "zero_shot", "setfit"
    }  # fmt: skip
    assert "in a clone of the repository" in entry["absent"]["tfidf_svm"]
    assert "no base encoder" in entry["absent"]["zero_shot"]
    assert "an extra" in entry["absent"]["setfit"]
    text = format_systems(entry, "judge")
    assert "| majority of these rows | 0.200" in text
    assert "| majority |" not in text
    assert entry["absent"]["tfidf_svm"] in text
    again = read_judged(tmp_path / "out", [], None, own=own)
    assert again["own"].absent == entry["absent"]


def test_a_named_baseline_is_made_or_refused(calm):
    judge, own = calm
    judged = evaluate(judge, [], Place(None), own=own, baselines=["majority"])
    assert set(judged["own"].records[0].baselines) == {"majority_here"}
    assert judged["own"].absent["keywords"] == "not asked for: `--baselines keywords`"
    with pytest.raises(InputError, match=r"--baselines tfidf_svm: .*found not made: no training"):
        evaluate(judge, [], Place(None), own=own, baselines=["keywords", "tfidf_svm"])
    assert evaluate(judge, [], Place(None), own=own, baselines=[])["own"].absent == {}


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


@pytest.mark.slow
def test_setfit_of_the_articles_leaves_each_out(place, tmp_path, monkeypatch):
    from stance.training import fewshot

    monkeypatch.setattr(fewshot, "ROWS_A_LABEL", 2)
    monkeypatch.setattr(fewshot, "MAX_STEPS", 1)
    real, given = fewshot.fit_setfit, []

    def fit(encoder, texts, labels, *, bars):
        given.append(set(texts))
        return real(encoder, texts, labels, bars=bars)

    monkeypatch.setattr(fewshot, "fit_setfit", fit)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "calm.py").write_text("def score(texts):\n    return [[0, 0, 0, 1]] * len(texts)\n")
    judged = evaluate(
        judge_by_scorer("calm:score", tmp_path), ["articles"], place, baselines=["setfit"]
    )
    rows = judged["articles"].rows
    assert len(given) == 2
    for name, texts in zip(("one", "two"), given, strict=True):
        assert texts.isdisjoint(row.text for row in rows if row.document == name)
    assert {*judged["articles"].records[0].baselines} == {"setfit"}


def test_embeddings_do_not_depend_on_the_batch(tiny_encoder):
    from stance.training.embedding import load_embedder

    choice = (("name", str(tiny_encoder)), ("max_tokens", 32))
    texts = ["kyiv rejected talks", "the weather report of the town in the market", ""]
    together = load_embedder(choice, "cpu")(texts)
    load_embedder.cache_clear()
    alone = np.stack([load_embedder(choice, "cpu")([text])[0] for text in texts])
    assert together == pytest.approx(alone, abs=1e-5)
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(3))


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


def test_no_annotator_row_without_two_who_judged_the_same_rows():
    assert summarize_annotator([make_row(1), make_row(2)], np.array([0, 0])) is None
    rows = [make_row(1, votes=vote(a="favor")), make_row(2, votes=vote(b="favor"))]
    assert summarize_annotator(rows, np.array([0, 0])) is None
    rows = [make_row(1, votes=vote(a="favor", b="favor")),
            make_row(2, votes=vote(c="favor", d="favor"))]  # fmt: skip
    assert summarize_annotator(rows, np.array([0, 0])) is None


def test_an_annotator_is_measured_on_rows_with_a_second_vote_and_not_against_who_decided():
    rows = [
        make_row(1, votes=vote(a="favor")),
        make_row(2, votes=vote(a="favor", b="favor")),
        make_row(3, votes=vote(a="favor", b="against", c="against")),  # c saw both
    ]
    found = summarize_annotator(rows, np.array([3, 0, 2]))
    assert (found["annotators"], found["n"]) == (2, 2)
    assert found["annotator"]["accuracy"]["value"] == 0.5
    assert found["judge"]["accuracy"]["value"] == pytest.approx((1 / 2 + 2 / 2) / 2)
