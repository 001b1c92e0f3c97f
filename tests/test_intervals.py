"""Are the intervals right? Closed forms, what is said of them, speed."""

import time
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from made import make_record, make_row
from stance.errors import InputError
from stance.evaluation import metrics
from stance.evaluation.cautions import list_cautions
from stance.evaluation.coverage import expect_coverage, expect_weighted
from stance.evaluation.intervals import draw_documents, take_interval
from stance.evaluation.summary import summarize
from stance.types import LABELS

Z = norm.ppf(0.975)


def estimate_accuracy(correct, documents, weights=None, resamples=10_000):
    draws = draw_documents(documents, resamples)
    draws = draws if weights is None else draws.weighted(weights)
    return take_interval(metrics.divide(draws.sum(correct), draws.sum(np.ones(len(correct)))))


def width(interval):
    return interval.high - interval.low


def linearised_width(correct, documents, weights):
    """The textbook interval of a weighted ratio over clusters."""
    value = np.average(correct, weights=weights)
    names = np.unique(documents)
    totals = np.array([
        (weights * (correct - value))[documents == name].sum() for name in names
    ])  # fmt: skip
    size = len(names)
    variance = size / (size - 1) * (totals**2).sum() / weights.sum() ** 2
    return 2 * Z * np.sqrt(variance)


def test_accuracy_of_single_rows_has_the_binomial_interval():
    correct = np.random.default_rng(0).uniform(size=400) < 0.7
    found = estimate_accuracy(correct, np.arange(400))
    error = np.sqrt(found.value * (1 - found.value) / 400)
    assert width(found) == pytest.approx(2 * Z * error, rel=0.05)


def test_clusters_and_weights_have_the_linearised_interval():
    rng = np.random.default_rng(1)
    documents = np.repeat(np.arange(150), rng.integers(1, 8, 150))
    weights = rng.choice([1.0, 7.6, 30.0], len(documents))
    hard = rng.uniform(0.3, 0.95, 150)[documents]
    correct = rng.uniform(size=len(documents)) < hard
    found = estimate_accuracy(correct, documents, weights)
    assert found.value == pytest.approx(np.average(correct, weights=weights))
    assert width(found) == pytest.approx(linearised_width(correct, documents, weights), rel=0.06)


