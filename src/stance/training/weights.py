"""Weights of several trainings in one network."""

import os
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_model

Weights = dict[str, torch.Tensor]


def copy_weights(network: torch.nn.Module) -> Weights:
    """Return a copy of a network's weights, by name."""
    return {name: weight.clone() for name, weight in network.state_dict().items()}


def keep_weights(network: torch.nn.Module, path: Path) -> None:
    """Write a network's weights; a file of that name is a whole one, whoever else writes it."""
    part = path.with_suffix(f".part-{os.getpid()}")
    save_model(network, str(part))
    part.replace(path)


def average_weights(parts: Sequence[Weights]) -> Weights:
    """Return the mean of networks that started alike, weight by weight; of one, itself.

    The average of fine-tunings from one start is often better than each of them, and as fast as one
    (model soups: Wortsman et al. 2022).
    """
    if len(parts) == 1:
        return parts[0]
    return {
        name: torch.stack([part[name] for part in parts]).mean(dim=0)
        if weight.is_floating_point()
        else weight
        for name, weight in parts[0].items()
    }


def blend_weights(network: torch.nn.Module, before: Weights, share: float) -> None:
    """Move the classifier toward what it was before the labels, weight by weight.

    On other news than the labels' the average of both is better than either (WiSE-FT: Wortsman et
    al. 2022, Robust fine-tuning of zero-shot models).

    Args:
        network: the network after the labels.
        before: its weights before, by name.
        share: share of those before in the average, 0 to 1.
    """
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if not name.startswith("tagger."):  # it was not taught anything before
                weight.lerp_(before[name], share)
