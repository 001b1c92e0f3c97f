"""``stance train``: a recipe in, a model folder out."""

import argparse
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from stance.errors import MissingExtraError

NEEDED = (
    "torch", "transformers", "accelerate", "datasets", "evaluate", "onnx", "onnxscript", "scipy",
    "safetensors", "matplotlib",
)  # fmt: skip
MAX_SEED = 2**32


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "train",
        help="train a model by a recipe",
        description="Fine-tune, calibrate and export a model. An interrupted run goes on where "
        "it stopped when it is started again with the same --out. With STANCE_CORPORA set, the "
        "recipe's label layers are trained on too.",
        epilog="examples: stance train --data mine.csv --out runs/mine   "
        "stance train --recipe train/recipes/small.toml --out runs/small   "
        "torchrun --nproc-per-node 2 train/train.py --recipe ... --out ...",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--recipe", type=Path, help="recipe file (TOML); with --data it may be left out"
    )  # fmt: skip
    parser.add_argument("--out", required=True, type=Path, help="model folder to write")
    parser.add_argument(
        "--data", type=Path, help="your own rows instead of the recipe's: CSV or JSON lines "
        "with text and label, any labels you like; a tenth of each label is held out to validate "
        "and calibrate, rows of one text, or of one document where there is a column of that "
        "name, all on one side"
    )  # fmt: skip
    parser.add_argument(
        "--validation", type=Path, metavar="FILE", help="with --data: rows to validate and "
        "calibrate on, instead of that tenth"
    )  # fmt: skip
    parser.add_argument("--data-dir", type=Path, default="data", help="the repository's data")
    parser.add_argument("--leave-out", metavar="ARTICLE", help="train without this article")
    parser.add_argument(
        "--encoder", type=Path, metavar="FOLDER", help="where the recipe's base encoder lies "
        "(its weights must have the recipe's sha256); without a recipe what to start from: a "
        "model folder or any encoder (default: the released model)"
    )  # fmt: skip
    parser.add_argument(
        "--distilled", type=Path, metavar="FOLDER", help="take the network as it was after the "
        "teacher's lesson from this model folder of the same recipe"
    )  # fmt: skip
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to train"
    )
    parser.add_argument(
        "--seed", type=parse_seed, default=1, metavar="N",
        help="seed of everything random"
    )  # fmt: skip
    parser.set_defaults(run=run)


def parse_seed(text: str) -> int:
    """Return a seed that every random generator takes."""
    if not text.isdecimal() or int(text) >= MAX_SEED:
        raise argparse.ArgumentTypeError(f"expected 0 to {MAX_SEED - 1}, found {text}")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Train."""
    for package in NEEDED:  # some are first used after the training: better said now
        if find_spec(package) is None:
            raise MissingExtraError("stance train", "train", package)
    from stance.training.run import TrainOptions, train

    bundle = train(
        TrainOptions(
            recipe=options.recipe,
            out=options.out,
            own=options.data,
            validation=options.validation,
            data=options.data_dir,
            leave_out=options.leave_out,
            encoder=options.encoder,
            distilled=options.distilled,
            device=options.device,
            seed=options.seed,
            bars=wants_bars(),
        )
    )
    if bundle:
        sys.stdout.write(f"{bundle.folder} {bundle.sha256}\n")
    return 0


def wants_bars() -> bool:
    """Say whether to show progress bars: on a terminal, unless STANCE_PROGRESS is 0."""
    return sys.stderr.isatty() and os.environ.get("STANCE_PROGRESS") != "0"
