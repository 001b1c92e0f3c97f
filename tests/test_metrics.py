"""The arithmetic, against scikit-learn, closed forms and plain loops."""

from types import SimpleNamespace

import evaluate as library
import krippendorff
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, brier_score_loss, confusion_matrix, f1_score

from stance.errors import InputError
from stance.evaluation import metrics
from stance.evaluation.agreement import estimate_alpha
from stance.evaluation.intervals import draw_documents
from stance.evaluation.metric import (
    CalibrationMetric,
    SelectiveMetric,
    SpanMetric,
    StanceMetric,
    score_trainer,
)


def random_labels(n=500, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 4, n), rng.integers(0, 4, n), rng


def alone(n, weights=None):
    """The sample itself, without resamples."""
    draws = draw_documents(np.arange(n), resamples=0)
    return draws if weights is None else draws.weighted(weights)


@pytest.mark.parametrize("seed", range(5))
def test_label_metrics_agree_with_scikit_learn(seed):
    gold, predicted, rng = random_labels(seed=seed)
    weights = rng.uniform(0.5, 2, len(gold))
    confusion = metrics.count_confusion(gold, predicted, weights)
    expected = confusion_matrix(gold, predicted, sample_weight=weights, labels=range(4))
    assert confusion == pytest.approx(expected)
    summed = metrics.sum_confusions(alone(len(gold), weights), gold, predicted)
    assert summed[0] == pytest.approx(expected)
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
    assert metrics.compute_f1(confusion) == pytest.approx(
        f1_score(gold, predicted, average=None, sample_weight=weights, labels=range(4))
    )


def test_brier_agrees_with_scikit_learn():
    gold, _, rng = random_labels()
    scores = rng.dirichlet(np.ones(4), len(gold))
    found = metrics.compute_brier(alone(len(gold)), scores, gold)[0]
    expected = brier_score_loss(gold, scores, labels=range(4), scale_by_half=False)
    assert found == pytest.approx(expected)


def test_label_that_never_occurs_counts_zero():
    confusion = metrics.count_confusion([0, 0, 3], [0, 0, 3])
    assert metrics.compute_metrics(confusion)["macro_f1"] == pytest.approx(0.5)


def test_calibration_error_of_known_gap():
    confidence = np.linspace(0.5, 1, 3000)
    correct = np.zeros(3000, bool)
    correct[::2] = True  # half are right whatever the confidence: the mean gap is 0.25
    assert metrics.compute_ece(alone(3000), confidence, correct)[0] == pytest.approx(0.25, abs=0.01)


def test_calibration_error_agrees_with_a_loop():
    _, _, rng = random_labels()
    confidence = rng.uniform(0.25, 1, 450)
    correct = rng.uniform(size=450) < confidence
    order = np.argsort(confidence)
    bins = np.array_split(order, 15)  # 30 rows each
    gaps = [abs(correct[rows].mean() - confidence[rows].mean()) for rows in bins]
    assert metrics.compute_ece(alone(450), confidence, correct)[0] == pytest.approx(np.mean(gaps))


def test_selective_metrics_agree_with_a_loop():
    _, _, rng = random_labels()
    confidence, correct = rng.permutation(np.linspace(0.3, 1, 200)), rng.uniform(size=200) < 0.7
    found = metrics.compute_selective(alone(200), confidence, correct)
    ranked = correct[np.argsort(-confidence)]
    risks = [1 - ranked[: k + 1].mean() for k in range(200)]
    assert found["aurc"][0] == pytest.approx(np.mean(risks))
    for coverage in (70, 80, 90):
        expected = ranked[: 2 * coverage].mean()
        assert found[f"accuracy_at_{coverage}"][0] == pytest.approx(expected)


def test_rows_of_one_confidence_are_answered_together_whatever_their_order():
    correct = np.array([True] * 6 + [False] * 4)
    for order in (correct, correct[::-1]):
        found = metrics.compute_selective(alone(10), np.ones(10), order)
        assert found["aurc"][0] == pytest.approx(0.4)
        assert found["accuracy_at_70"][0] == pytest.approx(0.6)


def test_doubled_weight_is_a_doubled_row():
    gold, _, rng = random_labels(60)
    confidence = rng.permutation(np.linspace(0.3, 1, 60))
    correct = rng.uniform(size=60) < 0.7
    weights = rng.integers(1, 4, 60)
    twice = np.repeat(np.arange(60), weights)
    scores = rng.dirichlet(np.ones(4), 60)
    for one, two in (
        (metrics.compute_brier(alone(60, weights), scores, gold),
         metrics.compute_brier(alone(len(twice)), scores[twice], gold[twice])),
        (metrics.compute_selective(alone(60, weights), confidence, correct)["accuracy_at_80"],
         metrics.compute_selective(alone(len(twice)), confidence[twice], correct[twice])[
             "accuracy_at_80"]),
    ):  # fmt: skip
        assert one[0] == pytest.approx(two[0])


