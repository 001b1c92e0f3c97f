"""The ONNX file: made anew from a folder's weights, and the released one whatever the batch."""

import random
import shutil
import sys

import numpy as np
import pytest

import requantize
from calling import run_script
from stance.bundle import CASCADE, ONNX, read_bundle
from stance.errors import InputError
from stance.model import load
from stance.rows import read_rows
from stance.sets import read_set
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
    quantize = requantize.quantize
    monkeypatch.setattr(
        requantize, "quantize", lambda plain, target: quantize(plain, target, block_size=32)
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

    def fill(plain, target):
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(requantize, "quantize", fill)
    assert run_requantize(monkeypatch, copy, tiny_model.data) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before
    assert list(copy.parent.iterdir()) == [copy]
    (copy / "model.safetensors").write_bytes(b"other")
    with pytest.raises(InputError, match=r"model\.safetensors: expected sha256"):
        requantize.requantize(copy, tiny_model.data)


def test_order_and_batch_size_change_nothing_in_the_released_file(root):
    rows = read_rows(root / "data" / "articles.jsonl")[:80]
    texts = [row.text for row in rows if row.text.strip()]
    model = load(device="cpu")
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
