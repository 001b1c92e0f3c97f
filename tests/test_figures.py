"""From rows and records to figures: probes, slices, comparisons, and bad input."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from made import make_record, make_row
from stance.errors import InputError
from stance.evaluation.compare import compare, plant_regression
from stance.evaluation.errors import format_errors, list_errors
from stance.evaluation.intervals import draw_documents
from stance.evaluation.probes import read_probes, summarize_phenomena
from stance.evaluation.records import align, read_records, write_records
from stance.evaluation.results import hash_gold, read_results
from stance.evaluation.slices import describe_label, describe_text, pick_origin
from stance.evaluation.summary import summarize
from stance.evaluation.table import format_slices
from stance.rows import Row
from stance.types import LABELS


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


def test_readers_of_the_probes_stand_beside_what_was_meant(root):
    rows = read_probes(root / "data")
    assert [vote["annotator"] for vote in rows[0].fields["votes"]] == ["author", "P1", "P2"]
    assert all(row.fields["votes"][0]["label"] == row.label for row in rows)
    rows[0].fields["votes"][1]["label"] = "neutral"  # one reader misreads one statement
    found = summarize(rows, [make_record(row.id, row.label) for row in rows])["annotator"]
    assert (found["annotators"], found["n"]) == (3, round(len(rows) - 2 / 3, 1))
    assert 0.999 < found["annotator"]["accuracy"]["value"] < 1


def test_pairs_that_share_a_statement_are_drawn_together(root):
    rows = read_probes(root / "data")
    lines = (root / "data" / "probes.jsonl").read_text().splitlines()
    assert len(rows) == 2 * len(lines)
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


def test_a_share_of_none_or_all_has_the_bound_of_clopper_and_pearson():
    rows = [make_row(i, LABELS[i % 4], f"d{i // 2}") for i in range(80)]
    found = summarize(rows, [make_record(i, row.label) for i, row in enumerate(rows)])
    low, high = (binomtest(40, 40).proportion_ci(method="exact").low,
                 binomtest(0, 40).proportion_ci(method="exact").high)  # fmt: skip
    assert found["metrics"]["accuracy"]["low"] == pytest.approx(low, abs=1e-6)
    assert found["metrics"]["accuracy"]["high"] == 1
    assert found["metrics"]["polarity_flip_rate"]["high"] == pytest.approx(high, abs=1e-6)
    assert found["reliable"]["favor"]["accuracy"]["low"] == pytest.approx(
        binomtest(20, 20).proportion_ci(method="exact").low, abs=1e-6
    )
    assert draw_documents(["a", "a", "b"]).weighted([1, 1, 2]).count_documents() == 2


def test_slices_of_few_documents_are_marked_and_macro_needs_rows_of_each_label():
    rows = [make_row(i, LABELS[i % 4], f"d{i // (20 if i < 100 else 4)}", conflict="ab"[i >= 100])
            for i in range(900)]  # fmt: skip
    records = [make_record(i, row.label if i % 9 else "favor") for i, row in enumerate(rows)]
    slices = {part["value"]: part for part in summarize(rows, records)["slices"]}
    assert slices["a"]["coverage"] == 0.71
    assert slices["a"]["macro_f1"]
    shown = format_slices([slices["a"], slices["b"]])
    assert "conflict: a | 100 / 5 |" in shown
    marks = {line[:13]: "] !" in line for line in shown.splitlines() if "conflict" in line}
    assert list(marks.values()) == [True, False]
    assert "less than 93 % of samples" in shown
    rare = [replace(row, label="neutral") if row.label == "conditional" and i < 70 else row
            for i, row in enumerate(rows)]  # fmt: skip
    assert {part["value"]: part for part in summarize(rare, records)["slices"]}["a"][
        "macro_f1"] is None  # fmt: skip


def test_a_row_tells_its_slices():
    row = Row("1", "d", '"Talks," he said.', "favor", None, None,
              {"corpus": "recent", "row": "guardian/1#2", "stratum": "free/word",
               "conflict": None, "votes": [{"sure": 3}, {"sure": 1}]})  # fmt: skip
    assert describe_text(row, {"outlet": "X", "date": "2022-01-02"}) == {
        "outlet": "X", "year": "2022", "quoted": "yes", "length": "under 15 words",
    }  # fmt: skip
    assert describe_label(row) == {"stratum": "free/word", "corpus": "recent/guardian",
                                   "conflict": "none is named", "sure": "1"}  # fmt: skip
    assert "year" not in describe_text(row, {"date": "9/20/16"})
    assert pick_origin({"outlet": "unknown (GB)", "date": None}) == {}


def test_small_slices_stand_together_and_labels_are_read_from_the_rows():
    conflicts = ["a"] * 30 + ["b"] * 9 + ["c"] * 12 + ["D"] * 25 + ["d"] * 4
    rows = [make_row(i, conflict=conflict) for i, conflict in enumerate(conflicts)]
    stale = {"conflict": "of an earlier state of the rows"}
    found = summarize(rows, [make_record(i, slices=stale) for i in range(80)])["slices"]
    assert {part["value"]: part["n"] for part in found if part["by"] == "conflict"} == {
        "a": 30, "D": 29, "2 others of under 20 rows each": 21,
    }  # fmt: skip


def test_a_planted_regression_is_found_and_a_run_against_itself_is_not():
    rng = np.random.default_rng(0)
    rows = [make_row(i, LABELS[i % 4], f"d{i // 3}") for i in range(600)]
    good = [
        make_record(i, row.label if rng.uniform() < 0.8 else "neutral")
        for i, row in enumerate(rows)
    ]
    spoilt = plant_regression(good, 0.05)
    assert sum(a.label != b.label for a, b in zip(good, spoilt, strict=True)) == 30
    assert all(LABELS[int(np.argmax(r.scores))] == r.label for r in spoilt)
    found = compare(rows, spoilt, good, "other")
    assert found["difference"]["accuracy"]["high"] < 0
    assert found["difference"]["macro_f1"]["high"] < 0
    assert found["mcnemar"]["p"] < 0.01
    same = compare(rows, good, good, "other")
    assert same["difference"]["macro_f1"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert same["mcnemar"] == {"only_this": 0, "only_other": 0, "p": 1.0}


def test_a_difference_is_weighted_where_rows_are():
    rows = [make_row(i, weight=9.0 if i < 10 else 1.0) for i in range(100)]
    this = [make_record(i, "favor" if i >= 10 else "against") for i in range(100)]
    other = [make_record(i, "favor" if i < 90 else "against") for i in range(100)]
    found = compare(rows, this, other, "other")["difference"]
    assert found["accuracy"]["value"] == 0
    assert found["accuracy_weighted"]["value"] == pytest.approx((90 - 170) / 180, abs=1e-5)


def test_weighted_figures_have_weighted_baselines_and_say_how_few_rows_they_are():
    rows = [make_row(i, "favor" if i < 10 else "neutral", weight=1.0 if i < 10 else 9.0)
            for i in range(20)]  # fmt: skip
    records = [
        replace(make_record(i, "favor"), baselines={"majority": "neutral"}) for i in range(20)
    ]
    entry = summarize(rows, records)["weighted"]
    assert entry["effective_n"] == pytest.approx(100**2 / (10 * 1 + 10 * 81), abs=0.05)
    assert entry["metrics"]["accuracy"]["value"] == pytest.approx(0.1)
    majority = entry["baselines"]["majority"]
    assert majority["metrics"]["accuracy"]["value"] == pytest.approx(0.9)
    assert majority["lead"]["accuracy"]["value"] == pytest.approx(-0.8)
    assert summarize([replace_weight(row) for row in rows], records)["weighted"] is None


def replace_weight(row):
    return replace(row, fields={**row.fields, "weight": 1.0})


def test_a_calibration_error_has_no_interval():
    rows = [make_row(i) for i in range(40)]
    records = [make_record(i, "favor" if i % 3 else "against") for i in range(40)]
    ece = summarize(rows, records)["metrics"]["ece"]
    assert ece["value"] > 0
    assert ece["low"] is ece["high"] is None
    difference = compare(rows, records, records, "other")["difference"]["ece"]
    assert difference == {"value": 0.0, "low": None, "high": None}


def test_gold_is_hashed_whatever_its_order():
    rows = [make_row(i, holder={"start": 0, "end": 2}) for i in range(3)]
    assert hash_gold(rows) == hash_gold(rows[::-1])
    other = replace(rows[0], label="against")
    moved = replace(rows[0], fields={**rows[0].fields, "holder": {"start": 0, "end": 3}})
    assert len({hash_gold([row, *rows[1:]]) for row in (rows[0], other, moved)}) == 3


def test_mcnemar_agrees_with_the_binomial():
    rows = [make_row(i) for i in range(20)]
    this = [make_record(i, "favor" if i < 12 else "against") for i in range(20)]
    other = [make_record(i, "against" if i < 9 else "favor") for i in range(20)]
    found = compare(rows, this, other, "other")["mcnemar"]
    assert (found["only_this"], found["only_other"]) == (9, 8)
    assert found["p"] == pytest.approx(binomtest(9, 17).pvalue, rel=0.01)


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


def test_rows_and_records_of_different_number_are_refused():
    for rows, records in (([], []), ([make_row(1)], []), ([make_row(1)], [make_record(1)] * 2)):
        with pytest.raises(InputError, match=r"at least one row|for each of 1 rows"):
            summarize(rows, records)


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


def test_errors_are_counted_by_kind_and_the_surest_named_first():
    said = ["favor", "neutral", "neutral", "against", "neutral"]
    gold = ["favor", "favor", "favor", "favor", "against"]
    rows = [make_row(i, label) for i, label in enumerate(gold)]
    records = [make_record(i, label) for i, label in enumerate(said)]
    records[2] = replace(records[2], scores=(0.05, 0.025, 0.025, 0.9))
    first, second, third = list_errors(rows, records)
    assert (first.gold, first.predicted, first.count, first.of) == ("favor", "neutral", 2, 4)
    assert first.examples == ("2", "1")
    assert (second.gold, second.predicted) == ("against", "neutral")
    assert (third.gold, third.predicted) == ("favor", "against")
    assert len(list_errors(rows, records, kinds=1)) == 1
    assert "| favor | neutral | 2 | 50 % | `2`, `1` |" in format_errors([first])


def test_what_the_flag_keeps_is_told_by_predicted_label():
    rows = [make_row(i, label) for i, label in enumerate(["favor", "favor", "neutral", "against"])]
    records = [
        make_record(0, "favor"),
        make_record(1, "favor", reliable=False),
        make_record(2, "favor"),
        make_record(3, "against"),
    ]
    found = summarize(rows, records)["reliable"]
    assert found["favor"]["n"] == 3
    assert found["favor"]["share"]["value"] == pytest.approx(2 / 3)
    assert found["favor"]["accuracy"]["value"] == pytest.approx(1 / 2)
    assert found["against"]["accuracy"]["value"] == 1
    assert found["neutral"]["n"] == 0
    assert found["neutral"]["share"]["value"] is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scores": [5, -3, 2, 1]}, "scores"),
        ({"scores": [0.5, 0.5, 0.5, 0.5]}, "do not sum to 1"),
        ({"scores": [10**400, 0, 0, 0]}, "too large"),
        ({"holder": {"start": "a"}}, "holder"),
        ({"holder": {"start": 3}}, "holder"),
        ({"source": {"start": 3, "end": 3}}, "source"),
        ({"source": {"start": -1, "end": 3}}, "source"),
        ({"holder": []}, "holder"),
        ({"reliable": None}, "flag"),
        ({"reliable": "yes"}, "reliable"),
        ({"reliable": 1}, "reliable"),
        ({"label": "against"}, "label 'against', which is not the likeliest"),
        ({"model": 3}, "model 3"),
        ({"id": 1}, "id 1"),
        ({"fold": 1}, "fold 1"),
        ({"text": 1}, "text 1"),
        ({"slices": ["a"]}, "slices"),
        ({"slices": {"year": 5}}, "slices"),
        ({"baselines": ["favor"]}, "baselines"),
        ({"baselines": {}}, "other baselines"),
    ],
)
def test_a_damaged_record_is_named(tmp_path, change, words):
    path = tmp_path / "own.jsonl"
    records = [replace(make_record(i), baselines={"majority": "favor"}) for i in range(2)]
    write_records(path, records)
    lines = path.read_text().splitlines()
    path.write_text(f"{lines[0]}\n{json.dumps(json.loads(lines[1]) | change)}\n")
    with pytest.raises(InputError, match=rf"own\.jsonl line 2.*{words}"):
        read_records(path)


def test_predictions_of_other_rows_and_spans_outside_are_named():
    rows = [make_row(i) for i in range(2)]
    records = [make_record(i) for i in range(5)]
    with pytest.raises(InputError, match=r"5 records; 0 rows without one \[\]; 3 records of other"):
        align(rows, records, "own")
    outside = replace(records[1], holder={"start": 0, "end": 5000})
    with pytest.raises(InputError, match=r"'1' field 'holder'.*the 17 characters.*0:5000"):
        align(rows, [records[0], outside], "own")


def test_predictions_of_another_order_of_an_own_file_are_refused():
    rows = [replace(make_row(i), text=text) for i, text in enumerate(["One.", "Two."])]
    records = [make_record(i, text=text) for i, text in enumerate(["Two.", "One."])]
    with pytest.raises(InputError, match=r"id '0'.*One"):
        align(rows, records, "own")
