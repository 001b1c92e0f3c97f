"""Checkpoints of the stock Trainer: which one a stopped training goes on from."""

import json
from pathlib import Path

from transformers import TrainerState

STATE = "trainer_state.json"
PARTS = ("model.safetensors", "optimizer.pt", "scheduler.pt")


def find_checkpoint(folder: Path) -> Path | None:
    """Return the last checkpoint that is whole, or None.

    A process that is killed while it writes or deletes one leaves a part of it.
    """
    found = {int(path.name.split("-")[1]): path for path in folder.glob("checkpoint-*")}
    return next(
        (found[step] for step in sorted(found, reverse=True) if is_whole(found[step])), None
    )


def is_whole(checkpoint: Path) -> bool:
    """Say whether all of a checkpoint is there; the state is written last."""
    try:
        json.loads((checkpoint / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return all((checkpoint / name).is_file() for name in PARTS)


def find_end(checkpoint: Path) -> int | None:
    """Return the step at which the training had ended when the checkpoint was written, or None."""
    state = TrainerState.load_from_json(str(checkpoint / STATE))
    control = (state.stateful_callbacks or {}).get("TrainerControl", {}).get("args", {})
    return state.global_step if control.get("should_training_stop") else None
