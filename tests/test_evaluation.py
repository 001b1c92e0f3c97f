import json
import subprocess
import sys

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, brier_score_loss, confusion_matrix, f1_score

from stance.errors import InputError
from stance.evaluation import baselines, metrics
from stance.evaluation.intervals import draw_documents, estimate
from stance.evaluation.metric import StanceMetric
from stance.evaluation.records import Record, align, read_records, write_records
from stance.evaluation.run import Place, evaluate, judge_set, write_results
from stance.evaluation.summary import summarize
from stance.model import load
from stance.rows import read_rows
from stance.sets import read_set
from stance.types import LABELS


def random_labels(n=500, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 4, n), rng.integers(0, 4, n), rng


def test_metrics_agree_with_scikit_learn():
    for seed in range(5):
        gold, predicted, rng = random_labels(seed=seed)
        weights = rng.uniform(0.5, 2, len(gold))
        confusion = metrics.count_confusion(gold, predicted, weights)
        expected = confusion_matrix(gold, predicted, sample_weight=weights, labels=range(4))
        assert confusion == pytest.approx(expected)
        found = metrics.compute_metrics(confusion)
        options = {"average": "macro", "sample_weight": weights, "zero_division": 0}
        for name, labels in (
            ("macro_f1", [0, 1, 2, 3]), ("macro_f1_three", [0, 2, 3]), ("f1_favor_against", [0, 2])
        ):  # fmt: skip
            assert found[name] == pytest.approx(f1_score(gold, predicted, labels=labels, **options))
        accuracy = accuracy_score(gold, predicted, sample_weight=weights)
        assert found["accuracy"] == pytest.approx(accuracy)
        flips = (np.abs(gold - predicted) == 2) & (np.isin(gold, [0, 2]))
        assert found["polarity_flip_rate"] == pytest.approx(np.average(flips, weights=weights))


def test_metric_is_instantiated_directly_and_combines():
    import evaluate as library

    gold, predicted, _ = random_labels()
    expected = metrics.compute_metrics(metrics.count_confusion(gold, predicted))
    metric = StanceMetric(keep_in_memory=True)
    found = metric.compute(predictions=predicted, references=gold)
    assert found == pytest.approx({name: float(value) for name, value in expected.items()})
    combined = library.combine([StanceMetric(keep_in_memory=True)])
    assert combined.compute(predictions=predicted, references=gold)["macro_f1"] == found["macro_f1"]


def test_brier_agrees_with_scikit_learn():
    gold, _, rng = random_labels()
    scores = rng.dirichlet(np.ones(4), len(gold))
    found = metrics.compute_brier(np.ones((1, len(gold))), scores, gold)[0]
    expected = brier_score_loss(gold, scores, labels=range(4), scale_by_half=False)
    assert found == pytest.approx(expected)


def test_label_that_never_occurs_counts_zero():
    confusion = metrics.count_confusion([0, 0, 3], [0, 0, 3])
    assert metrics.compute_metrics(confusion)["macro_f1"] == pytest.approx(0.5)


def test_calibration_error_of_known_gap():
    confidence = np.linspace(0.5, 1, 3000)
    correct = np.zeros(3000, bool)
    correct[::2] = True  # half are right whatever the confidence: the mean gap is 0.25
    found = metrics.compute_ece(np.ones((1, 3000)), confidence, correct)[0]
    assert found == pytest.approx(0.25, abs=0.01)


def test_aurc_of_perfect_and_reversed_order():
    correct = np.array([True] * 50 + [False] * 50)
    ones = np.ones((1, 100))
    good = metrics.compute_aurc(ones, np.linspace(1, 0, 100), correct)[0]
    bad = metrics.compute_aurc(ones, np.linspace(0, 1, 100), correct)[0]
    assert good < 0.16
    assert bad > 0.6


def test_interval_matches_the_closed_form():
    """Accuracy over single-row documents: the bootstrap error is sqrt(p (1 - p) / n)."""
    correct = np.random.default_rng(0).uniform(size=400) < 0.7
    draws = draw_documents([str(i) for i in range(400)], resamples=4000)

    def accuracy(rows):
        return rows @ correct / rows.sum(axis=1)

    found = estimate(accuracy, draws, np.ones(400))
    error = np.sqrt(found.value * (1 - found.value) / 400)
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.07)


