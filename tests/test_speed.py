"""The benchmarks of speed and of rounding: on a tiny model they must say what they promise."""

import json
import sys
from itertools import islice

import numpy as np
import pytest
import torch

import aware
import breakdown
import million
import options
import quantisation
import speed
from sentences import iter_sentences
from stance.bundle import ONNX
from stance.training.network import read_network


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
    (found,) = report["models"]
    assert {"tokenizer", "network"} < set(found["parts_ms"])
    assert {"MatMulNBits", "Attention"} <= set(found["operators_ms"])
    assert sum(found["operators_ms"].values()) == pytest.approx(found["parts_ms"]["network"])
    assert str(tmp_path) not in json.dumps(report)
    assert "| network |" in capsys.readouterr().out


def test_ways_to_run_a_file_are_compared(tiny_model, call, tmp_path, capsys):
    report = call(
        options, "--model", tiny_model.folder, "--rows", 20, "--runs", 1,
        "--out", tmp_path / "report.json",
    )  # fmt: skip
    first, *others = report["ways"].values()
    assert first["ratio"]["runs"] == [1.0]
    assert len(others) == len(options.WAYS) - 1
    assert all(found["labels_kept"] > 0.9 for found in others)
    assert report["environment"]["cpu"]
    assert len(report["environment"]["load"]) == 3
    assert "| one thread |" in capsys.readouterr().out


def test_batches_give_each_window_its_own_scores(tiny_model):
    """Windows come back in their order, without what pads them."""
    way = options.Way(batch=4)
    texts = ["kyiv rejected talks , moscow said " * n for n in (3, 1, 2, 1, 4)]
    single = options.WayRuntime(tiny_model.folder, options.Way()).score(texts)
    batched = options.WayRuntime(tiny_model.folder, way).score(texts)
    for one, other in zip(single, batched, strict=True):
        assert one.spans.shape == other.spans.shape
        assert one.logits == pytest.approx(other.logits, abs=0.05)


def test_the_rows_of_a_long_job_all_differ(monkeypatch):
    """What repeats is scored once: a million rows must be a million different ones."""
    monkeypatch.delenv("STANCE_CORPORA", raising=False)
    sentences, _ = iter_sentences()
    different = {hash(text) for text in islice(sentences, 1_000_000)}
    assert len(different) == 1_000_000


def test_a_runtime_that_is_not_installed_is_a_row_of_the_table(tiny_model, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    path = tiny_model.folder / ONNX
    paths = {quantisation.REFERENCE: path, quantisation.OWN: path}
    runners, missing = quantisation.open_others(paths)
    assert not runners
    assert missing == dict.fromkeys(quantisation.OPENVINO, "not installed: openvino")


def test_the_other_runtime_gives_the_same_answer(tiny_model):
    pytest.importorskip("openvino", reason="OpenVINO is not installed: pip install '.[bench]'")
    path = tiny_model.folder / ONNX
    feed = quantisation.build_feed([2, 7, 8, 9, 3])
    expected = quantisation.open_onnxruntime(path)(feed)
    found = quantisation.open_openvino(path, "f32")(feed)
    assert np.allclose(found, expected, atol=0.05)
    assert found.argmax() == expected.argmax()


def test_what_is_taught_to_bear_rounding_sees_it_and_keeps_its_own_weights(tiny_model):
    network, before = read_network(tiny_model.folder), read_network(tiny_model.folder)
    batch = {"input_ids": torch.tensor([[2, 7, 8, 9, 3]]), "attention_mask": torch.ones(1, 5)}
    aware.add_rounding(network)
    for matrix in aware.find_matrices(network):
        weight = matrix.weight.detach()
        assert max(len(set(row.tolist())) for row in weight) <= 255
    rounded, plain = network(**batch)["logits"], before(**batch)["logits"]
    assert 0 < (rounded - plain).detach().abs().max().item() < 0.1
    report = aware.train(network, before, iter([batch] * 3), 3, 60)
    assert report["steps"] == 3
    assert all(p.grad is not None for p in network.classifier.base_model.encoder.parameters())
    aware.remove_rounding(network)
    assert set(network.state_dict()) == set(before.state_dict())
    for matrix in aware.find_matrices(network):
        assert not torch.equal(matrix.weight, aware.RoundedRows()(matrix.weight))
