"""One training with the stock Trainer: on what, where, and how it is measured."""

import logging
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import f1_score
from transformers import (
    DataCollatorWithPadding,
    EarlyStoppingCallback,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from stance.errors import InputError
from stance.evaluation.metric import StanceMetric, score_trainer
from stance.training.checkpoints import find_checkpoint, find_end
from stance.training.network import StanceNetwork
from stance.training.rates import slow_lower_layers
from stance.training.recipe import Recipe
from stance.types import LABELS

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lesson:
    """One training: what is learned, where its checkpoints lie, and how.

    Attributes:
        name: what it is called in messages and in the Trainer's log.
        rows: encoded rows to learn from.
        arguments: the recipe's arguments for ``transformers.TrainingArguments``.
        checkpoints: folder for checkpoints; a training is gone on with from the last one there.
    """

    name: str
    rows: list[dict[str, Any]]
    arguments: dict[str, Any]
    checkpoints: Path

    def reorder(self, order: int) -> "Lesson":
        """Return the lesson for the n-th order of its rows, with checkpoints of its own."""
        if order == 1:
            return self
        folder = self.checkpoints.with_name(f"{self.checkpoints.name}-{order}")
        return replace(self, name=f"{self.name}, order {order}", checkpoints=folder)


@dataclass(frozen=True)
class Room:
    """Where lessons are given.

    Attributes:
        device: ``auto``, ``cpu`` or ``cuda``; ``auto`` takes a GPU where there is one.
        seed: of initial weights, order and dropout.
        bars: whether to show a progress bar.
    """

    device: str
    seed: int
    bars: bool


def give_lesson(
    recipe: Recipe,
    network: StanceNetwork,
    lesson: Lesson,
    validation: list[dict[str, Any]],
    tokenizer: Any,
    room: Room,
) -> tuple[StanceNetwork, list[dict[str, Any]]]:
    """Train with the stock Trainer; return the best network on the CPU, and the Trainer's log."""
    set_seed(room.seed)  # a lesson begins the same whether the one before ran now or earlier
    arguments = build_arguments(recipe, lesson, room)
    checkpoint = find_checkpoint(lesson.checkpoints)
    if checkpoint and (end := find_end(checkpoint)):
        arguments.max_steps = end  # early stopping had ended it; not a step more
    trainer = Trainer(
        model=network,
        args=arguments,
        train_dataset=lesson.rows,
        eval_dataset=validation,
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=choose_metric(network),
        preprocess_logits_for_metrics=lambda outputs, _: outputs[0],
        callbacks=[EarlyStoppingCallback(recipe.patience), Progress()],
    )
    trainer.remove_callback(PrinterCallback)  # Progress says it on stderr
    if recipe.trial.layer_decay < 1:
        slow_lower_layers(trainer.create_optimizer(), network, recipe.trial.layer_decay)
    log.info("%s: %d rows%s", lesson.name, len(lesson.rows),
             f", going on from {checkpoint}" if checkpoint else "")  # fmt: skip
    with redirect_stdout(sys.stderr):  # where bars write the Trainer's log
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    # The Trainer wraps the forward pass in autocast; what is exported must compute in float32.
    plain = trainer.accelerator.unwrap_model(network, keep_fp32_wrapper=False)
    history = [{"lesson": lesson.name, **entry} for entry in trainer.state.log_history]
    return plain.float().cpu().eval(), history


class Progress(TrainerCallback):
    """Logs what every validation found."""

    def on_evaluate(self, args: Any, state: Any, control: Any, **named: Any) -> None:
        """Log epoch, loss and scores."""
        if state.is_world_process_zero:
            scores = (named["metrics"][f"eval_{name}"] for name in ("loss", "macro_f1", "accuracy"))
            said = "epoch %.3g: validation loss %.3f, macro-F1 %.3f, accuracy %.3f"
            log.info(said, state.epoch, *scores)


def build_arguments(recipe: Recipe, lesson: Lesson, room: Room) -> TrainingArguments:
    """Pass the recipe's arguments on, with what every run here has in common."""
    device, seed, bars = room.device, room.seed, room.bars
    on_cpu = choose_cpu(device)
    common = {
        "eval_strategy": "epoch",
        "save_strategy": "epoch",
        "logging_strategy": "epoch",
        "save_total_limit": 1,
        "load_best_model_at_end": True,
        "metric_for_best_model": "macro_f1",
        "restore_callback_states_from_checkpoint": True,  # early stopping goes on counting
        "label_names": ["labels", "span_targets"],
        "remove_unused_columns": False,
        "report_to": "none",
        "bf16": supports_bf16(device),
    }
    try:
        return TrainingArguments(
            **{**common, **lesson.arguments},
            output_dir=str(lesson.checkpoints),
            seed=seed,
            use_cpu=on_cpu,
            ddp_backend="gloo" if on_cpu and "RANK" in os.environ else None,
            disable_tqdm=not bars,
        )
    except (TypeError, ValueError) as error:
        raise InputError(
            f"recipe {recipe.name}, arguments of the {lesson.name}",
            expected="arguments of transformers.TrainingArguments",
            found=str(error),
            remedy="Mend the key or the value.",
        ) from None


def choose_cpu(device: str) -> bool:
    """Say whether to train on the CPU.

    Raises:
        InputError: a GPU is asked for and there is none.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "--device cuda",
            expected="a GPU that torch can use",
            found="none",
            remedy="Use --device auto, or install a torch build for your GPU.",
        )
    return device == "cpu" or not torch.cuda.is_available()


def supports_bf16(device: str) -> bool:
    """Say whether the device has instructions for bfloat16."""
    if device != "cpu" and torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def choose_metric(network: StanceNetwork) -> Callable[[Any], dict[str, float]]:
    """Return what the Trainer measures by: the metrics of stances, or those of any labels."""
    if tuple((network.classifier.config.id2label or {}).values()) == LABELS:
        return score_trainer(StanceMetric(keep_in_memory=True))
    return score_labels


def score_labels(prediction: Any) -> dict[str, float]:
    """Return macro-F1 and accuracy over labels that are no stances, for the Trainer."""
    gold = prediction.label_ids[0]
    found = np.asarray(prediction.predictions).argmax(axis=1)
    return {
        "macro_f1": float(f1_score(gold, found, average="macro", zero_division=0)),
        "accuracy": float((found == gold).mean()),
    }
