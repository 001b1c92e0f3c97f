"""Fine-tuning with the stock Trainer."""

import logging
import os
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    EarlyStoppingCallback,
    PreTrainedModel,
    Trainer,
    TrainingArguments,
    set_seed,
)
from transformers.trainer_utils import get_last_checkpoint

from stance.errors import InputError
from stance.evaluation.metric import StanceMetric, score_trainer
from stance.selection import Rows
from stance.training.data import encode_rows
from stance.training.encoders import Encoder
from stance.training.network import StanceNetwork
from stance.training.recipe import Recipe
from stance.types import LABELS

log = logging.getLogger(__name__)


def finetune(
    recipe: Recipe, encoder: Encoder, rows: Rows, out: Path, *, device: str, seed: int, bars: bool
) -> tuple[StanceNetwork, Any, list[dict[str, Any]]]:
    """Train the network; go on from the last checkpoint in ``out`` where there is one.

    Args:
        recipe: what to do.
        encoder: the base encoder.
        rows: rows to train on and to validate on.
        out: folder for checkpoints.
        device: ``auto``, ``cpu`` or ``cuda``; ``auto`` takes a GPU where there is one.
        seed: of initial weights, order and dropout.
        bars: whether to show a progress bar.

    Returns:
        The network with the best validation macro-F1, its tokenizer, and the Trainer's log.
    """
    # The report that the head's weights are new is no news; bars belong on a terminal only.
    transformers.logging.set_verbosity_error()
    if not bars:
        transformers.logging.disable_progress_bar()
    arguments = build_arguments(recipe, out, device=device, seed=seed, bars=bars)
    set_seed(seed)  # before the heads are made, so that they start the same in every run
    tokenizer = AutoTokenizer.from_pretrained(encoder.folder, use_fast=True)
    network = build_network(recipe, load_classifier(encoder))
    trainer = Trainer(
        model=network,
        args=arguments,
        train_dataset=encode_rows(rows.train, tokenizer, recipe.encoder.max_tokens),
        eval_dataset=encode_rows(rows.validation, tokenizer, recipe.encoder.max_tokens),
        data_collator=DataCollatorWithPadding(tokenizer),
        compute_metrics=score_trainer(StanceMetric(keep_in_memory=True)),
        preprocess_logits_for_metrics=lambda outputs, _: outputs[0],
        callbacks=[EarlyStoppingCallback(recipe.patience)],
    )
    checkpoint = get_last_checkpoint(str(out)) if out.is_dir() else None
    if checkpoint:
        log.info("going on from %s", checkpoint)
    trainer.train(resume_from_checkpoint=checkpoint)
    # The Trainer wraps the forward pass in autocast; what is exported must compute in float32.
    plain = trainer.accelerator.unwrap_model(network, keep_fp32_wrapper=False)
    return plain.float().cpu().eval(), tokenizer, trainer.state.log_history


def build_arguments(
    recipe: Recipe, out: Path, *, device: str, seed: int, bars: bool
) -> TrainingArguments:
    """Pass the recipe's training table on, with what every run here has in common."""
    on_cpu = choose_cpu(device)
    common = {
        "eval_strategy": "epoch",
        "save_strategy": "epoch",
        "logging_strategy": "epoch",
        "save_total_limit": 1,
        "load_best_model_at_end": True,
        "metric_for_best_model": "macro_f1",
        "label_names": ["labels", "span_targets"],
        "remove_unused_columns": False,
        "report_to": "none",
        "bf16": supports_bf16(device),
    }
    try:
        return TrainingArguments(
            **{**common, **recipe.training},
            output_dir=str(out),
            seed=seed,
            use_cpu=on_cpu,
            ddp_backend="gloo" if on_cpu and "RANK" in os.environ else None,
            disable_tqdm=not bars,
        )
    except (TypeError, ValueError) as error:
        raise InputError(
            f"recipe {recipe.name} [training]",
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


def load_classifier(encoder: Encoder) -> PreTrainedModel:
    """Load the encoder with a fresh head for our labels."""
    classifier: PreTrainedModel = AutoModelForSequenceClassification.from_pretrained(
        encoder.folder,
        num_labels=len(LABELS),
        id2label=dict(enumerate(LABELS)),
        label2id={label: i for i, label in enumerate(LABELS)},
        dtype=torch.float32,
        use_safetensors=True,
    )
    return classifier


def build_network(recipe: Recipe, classifier: PreTrainedModel) -> StanceNetwork:
    """Put the tagger beside the classifier, with the recipe's loss."""
    weights = recipe.loss.label_weights
    return StanceNetwork(
        classifier,
        label_weights=tuple(weights.get(label, 1.0) for label in LABELS) if weights else None,
        label_smoothing=recipe.loss.label_smoothing,
        span_weight=recipe.loss.span_weight,
    )