def test_spans_exact_and_by_half_overlap():
    gold = [{"start": 0, "end": 4}, {"start": 0, "end": 4}, {"start": 0, "end": 4}, None, None]
    found = [{"start": 0, "end": 4}, {"start": 0, "end": 6}, None, {"start": 1, "end": 2}, None]
    scores = metrics.compute_spans(alone(5), gold, found)
    assert scores["f1"][0] == pytest.approx(2 * 2 / (3 + 3))
    assert scores["exact"][0] == pytest.approx(2 * 1 / (3 + 3))
    assert scores["share"][0] == pytest.approx(2 / 3)
    assert np.isnan(metrics.compute_spans(alone(1), [None], [None])["f1"][0])


def test_iou():
    assert metrics.compute_iou(None, None) == 1
    assert metrics.compute_iou({"start": 0, "end": 4}, None) == 0
    assert metrics.compute_iou({"start": 0, "end": 4}, {"start": 2, "end": 6}) == pytest.approx(
        1 / 3
    )


def test_metric_classes_combine_and_give_what_the_functions_give():
    gold, predicted, rng = random_labels()
    scores = rng.dirichlet(np.ones(4), len(gold))
    labels = scores.argmax(axis=1)
    kinds = (StanceMetric, CalibrationMetric, SelectiveMetric)
    combined = library.combine([kind(keep_in_memory=True) for kind in kinds])
    found = combined.compute(predictions=scores.tolist(), references=gold)
    expected = metrics.compute_metrics(metrics.count_confusion(gold, labels))
    assert found["macro_f1"] == pytest.approx(float(expected["macro_f1"]))
    assert found["brier"] == pytest.approx(metrics.compute_brier(alone(500), scores, gold)[0])
    assert {"ece", "aurc", "accuracy_at_80"} <= set(found)
    by_label = StanceMetric(keep_in_memory=True).compute(predictions=predicted, references=gold)
    assert by_label["accuracy"] == pytest.approx(accuracy_score(gold, predicted))


def test_metric_instance_is_used_batch_by_batch():
    gold, predicted, _ = random_labels(100)
    metric = StanceMetric(keep_in_memory=True)
    for i in range(0, 100, 30):
        metric.add_batch(predictions=predicted[i : i + 30], references=gold[i : i + 30])
    assert metric.compute()["accuracy"] == pytest.approx(accuracy_score(gold, predicted))


def test_span_metric():
    spans = [{"start": 0, "end": 4}, {"start": -1, "end": -1}]
    found = SpanMetric(keep_in_memory=True).compute(predictions=spans, references=spans)
    assert found == {"f1": 1.0, "exact": 1.0, "share": 1.0}


def test_compute_metrics_of_a_trainer():
    gold, _, rng = random_labels()
    logits = rng.normal(size=(500, 4))
    compute = score_trainer(
        StanceMetric(keep_in_memory=True), CalibrationMetric(keep_in_memory=True)
    )
    for labels in (gold, (gold, None)):
        found = compute(SimpleNamespace(predictions=logits, label_ids=labels))
        assert found["accuracy"] == pytest.approx(accuracy_score(gold, logits.argmax(axis=1)))
        assert 0 < found["brier"] < 2


@pytest.mark.parametrize("annotators", [2, 3])
def test_alpha_is_the_librarys(annotators):
    rng = np.random.default_rng(annotators)
    truth = rng.integers(0, 4, 60)
    votes = np.where(
        rng.random((annotators, 60)) < 0.7, truth, rng.integers(0, 4, (annotators, 60))
    )
    names = [f"N{i}" for i in range(annotators)]
    rows = [
        SimpleNamespace(
            document=f"d{i % 20}",
            fields={"votes": [{"annotator": name, "label": metrics.LABELS[vote]}
                              for name, vote in zip(names, column, strict=True)]},
        )
        for i, column in enumerate(votes.T)
    ]  # fmt: skip
    rows.append(SimpleNamespace(document="d", fields={"votes": []}))  # nobody judged it
    alpha = estimate_alpha(rows, names)
    expected = krippendorff.alpha(reliability_data=votes, level_of_measurement="nominal")
    assert alpha.value == pytest.approx(expected)
    assert alpha.low < expected < alpha.high


