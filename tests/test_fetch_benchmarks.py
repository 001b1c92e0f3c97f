"""Benchmarks from the files of their repositories, in the form of excerpts that were looked at."""

import pytest

import fetch_benchmarks
from stance.errors import StanceError
from stance.evaluation.benchmarks import list_benchmarks, read_benchmark, read_rows

GWSD = (
    "\tsentence\tworker_0\tworker_1\tdisagree\tagree\tneutral\tguid\tin_held_out_test\n"
    "0\tIt is a hoax.\tdisagrees\tdisagrees\t\t\t\t1_0_s0\tFalse\n"
    "1\tIt is real.\tagrees\tagrees\t0.1\t0.8\t0.1\t1_0_t0\tTrue\n"
    "2\tIt may be  real.\tneutral\tagrees\t0.1\t0.3\t0.6\t1_0_t1\tTrue\n"
    "3\tIt is not real.\tdisagrees\tdisagrees\t0.9\t0.05\t0.05\t1_0_t2\tFalse\n"
)
PLV = (
    "Unnamed: 0\tgold_penta\tgold_root\tsentence\tsource\ttarget\n"
    '0\t1\tAGREE\t"Kyiv, again, met Oslo."\tKyiv\tOslo\n1\t4\tASSAULT\tA hit B.\tA\tB\n'
)
TWEETS = {"text": "one @user \ntwo\n", "labels": "0\n2\n"}
FILES = {
    "gwsd": {"GWSD.tsv": GWSD.encode()},
    "plover_plv": {f"datasets/PLV_{split}.tsv": PLV.encode() for split in ("train", "test")},
    "semeval2016_taska": {
        path: TWEETS[path.rsplit("_", 1)[1].removesuffix(".txt")].encode()
        for path in fetch_benchmarks.PATHS["semeval2016_taska"]
    },
}


def test_every_benchmark_is_fetched():
    assert set(fetch_benchmarks.CONVERT) == set(FILES) == set(list_benchmarks())
    for name, files in FILES.items():
        assert set(files) == set(fetch_benchmarks.PATHS[name])


@pytest.mark.parametrize(
    ("name", "counts", "texts"),
    [
        ("gwsd", {"test": 2, "train": 1}, {"It is real.": "favor", "It may be real.": "neutral"}),
        ("plover_plv", {"train": 2, "test": 2},
         {"Kyiv to Oslo: Kyiv, again, met Oslo.": "favor", "A to B: A hit B.": "against"}),
        ("semeval2016_taska", {"train": 10, "validation": 10, "test": 10},
         {"one @user": "neutral", "two": "favor"}),
    ],
)  # fmt: skip
def test_files_become_the_splits_that_are_read(name, counts, texts, tmp_path):
    benchmark = read_benchmark(name)
    assert fetch_benchmarks.convert(benchmark, FILES[name], tmp_path) == counts
    rows = read_rows(benchmark, "test", tmp_path)
    assert {row.text: row.label for row in rows} == texts


def test_files_of_another_form_are_refused(tmp_path):
    files = {path: content.replace(b"\t4\t", b"\t9\t") for path, content in
             FILES["plover_plv"].items()}  # fmt: skip
    with pytest.raises(StanceError, match="KeyError: '9'"):
        fetch_benchmarks.convert(read_benchmark("plover_plv"), files, tmp_path)


def test_raters_are_measured_one_by_one():
    said = fetch_benchmarks.measure_raters(GWSD.encode())
    # one rater is right in both rows, the other in one: accuracies 1 and 0.5
    assert said.startswith("one rater of 2 against the label of all, 2 held-out rows: macro-F1 0.")
    assert "accuracy 0.750 [" in said
