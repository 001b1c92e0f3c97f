"""What the commands that read articles share: their options, and the model with its table."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stance.model import Model


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how articles are read."""
    parser.add_argument("--model", help="model folder or Hub name (default: the released model)")
    parser.add_argument("--revision", help="commit, where --model names a Hub repository")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    parser.add_argument(
        "--actors", help="TOML file that adds states and organisations to the table of actors"
    )  # fmt: skip


def load_reader(options: argparse.Namespace, command: str) -> "Model":
    """Return the model.

    Raises:
        InputError: the table of actors or the model is faulty, or the model has other labels.
    """
    from stance.actors import read_table
    from stance.model import load

    read_table(options.actors)  # a fault in it is better said before the model is loaded
    model = load(options.model, revision=options.revision, device=options.device)
    model.check_stances(command)
    return model
