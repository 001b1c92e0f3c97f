import gzip
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from stance.errors import InputError
from stance.layers import hash_text
from stance.model import load
from stance.training.network import read_network
from stance.training.run import TrainOptions, train
from stance.training.teacher import SoftRow, format_line, parse_line, read_teacher, thin
from stance.training.variants import Neighbours, vary
from stance.types import LABELS

SENTENCES = {
    "favor": "moscow urges dialogue , kyiv said",
    "conditional": "the army will negotiate only if the president withdraws , kyiv said",
    "against": "the minister rejected talks , moscow said",
    "neutral": "the weather report of the town",
}


@pytest.fixture(scope="module")
def taught(tmp_path_factory, tiny_data, tiny_encoder) -> tuple[Path, Path]:
    """A data folder with a teacher's probabilities, and the corpora with their texts."""
    folder = tmp_path_factory.mktemp("taught")
    data, corpora = folder / "data", folder / "corpora"
    shutil.copytree(tiny_data, data)
    (data / "teacher").mkdir()
    (corpora / "pool").mkdir(parents=True)
    rows, lines = [], []
    for i in range(96):
        label = LABELS[i % 4]
        text = f"{SENTENCES[label]} {'abcdefghijklmnopqrstuvwxyz'[i % 26]}"
        probabilities = np.array([0.85 if name == label else 0.05 for name in LABELS], np.float32)
        rows.append({"row": f"src/doc#{i}", "text": text})
        lines.append(format_line(f"src/doc#{i}", hash_text(text), probabilities))
    neighbours = Neighbours.load(tiny_encoder)
    for i in range(4):
        variant = vary(rows[i]["text"], f"recent:src/doc#{i}~0", neighbours)
        lines.append(format_line(f"src/doc#{i}~0", hash_text(variant), probabilities))
    lines.append(format_line("src/doc#0", "0" * 16, probabilities))  # another text was scored
    (data / "teacher" / "recent.tsv").write_text("".join(lines))
    with gzip.open(corpora / "pool" / "recent.jsonl.gz", "wt") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)
    return data, corpora


@pytest.fixture(scope="module")
def recipe(tmp_path_factory, tiny_recipe) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "taught.toml"
    path.write_text(
        tiny_recipe.read_text().replace("num_train_epochs = 16", "num_train_epochs = 2")
        + "[distillation]\nnum_train_epochs = 12\n"
    )
    return path


