"""Trainings that are stopped, killed or given twice: the same recipe and seed end the same."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import Trainer

import stance.training.run
from stance.errors import InputError
from stance.training.checkpoints import find_checkpoint
from stance.training.run import TrainOptions, claim_folder, train

EPOCH = 13  # steps of the tiny recipe


class Killed(BaseException):
    """What a killed process does: nothing after it runs."""


def learn(options: TrainOptions) -> str:
    """Train until the folder would be written, which takes longest; return the weights' hash."""
    hashes = []

    def hash_weights(network: torch.nn.Module, *_: object) -> None:
        digest = hashlib.sha256()
        for name, value in sorted(network.state_dict().items()):
            digest.update(name.encode() + value.numpy().tobytes())
        hashes.append(digest.hexdigest())
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stance.training.run, "export_folder", hash_weights)
        die(options)
    return hashes[0]


def die(options: TrainOptions) -> None:
    """Train and be killed."""
    with pytest.raises(Killed):
        train(options)


def kill_in(patch: pytest.MonkeyPatch, name: str, call: int) -> None:
    """Kill the training when a method of the Trainer is called for the n-th time, from 1."""
    method, calls = getattr(Trainer, name), []

    def count(*arguments, **named):
        calls.append(1)
        if len(calls) == call:
            raise Killed
        return method(*arguments, **named)

    patch.setattr(Trainer, name, count)


def count_epochs(folder: Path) -> int:
    history = json.loads((folder / "training" / "history.json").read_text())
    return sum("eval_macro_f1" in entry for entry in history)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, tiny_recipe, tiny_data) -> tuple[TrainOptions, str]:
    """A training that early stopping ends, and the hash of its weights."""
    folder = tmp_path_factory.mktemp("whole")
    recipe = folder / "patient.toml"
    text = tiny_recipe.read_text().replace("patience = 20", "patience = 3")
    recipe.write_text(text.replace("2e-3", "1e-3"))
    options = TrainOptions(recipe, folder / "model", data=tiny_data, device="cpu")
    digest = learn(options)
    assert 4 < count_epochs(options.out) < 16
    return options, digest


def test_the_same_recipe_and_seed_give_the_same_weights(whole, tmp_path):
    options, digest = whole
    assert learn(replace(options, out=tmp_path / "again")) == digest
    assert learn(replace(options, out=tmp_path / "other", seed=2)) != digest


@pytest.mark.parametrize("place", ["last epoch", "checkpoint", "end", "export"])
def test_a_killed_training_stops_early_where_a_whole_one_does(whole, place, tmp_path, monkeypatch):
    """Killed in the last epoch, while a checkpoint is written, after the last, in the export."""
    options, digest = whole
    epochs = count_epochs(options.out)
    killed = replace(options, out=tmp_path / "killed")
    calls = {
        "last epoch": ("training_step", (epochs - 1) * EPOCH + 1),
        "checkpoint": ("_save_optimizer_and_scheduler", 3),
        "end": ("_finalize_training", 1),
    }
    if place == "export":
        assert learn(killed) == digest
    else:
        with monkeypatch.context() as patch:
            kill_in(patch, *calls[place])
            die(killed)
    assert learn(killed) == digest
    assert count_epochs(killed.out) == epochs


def test_the_last_whole_checkpoint_is_taken(tmp_path):
    assert find_checkpoint(tmp_path / "none") is None
    for step in (9, 10, 11):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        for name in ("model.safetensors", "optimizer.pt", "scheduler.pt", "trainer_state.json"):
            (folder / name).write_text("{}")
    (tmp_path / "checkpoint-11" / "trainer_state.json").write_text('{"epoch":')
    assert find_checkpoint(tmp_path) == tmp_path / "checkpoint-10"
    (tmp_path / "checkpoint-10" / "optimizer.pt").unlink()
    assert find_checkpoint(tmp_path) == tmp_path / "checkpoint-9"
    (tmp_path / "checkpoint-9" / "trainer_state.json").unlink()
    assert find_checkpoint(tmp_path) is None


def test_two_trainings_do_not_share_a_folder(whole, tmp_path, monkeypatch):
    options = replace(whole[0], out=tmp_path / "out")

    def train_again(*_: object) -> None:
        with pytest.raises(InputError, match="another job"):
            train(options)
        raise Killed

    monkeypatch.setattr(stance.training.run, "finetune", train_again)
    for _ in range(2):  # what a killed training leaves is no obstacle
        die(options)


def test_a_helper_of_a_distributed_run_leaves_the_folder_to_the_first(tmp_path, monkeypatch):
    (tmp_path / "half-written").write_text("by the first process")
    monkeypatch.setenv("RANK", "1")
    options = TrainOptions(None, tmp_path)
    assert claim_folder(options, None, None, None) == tmp_path / "training"
    assert [path.name for path in tmp_path.iterdir()] == ["half-written"]
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(InputError, match="a folder with other files"):
        claim_folder(options, None, None, None)


@pytest.mark.slow
def test_orders_are_averaged_and_each_is_gone_on_with(
    tiny_recipe, tiny_data, tmp_path, monkeypatch
):
    recipe = tmp_path / "orders.toml"
    text = tiny_recipe.read_text().replace("num_train_epochs = 16", "num_train_epochs = 2")
    recipe.write_text(f"orders = 2\n{text}")
    options = TrainOptions(recipe, tmp_path / "model", data=tiny_data, device="cpu")
    with monkeypatch.context() as patch:
        kill_in(patch, "evaluate", 4)  # in the second epoch of the second order
        die(options)
    work = options.out / "training"
    assert (work / "order-1.safetensors").is_file()
    assert find_checkpoint(work / "checkpoints-2") == work / "checkpoints-2" / f"checkpoint-{EPOCH}"
    assert learn(options) == learn(replace(options, out=tmp_path / "whole"))
    history = json.loads((options.out / "training" / "history.json").read_text())
    assert {entry["lesson"] for entry in history} == {"fine-tuning", "fine-tuning, order 2"}
