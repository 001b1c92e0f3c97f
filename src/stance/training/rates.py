"""Learning rates layer by layer: the lower a layer, the slower it changes."""

import re
from collections import defaultdict

from torch import nn
from torch.optim import Optimizer

LAYER = re.compile(r"\.layers?\.(\d+)\.")


def slow_lower_layers(optimizer: Optimizer, network: nn.Module, decay: float) -> None:
    """Give each layer its own learning rate, before the first step.

    Heads keep the optimizer's rate; the last layer learns at ``decay`` times it, each layer below
    at ``decay`` times the rate of the one above, the embeddings slowest.

    Args:
        optimizer: an optimizer over all parameters; its groups are divided further.
        network: the network whose parameters it holds.
        decay: the factor, above 0 to 1.
    """
    found = {name: LAYER.search(name) for name, _ in network.named_parameters()}
    top = 2 + max((int(match[1]) for match in found.values() if match), default=-1)
    depths = {}
    for name, parameter in network.named_parameters():
        match = found[name]
        lowest = 0 if "embeddings" in name else top
        depths[parameter] = 1 + int(match[1]) if match else lowest
    groups = list(optimizer.param_groups)
    optimizer.param_groups.clear()
    for group in groups:
        by_depth = defaultdict(list)
        for parameter in group["params"]:
            by_depth[depths[parameter]].append(parameter)
        for depth, parameters in sorted(by_depth.items()):
            rate = group["lr"] * decay ** (top - depth)
            optimizer.add_param_group({**group, "params": parameters, "lr": rate})
