"""From a recipe to a checked model folder: the whole of ``stance train``."""

import json
import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stance import __version__, files
from stance.bundle import CARD, ONNX, TOKENIZER, Bundle, Reliability, Settings, write_settings
from stance.calibration import softmax
from stance.errors import InputError
from stance.layers import find_corpora
from stance.rows import Row
from stance.runtime import Runtime
from stance.selection import Rows, Source, select_rows
from stance.sets import find_data
from stance.training.calibrate import fit_reliability, fit_temperature
from stance.training.data import read_own
from stance.training.encoders import Encoder, resolve_encoder
from stance.training.export import export_folder
from stance.training.finetune import finetune
from stance.training.plot import plot_history
from stance.training.recipe import Recipe, read_recipe
from stance.types import LABELS

WORK = "training"  # folder for checkpoints, log and plot beside the model's files

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainOptions:
    """What ``stance train`` was asked for.

    Attributes:
        recipe: the recipe file.
        out: the model folder to write; an interrupted run there is gone on with.
        own: a user's own labelled file instead of the recipe's sets, or None.
        rows: rows instead of the recipe's sets, or None.
        data: the repository's data folder.
        leave_out: an article that must not be trained on, or None.
        device: ``auto``, ``cpu`` or ``cuda``.
        seed: seed of everything random.
        bars: whether to show progress bars.
    """

    recipe: Path
    out: Path
    own: Path | None = None
    rows: Rows | None = None
    data: Path = Path("data")
    leave_out: str | None = None
    device: str = "auto"
    seed: int = 1
    bars: bool = False


def train(options: TrainOptions) -> Bundle | None:
    """Train, calibrate and write a model folder.

    Returns:
        The folder, or None in the helper processes of a distributed run.

    Raises:
        InputError: recipe, rows or encoder are wrong, or ``out`` holds another run.
    """
    recipe = read_recipe(options.recipe)
    encoder = resolve_encoder(recipe.encoder)
    rows = gather_rows(options, recipe)
    work = claim_folder(options, recipe, encoder, rows)
    log.info("encoder: %s, from %s, sha256 %s", encoder.name, encoder.origin, encoder.sha256[:12])
    log.info("rows: %d to train on, %d to validate on", len(rows.train), len(rows.validation))
    network, tokenizer, history = finetune(
        recipe, encoder, rows, work / "checkpoints",
        device=options.device, seed=options.seed, bars=options.bars,
    )  # fmt: skip
    if int(os.environ.get("RANK", "0")) != 0:
        return None
    files.write_json(work / "history.json", history)
    plot_history(history, work / "history.png")
    export_folder(network, tokenizer, options.out, recipe.encoder.max_tokens)
    bundle = finish_folder(options.out, recipe, encoder, rows)
    shutil.rmtree(work / "checkpoints", ignore_errors=True)
    return bundle


def gather_rows(options: TrainOptions, recipe: Recipe) -> Rows:
    """Return the rows that the options and the recipe name."""
    if options.own and options.leave_out:
        raise InputError(
            "call", expected="--data or --leave-out", found="both", remedy="Leave one out."
        )
    if options.rows:
        return options.rows
    if options.own:
        return read_own(options.own)
    source = Source(find_data(options.data), find_corpora(), recipe.data.release, options.leave_out)
    return select_rows(source, train=recipe.data.train, validation=recipe.data.validation)


def claim_folder(options: TrainOptions, recipe: Recipe, encoder: Encoder, rows: Rows) -> Path:
    """Return the work folder; note there what is trained, and refuse to go on with another run."""
    if options.out.exists() and not options.out.is_dir():
        raise InputError(
            f"--out {options.out}", expected="a folder", found="a file", remedy="Name another."
        )
    work = options.out / WORK
    if options.out.is_dir() and any(options.out.iterdir()) and not (work / "run.json").is_file():
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
    note = work / "run.json"
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


def finish_folder(out: Path, recipe: Recipe, encoder: Encoder, rows: Rows) -> Bundle:
    """Calibrate on the outputs of the ONNX file and write the card and the settings."""
    temperature, reliability = calibrate(out, recipe, rows.validation)
    log.info("temperature %.3f; reliable from confidence %.3f on: %.1f %% of %d validation rows",
             temperature, reliability.threshold, 100 * reliability.coverage,
             reliability.n)  # fmt: skip
    files.write_text(out / CARD, describe(recipe, encoder, rows))
    return write_settings(
        out,
        Settings(
            name=recipe.name,
            labels=LABELS,
            max_tokens=recipe.encoder.max_tokens,
            temperature=temperature,
            reliability=reliability,
            recipe=recipe.to_dict(),
            data=rows.hashes,
            left_out=rows.left_out,
            encoder={"name": encoder.name, "revision": encoder.revision, "sha256": encoder.sha256},
            stance_version=__version__,
        ),
    )


def calibrate(out: Path, recipe: Recipe, validation: list[Row]) -> tuple[float, Reliability]:
    """Fit temperature and reliability threshold on validation rows, as the ONNX file sees them."""
    runtime = Runtime(
        out / ONNX, out / TOKENIZER, max_tokens=recipe.encoder.max_tokens, device="cpu"
    )
    logits = np.stack([scores.logits for scores in runtime.score([row.text for row in validation])])
    gold = np.array([LABELS.index(row.label) for row in validation])
    temperature = fit_temperature(logits, gold)
    confidence = softmax(logits, temperature).max(axis=1)
    correct = logits.argmax(axis=1) == gold
    return temperature, fit_reliability(confidence, correct, recipe.reliability)


def describe(recipe: Recipe, encoder: Encoder, rows: Rows) -> str:
    """Return a short card; the released model's is generated from its evaluation."""
    facts: dict[str, Any] = {
        "base encoder": f"{encoder.name} {encoder.revision}",
        "rows": f"{len(rows.train)} trained on, {len(rows.validation)} validated on",
        "data": ", ".join(rows.hashes),
        "labels": ", ".join(LABELS),
    }
    lines = [f"- {name}: {value}" for name, value in facts.items()]
    return "\n".join([f"# {recipe.name}", "", "Stance toward negotiations.", "", *lines, ""])
