"""The ONNX file: made anew from a folder's weights, and the released one whatever the batch."""

import logging
import random
import shutil
import sys
from dataclasses import asdict, replace

import numpy as np
import onnx
import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

import recalibrate
import requantize
from calling import run_script
from stance.bundle import CASCADE, ONNX, read_bundle, write_settings
from stance.errors import InputError
from stance.model import load
from stance.rows import read_rows
from stance.sets import read_set
from stance.training import quantisation
from stance.training.export import export_onnx
from stance.training.network import StanceNetwork
from stance.training.recipe import ReliabilityChoice, read_recipe
from stance.types import LABELS


@pytest.fixture
def copy(tiny_model, tmp_path):
    folder = tmp_path / "models" / "tiny"
    shutil.copytree(tiny_model.folder, folder)
    return folder


def run_requantize(monkeypatch, model, data) -> int:
    monkeypatch.setattr(sys, "argv", ["requantize.py", str(model), "--data-dir", str(data)])
    with pytest.raises(SystemExit) as left:
        run_script(requantize.main)
    return left.value.code


def test_the_file_is_made_anew_in_its_folder(tiny_model, copy, monkeypatch):
    before = read_bundle(copy)
    texts = [row.text for row in read_set(tiny_model.data, "written", "test", None).rows]
    expected = [item.label for item in load(copy, device="cpu").predict(texts)]
    monkeypatch.setattr(
        requantize,
        "quantize_checked",
        lambda plain, target, sentences: quantisation.quantize(plain, target, block_size=32),
    )
    assert run_requantize(monkeypatch, copy, tiny_model.data) == 0
    after = read_bundle(copy)
    assert after.sha256 != before.sha256
    assert (copy / ONNX).read_bytes() != (tiny_model.folder / ONNX).read_bytes()
    assert after.settings.recipe == before.settings.recipe
    assert after.settings.data == before.settings.data
    assert [item.label for item in load(copy, device="cpu").predict(texts)] == expected
    assert not (copy / CASCADE).exists()
    assert list(copy.parent.iterdir()) == [copy]


def test_nothing_changes_when_it_fails(tiny_model, copy, monkeypatch, capsys):
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}

    def fill(plain, target, sentences):
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(requantize, "quantize_checked", fill)
    assert run_requantize(monkeypatch, copy, tiny_model.data) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before
    assert list(copy.parent.iterdir()) == [copy]
    (copy / "model.safetensors").write_bytes(b"other")
    with pytest.raises(InputError, match=r"model\.safetensors: expected sha256"):
        requantize.requantize(copy, tiny_model.data)


def test_a_new_promise_changes_no_file_but_the_settings(tiny_model, tiny_recipe, copy, tmp_path):
    before = read_bundle(copy).settings
    recipe = tmp_path / "tiny.toml"
    made = tiny_recipe.read_text(encoding="utf-8")
    assert "[reliability]" not in made
    recipe.write_text(made + "\n[reliability]\naccuracy = 0.3\nneutral_accuracy = 0.4\n", "utf-8")
    recalibrate.recalibrate(copy, recipe, tiny_model.data)
    after = read_bundle(copy).settings
    assert (after.reliability.accuracy, after.reliability.neutral.accuracy) == (0.3, 0.4)
    assert after.recipe == {
        **before.recipe,
        "reliability": asdict(ReliabilityChoice(0.3, 0.95, 0.4)),
    }
    assert (copy / ONNX).read_bytes() == (tiny_model.folder / ONNX).read_bytes()
    assert load(copy, device="cpu").predict("They will talk.").label in LABELS
    recipe.write_text("orders = 2\n" + made, "utf-8")
    with pytest.raises(InputError, match=r"but for \[reliability\]"):
        recalibrate.recalibrate(copy, recipe, tiny_model.data)


def test_a_model_is_not_calibrated_on_other_rows_for_want_of_corpora(
    tiny_model, tiny_recipe, copy, tmp_path, monkeypatch
):
    monkeypatch.delenv("STANCE_CORPORA", raising=False)
    made = tiny_recipe.read_text(encoding="utf-8")
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(
        made.replace('validation = ["written"]', 'validation = ["realnews"]'), "utf-8"
    )
    settings = replace(
        read_bundle(copy).settings, recipe=read_recipe(recipe).to_dict(),
        data={"written/train": "0" * 64, "realnews/validation": "0" * 64},
    )  # fmt: skip
    before = write_settings(copy, settings)
    with pytest.raises(InputError, match="expected realnews/validation, found written/validation"):
        recalibrate.recalibrate(copy, recipe, tiny_model.data)
    with pytest.raises(InputError, match="expected realnews/validation, found written/validation"):
        requantize.requantize(copy, tiny_model.data)
    assert read_bundle(copy).sha256 == before.sha256