NAN = float("nan")
FLAT = [0.25] * 4


@pytest.mark.parametrize(
    ("kind", "predictions", "references"),
    [
        (StanceMetric, [4, 3], [0, 3]),
        (StanceMetric, [-1, 3], [0, 3]),
        (StanceMetric, [2.9, 1.2], [2, 1]),
        (StanceMetric, [2, 1], [2.9, 1.2]),
        (CalibrationMetric, [FLAT, FLAT], [2.9, 1.2]),
        (StanceMetric, [0, 3], [0, 4]),
        (StanceMetric, [[NAN] * 4, FLAT], [0, 3]),
        (CalibrationMetric, [[9.0, -3, 0, 1], FLAT], [0, 3]),
        (CalibrationMetric, [FLAT, FLAT], [0, 4]),
        (SelectiveMetric, [[NAN] * 4, FLAT], [0, 3]),
        (SelectiveMetric, [FLAT, FLAT[:2]], [0, 3]),
    ],
)
def test_what_is_no_label_and_no_probability_is_refused(kind, predictions, references):
    with pytest.raises(InputError, match=r"label ids from 0 to 3|probabilities that sum to 1"):
        kind(keep_in_memory=True).compute(predictions=predictions, references=references)


def test_a_part_of_a_data_frame_is_measured_as_its_rows_are():
    frame = pd.DataFrame({"gold": [3, 0, 3], "found": [0, 0, 3]}).iloc[1:]
    measured = StanceMetric(keep_in_memory=True).compute(
        predictions=frame["found"], references=frame["gold"]
    )
    assert measured["accuracy"] == 1
    scores = pd.DataFrame(np.eye(4)).iloc[2:]
    brier = CalibrationMetric(keep_in_memory=True).compute(
        predictions=scores, references=pd.Series([2, 3], index=[7, 8])
    )["brier"]
    assert brier == 0


ALL = (StanceMetric, CalibrationMetric, SelectiveMetric, SpanMetric)
GOOD = {"start": 0, "end": 4}


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"predictions": [], "references": []}, "predictions.*found none"),
        ({"references": [0, 1]}, "predictions.*found none"),
        ({"predictions": [0, 1]}, "references.*found none"),
        ({"predictions": [FLAT, FLAT], "references": []}, "references.*found none"),
        ({"predictions": [FLAT, FLAT], "references": [0]}, "2 predictions and 1 references"),
        ({}, "predictions.*found none"),
    ],
)
def test_nothing_and_one_half_alone_are_refused(kind, given, found):
    if kind is SpanMetric:
        given = {name: [GOOD for _ in values] for name, values in given.items()}
    with pytest.raises(InputError, match=found):
        kind(keep_in_memory=True).compute(**given)
    with pytest.raises(InputError, match=found):
        kind(keep_in_memory=True).add_batch(**given)


def test_a_row_with_one_half_alone_is_refused():
    for half in ({"prediction": 0}, {"reference": 0}):
        with pytest.raises(InputError, match="found none"):
            StanceMetric(keep_in_memory=True).add(**half)


def test_a_metric_that_refused_is_used_again():
    metric = StanceMetric(keep_in_memory=True)
    for wrong in ([4], []):
        with pytest.raises(InputError):
            metric.compute(predictions=wrong, references=[0][: len(wrong)])
    assert metric.compute(predictions=[0], references=[0])["accuracy"] == 1


@pytest.mark.parametrize(
    "span",
    [{"start": 0}, {"end": 4}, {}, None, {"start": 0, "end": None}, {"start": 3, "end": -1},
     {"start": -1, "end": 4}, {"start": 4, "end": 2}, {"start": 3, "end": 3}, "Kyiv"],
)  # fmt: skip
def test_half_a_span_is_refused_with_its_row(span):
    for name, other in (("predictions", "references"), ("references", "predictions")):
        given = {name: [GOOD, span], other: [{key: np.int64(x) for key, x in GOOD.items()}] * 2}
        with pytest.raises(InputError, match=f"{name} row 1: expected a start and an end"):
            SpanMetric(keep_in_memory=True).compute(**given)


@pytest.mark.parametrize(("gold", "predicted"), [([], []), ([1], []), ([1, 2], [1])])
def test_labels_that_do_not_pair_are_not_counted(gold, predicted):
    found = f"{len(gold)} and {len(predicted)}"
    with pytest.raises(InputError, match=found):
        metrics.count_confusion(gold, predicted)
    with pytest.raises(InputError, match=found):
        metrics.sum_confusions(alone(max(len(gold), 1)), np.array(gold), np.array(predicted))
