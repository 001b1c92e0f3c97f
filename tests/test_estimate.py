import csv
import json
import re
import shlex
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from stance.difference import estimate_differences
from stance.draw import allocate, assign_strata, draw_sample
from stance.errors import InputError
from stance.estimate import (
    ALL,
    Labelled,
    bound_share,
    check_design,
    estimate_shares,
)
from stance.labelled import read_labelled
from stance.report.shares import plot
from stance.scored import Scored, read_scored
from stance.types import LABELS

RANDOM = np.random.default_rng(3)


def make_corpus(n: int = 4000) -> tuple[Scored, np.ndarray]:
    """A corpus whose classifier is wrong in a quarter of the rows, always in favor's favor."""
    gold = RANDOM.choice(4, n, p=[0.2, 0.1, 0.2, 0.5])
    labels = np.where(RANDOM.random(n) < 0.25, 0, gold)
    scores = np.full((n, 4), 0.1)
    scores[np.arange(n), labels] = 0.7
    months = [(f"2024-{1 + i % 4:02d}",) for i in range(n)]
    return Scored(labels.astype(np.int8), scores.astype(np.float32), months, {}), gold


def label(scored: Scored, gold: np.ndarray, n: int, seed: int = 1) -> Labelled:
    strata = assign_strata(scored)
    drawn, probability = draw_sample(strata, n, seed)
    return Labelled(drawn, gold[drawn], probability, strata[drawn])


def test_rare_strata_are_over_drawn_and_probabilities_are_known():
    sizes = np.array([9000, 900, 90, 10, 1])
    counts = allocate(sizes, 300)
    assert counts.sum() == 300
    assert (counts <= sizes).all()
    assert (np.diff(counts / sizes) > 0).all()
    strata = np.repeat(np.arange(5), sizes)
    drawn, probability = draw_sample(strata, 300, 7)
    assert len(set(drawn)) == 300
    assert (1 / probability).sum() == pytest.approx(sizes.sum())
    assert draw_sample(strata, 300, 7)[0].tolist() == drawn.tolist()
    assert draw_sample(strata, 300, 8)[0].tolist() != drawn.tolist()


def test_every_row_is_drawn_as_often_as_its_probability_says():
    strata = np.repeat([0, 1, 2], [60, 20, 4])
    times = np.zeros(len(strata))
    for seed in range(2000):
        drawn, probability = draw_sample(strata, 24, seed)
        times[drawn] += 1
    expected = np.zeros(len(strata))
    expected[drawn] = probability
    for stratum in range(3):
        inside = strata == stratum
        assert times[inside] / 2000 == pytest.approx(expected[inside].max(), abs=0.06)


def test_too_few_draws_are_refused_and_too_many_take_all():
    assert allocate(np.array([5, 3]), 8).tolist() == [5, 3]
    assert len(draw_sample(np.zeros(10, dtype=np.int64), 300, 1)[0]) == 10
    with pytest.raises(InputError, match="at least 6: 2 rows for each of 3 strata"):
        allocate(np.array([50, 50, 50]), 5)


def test_with_all_rows_labelled_the_truth_is_known():
    scored, gold = make_corpus(400)
    shares = estimate_shares(scored, label(scored, gold, 400))
    for share in shares:
        inside = np.array([share.group in (group, (ALL,)) for group in scored.groups])
        true = (gold[inside] == LABELS.index(share.label)).mean()
        assert share.share == pytest.approx(true)
        assert share.low == pytest.approx(true, abs=1e-6)
        assert share.high == pytest.approx(true, abs=1e-6)


def test_estimate_is_unbiased_and_its_error_is_as_stated():
    scored, gold = make_corpus()
    scored = replace(scored, groups=[()] * len(gold))
    true = np.bincount(gold, minlength=4) / len(gold)
    runs = [estimate_shares(scored, label(scored, gold, 300, seed)) for seed in range(300)]
    values = np.array([[share.share for share in run] for run in runs])
    assert values.mean(axis=0) == pytest.approx(true, abs=0.004)
    assert abs(runs[0][0].naive - true[0]) > 0.1
    widths = np.array([[share.high - share.low for share in run] for run in runs]).mean(axis=0)
    assert widths == pytest.approx(2 * 1.96 * values.std(axis=0), rel=0.12)


