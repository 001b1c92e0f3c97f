"""Checkpoints of the stock Trainer: which one a stopped training goes on from."""

import json
from pathlib import Path
from typing import Any

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
        read_state(checkpoint)
    except (OSError, ValueError):
        return False
    return all((checkpoint / name).is_file() for name in PARTS)


def find_end(checkpoint: Path) -> int | None:
    """Return the step at which the training had ended when the checkpoint was written, or None."""
    state = read_state(checkpoint)
    ended = state["stateful_callbacks"]["TrainerControl"]["args"]["should_training_stop"]
    return int(state["global_step"]) if ended else None


def read_state(checkpoint: Path) -> dict[str, Any]:
    """Return the Trainer's state as the checkpoint holds it."""
    state: dict[str, Any] = json.loads((checkpoint / STATE).read_text(encoding="utf-8"))
    return state
