"""Are the intervals right? Closed forms, simulated coverage, speed."""

import sys
import time

import numpy as np
import pytest
from scipy.stats import norm

from stance.errors import InputError
from stance.evaluation import metrics
from stance.evaluation.intervals import FEW_DOCUMENTS, draw_documents, take_interval
from stance.evaluation.table import list_cautions

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


def simulate_few(size, trials, rng):
    """Say how often the interval of an accuracy of 0.8 holds it, from so many documents."""
    draws = draw_documents(np.arange(size), 1000)
    found = [take_interval(draws.sum(rng.uniform(size=size) < 0.8) / size) for _ in range(trials)]
    return np.mean([interval.low <= 0.8 <= interval.high for interval in found])


def test_intervals_from_few_documents_are_too_narrow_and_said_to_be():
    rng = np.random.default_rng(5)
    assert simulate_few(5, 400, rng) < 0.8
    assert simulate_few(FEW_DOCUMENTS, 400, rng) > 0.9
    labels = {"favor": {"n": 3}, "against": {"n": 0}}
    entry = {"documents": 5, "per_label": labels, "weighted": None, "judge": None}
    assert list_cautions(entry) == [
        "from 5 documents they are too narrow",
        "no row is against, an F1 of 0 in the mean of four labels",
    ]
    enough = {**entry, "documents": FEW_DOCUMENTS, "per_label": {"favor": {"n": 3}}}
    assert list_cautions(enough) == []
    assert list_cautions({**enough, "weighted": {"effective_n": 218.4}, "judge": "others"}) == [
        "weighted to the pools they count as 218 rows",
        "judged by others",
    ]


def test_no_rows_are_refused():
    with pytest.raises(InputError, match="at least one row"):
        draw_documents([])


def test_many_documents_fit_in_memory(monkeypatch):
    monkeypatch.setattr("stance.evaluation.intervals.MOST_COUNTS", 10_000)
    assert len(draw_documents(np.arange(1000)).counts) == 1 + 10


def test_ten_thousand_resamples_of_two_thousand_rows_are_quick():
    gold, predicted = np.random.default_rng(0).integers(0, 4, (2, 2000))
    start = time.process_time()  # of this process, whatever else the machine does
    draws = draw_documents(np.arange(2000), 10_000)
    values = metrics.compute_metrics(metrics.sum_confusions(draws, gold, predicted))
    for value in values.values():
        take_interval(value)
    assert time.process_time() - start < 2


SHARES = np.array([0.2, 0.1, 0.15, 0.55])  # of the labels: the rare one is what makes it hard
CONFUSE = np.array([
    [0.75, 0.05, 0.05, 0.15], [0.2, 0.5, 0.1, 0.2], [0.1, 0.05, 0.6, 0.25], [0.07, 0.02, 0.03, 0.88]
])  # fmt: skip
TRUE = metrics.compute_metrics(SHARES[:, None] * CONFUSE)


def simulate(n, trials, resamples, rng):
    """Draw rows from a known confusion matrix; say how often the intervals hold its figures.

    Two judges are drawn, independent of each other, so the true difference is 0.
    """
    held = dict.fromkeys((*TRUE, "difference"), 0)
    cumulated = CONFUSE.cumsum(axis=1)
    draws = draw_documents(np.arange(n), resamples)
    for _ in range(trials):
        gold = rng.choice(4, n, p=SHARES)
        values = []
        for _judge in range(2):
            predicted = (rng.uniform(size=n)[:, None] > cumulated[gold]).sum(axis=1)
            confusions = metrics.sum_confusions(draws, gold, predicted)
            values.append(metrics.compute_metrics(confusions))
        for name in TRUE:
            found = take_interval(values[0][name])
            held[name] += found.low <= TRUE[name] <= found.high
        gap = take_interval(values[0]["macro_f1"] - values[1]["macro_f1"])
        held["difference"] += gap.low <= 0 <= gap.high
    return {name: count / trials for name, count in held.items()}


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    for name, share in simulate(200, 300, 1000, np.random.default_rng(3)).items():
        assert 0.91 <= share <= 0.985, name  # 300 trials: three standard errors are 4 points


@pytest.mark.slow
@pytest.mark.parametrize("n", [200, 2000])
def test_95_per_cent_intervals_hold_the_truth_in_93_to_97(n, capsys):
    found = simulate(n, 2000, 1000, np.random.default_rng(4))
    with capsys.disabled():
        shares = ", ".join(f"{name} {100 * share:.1f} %" for name, share in found.items())
        sys.stdout.write(f"\ncoverage of 95 % intervals, n = {n}, 2000 trials: {shares}\n")
    for name, share in found.items():
        assert 0.93 <= share <= 0.97, name


@pytest.mark.slow
def test_what_is_said_of_few_documents(capsys):
    rng = np.random.default_rng(6)
    stated = {3: 0.49, 5: 0.67, 10: 0.88, 20: 0.93}
    for size, share in stated.items():
        found = simulate_few(size, 2000, rng)
        with capsys.disabled():
            sys.stdout.write(f"\n{size} documents: {100 * found:.1f} %\n")
        assert found == pytest.approx(share, abs=0.03), size
