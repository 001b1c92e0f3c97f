"""Add the first stage of a cascade to a trained model folder, for ``stance score --fast``.

Usage: STANCE_CORPORA=DIR python train/cascade.py MODEL [--data-dir data] [--seed 1]

Trains it from the teacher's probabilities (``data/teacher``, made by ``train/teach.py``), chooses
the threshold on real-news validation rows and verifies it on test rows; it is trained on neither
(some minutes on two cores). Writes cascade.safetensors into the folder, and into stance.json what
was verified, with the checksums. The model's hash changes, so run it before ``stance evaluate``;
run it again after ``train/requantize.py``.
"""

from pathlib import Path

from calling import make_parser, need_corpora, run_script
from stance.bundle import CASCADE, Bundle
from stance.commands.train import wants_bars
from stance.model import load
from stance.rows import Row
from stance.sets import find_data, read_usable
from stance.training.cascade import GOAL, add_cascade, find_shared, train_first_stage
from stance.training.teacher import read_teacher


def main() -> None:
    """Train, verify, write, print."""
    parser = make_parser(__doc__)
    parser.add_argument("model", type=Path, help="model folder, changed in its place")
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--seed", type=int, default=1, help="of everything random (default: 1)")
    options = parser.parse_args()
    corpora, data = need_corpora(), find_data(options.data_dir)
    model = load(options.model, device="cpu")
    model.check_stances("a cascade")
    rows = read_teacher(data, corpora).rows
    validation, test = (
        read_usable("realnews", split, data, corpora).rows for split in ("validation", "test")
    )
    held_out = find_shared(rows, [*validation, *test])
    rows = [row for row in rows if row.text not in held_out]
    network = train_first_stage(model, rows, seed=options.seed, bars=wants_bars())
    report(add_cascade(model, network, validation, test), len(rows), test)


def report(bundle: Bundle, trained: int, test: list[Row]) -> None:
    """Print what was added and what it keeps."""
    facts = bundle.settings.cascade
    assert facts is not None
    size = (bundle.folder / CASCADE).stat().st_size / 1e6
    print(f"{bundle.folder / CASCADE}: {size:.1f} MB, trained on {trained:,} sentences, "
          f"threshold {facts.threshold:.4f}")  # fmt: skip
    print(f"on {len(test):,} real-news test rows: passes on {facts.recall:.2%} "
          f"[{facts.low:.2%}, {facts.high:.2%}] of the {facts.n:,} that the model gives a stance, "
          f"{facts.passed:.1%} of all sentences")  # fmt: skip
    if gold := facts.gold:
        print(f"and on {gold.recall:.2%} [{gold.low:.2%}, {gold.high:.2%}] of the {gold.n:,} that "
              "are labelled with one; intervals by document")  # fmt: skip
    if facts.recall < GOAL:
        print(f"that is less than the {GOAL:.0%} that --fast is meant to keep")


if __name__ == "__main__":
    run_script(main)