def test_groups_changes_and_groups_with_few_labels():
    scored, gold = make_corpus()
    shares = estimate_shares(scored, label(scored, gold, 300))
    assert [s.group for s in shares[::4]] == [(ALL,), *sorted(set(scored.groups))]
    assert shares[4].change is None
    for before, share in zip(shares[4:], shares[8:], strict=False):
        assert share.change == pytest.approx(share.share - before.share, abs=0.02)
        assert share.change_low < share.change < share.change_high
    few = estimate_shares(scored, label(scored, gold, 40))
    assert few[0].share is not None
    assert all(s.share is None and s.naive >= 0 for s in few[4:] if s.labelled < 20)
    naive = estimate_shares(scored, None)
    assert all(s.share is None and s.low is None for s in naive)


def test_changes_are_between_dates_alone(corpus, tmp_path):
    folder, gold = corpus
    sample, labelled = tmp_path / "s.csv", tmp_path / "l.csv"
    stance("sample", folder, "--n", 200, "--out", sample)
    fill(sample, labelled, gold)
    for by, has in ((["outlet"], False), (["date", "--period", "month"], True)):
        done = stance("estimate", folder, "--by", *by, "--labelled", labelled, "--format", "jsonl")
        changes = [json.loads(line)["change"] for line in done.stdout.splitlines()]
        assert any(change is not None for change in changes) is has
    scored, gold = make_corpus()
    undated = replace(scored, groups=[("(none)",) if i % 2 else ("2024",) for i in range(4000)])
    shares = estimate_shares(undated, label(undated, gold, 200))
    assert all(share.change is None for share in shares)


def test_interval_stays_in_bounds_whatever_the_estimate():
    low, high = bound_share(np.array([-0.01, 0.0, 0.5, 1.02]), np.array([0.01, 0.0, 0.4, 0.05]))
    assert (low >= 0).all()
    assert (high <= 1 + 1e-9).all()
    assert (low <= high).all()
    assert high[0] < 0.1


def test_wrong_designs_are_refused():
    scored, gold = make_corpus()
    labelled = label(scored, gold, 300)
    check_design(scored, labelled, "x")
    part = Labelled(*(getattr(labelled, name)[:200]
                      for name in ("rows", "gold", "probability", "stratum")))  # fmt: skip
    with pytest.raises(InputError, match="add up to"):
        check_design(scored, part, "x")
    alone = replace(labelled, stratum=np.arange(300))
    with pytest.raises(InputError, match="at least 2 rows"):
        check_design(scored, alone, "x")


def simulate(random: np.random.Generator, n: int, *, by: bool, sharp: float) -> list[list[bool]]:
    """One corpus of a classifier with known errors: do the naive interval, and ours, cover?

    One in thirty statements is conditional; the classifier takes a fifth of them and a tenth of
    the others for something else. Its scores are calibrated where ``sharp`` is 1.
    """
    share = np.array([0.2, 1 / 30, 0.1, 2 / 3])
    errors = np.full((4, 4), 0.1 / 3)
    errors[1] = 0.2 / 3
    np.fill_diagonal(errors, [0.9, 0.8, 0.9, 0.9])
    gold = random.choice(4, 6000, p=share)
    labels = (errors.cumsum(axis=1)[gold] < random.random((6000, 1))).sum(axis=1)
    scores = (share[:, None] * errors).T ** sharp
    scores = (scores / scores.sum(axis=1, keepdims=True))[labels]
    group = np.arange(6000) % 6
    groups = [(str(i),) for i in group]
    scored = Scored(labels.astype(np.int8), scores.astype(np.float32), groups, {})
    drawn = label(scored if by else replace(scored, groups=[()] * 6000), gold, n,
                  int(random.integers(2**31)))  # fmt: skip
    naive, ours = [], []
    for item in estimate_shares(scored, drawn):
        inside = gold if item.group == (ALL,) else gold[group == int(item.group[0])]
        true = (inside == LABELS.index(item.label)).mean()
        reach = 1.96 * (item.naive * (1 - item.naive) / item.rows) ** 0.5
        naive.append(bool(abs(item.naive - true) <= reach))
        ours.append(item.low is not None and item.low - 1e-9 <= true <= item.high + 1e-9)
    return [naive, ours]


