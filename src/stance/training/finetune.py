"""Fine-tuning with the stock Trainer."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import load_file, load_model
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    set_seed,
)

from stance import files
from stance.selection import Rows
from stance.training.data import NO_TARGET, encode_rows, encode_soft
from stance.training.encoders import Encoder
from stance.training.lesson import Lesson, Room, give_lesson
from stance.training.network import StanceNetwork, load_tagger
from stance.training.recipe import Recipe
from stance.training.teacher import Taught
from stance.training.weights import average_weights, blend_weights, copy_weights, keep_weights
from stance.types import LABELS

FINE_TUNING = "fine-tuning"
DISTILLED = "distilled.safetensors"
"""The whole network after the teacher's lesson, kept so that other fine-tunings can start there."""


def finetune(
    recipe: Recipe, encoder: Encoder, rows: Rows, taught: Taught | None, work: Path, room: Room
) -> tuple[StanceNetwork, Any, list[dict[str, Any]]]:
    """Train the network: on the teacher's probabilities if there are any, then on the labels.

    Args:
        recipe: what to do.
        encoder: the base encoder.
        rows: rows to train on and to validate on.
        taught: a teacher's probabilities, or None.
        work: folder for checkpoints and for the network as it is after the teacher's lesson.
        room: device, seed and progress bars.

    Returns:
        The network with the best validation macro-F1, its tokenizer, and the Trainer's log.
    """
    # The report that the head's weights are new is no news; bars belong on a terminal only.
    transformers.logging.set_verbosity_error()
    if not room.bars:
        transformers.logging.disable_progress_bar()
    set_seed(room.seed)  # before the heads are made, so that they start the same in every run
    tokenizer = AutoTokenizer.from_pretrained(encoder.folder, use_fast=True)
    max_tokens = recipe.encoder.max_tokens
    network = build_network(recipe, load_classifier(encoder, rows.labels), rows.labels)
    named = rows.labels == LABELS and load_tagger(network, encoder.folder)
    validation = encode_rows(rows.validation, tokenizer, max_tokens, rows.labels)
    history: list[dict[str, Any]] = []
    if taught is not None:
        kept = work / DISTILLED
        if not kept.is_file():
            lesson = Lesson(
                "distillation",
                encode_soft(taught.rows, tokenizer, max_tokens),
                {**recipe.training, **recipe.distillation},
                work / "distillation",
            )
            network, history = give_lesson(recipe, network, lesson, validation, tokenizer, room)
            keep_weights(network, kept)
        # A fresh network even now: what follows is the same whether it was distilled here or not.
        network = build_network(recipe, load_classifier(encoder, rows.labels), rows.labels)
        load_model(network, kept)
    lesson = Lesson(
        FINE_TUNING,
        encode_rows(rows.train, tokenizer, max_tokens, rows.labels, votes=recipe.trial.votes),
        recipe.training,
        work / "checkpoints",
    )
    network, labelled = give_orders(recipe, network, lesson, validation, tokenizer, room)
    if not named and all(set(row["span_targets"]) == {NO_TARGET} for row in lesson.rows):
        silence_tagger(network)
    if taught is not None and recipe.lesson_share:
        blend_weights(network, load_file(work / DISTILLED), recipe.lesson_share)
    return network, tokenizer, history + labelled


def give_orders(
    recipe: Recipe,
    network: StanceNetwork,
    lesson: Lesson,
    validation: list[dict[str, Any]],
    tokenizer: Any,
    room: Room,
) -> tuple[StanceNetwork, list[dict[str, Any]]]:
    """Give a lesson in several orders of its rows, each from the same start; average the weights.

    What each order ends with is kept beside the checkpoints, so that it is not given twice.
    """
    start, learned, history = copy_weights(network), [], []
    for order in range(1, recipe.orders + 1):
        kept = lesson.checkpoints.with_name(f"order-{order}.safetensors")
        told = kept.with_suffix(".json")
        if not kept.is_file():
            network.load_state_dict(start)
            reseeded = replace(room, seed=room.seed + order - 1)
            part = lesson.reorder(order)
            network, entries = give_lesson(recipe, network, part, validation, tokenizer, reseeded)
            files.write_json(told, entries)
            keep_weights(network, kept)
        load_model(network, kept)
        learned.append(copy_weights(network))
        history += json.loads(told.read_text(encoding="utf-8"))
    network.load_state_dict(average_weights(learned))
    return network, history


def silence_tagger(network: StanceNetwork) -> None:
    """Make a tagger that nobody taught name nobody: all its scores are those of "not named"."""
    for parameter in network.tagger.parameters():
        torch.nn.init.zeros_(parameter)


def load_classifier(encoder: Encoder, labels: tuple[str, ...]) -> PreTrainedModel:
    """Load the encoder with a head for the labels: its own where it was trained for them."""
    classifier: PreTrainedModel = AutoModelForSequenceClassification.from_pretrained(
        encoder.folder,
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
        dtype=torch.float32,
        use_safetensors=True,
        ignore_mismatched_sizes=True,
    )
    known = AutoConfig.from_pretrained(encoder.folder)
    trained = any("Classification" in name for name in known.architectures or ())
    if trained and tuple((known.id2label or {}).values()) != labels:
        fresh = AutoModelForSequenceClassification.from_config(classifier.config)
        for name, head in fresh.named_children():
            if name != classifier.base_model_prefix:
                setattr(classifier, name, head)
    return classifier


def build_network(
    recipe: Recipe, classifier: PreTrainedModel, labels: tuple[str, ...]
) -> StanceNetwork:
    """Put the tagger beside the classifier, with the recipe's loss."""
    weights = recipe.loss.label_weights
    return StanceNetwork(
        classifier,
        label_weights=tuple(weights.get(label, 1.0) for label in labels) if weights else None,
        label_smoothing=recipe.loss.label_smoothing,
        span_weight=recipe.loss.span_weight,
        focal=recipe.trial.focal,
    )
