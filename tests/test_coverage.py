"""Do 95 % intervals hold the truth in 95 % of samples? Simulated, with a known confusion matrix."""

import sys

import numpy as np
import pytest

from stance.evaluation import metrics
from stance.evaluation.coverage import (
    BY_EFFECTIVE,
    OF_FLIPS,
    OF_FLIPS_WEIGHTED,
    OF_SINGLE_ROWS,
    OF_TEN_ROWS,
    expect_coverage,
    expect_weighted,
    look_up,
)
from stance.evaluation.intervals import draw_documents, take_interval

SHARES = np.array([0.2, 0.1, 0.15, 0.55])  # of the labels: the rare one is what makes it hard
CONFUSE = np.array([
    [0.75, 0.05, 0.05, 0.15], [0.2, 0.5, 0.1, 0.2], [0.1, 0.05, 0.6, 0.25], [0.07, 0.02, 0.03, 0.88]
])  # fmt: skip
POOL = np.array([0.03, 0.01, 0.01, 0.95])  # label shares of the pool that a heavy row stands for
HEAVY, WEIGHT = 0.1, 30.0  # share of the heavy rows, and their weight; that of the others is 1
COPIED = 0.6  # share of a document's rows that are as its first row: correlation 0.36
CLARITY = 6.0  # scores are Dirichlet draws around the predicted label
RESAMPLES = 1000
TRIALS = 1000  # of what is said of little: standard error a point
UNEVEN_TRIALS = 400  # standard error two points
PLAIN = SHARES[:, None] * CONFUSE
MIXED = (1 - HEAVY) * PLAIN + HEAVY * WEIGHT * POOL[:, None] * CONFUSE


def expect_brier(joint):
    """Return the mean Brier score of Dirichlet scores, given shares of (gold, predicted)."""
    alpha = 1 + CLARITY * np.eye(4)  # by predicted label
    total = 4 + CLARITY
    squares = (alpha * (alpha + 1)).sum(axis=1) / (total * (total + 1))
    return (joint * (1 + squares - 2 * alpha.T / total)).sum()


def judge_rows(gold, rng):
    """Draw a judge's labels from the known confusion matrix."""
    return (rng.uniform(size=len(gold))[:, None] > CONFUSE.cumsum(axis=1)[gold]).sum(axis=1)


def draw_rows(documents, size, rng, *, heavy):
    """Draw gold, two judges' labels and weights of documents of so many rows."""
    n = documents * size
    weighs = rng.uniform(size=n) < HEAVY * heavy
    gold = np.where(weighs, rng.choice(4, n, p=POOL), rng.choice(4, n, p=SHARES))
    rows = np.stack([gold, judge_rows(gold, rng), judge_rows(gold, rng), weighs])
    first = np.arange(n) // size * size
    rows = np.where(rng.uniform(size=n) < COPIED, rows[:, first], rows)
    return rows[0], rows[1], rows[2], np.where(rows[3], WEIGHT, 1.0)


def measure(draws, gold, labels):
    """Return the metrics of one judge's labels."""
    return metrics.compute_metrics(metrics.sum_confusions(draws, gold, labels))


def measure_brier(draws, gold, labels, rng):
    """Return the Brier score of scores that are drawn around a judge's labels."""
    scores = rng.standard_gamma(1 + CLARITY * np.eye(4)[labels])
    return metrics.compute_brier(draws, scores / scores.sum(axis=1, keepdims=True), gold)


def simulate(documents, trials, rng, *, size=1, heavy=False, more=False):
    """Say how often the intervals hold the figures that the rows are drawn from, by metric.

    With ``more`` also those of the difference of two judges, and of the Brier score.
    """
    true = metrics.compute_metrics(MIXED if heavy else PLAIN)
    true |= {"difference": 0.0, "brier": expect_brier(PLAIN)} if more else {}
    held = dict.fromkeys(true, 0)
    drawn = draw_documents(np.arange(documents * size) // size, RESAMPLES)
    for _ in range(trials):
        gold, first, second, weights = draw_rows(documents, size, rng, heavy=heavy)
        draws = drawn.weighted(weights)
        values = measure(draws, gold, first)
        if more:
            other = measure(draws, gold, second)
            values["difference"] = values["macro_f1"] - other["macro_f1"]
            values["brier"] = measure_brier(draws, gold, first, rng)
        for name, truth in true.items():
            found = take_interval(values[name])
            held[name] += found.low <= truth <= found.high
    return {name: count / trials for name, count in held.items()}


def say(capsys, what, found):
    """Print what was simulated."""
    with capsys.disabled():
        shares = ", ".join(f"{name} {100 * share:.1f} %" for name, share in found.items())
        sys.stdout.write(f"\n{what}: {shares}\n")


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    for name, share in simulate(200, 300, np.random.default_rng(3), more=True).items():
        assert 0.91 <= share <= 0.985, name  # 300 trials: three standard errors are 4 points


def test_few_rows_or_heavy_weights_make_them_too_narrow():
    rng = np.random.default_rng(3)
    assert simulate(30, 300, rng)["macro_f1"] < 0.9
    assert simulate(5, 300, rng, size=10)["accuracy"] < 0.9
    assert simulate(100, 300, rng, heavy=True)["macro_f1"] < 0.92


@pytest.mark.slow
@pytest.mark.parametrize("size", [1, 5])
@pytest.mark.parametrize("rows", [200, 2000])
def test_95_per_cent_intervals_hold_the_truth_in_93_to_97(rows, size, capsys):
    documents = rows if size == 1 else max(rows // size, 100)
    found = simulate(documents, TRIALS, np.random.default_rng(4), size=size, more=True)
    say(capsys, f"{documents} documents of {size} rows", found)
    if size > 1:  # flips come in clusters too: at 500 rows there are about five of their kind
        assert 0.85 <= found.pop("polarity_flip_rate") <= 0.97
    least = 0.93 if size == 1 else 0.91
    for name, share in found.items():
        assert least <= share <= 0.97, name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "documents", "said"),
    [(size, documents, said) for size, table in ((1, OF_SINGLE_ROWS), (10, OF_TEN_ROWS))
     for documents, said in table.items()],
)  # fmt: skip
def test_what_is_said_of_few_documents(size, documents, said, capsys):
    found = simulate(documents, TRIALS, np.random.default_rng(5), size=size)
    say(capsys, f"{documents} documents, rows each: {size}", found)
    assert min(found["accuracy"], found["macro_f1"]) == pytest.approx(said, abs=0.03)


