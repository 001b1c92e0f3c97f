"""From a recipe to a checked model folder: the whole of ``stance train``."""

import json
import logging
import os
import shutil
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from stance import files
from stance.bundle import SETTINGS, Bundle, read_bundle
from stance.errors import InputError
from stance.layers import find_corpora
from stance.model import find_folder
from stance.outputs import lock
from stance.selection import Rows, Source, select_rows
from stance.sets import find_data
from stance.training.context import add_context
from stance.training.encoders import Encoder, find_longest, resolve_encoder
from stance.training.export import export_folder
from stance.training.finetune import DISTILLED, finetune
from stance.training.folder import finish_folder
from stance.training.lesson import Room
from stance.training.misspell import add_misspelled
from stance.training.own import read_own
from stance.training.plot import plot_history
from stance.training.recipe import Recipe, read_recipe
from stance.training.teacher import Taught, read_teacher, thin
from stance.types import LABELS

WORK = "training"  # folder for checkpoints, log and plot beside the model's files
OWN_RECIPE = Path(__file__).with_name("own.toml")
NOTE = "run.json"  # in that folder: what is trained there

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainOptions:
    """What ``stance train`` was asked for.

    Attributes:
        recipe: the recipe file; None for that of own rows.
        out: the model folder to write; an interrupted run there is gone on with.
        own: a user's own labelled file instead of the recipe's sets, or None.
        validation: a second such file to validate on instead of a tenth of the first, or None.
        rows: rows instead of the recipe's sets, or None.
        data: the repository's data folder.
        leave_out: an article that must not be trained on, or None.
        encoder: folder in which the recipe's base encoder lies, or None to look for it; without
            a recipe a model folder, or any encoder, to start from, or None for the released model.
        distilled: model folder of the same recipe whose distilled network is taken, or None.
        device: ``auto``, ``cpu`` or ``cuda``.
        seed: seed of everything random.
        bars: whether to show progress bars.
    """

    recipe: Path | None
    out: Path
    own: Path | None = None
    validation: Path | None = None
    rows: Rows | None = None
    data: Path = Path("data")
    leave_out: str | None = None
    encoder: Path | None = None
    distilled: Path | None = None
    device: str = "auto"
    seed: int = 1
    bars: bool = False


def train(options: TrainOptions) -> Bundle | None:
    """Train, calibrate and write a model folder.

    Returns:
        The folder, or None in the helper processes of a distributed run.

    Raises:
        InputError: recipe, rows or encoder are wrong, or ``out`` holds another run or is at work.
    """
    recipe, encoder = choose_start(options)
    rows = gather_rows(options, recipe)
    check_labels(recipe, rows)
    taught = gather_taught(options, recipe, rows, encoder)
    work = claim_folder(options, recipe, encoder, rows)
    if (options.out / SETTINGS).is_file():  # written last
        log.info("%s: finished before", options.out)
        return read_bundle(options.out)
    with lock(work) if is_first() else nullcontext():
        return make_folder(options, recipe, encoder, rows, taught, work)


def is_first() -> bool:
    """Say whether this process writes: all do but the helpers of a distributed run."""
    return int(os.environ.get("RANK", "0")) == 0


def make_folder(
    options: TrainOptions, recipe: Recipe, encoder: Encoder, rows: Rows, taught: Taught | None,
    work: Path,
) -> Bundle | None:  # fmt: skip
    """Train in the work folder and write the model folder around it."""
    if options.distilled:
        take_distilled(options.distilled, work)
    log.info("encoder: %s, from %s, sha256 %s", encoder.name, encoder.origin, encoder.sha256[:12])
    log.info("rows: %d to train on, %d to validate on", len(rows.train), len(rows.validation))
    network, tokenizer, history = finetune(
        recipe, encoder, rows, taught, work, Room(options.device, options.seed, options.bars)
    )
    if not is_first():
        return None
    files.write_json(work / "history.json", history)
    last = [entry for entry in history if entry["lesson"] == history[-1]["lesson"]]
    plot_history(last, work / "history.png")
    texts = [row.text for row in rows.validation]
    export_folder(network, tokenizer, options.out, recipe.encoder.max_tokens, texts)
    bundle = finish_folder(options.out, recipe, encoder, rows)
    for folder in (work / "distillation", *work.glob("checkpoints*")):
        shutil.rmtree(folder, ignore_errors=True)
    for path in work.glob("order-*"):
        path.unlink()
    return bundle


def choose_start(options: TrainOptions) -> tuple[Recipe, Encoder]:
    """Return the recipe and the encoder: without a recipe, those of a user's own rows."""
    recipe = read_recipe(options.recipe or OWN_RECIPE)
    if options.own:  # the sets of the repository are not read: none is recorded
        recipe = replace(recipe, data=replace(recipe.data, train=(), validation=()))
    if options.recipe:
        return recipe, resolve_encoder(recipe.encoder, options.encoder)
    if not options.own:
        raise InputError("call", expected="--recipe, or --data with your own rows",
                         found="neither", remedy="Name one of them.")  # fmt: skip
    folder = options.encoder or find_folder(None, None)
    longest = find_longest(folder, recipe.encoder.max_tokens)
    recipe = replace(
        recipe, encoder=replace(recipe.encoder, name=folder.name, max_tokens=longest)
    )  # fmt: skip
    return recipe, resolve_encoder(recipe.encoder, folder)