def test_interval_is_wider_when_rows_share_documents():
    correct = np.repeat(np.random.default_rng(0).uniform(size=40) < 0.7, 10)
    alone = draw_documents([str(i) for i in range(400)])
    shared = draw_documents([str(i // 10) for i in range(400)])

    def accuracy(rows):
        return rows @ correct / rows.sum(axis=1)

    widths = []
    for draws in (alone, shared):
        found = estimate(accuracy, draws, np.ones(400))
        widths.append(found.high - found.low)
    assert widths[1] / widths[0] == pytest.approx(np.sqrt(10), rel=0.25)


def test_interval_covers_the_truth():
    rng = np.random.default_rng(2)
    covered = []
    for _ in range(200):
        correct = rng.uniform(size=200) < 0.8
        found = estimate(
            lambda rows, c=correct: rows @ c / rows.sum(axis=1),
            draw_documents([str(i) for i in range(200)], resamples=500), np.ones(200),
        )  # fmt: skip
        covered.append(found.low <= 0.8 <= found.high)
    assert 0.9 <= np.mean(covered) <= 0.99


def test_iou():
    assert metrics.compute_iou(None, None) == 1
    assert metrics.compute_iou({"start": 0, "end": 4}, None) == 0
    assert metrics.compute_iou({"start": 0, "end": 4}, {"start": 2, "end": 6}) == pytest.approx(
        1 / 3
    )


def test_keyword_rule():
    texts = ["It rained.", "Kyiv urges talks.", "No talks unless they leave.", "He rejected talks."]
    expected = ["neutral", "favor", "conditional", "against"]
    assert baselines.predict_keywords(texts) == expected


def test_svm_learns_and_majority_does_not(tiny_data):
    train = read_set(tiny_data, "written", "train", None).rows
    test = read_set(tiny_data, "written", "test", None).rows
    fitted = baselines.fit_all([row.text for row in train], [row.label for row in train])
    texts, gold = [row.text for row in test], [row.label for row in test]
    assert accuracy_score(gold, fitted["tfidf_svm"](texts)) > 0.9
    assert accuracy_score(gold, fitted["majority"](texts)) == 0.25
    assert set(baselines.fit_all([], [])) == {"keywords"}


@pytest.fixture
def place(tiny_model):
    return Place(tiny_model.data, None, None)


def test_results_have_the_contract(tiny_model, place, tmp_path):
    model = load(tiny_model.folder, device="cpu")
    judged = evaluate(model, ["written"], place)
    results = write_results(tmp_path / "results.json", model, judged)
    assert json.loads((tmp_path / "results.json").read_text()) == results
    assert results["schema"] == 1
    assert results["model"] == {"name": "tiny", "sha256": model.bundle.sha256}
    entry = results["sets"]["written"]
    assert entry["n"] == 32
    for name in ("macro_f1", "f1_favor_against", "accuracy", "polarity_flip_rate", "ece", "brier",
                 "aurc", "holder_f1", "source_f1"):  # fmt: skip
        assert set(entry["metrics"][name]) == {"value", "low", "high"}
    assert set(entry["baselines"]) == {"majority", "keywords", "tfidf_svm"}
    assert list(entry["per_label"]) == list(LABELS)
    assert np.sum(entry["confusion"]) == entry["n"]


def test_figures_come_back_from_the_written_records(tiny_model, place, tmp_path):
    model = load(tiny_model.folder, device="cpu")
    judged = evaluate(model, ["written"], place)
    results = write_results(tmp_path / "results.json", model, judged)
    records = read_records(tmp_path / "results" / "written.jsonl")
    rows = read_rows(tiny_model.data / "written" / "test.jsonl")
    again = summarize(rows, align(rows, records, "written"))
    assert again == results["sets"]["written"]
    assert "text" not in (tmp_path / "results" / "written.jsonl").read_text()


def test_a_model_that_saw_the_article_is_refused(tiny_model, place):
    model = load(tiny_model.folder, device="cpu")
    with pytest.raises(InputError, match="--folds"):
        judge_set(None, model, "articles", place)
    folds = tiny_model.folder.parent
    (folds / "one").symlink_to(tiny_model.folder)
    with pytest.raises(
        InputError, match="a model trained without one, found one trained without any"
    ):
        judge_set(None, model, "articles", Place(place.data, None, folds))


def test_articles_are_judged_by_folds(tiny_model, tiny_recipe, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "stance.cli", "evaluate", "--model", tiny_model.folder,
         "--data-dir", tiny_model.data, "--recipe", tiny_recipe, "--folds", tmp_path / "folds",
         "--sets", "articles", "--out", tmp_path / "results.json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in (tmp_path / "folds").iterdir()) == ["one", "two"]
    records = read_records(tmp_path / "results" / "articles.jsonl")
    assert len({record.model for record in records}) == 2


def test_records_that_do_not_align_are_refused(tmp_path):
    record = Record("a", "m", None, "favor", (1.0, 0.0, 0.0, 0.0), True, None, None, {})
    write_records(tmp_path / "r.jsonl", [record])
    assert read_records(tmp_path / "r.jsonl") == [record]
    with pytest.raises(InputError, match="1 records; 0 rows without one"):
        align([], [record], "x")
    (tmp_path / "r.jsonl").write_text('{"id": "a"}\n')
    with pytest.raises(InputError, match="line 1: expected a record"):
        read_records(tmp_path / "r.jsonl")
    with pytest.raises(InputError, match="at least one row"):
        summarize([], [])
