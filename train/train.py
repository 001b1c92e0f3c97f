"""Train a model: the same code as ``stance train``, for ``python`` and ``torchrun``.

python train/train.py --recipe train/recipes/small.toml --out runs/small
torchrun --nproc-per-node 2 train/train.py --recipe train/recipes/small.toml --out runs/small
"""

import sys

from stance.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