def check_labels(recipe: Recipe, rows: Rows) -> None:
    """Raise when a recipe that is about the four stances meets rows with other labels."""
    stances = bool(recipe.loss.label_weights or recipe.distillation)
    if rows.labels != LABELS and stances:
        raise InputError(
            f"recipe {recipe.name}", expected="no label_weights and no distillation for labels "
            "that are no stances", found=", ".join(rows.labels), remedy="Leave out --recipe.",
        )  # fmt: skip


def gather_rows(options: TrainOptions, recipe: Recipe) -> Rows:
    """Return the rows that the options and the recipe name."""
    if options.own and options.leave_out:
        raise InputError(
            "call", expected="--data or --leave-out", found="both", remedy="Leave one out."
        )
    if options.validation and not options.own:
        raise InputError("call", expected="--data beside --validation", found="--validation alone",
                         remedy="Name the rows to train on.")  # fmt: skip
    if options.leave_out and "articles" not in recipe.data.train:
        raise InputError(
            f"--leave-out {options.leave_out}", expected="a recipe that trains on articles",
            found="train = " + ", ".join(recipe.data.train), remedy="Drop --leave-out.",
        )  # fmt: skip
    if options.distilled and (options.own or not recipe.distillation or find_corpora() is None):
        raise InputError(
            f"--distilled {options.distilled}",
            expected="a recipe with [distillation], its own rows and STANCE_CORPORA set",
            found="a training without a teacher's lesson", remedy="Drop --distilled.",
        )  # fmt: skip
    if options.rows:
        return options.rows
    if options.own:
        return read_own(options.own, options.validation)
    source = Source(find_data(options.data), find_corpora(), recipe.data.release, options.leave_out)
    rows = select_rows(source, train=recipe.data.train, validation=recipe.data.validation)
    if recipe.trial.context:
        rows = replace(rows, train=add_context(rows.train, source.corpora),
                       validation=add_context(rows.validation, source.corpora))  # fmt: skip
    return replace(rows, train=add_misspelled(rows.train, recipe.data.misspelled))


def gather_taught(
    options: TrainOptions, recipe: Recipe, rows: Rows, encoder: Encoder
) -> Taught | None:
    """Return the teacher's rows if the recipe has a distillation and the corpora are at hand."""
    if not recipe.distillation:
        return None
    corpora = find_corpora()
    if corpora is None:
        log.warning("STANCE_CORPORA is not set: training without distillation")
        return None
    taught = read_teacher(find_data(options.data), corpora, encoder.folder)
    rows.hashes["teacher"] = taught.sha256
    return replace(taught, rows=thin(taught.rows))


def has_distilled(folder: Path) -> bool:
    """Say whether a model folder has kept its distilled network."""
    return (folder / WORK / DISTILLED).is_file()


def take_distilled(folder: Path, work: Path) -> None:
    """Copy the distilled network of another run that differs in the article left out alone.

    Raises:
        InputError: the other run has none, or differs in more.
    """
    source, note = folder / WORK / DISTILLED, folder / WORK / NOTE
    found = json.loads(note.read_text(encoding="utf-8")) if note.is_file() else {}
    wanted = json.loads((work / NOTE).read_text(encoding="utf-8"))
    keys = ("recipe", "encoder", "seed")
    same = all(found.get(key) == wanted[key] for key in keys)
    if not (source.is_file() and same and found["data"]["teacher"] == wanted["data"]["teacher"]):
        raise InputError(
            f"--distilled {folder}",
            expected=f"one of the same recipe, encoder, teacher and seed, with {DISTILLED}",
            found="none" if not source.is_file() else "one of another run",
            remedy="Leave the option out; the distillation is done again then.",
        )
    if not (work / DISTILLED).is_file():
        shutil.copyfile(source, work / DISTILLED)


def claim_folder(options: TrainOptions, recipe: Recipe, encoder: Encoder, rows: Rows) -> Path:
    """Return the work folder; note there what is trained, and refuse to go on with another run.

    The helpers of a distributed run neither look nor write: the first process may be at it.
    """
    if not is_first():
        return options.out / WORK
    if options.out.exists() and not options.out.is_dir():
        raise InputError(
            f"--out {options.out}", expected="a folder", found="a file", remedy="Name another."
        )
    work = options.out / WORK
    if options.out.is_dir() and any(options.out.iterdir()) and not (work / NOTE).is_file():
        raise InputError(
            f"--out {options.out}",
            expected="a new folder, an empty one, or that of an interrupted run",
            found="a folder with other files",
            remedy="Name another.",
        )
    identity = json.loads(
        json.dumps(
            {"recipe": recipe.to_dict(), "data": rows.hashes, "left_out": rows.left_out,
             "encoder": encoder.sha256, "seed": options.seed}
        )
    )  # fmt: skip
    note = work / NOTE
    if note.is_file() and json.loads(note.read_text(encoding="utf-8")) != identity:
        raise InputError(
            str(note),
            expected="the run that is asked for",
            found="one with another recipe, seed, encoder or other rows",
            remedy="Name another --out, or delete the folder.",
        )
    files.write_json(note, identity)
    files.write_text(work / "refused.txt", "".join(f"{row}\n" for row in rows.refused))
    return work