def hash_weights(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def test_a_line_keeps_the_probabilities_to_a_byte():
    line = format_line("a/b#1", "ab" * 8, np.array([0.5, 0.25, 0.2, 0.05], np.float32))
    row_id, digest, probabilities = parse_line(line, "here")
    assert (row_id, digest) == ("a/b#1", "ab" * 8)
    assert len(line.rstrip().split("\t")[2]) == 8  # four bytes
    assert np.allclose(probabilities, [0.5, 0.25, 0.2, 0.05], atol=1 / 255)
    assert sum(probabilities) == pytest.approx(1)


@pytest.mark.parametrize("line", ["", "a\tb", "a\tb\tzz", "a\tb\t00000000", "a\tb\t0102"])
def test_a_broken_line_is_named(line):
    with pytest.raises(InputError, match=r"recent\.tsv line 3"):
        parse_line(line, "recent.tsv line 3")


def test_rows_with_another_text_teach_nothing(taught, tiny_encoder, caplog):
    data, corpora = taught
    assert len(read_teacher(data, corpora, tiny_encoder).rows) == 100
    assert len(read_teacher(data, corpora).rows) == 96  # without the variants
    assert "1 of 101 rows left out" in caplog.text


def test_of_sentences_that_are_surely_neutral_a_fifth_teaches():
    sure, unsure = (0.01, 0.01, 0.01, 0.97), (0.1, 0.1, 0.1, 0.7)
    rows = [SoftRow(f"recent:{i}", "text", sure) for i in range(1000)]
    assert 150 < len(thin(rows)) < 250
    others = [SoftRow("recent:1", "text", unsure), SoftRow("recent:1~0", "text", sure)]
    assert thin(others) == others


def test_a_variant_exchanges_words_and_is_the_same_for_the_same_seed():
    words = ["kyiv", "kiev", "moscow"]
    vectors = np.array([[1, 0], [0.9, 0.436], [0, 1]], np.float32)
    neighbours = Neighbours(words, {word: i for i, word in enumerate(words)}, vectors)
    assert neighbours.find("kyiv") == ["kiev"]  # moscow is too far
    assert neighbours.find("weather") == []
    text = "Kyiv urges talks , and the weather of the town is the same as it was"
    variants = {vary(text, str(seed), neighbours) for seed in range(64)}
    assert variants == {vary(text, str(seed), neighbours) for seed in range(64)}
    changed = text.replace("Kyiv", "Kiev")
    assert {text, changed} < variants  # whole ones, beside those that are cut
    assert all(part in text or part in changed for part in variants)
    assert min(len(part.split()) for part in variants) >= 6


def test_a_recipe_without_its_teacher_is_refused(recipe, tiny_data, taught, tmp_path, monkeypatch):
    monkeypatch.setenv("STANCE_CORPORA", str(taught[1]))
    with pytest.raises(InputError, match=r"\[distillation\]"):
        train(TrainOptions(recipe, tmp_path / "out", data=tiny_data, device="cpu"))


def test_distillation_teaches_and_is_shared_by_folds(recipe, taught, tmp_path, monkeypatch):
    data, corpora = taught
    monkeypatch.setenv("STANCE_CORPORA", str(corpora))
    whole, anew, shared = (tmp_path / name for name in ("whole", "anew", "shared"))
    bundle = train(TrainOptions(recipe, whole, data=data, device="cpu"))
    assert bundle is not None
    assert "teacher" in bundle.settings.data
    history = json.loads((whole / "training" / "history.json").read_text())
    scores = [entry["eval_macro_f1"] for entry in history if "eval_macro_f1" in entry]
    assert scores[-1] > 0.8  # two epochs on the labels alone stay far below

    train(TrainOptions(recipe, anew, data=data, leave_out="one", device="cpu"))
    train(TrainOptions(recipe, shared, data=data, leave_out="one", distilled=whole, device="cpu"))
    assert hash_weights(shared) == hash_weights(anew) != hash_weights(whole)
    assert load(shared, device="cpu").bundle.settings.left_out == "one"


def test_a_distilled_network_of_another_recipe_is_refused(recipe, taught, tmp_path, monkeypatch):
    data, corpora = taught
    monkeypatch.setenv("STANCE_CORPORA", str(corpora))
    with pytest.raises(InputError, match="--distilled"):
        train(TrainOptions(recipe, tmp_path / "out", data=data, distilled=data, device="cpu"))


@pytest.mark.slow
def test_a_share_of_the_lesson_stays_in_the_classifier(recipe, taught, tmp_path, monkeypatch):
    data, corpora = taught
    monkeypatch.setenv("STANCE_CORPORA", str(corpora))
    networks = {}
    for share in (0.0, 0.25):
        blended = tmp_path / f"share{share}.toml"
        blended.write_text(f"lesson_share = {share}\n{recipe.read_text()}")
        out = tmp_path / f"out{share}"
        train(TrainOptions(blended, out, data=data, device="cpu"))
        networks[share] = read_network(out).state_dict()
    before = load_file(out / "training" / "distilled.safetensors")
    for name, weight in networks[0.25].items():
        expected = networks[0.0][name]
        if not name.startswith("tagger."):
            expected = 0.75 * expected + 0.25 * before[name]
        assert torch.allclose(weight, expected, atol=2e-3)  # they are stored as float16
    head = "classifier.classifier.weight"
    assert not torch.allclose(networks[0.25][head], networks[0.0][head], atol=2e-3)
