"""The pages' tables of speed are what the committed reports say."""

import json
import re
import shutil

import pytest

from stance.evaluation.card import MARK
from stance.evaluation.timings import TABLES, build_timing_tables, format_environment

PAGES = ("README.md", "benchmarks/README.md")


def read_marks(text):
    """Return what stands between the marks of a page, by name."""
    return {m["name"]: text[m.end("start") : m.start("end")].strip() for m in MARK.finditer(text)}


@pytest.fixture(scope="module")
def results(root):
    return root / "benchmarks" / "results"


def test_the_pages_say_what_the_reports_say(root, results):
    tables = build_timing_tables(results)
    shown = {name: body for page in PAGES
             for name, body in read_marks((root / page).read_text("utf-8")).items()
             if name in tables}  # fmt: skip
    assert shown == tables


def test_a_report_names_machine_versions_and_load_and_no_folder_of_it(results):
    paths = sorted(results.glob("*.json"))
    assert {path.stem for path in paths} <= {file for file, *_ in TABLES.values()}
    for path in paths:
        report = json.loads(path.read_text("utf-8"))
        models = report.get("models", [report])
        for found in (model["environment"] for model in models):
            assert re.search("model [0-9]+", found["cpu"]), "the name alone may say too little"
            assert found["cores"] > 0
            assert found["versions"]["onnxruntime"]
        assert not re.search("/(tmp|home|root|work)/", path.read_text("utf-8"))


def test_another_figure_is_another_table(results, tmp_path):
    path = tmp_path / "speed.json"
    shutil.copyfile(results / "speed.json", path)
    before = build_timing_tables(tmp_path)
    report = json.loads(path.read_text("utf-8"))
    report["contenders"]["ours"]["rows_per_s"]["median"] = 1234.5
    report["contenders"]["ours"]["ratio"]["median"] = 12.0
    path.write_text(json.dumps(report), "utf-8")
    after = build_timing_tables(tmp_path)
    for name in ("speed", "speed-goals", "speed-line"):
        assert after[name] != before[name]
    assert "| ours | 1,234 [" in after["speed"]
    assert "| `predict`, times the Hub pipeline | >= 10 | 12.0 | yes |" in after["speed-goals"]


def test_without_a_report_the_page_says_how_to_measure(tmp_path):
    tables = build_timing_tables(tmp_path)
    assert tables["speed"].startswith("To be measured: `python benchmarks/speed.py --out")
    assert "There is no float32 to choose" in tables["speed-line"]


def test_a_busy_machine_is_named(results):
    report = json.loads((results / "speed.json").read_text("utf-8"))
    report["environment"]["load"] = [7.5, 1, 1]
    assert "Load average at the start 7.5" in format_environment(report)