UNEVEN = {
    "Zipf, 100": [max(1, 300 // i) for i in range(1, 101)],
    "5 of 19 rows, 45 of one": [19] * 5 + [1] * 45,
    "2 of 200 rows, 98 of one": [200] * 2 + [1] * 98,
}


@pytest.mark.slow
@pytest.mark.parametrize("sizes", UNEVEN.values(), ids=UNEVEN)
def test_what_is_said_of_documents_of_uneven_size_is_not_far_too_much(sizes, capsys):
    rng, held = np.random.default_rng(9), {"accuracy": 0, "macro_f1": 0}
    number = np.repeat(np.arange(len(sizes)), sizes)
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])[number]
    draws, true = draw_documents(number, RESAMPLES), metrics.compute_metrics(PLAIN)
    for _ in range(UNEVEN_TRIALS):
        gold = rng.choice(4, len(number), p=SHARES)
        rows = np.stack([gold, judge_rows(gold, rng)])
        gold, labels = np.where(rng.uniform(size=len(number)) < COPIED, rows[:, first], rows)
        values = measure(draws, gold, labels)
        for name in held:
            found = take_interval(values[name])
            held[name] += found.low <= true[name] <= found.high
    shares = {name: count / UNEVEN_TRIALS for name, count in held.items()}
    said = expect_coverage(number)
    say(capsys, f"uneven documents, said {said}", shares)
    assert min(shares.values()) >= said - 0.1


@pytest.mark.slow
@pytest.mark.parametrize("effective", BY_EFFECTIVE)
def test_what_is_said_of_weighted_rows(effective, capsys):
    mean, square = 1 + HEAVY * (WEIGHT - 1), 1 + HEAVY * (WEIGHT**2 - 1)
    rows = round(effective * square / mean**2)
    found = simulate(rows, TRIALS, np.random.default_rng(7), heavy=True)
    say(capsys, f"{rows} weighted rows that count as {effective}", found)
    worse = min(found["accuracy"], found["macro_f1"])
    assert worse == pytest.approx(BY_EFFECTIVE[effective], abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize(("documents", "size"), [(50, 10), (100, 10)])
def test_what_is_said_of_weighted_documents(documents, size, capsys):
    rng = np.random.default_rng(8)
    number = np.arange(documents * size) // size
    said = np.mean(
        [expect_weighted(number, draw_rows(documents, size, rng, heavy=True)[3])
         for _ in range(TRIALS)]
    )  # fmt: skip
    found = simulate(documents, TRIALS, rng, size=size, heavy=True)
    say(capsys, f"{documents} weighted documents of {size} rows, said {100 * said:.0f} %", found)
    worse = min(found["accuracy"], found["macro_f1"])
    assert worse == pytest.approx(said, abs=0.06)


def simulate_flips(documents, size, rng, *, heavy):
    """Say how many polarity flips there are in effect, and how often the interval holds their rate.

    It is the interval of the outputs: a rate of none has the bound of Clopper and Pearson.
    """
    true = metrics.compute_metrics(MIXED if heavy else PLAIN)["polarity_flip_rate"]
    drawn = draw_documents(np.arange(documents * size) // size, RESAMPLES)
    counts = drawn.counts.astype(np.float32)  # once for all samples: faster than Resamples.sum
    held, effective = 0, 0.0
    for _ in range(TRIALS):
        gold, predicted, _, weights = draw_rows(documents, size, rng, heavy=heavy)
        draws = drawn.weighted(weights)
        flips = (gold != predicted) & np.isin(gold, (0, 2)) & np.isin(predicted, (0, 2))
        parts = [np.bincount(drawn.document, each) for each in (weights * flips, weights)]
        found_flips, whole = np.array(parts, dtype=np.float32) @ counts.T
        rate = (found_flips / whole).astype(float)
        found = take_interval(rate, draws.count_documents())
        held += found.low <= true <= found.high
        effective += draws.count_documents()
    return true * effective / TRIALS, held / TRIALS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("documents", "size", "heavy"),
    [(50, 1, False), (100, 1, False), (400, 1, False), (1600, 1, False), (20, 10, False),
     (50, 10, False), (100, 10, False), (200, 10, False), (400, 10, False), (600, 1, True),
     (2000, 1, True), (4000, 1, True), (8000, 1, True), (16000, 1, True), (32000, 1, True)],
)  # fmt: skip
def test_what_is_said_of_few_flips(documents, size, heavy, capsys):
    flips, share = simulate_flips(documents, size, np.random.default_rng(9), heavy=heavy)
    what = f"{documents}{' weighted' * heavy} documents, rows each: {size}, flips: {flips:.1f}"
    say(capsys, what, {"polarity_flip_rate": share})
    said = look_up(OF_FLIPS_WEIGHTED if heavy else OF_FLIPS, flips)
    assert share >= said - 0.03
    if heavy == (size == 1):  # what the tables are of
        assert share == pytest.approx(said, abs=0.03)
