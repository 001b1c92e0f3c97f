"""``stance evaluate``: figures with intervals, beside baselines."""

import argparse
import logging
import sys
from pathlib import Path
from typing import Any

from stance.commands.train import wants_bars
from stance.errors import InputError
from stance.layers import find_corpora
from stance.sets import NEED_CORPORA, find_data

log = logging.getLogger(__name__)

DESCRIPTION = """\
Judge data sets with a model or any scorer, and with baselines trained on the same rows.
Writes results.json, and one file of per-row predictions a set in the folder results/
beside it; stance report makes a page of it.
"""
EPILOG = """\
sets:
  realnews, layers   labelled news and public corpora (need STANCE_CORPORA)
  articles           the five articles, each judged by a model that has not seen it
  written, probes    written statements; pairs whose label should change, or should not
  semeval2016_taska, gwsd, plover_plv
                     public benchmarks (need STANCE_CORPORA): the recipe's encoder is fine-tuned
                     on their training rows and judges their test rows
your own file (--data), columns beside text and label, all optional:
  id                 what a row is known by, so that runs are compared on the rows of both though
                     the file was sorted or has grown; else it is the number of its line
  document           rows of one document are drawn together; else each row is its own
  weight             how many rows of your corpus a row stands for, above 0: adds weighted figures
  holder_start, holder_end, source_start, source_end
                     spans, in characters from 0, the end not included; empty where there is none;
                     in JSON lines also "holder": {"start": 0, "end": 4}
  outlet, date, conflict
                     measured apart

A scorer is asked 32 statements at a time; its answers are kept in the folder of predictions, and
the same command goes on from them where it was stopped, until the predictions are written.

A model that was trained on no article judges them itself; for one that was, models that leave one
out do, trained by --recipe. These and those of benchmarks are looked for in --folds and trained
where they are missing (minutes to an hour each).

examples:
  stance evaluate --sets realnews,probes --out runs/results.json
  stance evaluate --data mine.csv --out runs/mine.json
  stance evaluate --scorer examples.score_with_llm:score --sets written --out runs/llm.json
  stance evaluate --model runs/new --out runs/new.json --against runs/results.json
  stance evaluate --data mine.csv --out runs/mine.json --against runs/mine.json --fail-if-worse
"""


