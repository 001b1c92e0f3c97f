"""Add the first stage of a cascade to a trained model folder, for ``stance score --fast``.

Usage: STANCE_CORPORA=DIR python train/cascade.py MODEL [--data-dir data] [--teacher data]

Trains it from the teacher's probabilities (``data/teacher``, made by ``train/teach.py``), chooses
the threshold on real-news validation rows and verifies it on test rows (two minutes on two cores).
Writes cascade.safetensors into the folder and its entry into stance.json: the model's hash changes,
so run it before ``stance evaluate``.
"""

import argparse
import sys
from pathlib import Path

from stance.bundle import CASCADE
from stance.commands.train import wants_bars
from stance.errors import InputError, StanceError
from stance.layers import find_corpora
from stance.model import load
from stance.sets import find_data, read_set
from stance.training.cascade import add_cascade, train_first_stage
from stance.training.teacher import read_teacher


def main() -> int:
    """Train, verify, write, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--teacher", type=Path, help="folder that holds teacher/ (default: data)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    try:
        corpora = find_corpora()
        if corpora is None:
            raise InputError("STANCE_CORPORA", expected="the folder of the corpora's texts",
                             found="no such variable", remedy="See data/README.md.")  # fmt: skip
        data = find_data(options.data_dir)
        model = load(options.model, device="cpu")
        rows = read_teacher(options.teacher or data, corpora).rows
        validation, test = (
            read_set(data, "realnews", split, corpora).rows for split in ("validation", "test")
        )
        network = train_first_stage(model, rows, seed=options.seed, bars=wants_bars())
        bundle = add_cascade(model, network, validation, test)
    except StanceError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    facts = bundle.settings.cascade
    assert facts is not None
    size = (bundle.folder / CASCADE).stat().st_size / 1e6
    print(f"{CASCADE}: {size:.1f} MB, trained on {len(rows):,} sentences")
    print(f"passes on {facts.recall:.2%} [{facts.low:.2%}, {facts.high:.2%}] of the {facts.n} test "
          f"rows with a stance, {facts.passed:.1%} of all real-news sentences")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
