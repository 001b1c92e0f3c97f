"""``stance train``: a recipe in, a model folder out."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "train",
        help="train a model by a recipe",
        description="Fine-tune, calibrate and export a model. An interrupted run goes on where "
        "it stopped when it is started again with the same --out. With STANCE_CORPORA set, the "
        "recipe's label layers are trained on too.",
        epilog="examples: stance train --recipe train/recipes/small.toml --out runs/small   "
        "torchrun --nproc-per-node 2 train/train.py --recipe ... --out ...",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--recipe", required=True, type=Path, help="recipe file (TOML)")
    parser.add_argument("--out", required=True, type=Path, help="model folder to write")
    parser.add_argument(
        "--data", type=Path, help="your own rows instead of the recipe's: CSV or JSON lines "
        "with text and label"
    )  # fmt: skip
    parser.add_argument("--data-dir", type=Path, default="data", help="the repository's data")
    parser.add_argument("--leave-out", metavar="ARTICLE", help="train without this article")
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to train"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of everything random")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train."""
    from stance.training.run import TrainOptions, train

    bundle = train(
        TrainOptions(
            recipe=options.recipe,
            out=options.out,
            own=options.data,
            data=options.data_dir,
            leave_out=options.leave_out,
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