@pytest.mark.parametrize(("by", "sharp"), [(False, 1), (True, 1), (True, 2)])
def test_naive_intervals_miss_and_ours_cover(by, sharp):
    random = np.random.default_rng(11)
    runs = [simulate(random, 240, by=by, sharp=sharp) for _ in range(150)]
    naive, ours = np.array(runs).mean(axis=0).reshape(2, 7, 4)  # whole corpus and six groups
    assert naive[0, 1] < 0.1  # too many conditional, in the whole corpus for sure
    assert naive.mean() < 0.8
    assert 0.93 <= ours.mean() <= 0.98
    assert (ours[1:].mean(axis=0) >= 0.9).all(), ours  # each stance, over the groups
    assert ours[0].min() >= 0.88


def stance(*arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "stance.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def assert_refused(done: subprocess.CompletedProcess, *words: str) -> None:
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for word in ("expected", "found", *words):
        assert word in done.stderr, done.stderr


@pytest.fixture
def corpus(tmp_path):
    """A folder of shards as stance score writes it, and its gold labels."""
    scored, gold = make_corpus(600)
    folder = tmp_path / "scored"
    folder.mkdir()
    rows = [
        {"text": f"Statement {i}, \"quoted\"", "label": LABELS[scored.labels[i]],
         "scores": dict(zip(LABELS, map(float, scored.scores[i]), strict=True)),
         "confidence": 0.7, "reliable": True, "truncated": False, "source": None,
         "holder": {"start": 0, "end": 9, "text": "Statement"}, "date": f"{scored.groups[i][0]}-05",
         "outlet": "AB"[i % 2]}
        for i in range(600)
    ]  # fmt: skip
    for n in range(2):
        part = rows[n * 300 : n * 300 + 300]
        text = "".join(json.dumps(row) + "\n" for row in part)
        (folder / f"part-{n:05}.jsonl").write_text(text)
    (folder / "run.json").write_text("{}")
    return folder, gold


def write_csv(path, rows: list[dict]) -> None:
    with path.open("w", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def fill(sample, labelled, gold) -> list[dict]:
    with sample.open(newline="") as lines:
        rows = [{**row, "gold": LABELS[gold[int(row["row"]) - 1]]} for row in csv.DictReader(lines)]
    with labelled.open("w", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return rows


def test_sample_label_estimate(corpus, tmp_path):
    folder, gold = corpus
    sample, labelled = tmp_path / "s.csv", tmp_path / "l.csv"
    done = stance("sample", folder, "--n", 200, "--out", sample)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    rows = fill(sample, labelled, gold)
    own = ["row", "text_hash", "stratum", "draw_probability"]
    assert list(rows[0]) == [*own, "date", "outlet", "text", "gold"]
    done = stance("estimate", folder, "--by", "outlet,date", "--period", "month", "--labelled",
                  labelled, "--format", "jsonl")  # fmt: skip
    shares = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(shares) == 4 + 2 * 2 * 4
    for share, k in zip(shares[:4], range(4), strict=True):
        assert share["low"] - 0.05 <= (gold == k).mean() <= share["high"] + 0.05
        assert share["note"] == ""
    fill(sample, labelled, np.where(gold == 1, 3, gold))
    done = stance("estimate", folder, "--labelled", labelled, "--format", "jsonl")
    notes = [json.loads(line)["note"] for line in done.stdout.splitlines()]
    assert [bool(text) for text in notes] == [False, True, False, False]
    assert "ROUGH" in notes[1]
    assert "ROUGH" in done.stderr
    assert {(s["outlet"], s["date"]) for s in shares[4:]} == {
        ("A", "2024-01"), ("A", "2024-03"), ("B", "2024-02"), ("B", "2024-04"),
    }  # fmt: skip
    assert_refused(stance("sample", folder, "--out", sample), "a new file")


def test_the_file_to_label_is_blind(tmp_path):
    """No column tells the model's answer: rows with other answers differ in nothing else."""
    answers = [
        {"label": label, "scores": {name: 0.7 if name == label else 0.1 for name in LABELS},
         "score_favor": 0.7 * (label == "favor"), "confidence": 0.7, "reliable": label == "favor",
         "holder": None if label == "neutral" else {"start": 0, "end": 4, "text": "Kyiv"},
         "holder_start": None if label == "neutral" else 0, "source": None, "truncated": False,
         "actor": None if label == "neutral" else "Ukraine", "part": "article",
         "stage": "first" if label == "neutral" else "full", "input_label": label,
         "text": "Kyiv spoke.", "outlet": "A"}
        for label in ("neutral", *LABELS) for _ in range(9 if label == "favor" else 90)
    ]  # fmt: skip
    scored = tmp_path / "scored.jsonl"
    scored.write_text("".join(json.dumps(row) + "\n" for row in answers))
    for name in ("s.csv", "s.jsonl"):
        out = tmp_path / name
        assert stance("sample", scored, "--n", 60, "--blind", "--out", out).returncode == 0
        rows = (
            [json.loads(line) for line in out.read_text().splitlines()]
            if name == "s.jsonl"
            else list(csv.DictReader(out.read_text().splitlines()))
        )
        assert list(rows[0]) == ["row", "text_hash", "key", "outlet", "text", "gold"]
        assert len({tuple(row.values())[1:] for row in rows}) == 1
        key = list(csv.DictReader((tmp_path / "s.key.csv").read_text().splitlines()))
        assert sorted(int(row["row"]) for row in rows) == [int(row["row"]) for row in key]
        assert len({row["draw_probability"] for row in key}) > 1
        (tmp_path / "s.key.csv").unlink()


def test_sample_says_the_whole_next_command_and_warns_of_small_groups(corpus, tmp_path):
    folder, gold = corpus
    by = ["--by", "outlet,date", "--period", "month"]
    sample, labelled = tmp_path / "a sample.csv", tmp_path / "l.csv"
    done = stance("sample", folder, *by, "--n", 60, "--out", sample)
    assert done.returncode == 0, done.stderr
    assert "4 of 4 groups got fewer than 20 rows" in done.stderr
    assert re.search(r"A / 2024-01 \(1[3-7]\)", done.stderr)
    command = shlex.split(done.stderr.split("then: ")[1])
    assert command == ["stance", "estimate", str(folder), *by, "--labelled", str(sample)]
    fill(sample, labelled, gold)
    labelled.rename(sample)
    done = stance(*command[1:])
    assert done.returncode == 0, done.stderr
    done = stance("sample", folder, *by, "--n", 200, "--out", tmp_path / "b.csv")
    assert "fewer than" not in done.stderr


def test_difference_between_two_groups(corpus, tmp_path):
    """Its interval is narrower than the two intervals, and covers what all labels say."""
    folder, gold = corpus
    scored = read_scored(folder, ["outlet"])
    truth = [np.bincount(gold[i::2], minlength=4) / 300 for i in range(2)]
    covered = []
    for seed in range(40):
        labelled = label(scored, gold, 200, seed)
        gaps = estimate_differences(scored, labelled, "A", "B")
        a, b = (estimate_shares(scored, labelled)[4 * i + 4 : 4 * i + 8] for i in range(2))
        for k, gap in enumerate(gaps):
            assert gap.group == ("A - B",)
            assert gap.naive == pytest.approx(a[k].naive - b[k].naive)
            assert gap.high - gap.low < (a[k].high - a[k].low) + (b[k].high - b[k].low)
            covered.append(gap.low <= truth[0][k] - truth[1][k] <= gap.high)
    assert np.mean(covered) > 0.91
    by = ["--by", "outlet,date", "--period", "year", "--format", "jsonl"]
    done = stance("estimate", folder, *by, "--difference", "A", "B")
    row = json.loads(done.stdout.splitlines()[-1])
    assert (row["outlet"], row["date"], row["rows"]) == ("A - B", "2024", 600)
    few = label(scored, gold, 30)
    counts = [int((few.rows % 2 == i).sum()) for i in range(2)]
    assert {g.labelled for g in estimate_differences(scored, few, "A", "B")} == {min(counts)}
    for pair, word in ((("A", "C"), "'C'"), (("A", "A"), "'A'")):
        assert_refused(stance("estimate", folder, *by, "--difference", *pair), word)
    month = ["--by", "outlet,date", "--period", "month"]  # no month has both
    assert_refused(stance("estimate", folder, *month, "--difference", "A", "B"), "the same others")
    assert_refused(stance("estimate", folder, "--difference", "A", "B"), "no --by")


def test_actors_by_month_of_a_scored_file(tmp_path):
    """Rows of stance score with dates: one name an actor, rare ones together."""
    texts = [
        ("The Kremlin rejected talks .", "The Kremlin"), ("Moscow rejected talks .", "Moscow"),
        ("Russia rejected talks .", "Russia"), ("Kyiv rejected talks .", "Kyiv"),
        ("Ukraine and Russia rejected talks .", "Ukraine and Russia"),
        ("Oz rejected talks .", "Oz"), ("He rejected talks .", "He"), ("It rained .", None),
    ]  # fmt: skip
    rows = []
    for i in range(480):
        text, holder = texts[i % 8]
        scores = dict.fromkeys(LABELS, 0.1) | {"against" if holder else "neutral": 0.7}
        rows.append(
            {
                "text": text,
                "date": f"2024-0{1 + i // 240}-11",
                "label": max(scores, key=scores.get),
                "scores": scores,
                "holder": holder and {"start": 0, "end": len(holder), "text": holder},
            }
        )
    scored, table = tmp_path / "scored.jsonl", tmp_path / "own.toml"
    scored.write_text("".join(json.dumps(row) + "\n" for row in rows))
    table.write_text('[sides.Atlantis]\nnames = ["Oz"]\n')
    assert dict(Counter(read_scored(scored, ["actor"], actors=table).groups)) == {
        ("Russia",): 180, ("Ukraine",): 60, ("Russia; Ukraine",): 60, ("Atlantis",): 60,
        ("(none)",): 120,
    }  # fmt: skip
    flat = tmp_path / "scored.csv"
    write_csv(flat, [{
        "text": row["text"], "label": row["label"], "date": row["date"],
        **{f"score_{name}": score for name, score in row["scores"].items()},
        "holder": row["holder"] and row["holder"]["text"], "holder_start": row["holder"] and 0,
        "holder_end": row["holder"] and row["holder"]["end"],
    } for row in rows])  # fmt: skip
    groups = read_scored(scored, ["actor"]).groups
    assert read_scored(flat, ["actor"]).groups == groups
    by = ["--by", "actor,date", "--period", "month", "--top", "1"]
    sample, labelled = tmp_path / "s.csv", tmp_path / "l.csv"
    done = stance("sample", flat, *by, "--n", 200, "--out", sample)
    assert " ".join(by) in done.stderr
    fill(sample, labelled, np.array([LABELS.index(row["label"]) for row in rows]))
    done = stance("estimate", flat, *by, "--labelled", labelled, "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    shares = [json.loads(line) for line in done.stdout.splitlines()]
    assert {(s["actor"], s["date"]): s["rows"] for s in shares[4:]} == {
        (actor, month): n for actor, n in (("Russia", 90), ("(none)", 60), ("(other)", 90))
        for month in ("2024-01", "2024-02")
    }  # fmt: skip
    assert all(
        s["share"] > 0.99 for s in shares if s["actor"] == "Russia" and s["label"] == "against"
    )
    assert_refused(
        stance("estimate", flat, "--by", "actor", "--actors", tmp_path / "no"), "no such"
    )


def test_without_labels_naive_is_said_everywhere(corpus):
    folder, _ = corpus
    for form in ("table", "csv", "jsonl"):
        done = stance("estimate", folder, "--format", form)
        assert done.returncode == 0
        assert "NAIVE" in done.stderr
        assert "NAIVE" in done.stdout


def test_plot(corpus, tmp_path):
    folder, _ = corpus
    picture = tmp_path / "p.svg"
    done = stance("estimate", folder, "--by", "outlet,date", "--period", "month", "--plot", picture)
    assert done.returncode == 0, done.stderr
    assert "<svg" in picture.read_text()
    figure = plot(estimate_shares(read_scored(folder, ["outlet", "date"], period="month"), None),
                  ["outlet", "date"])  # fmt: skip
    (legend,) = (axes.get_legend() for axes in figure.axes if axes.get_legend())
    assert [text.get_text() for text in legend.get_texts()] == ["A", "B"]


def test_csv_and_parquet_are_read_as_json_lines_are(corpus, tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    folder, _ = corpus
    rows = [json.loads(line) for part in sorted(folder.glob("part-*"))
            for line in part.read_text().splitlines()]  # fmt: skip
    expected = read_scored(folder, ["outlet", "holder"])
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "s.parquet")
    flat = [{"text": row["text"], "label": row["label"], "outlet": row["outlet"],
             "holder": row["holder"]["text"],
             **{f"score_{k}": v for k, v in row["scores"].items()}} for row in rows]  # fmt: skip
    with (tmp_path / "s.csv").open("w", newline="") as out:
        writer = csv.DictWriter(out, list(flat[0]))
        writer.writeheader()
        writer.writerows(flat)
    for name in ("s.parquet", "s.csv"):
        other = read_scored(tmp_path / name, ["outlet", "holder"])
        assert (other.labels == expected.labels).all()
        assert other.scores == pytest.approx(expected.scores)
        assert other.groups == expected.groups


def test_bad_corpora_are_refused(corpus, tmp_path):
    folder, _ = corpus
    bad = tmp_path / "bad.jsonl"
    good = json.loads((folder / "part-00000.jsonl").read_text().splitlines()[0])
    for row, words in (
        ({"text": "x"}, "no such column"),
        ({**good, "label": "maybe"}, "'maybe'"),
        ({**good, "scores": {"favor": 1}}, "four probabilities"),
        ({**good, "scores": dict.fromkeys(LABELS, 0.9)}, "four probabilities"),
    ):
        bad.write_text(json.dumps(good) + "\n" + json.dumps(row) + "\n")
        assert_refused(stance("estimate", bad), "bad.jsonl line 2", words)
    bad.write_text("")
    assert_refused(stance("estimate", bad), "at least one scored row")
    assert_refused(stance("estimate", folder, "--by", "month"), "column 'month'", "outlet")
    assert_refused(stance("estimate", folder, "--by", "text"), "at most 500 groups")
    assert_refused(stance("estimate", folder, "--by", "outlet", "--period", "month"), "2024-05-31")
    assert_refused(stance("estimate", tmp_path), "shards")
    assert_refused(stance("estimate", tmp_path / "no.jsonl"), "no such file")
    assert_refused(stance("estimate", folder, "--plot", "x.gif"), ".png, .svg or .pdf")


def test_bad_samples_are_refused(corpus, tmp_path):
    folder, gold = corpus
    sample, labelled = tmp_path / "s.csv", tmp_path / "l.csv"
    stance("sample", folder, "--n", 100, "--blind", "--out", sample)
    assert_refused(stance("estimate", folder, "--labelled", sample), "100 empty of 100")
    rows = fill(sample, labelled, gold)

    def check(change, *words):
        with labelled.open("w", newline="") as out:
            changed = change([dict(row) for row in rows])
            writer = csv.DictWriter(out, list(changed[0]))
            writer.writeheader()
            writer.writerows(changed)
        assert_refused(stance("estimate", folder, "--labelled", labelled), *words)

    def first(**cells):
        return lambda rows: [{**rows[0], **cells}, *rows[1:]]

    key = tmp_path / "s.key.csv"
    whole = key.read_text()

    def check_key(old, new, *words):
        assert old in whole
        key.write_text(whole.replace(old, new, 1))
        check(lambda rows: rows, *words)
        key.write_text(whole)

    check(first(gold="maybe"), "line 2 column 'gold'", "'maybe'")
    check(first(gold=""), "1 empty of 100")
    probability = next(csv.DictReader(whole.splitlines()))["draw_probability"]
    check_key(probability, "1.5", "s.key.csv line 2 column 'draw_probability'")
    check_key(probability, "nan", "draw_probability")
    check_key(probability, "0.9", "add up to")
    check_key("stratum", "cell", "column 'stratum'")
    check(first(key="other.csv"), "column 'key'", "one key")
    check(first(row="0"), "a whole number")
    check(first(row="100000"), "the 100 rows of the key")
    check(first(row=rows[1]["row"], text_hash=rows[1]["text_hash"]), "each row once")
    check(first(text_hash="0" * 16), "a text with hash")
    check(lambda rows: rows[:60], "the 100 rows of the key", "60 rows")
    check(lambda rows: [{k: v for k, v in row.items() if k != "gold"} for row in rows], "'gold'")
    key.unlink()
    check(lambda rows: rows, "s.key.csv", "no such file")
    with pytest.raises(InputError, match=r"ends in \.csv or \.jsonl"):
        read_labelled(tmp_path / "x.xlsx")


def test_groups_come_in_the_order_of_their_numbers(tmp_path):
    """Week 10 comes after week 9, and a cell of blanks is no value."""
    row = {"text": "kyiv spoke", "label": "neutral", "scores": dict.fromkeys(LABELS, 0.25)}
    weeks = ["1", "2", "10", "  ", "9"]
    path = tmp_path / "scored.jsonl"
    path.write_text("".join(json.dumps({**row, "week": week}) + "\n" for week in weeks))
    done = stance("estimate", path, "--by", "week", "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    found = [json.loads(line).get("week") for line in done.stdout.splitlines()]
    assert list(dict.fromkeys(week for week in found)) == ["(all)", "(none)", "1", "2", "9", "10"]
