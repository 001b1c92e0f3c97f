"""The benchmarks of speed: on a tiny model they must run and say what they promise."""

import json
import sys

import pytest

import breakdown
import million
import speed


@pytest.fixture
def call(tiny_model, monkeypatch, tmp_path):
    """Run a benchmark on the tiny model's folder; return the report it wrote."""
    monkeypatch.delenv("STANCE_CORPORA", raising=False)

    def run(script, *arguments, report="report.json"):
        monkeypatch.setattr(sys, "argv", [script.__name__, *map(str, arguments)])
        script.main()
        return json.loads((tmp_path / report).read_text())

    return run


def test_the_table_comes_as_json_too(tiny_model, call, tmp_path, capsys):
    report = call(
        speed, "--model", tiny_model.folder, "--rows", 40, "--runs", 2, "--singles", 5,
        "--contenders", "ours,hub,fast", "--out", tmp_path / "report.json",
    )  # fmt: skip
    ours, hub = report["contenders"]["ours"], report["contenders"]["hub"]
    assert hub["labels_kept"] == 1
    assert ours["ratio"]["low"] <= ours["ratio"]["median"] <= ours["ratio"]["high"]
    assert len(report["cold_start_s"]["runs"]) == 2
    assert "first stage" in report["missing"]["fast"] or "cascade" in report["missing"]["fast"]
    table = capsys.readouterr().out
    assert f"| ours | {ours['rows_per_s']['median']:,.0f} [" in table


def test_a_long_job_is_watched(tiny_model, call, tmp_path, capsys):
    report = call(
        million, "--rows", 600, "--interval", 0.02, "--out", tmp_path / "job", "--",
        "--shard-rows", 50, "--model", tiny_model.folder, report="job/million.json",
    )  # fmt: skip
    assert report["rows"] == 600
    assert max(sample["rows"] for sample in report["samples"]) > 0
    assert 0 < report["peak_rss_mb"] == max(sample["rss_mb"] for sample in report["samples"])
    assert (tmp_path / "job" / "million.png").stat().st_size > 0
    assert "| 4 |" in capsys.readouterr().out


def test_the_breakdown_names_parts_and_operators(tiny_model, call, tmp_path, capsys):
    report = call(
        breakdown, tiny_model.folder, "--rows", 40, "--out", tmp_path / "report.json"
    )  # fmt: skip
    (found,) = report["models"].values()
    assert {"tokenizer", "network"} < set(found["parts_ms"])
    assert {"MatMulNBits", "Attention"} <= set(found["operators_ms"])
    assert "| network |" in capsys.readouterr().out
