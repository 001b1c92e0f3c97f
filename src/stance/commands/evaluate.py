"""``stance evaluate``: figures with intervals, beside baselines."""

import argparse
import logging
import sys
from pathlib import Path
from typing import Any

from stance.errors import InputError
from stance.layers import find_corpora
from stance.sets import NEED_CORPORA, find_data, read_labels

log = logging.getLogger(__name__)


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "evaluate",
        help="measure a model on the data sets",
        description="Judge data sets with a model and with baselines trained on the same rows. "
        "Writes results.json, and per-row predictions in the folder results/ beside it. realnews "
        "and layers need STANCE_CORPORA. articles are judged by five models that each left one "
        "article out; those missing in --folds are trained first (minutes each).",
        epilog="example: stance evaluate --sets realnews,written --out runs/results.json",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--model", help="model folder (default: the released model)")
    parser.add_argument(
        "--sets", help="sets, separated by commas, of realnews, articles, layers, written "
        "(default: those at hand, without articles)"
    )  # fmt: skip
    parser.add_argument("--out", required=True, type=Path, help="results.json to write")
    parser.add_argument("--data-dir", type=Path, default="data", help="the repository's data")
    parser.add_argument(
        "--folds", type=Path, default="runs/folds", help="folder of the five fold models"
    )
    parser.add_argument(
        "--recipe", type=Path, default="train/recipes/small.toml", help="recipe of fold models"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Evaluate, write and print."""
    import sklearn  # noqa: F401 - the baselines need it: better said now than after minutes

    from stance.evaluation.run import Place, check_sets, evaluate, write_results
    from stance.evaluation.table import format_results
    from stance.model import load

    if options.out.is_dir():
        raise InputError(
            f"--out {options.out}", expected="a file", found="a directory", remedy="Add a name."
        )
    options.out.parent.mkdir(parents=True, exist_ok=True)  # fails now rather than at the end
    place = Place(find_data(options.data_dir), find_corpora(), options.folds)
    names = choose_sets(options.sets, has_corpora=place.corpora is not None)
    check_sets(names, has_corpora=place.corpora is not None)
    model = load(options.model, device=options.device)
    if "articles" in names:
        train_folds(options)
    results = write_results(options.out, model, evaluate(model, names, place))
    sys.stdout.write(format_results(results))
    return 0


def choose_sets(named: str | None, *, has_corpora: bool) -> list[str]:
    """Return the sets to evaluate."""
    if named is not None:
        return [name.strip() for name in named.split(",")]
    names = ["realnews", "layers", "written"]
    return [name for name in names if has_corpora or name not in NEED_CORPORA]


def train_folds(options: argparse.Namespace) -> None:
    """Train the fold models that are missing, one for each article."""
    rows = read_labels(options.data_dir, "articles", "train")
    documents = sorted({row.document for row in rows})
    alike = [Path(options.model or ""), *(options.folds / document for document in documents)]
    for document in documents:
        out = options.folds / document
        if (out / "stance.json").is_file():
            continue
        from stance.commands.train import wants_bars
        from stance.training.run import TrainOptions, has_distilled, train

        log.info("fold without %s: training", document)
        train(
            TrainOptions(
                options.recipe,
                out,
                data=options.data_dir,
                leave_out=document,
                distilled=next((folder for folder in alike if has_distilled(folder)), None),
                device=options.device,
                bars=wants_bars(),
            )
        )