def add_parser(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "evaluate",
        help="measure a model, or any scorer, on the data sets or on your own",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_judges(parser)
    add_data(parser)
    parser.add_argument("--out", required=True, type=Path, help="results.json to write")
    parser.add_argument(
        "--against", type=Path, metavar="OTHER", help="another run's results.json or its folder "
        "of predictions: adds the paired differences. It is read first, so that --out may take "
        "its place"
    )  # fmt: skip
    parser.add_argument(
        "--fail-if-worse", action="store_true", help="with --against: exit with 1 when the "
        "interval of the difference in macro-F1 lies below zero, on any set"
    )  # fmt: skip
    parser.add_argument(
        "--baselines", help="baselines, separated by commas, of majority, keywords, holders, "
        "tfidf_svm, embedding_lr, zero_shot, setfit; 'none' for none (default: all that can be "
        "made but setfit, which takes minutes)"
    )  # fmt: skip
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda (default: auto)")
    parser.set_defaults(run=run)


def add_judges(parser: argparse.ArgumentParser) -> None:
    """Add the options that say who is judged."""
    judged = parser.add_mutually_exclusive_group()
    judged.add_argument("--model", help="model folder (default: the released model)")
    judged.add_argument(
        "--scorer", metavar="MODULE:FUNCTION", help="any function: a list of texts in, for each "
        "four probabilities in the order favor, conditional, against, neutral out"
    )  # fmt: skip
    judged.add_argument(
        "--predictions", type=Path, metavar="DIR",
        help="folder of per-row predictions of an earlier run: compute its figures again, "
        "without a model; with --data where they are of your own file"
    )  # fmt: skip


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the options that say on what."""
    parser.add_argument(
        "--sets", help="sets, separated by commas (default: realnews, layers, written and probes, "
        "those of them that are at hand; none with --data; with --predictions all in its folder)"
    )  # fmt: skip
    parser.add_argument(
        "--data", type=Path, metavar="FILE", help="your own labelled file, CSV or JSON lines: "
        "text, label, and more where you have it (see below); its statements are kept beside "
        "their predictions"
    )  # fmt: skip
    parser.add_argument(
        "--data-dir", type=Path, default=Path("data"), help="the repository's data (default: data)"
    )
    parser.add_argument(
        "--folds", type=Path, default=Path("runs/folds"),
        help="folder of the models that articles and benchmarks need (default: runs/folds)"
    )  # fmt: skip
    parser.add_argument(
        "--recipe", type=Path, default=Path("train/recipes/small.toml"),
        help="recipe of these models (default: train/recipes/small.toml)"
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Evaluate, write and print."""
    import sklearn  # noqa: F401 - the baselines need it: better said now than after minutes

    from stance.evaluation.against import check_rows, compare_sets, find_worse, read_other
    from stance.evaluation.answers import find_file
    from stance.evaluation.place import Place
    from stance.evaluation.results import write_results
    from stance.evaluation.run import OWN, check_known, check_sets
    from stance.evaluation.table import format_results

    check_out(options.out)
    if options.data:
        spare_own(options.data, options.out)
    if options.fail_if_worse and not options.against:
        raise InputError("--fail-if-worse", expected="--against OTHER", found="none",
                         remedy="Name the run to compare with.")  # fmt: skip
    names = choose_sets(options)
    if options.scorer is not None:
        refuse_benchmarks(options.scorer, names)
    check_known(names)  # before the data folder, which an unknown set does not need
    in_clone = (options.data_dir / "articles.jsonl").is_file()
    data = find_data(options.data_dir) if names or in_clone else None
    place = Place(data, find_corpora(), options.folds, options.recipe, options.device, wants_bars())
    if names or not (options.data or options.predictions):
        with_labels_alone = options.predictions is not None
        check_sets(names, has_corpora=with_labels_alone or place.corpora is not None)
    options.out.parent.mkdir(parents=True, exist_ok=True)  # fails now rather than at the end
    shared = (*names, *([OWN] if options.data else []))
    other = read_other(options.against, shared) if options.against else None
    read = check_rows(other, place, options.data) if other and not options.predictions else {}
    judge, judged = judge_sets(options, names, place, read)
    compared = compare_sets(judged, other) if other else {}
    results = write_results(options.out, judge, judged, compared)
    if options.scorer is not None:
        find_file(options.out.with_suffix(""), judge["sha256"]).unlink(missing_ok=True)
    sys.stdout.write(format_results(results))
    return int(options.fail_if_worse and bool(find_worse(compared)))


def check_out(out: Path) -> None:
    """Raise unless results and, in the folder of their name, predictions can be written.

    Raises:
        InputError: the name is another one, or a folder's, or the folder's name is a file's.
    """
    folder = out.with_suffix("")
    if out.suffix != ".json" or out.is_dir():
        expected, found = "the name of a .json file", "a directory" if out.is_dir() else "another"
    elif folder.exists() and not folder.is_dir():
        expected, found = f"'{folder}' to be a folder, or nothing yet", "a file of that name"
    else:
        return
    raise InputError(
        f"--out {out}",
        expected=expected,
        found=found,
        remedy="Per-row predictions go into the folder of that name without .json.",
    )


def spare_own(own: Path, out: Path) -> None:
    """Raise if results or predictions would take the place of the user's own file.

    Raises:
        InputError: the file is one that the run writes.
    """
    if own.resolve() == out.resolve() or out.with_suffix("").resolve() in own.resolve().parents:
        raise InputError(
            f"--out {out}",
            expected=f"a name whose results and predictions leave {own} alone",
            found=f"predictions in {out.with_suffix('')}, where that file lies",
            remedy="Name another --out.",
        )


def judge_sets(
    options: argparse.Namespace, names: list[str], place: Any, read: dict[str, Any]
) -> tuple[Any, Any]:
    """Return who was judged, as ``results.json`` names it, and the judged sets.

    Args:
        options: of the command.
        names: the sets.
        place: where data and models are.
        read: rows that were read already, by set.
    """
    from stance.evaluation.baselines import check_baselines
    from stance.evaluation.folds import train_missing
    from stance.evaluation.judges import judge_by_model, judge_by_scorer
    from stance.evaluation.run import evaluate, read_judged
    from stance.model import load

    if options.predictions:
        judged = read_judged(
            options.predictions, names, place.data, own=options.data, corpora=place.corpora
        )
        return name_predictions(options.predictions, judged), judged
    baselines = None
    if options.baselines is not None:
        baselines = [name for name in split_names(options.baselines) if name != "none"]
        check_baselines(baselines)
    if options.scorer is not None:
        judge = judge_by_scorer(options.scorer, options.out.with_suffix(""))
    else:
        model = load(options.model, device=options.device)
        model.check_stances("stance evaluate")
        judge = judge_by_model(model)
    train_missing(names, place, for_articles=judge.needs_folds)
    judged = evaluate(judge, names, place, own=options.data, baselines=baselines, read=read)
    return {"name": judge.name, "sha256": judge.sha256}, judged


def refuse_benchmarks(scorer: str, names: list[str]) -> None:
    """Raise if a scorer is to be judged on a benchmark.

    Raises:
        InputError: a benchmark is among the sets; its labels are not ours, so the recipe is
            fine-tuned on it, and what a scorer says of stances is no answer.
    """
    from stance.evaluation.benchmarks import list_benchmarks

    found = [name for name in names if name in list_benchmarks()]
    if found:
        raise InputError(
            f"--scorer {scorer}",
            expected="sets labelled with the four stances",
            found=", ".join(found),
            remedy="Leave these sets out: models are fine-tuned for them by --recipe.",
        )


def choose_sets(options: argparse.Namespace) -> list[str]:
    """Return the sets to evaluate."""
    if options.sets is not None:
        return split_names(options.sets)
    if options.predictions:
        return find_sets(options.predictions, options.data)
    if options.data:
        return []
    names = ["realnews", "layers", "written", "probes"]
    return [name for name in names if find_corpora() or name not in NEED_CORPORA]


def find_sets(folder: Path, own: Path | None) -> list[str]:
    """Return the sets of a folder of predictions whose rows are at hand, the user's own apart."""
    from stance.evaluation.benchmarks import list_benchmarks
    from stance.evaluation.earlier import find_earlier
    from stance.evaluation.run import OWN

    files = find_earlier(folder).files
    if OWN in files and not own:
        log.warning("%s: left out: name the file with --data", files[OWN])
    ours = ("realnews", "layers", "written", "probes", "articles")
    found: list[str] = [name for name in ours if name in files]
    for name in list_benchmarks():
        if name in files and find_corpora():
            found.append(name)
        elif name in files:
            log.warning("%s: left out: its rows need STANCE_CORPORA", files[name])
    return found


def split_names(text: str) -> list[str]:
    """Return the names in a list separated by commas, each once."""
    return list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def name_predictions(folder: Path, judged: Any) -> dict[str, str | None]:
    """Return who made the predictions, from the results.json beside them where there is one."""
    from stance.evaluation.earlier import find_earlier

    if model := find_earlier(folder).model:
        return model
    parts = [part for part in judged.values() if part.judge is None]
    models = {record.model for part in parts for record in part.records}
    return {"name": folder.name, "sha256": models.pop() if len(models) == 1 else None}