def test_rows_that_share_documents_say_less():
    correct = np.repeat(np.random.default_rng(0).uniform(size=40) < 0.7, 10)
    alone = estimate_accuracy(correct, np.arange(400))
    shared = estimate_accuracy(correct, np.arange(400) // 10)
    assert width(shared) / width(alone) == pytest.approx(np.sqrt(10), rel=0.1)


def test_paired_difference_has_the_interval_of_discordant_rows():
    rng = np.random.default_rng(2)
    first = rng.uniform(size=600) < 0.8
    second = np.where(rng.uniform(size=600) < 0.1, ~first, first)
    draws = draw_documents(np.arange(600))
    gap = (draws.sum(first) - draws.sum(second)) / draws.sum(np.ones(600))
    step = first.astype(float) - second
    assert width(take_interval(gap)) == pytest.approx(2 * Z * step.std() / np.sqrt(600), rel=0.06)


def test_one_document_has_a_value_and_no_interval():
    found = estimate_accuracy(np.array([True, False]), ["a", "a"])
    assert found.to_dict() == {"value": 0.5, "low": None, "high": None}


def summarize_labels(gold, predicted):
    rows = [make_row(i, label, document=f"d{i}") for i, label in enumerate(gold)]
    return summarize(rows, [make_record(i, label) for i, label in enumerate(predicted)])


def test_f1_of_all_right_has_the_bound_of_its_labels():
    gold = [label for label in LABELS for _ in range(8)]
    found = summarize_labels(gold, gold)
    share = 0.025 ** (1 / 8)  # Clopper and Pearson's of the share of a label's rows that are right
    for part in found["per_label"].values():
        assert part["f1"]["low"] == pytest.approx(2 * share / (1 + share), abs=1e-6)
        assert part["f1"]["high"] == 1
    for name in metrics.MEANS:
        assert found["metrics"][name] == found["per_label"]["favor"]["f1"]
    assert found["metrics"]["aurc"]["high"] == pytest.approx(1 - 0.025 ** (1 / 32), abs=1e-6)


def test_f1_of_none_right_has_a_bound_and_an_absent_label_none():
    found = summarize_labels(["favor"] * 6 + ["neutral"] * 24, ["against"] * 6 + ["neutral"] * 24)
    share = 1 - 0.025 ** (1 / 6)
    high = 2 * share / (1 + share)
    assert found["per_label"]["favor"]["f1"] == {
        "value": 0, "low": 0, "high": pytest.approx(high, abs=1e-6)
    }  # fmt: skip
    assert found["per_label"]["conditional"]["f1"] == {"value": 0, "low": 0, "high": 0}
    macro = found["metrics"]["macro_f1"]
    assert macro["value"] == 0.25
    assert macro["high"] == pytest.approx((1 + 2 * high) / 4, abs=1e-6)
    assert macro["low"] < 0.25


def test_one_document_gives_no_bound_of_f1_either():
    gold, found = np.zeros(9, dtype=int), np.zeros(9, dtype=int)
    alone = draw_documents(["one"] * 9)
    bounds = [
        *metrics.bound_labels(alone, gold, found),
        *metrics.bound_means(alone, gold, found).values(),
    ]
    assert bounds
    assert all(np.isnan((bound.low, bound.high)).all() for bound in bounds)


def test_bounds_of_f1_hold_the_truth_as_often_as_they_should():
    rng = np.random.default_rng(6)
    alone, held = draw_documents(np.arange(30), resamples=2), []
    for _ in range(2000):
        gold = np.arange(30) % 4
        right = rng.uniform(size=30) < 0.95  # all are in every fifth sample
        found = np.where(right, gold, (gold + 1) % 4)
        bounds = metrics.bound_means(alone, gold, found)
        if bounds:
            true = 0.95  # each label's F1: as many rows are missed as are taken for it
            held.append(bounds["macro_f1"].low <= true <= bounds["macro_f1"].high)
    assert len(held) > 200
    assert np.mean(held) >= 0.975


FINE = {
    "n": 200, "documents": 200, "effective_documents": 200.0, "resamples": 10_000,
    "coverage": 0.94, "per_label": {"favor": {"n": 3}}, "weighted": None, "judge": None,
}  # fmt: skip


def test_intervals_that_are_too_narrow_are_said_to_be():
    assert list_cautions(FINE) == []
    labels = {"favor": {"n": 3}, "against": {"n": 0}}
    five = {"documents": 5, "effective_documents": 5.0, "coverage": 0.71, "per_label": labels}
    short, absent = list_cautions({**FINE, **five})
    assert short == (
        "from 5 documents they are too narrow: simulated, they hold the truth in 71 % of samples, "
        "not 95"
    )
    assert absent == "no row is against, an F1 of 0 in the mean of four labels"
    few = {"documents": 50, "effective_documents": 1.2, "coverage": None}
    (unknown,) = list_cautions({**FINE, **few})
    assert unknown.startswith(
        "from 50 documents, in effect 1, they are too narrow, and these too few"
    )
    assert "simulated" not in unknown
    assert list_cautions({**FINE, "documents": 1, "coverage": 0.0})[0] == "one document gives none"
    assert list_cautions({**FINE, "resamples": 2000}) == [
        "by 2,000 resamples, not 10,000, of so many documents"
    ]
    assert list_cautions(
        {**FINE, "weighted": {"effective_n": 218.4, "coverage": 0.93}, "judge": "others"}
    ) == ["weighted they count as 218 rows", "judged by others"]
    (few,) = list_cautions({**FINE, "weighted": {"effective_n": 33.4, "coverage": 0.87}})
    assert few.startswith("weighted they count as 33 rows, too narrow: simulated, they hold")
    assert "87 %" in few


def number(sizes):
    """Number the documents of so many rows each."""
    return np.repeat(np.arange(len(sizes)), sizes)


@pytest.mark.parametrize(
    ("sizes", "said"),
    [([9], 0.0), ([1] * 2, None), ([1] * 4, None), ([1] * 7, None), ([10] * 2, None),
     ([1] * 10, 0.61), ([1] * 40, 0.85), ([10] * 3, 0.53), ([10] * 5, 0.71), ([10] * 50, 0.94),
     ([450] + [1] * 49, None), ([19] * 5 + [1] * 45, 0.87), ([200] * 2 + [1] * 98, 0.54)],
)  # fmt: skip
def test_what_is_said_of_documents_goes_by_their_effective_number(sizes, said):
    assert expect_coverage(number(sizes)) == said


def test_few_polarity_flips_are_said():
    entry = {**FINE, "per_label": {}}
    assert "too few to say" in list_cautions({**entry, "flips": 0.3})[0]
    assert list_cautions({**entry, "flips": 0.0}) == []  # none at all has a bound of its own
    assert list_cautions({**entry, "flips": 5.0}) == []
    (few,) = list_cautions({**entry, "flips": 2.5})
    assert few.startswith(
        "polarity flips are 2.5 in effect, the intervals of their rate too narrow"
    )
    assert "88 % of samples" in few
    weighted = {"effective_n": 300.0, "coverage": 0.94, "flips": 5.2}
    _, few = list_cautions({**entry, "flips": 12.0, "weighted": weighted})
    assert few.startswith("weighted polarity flips are 5.2 in effect, the intervals")
    assert "70 % of samples" in few
    rows = [make_row(i, "favor" if i % 2 else "against", f"d{i // 2}") for i in range(80)]
    records = [make_record(i, "favor" if i < 8 else row.label) for i, row in enumerate(rows)]
    assert summarize(rows, records)["flips"] == 2.0  # 5 % of 40 documents
    heavy = [replace(row, fields={"weight": 1.0 + 20 * (i < 2)}) for i, row in enumerate(rows)]
    found = summarize(heavy, records)["weighted"]["flips"]
    assert found == pytest.approx(24 / 120 * 120**2 / (42**2 + 39 * 4), abs=0.05)


def test_what_weighted_intervals_promise_depends_on_documents_too():
    alone, alike = np.arange(200), np.ones(200)
    assert expect_weighted(np.zeros(200, int), alike) == 0
    entry = {**FINE, "documents": 1, "n": 9, "per_label": {}, "coverage": 0.0,
             "weighted": {"effective_n": 9.0, "coverage": 0.0}}  # fmt: skip
    assert list_cautions(entry) == ["one document gives none", "weighted they count as 9 rows"]
    assert expect_weighted(alone, alike) == 0.93
    assert expect_weighted(alone // 40, alike) is None  # five documents, weighted not simulated
    heavy = np.where(alone < 10, 30.0, 1.0)
    assert expect_weighted(alone, heavy) == 0.84
    assert expect_weighted(alone // 10, heavy) is None  # one document has most of the weight
    level = np.where(alone % 10, 1.0, 30.0)  # each document has its heavy row
    assert expect_weighted(alone // 10, level) == 0.82


def test_no_rows_are_refused():
    with pytest.raises(InputError, match="at least one row"):
        draw_documents([])


def test_many_documents_fit_in_memory(monkeypatch):
    monkeypatch.setattr("stance.evaluation.intervals.MOST_COUNTS", 10_000)
    assert len(draw_documents(np.arange(1000)).counts) == 1 + 10


@pytest.mark.parametrize("rows_a_document", [1, 4])
def test_ten_thousand_resamples_of_two_thousand_rows_are_quick(rows_a_document):
    gold, predicted = np.random.default_rng(0).integers(0, 4, (2, 2000))
    start = time.process_time()  # of this process, whatever else the machine does
    draws = draw_documents(np.arange(2000) // rows_a_document, 10_000)
    values = metrics.compute_metrics(metrics.sum_confusions(draws, gold, predicted))
    for value in values.values():
        take_interval(value)
    assert draws.counts.shape == (10_001, 2000 // rows_a_document)
    assert time.process_time() - start < 2