@pytest.mark.parametrize("released", [True, False])
def test_order_and_batch_size_change_nothing(root, tiny_model, released):
    """In the released file, and in one made by today's export."""
    rows = read_rows(root / "data" / "articles.jsonl")[:80]
    texts = [row.text for row in rows if row.text.strip()]
    model = load(None if released else tiny_model.folder, device="cpu")
    together = model.predict(texts)
    order = random.Random(0).sample(range(len(texts)), len(texts))
    shuffled = dict(zip(order, model.predict([texts[i] for i in order]), strict=True))
    for i, item in enumerate(together):
        for other in (shuffled[i], model.predict(texts[i])):
            assert other.label == item.label
            gaps = [abs(other.scores[label] - item.scores[label]) for label in LABELS]
            assert max(gaps) <= 1e-5
            assert (other.holder, other.source) == (item.holder, item.source)


def test_what_is_not_there_twice_is_scored_once(tiny_model, monkeypatch):
    runtime = load(tiny_model.folder, device="cpu").runtime
    seen = []
    score_cuts = runtime.score_cuts
    monkeypatch.setattr(
        runtime, "score_cuts", lambda cuts: seen.append(len(cuts)) or score_cuts(cuts)
    )
    first, second, third = runtime.score(["kyiv rejected talks", "weather", "kyiv rejected talks"])
    assert seen == [2]
    assert np.array_equal(first.logits, third.logits)
    assert not np.array_equal(first.logits, second.logits)


SENTENCES = np.random.default_rng(0).integers(5, 600, (60, 12)).tolist()


def make_network(outlier: float = 0.0) -> StanceNetwork:
    """A random network of two layers; an outlier stands where the attention's last matrix reads."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=600, hidden_size=64, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=128, max_position_embeddings=64, num_labels=4, initializer_range=0.2,
    )  # fmt: skip
    network = StanceNetwork(BertForSequenceClassification(config)).eval()
    with torch.no_grad():
        for layer in network.classifier.bert.encoder.layer:
            layer.attention.self.value.bias[0] = outlier
            layer.attention.output.dense.weight[:, 0] = 0.0  # it does nothing but take room
        ids = torch.tensor(SENTENCES)
        scores = network(ids, torch.ones_like(ids))["logits"]
        network.classifier.classifier.bias -= scores.mean(dim=0)  # so that all labels occur
    return network


def list_operators(path) -> set[str]:
    return {node.op_type for node in onnx.load(path).graph.node}


@pytest.mark.parametrize(("outlier", "falls_back"), [(0.0, False), (100_000.0, True)])
def test_a_network_with_outliers_elsewhere_is_quantised_in_blocks(
    tmp_path, monkeypatch, caplog, outlier, falls_back
):
    plain, target = tmp_path / "plain.onnx", tmp_path / "model.onnx"
    export_onnx(make_network(outlier), plain)
    assert len(set(quantisation.label_sentences(plain, SENTENCES).tolist())) > 1
    monkeypatch.setattr(quantisation, "KEPT", 0.9)  # labels of random networks are close calls
    caplog.set_level(logging.INFO, logger="stance")
    quantisation.quantize_checked(plain, target, SENTENCES)
    assert ("MatMulInteger" not in list_operators(target)) == falls_back
    assert ("all matrices are quantised in blocks" in caplog.text) == falls_back
    assert "of 60 validation rows" in caplog.text


def test_what_the_quantiser_hints_is_not_logged(tmp_path, caplog):
    level = logging.getLogger().level
    export_onnx(make_network(), tmp_path / "plain.onnx")
    caplog.clear()
    quantisation.quantize(tmp_path / "plain.onnx", tmp_path / "model.onnx")
    assert "DynamicQuantizeLinear" in list_operators(tmp_path / "model.onnx")
    assert not [record for record in caplog.records if record.name == "root"]
    assert logging.getLogger().level == level
