"""Change a recipe one thing at a time: what helps on real news, and what does not.

Usage: STANCE_CORPORA=DIR python train/ablate.py --runs DIR [--out FILE] [NAME ...]

Every table of train/ablations.toml is a change of the base recipe (the small encoder, 1,400 steps
of 32 rows, about 11 minutes on one core). Those named, or all, are trained, judged on
real-news validation, and compared with ``base`` on the same rows, paired. Test is left alone: what
is chosen here is measured there once.

What is finished in --runs is not trained again, and stands in the table, named or not, while recipe
and data are the same; what was stopped goes on. The table is written after every change. What
another run has put there stays, where its ``base`` had the same figures: the same recipe, rows,
seed and number of threads give the same model.
"""

import json
import logging
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from adapt import KINDS, RECIPE, STEPS, adapt
from calling import make_parser, need_corpora, run_script
from stance import files
from stance.bundle import SETTINGS
from stance.errors import InputError
from stance.evaluation.compare import compare
from stance.evaluation.judges import judge_by_model, judge_rows
from stance.evaluation.records import Record, read_records, write_records
from stance.evaluation.summary import summarize
from stance.model import load
from stance.rows import Row
from stance.sets import find_data, read_usable
from stance.training.context import add_context
from stance.training.encoders import WEIGHTS
from stance.training.recipe import EncoderChoice
from stance.training.run import TrainOptions, train
from stance.types import LABELS

CHANGES = Path(__file__).with_name("ablations.toml")
BASE = "base"
Table = dict[str, Any]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Change:
    """One change of the base recipe.

    Attributes:
        why: what it is, in the table of results.
        recipe: the whole changed recipe.
        of: the change that trains the models: its own name, or another's.
        seeds: seeds of the models whose probabilities are averaged.
        adapt: how the encoder is trained further first, one of ``adapt.KINDS``, or None.
    """

    why: str
    recipe: Table
    of: str
    seeds: tuple[int, ...] = (1,)
    adapt: str | None = None


@dataclass(frozen=True)
class Place:
    """Where things are.

    Attributes:
        runs: folder of the trained models.
        data: the data folder.
        corpora: the corpora folder.
        rows: rows of real-news validation.
    """

    runs: Path
    data: Path
    corpora: Path
    rows: list[Row] = field(default_factory=list)

    def find_models(self, change: Change) -> dict[int, Path]:
        """Return the model folder of each seed."""
        return {seed: self.runs / (change.of if seed == 1 else f"{change.of}-seed{seed}")
                for seed in change.seeds}  # fmt: skip

    def find_encoder(self, change: Change) -> Path | None:
        """Return the folder of the encoder that is trained further first, if any is."""
        return self.runs / f"{change.adapt}-encoder" if change.adapt else None


def read_toml(path: Path) -> Table:
    """Return a TOML file's content."""
    with files.open_input(path) as stream:
        return tomllib.load(stream)


def merge(recipe: Table, changes: Table) -> Table:
    """Return the recipe with the changed keys, table by table."""
    merged = dict(recipe)
    for name, value in changes.items():
        merged[name] = {**recipe.get(name, {}), **value} if isinstance(value, dict) else value
    return merged


def read_changes(path: Path, recipe: Path) -> dict[str, Change]:
    """Read the changes of a recipe.

    Raises:
        InputError: one is of no known change, or adapts the encoder in no known way.
    """
    tables, changes = read_toml(path), {}
    base = merge(read_toml(recipe), {k: v for k, v in tables[BASE].items() if k != "why"})
    for name, table in tables.items():
        own = dict(table)
        why, of = own.pop("why"), own.pop("of", name)
        seeds, kind = tuple(own.pop("seeds", (1,))), own.pop("adapt", None)
        for key, value, known in (("of", of, list(tables)), ("adapt", kind, [None, *KINDS])):
            if value not in known:
                raise InputError(
                    f"{path} [{name}] key '{key}'",
                    expected="one of " + ", ".join(filter(None, known)),
                    found=repr(value), remedy="Rename it.",
                )  # fmt: skip
        changes[name] = Change(why, merge(base, own), of, seeds, kind)
    return changes


def format_toml(recipe: Table) -> str:
    """Write a recipe: plain values first, then tables of plain values (written alike in JSON)."""
    plain = {k: v for k, v in recipe.items() if not isinstance(v, dict)}
    lines = [f"{key} = {json.dumps(value)}" for key, value in plain.items()]
    for name, table in recipe.items():
        if isinstance(table, dict):
            lines += ["", f"[{name}]"]
            for key, value in table.items():
                if isinstance(value, dict):
                    inner = ", ".join(f"{k} = {json.dumps(v)}" for k, v in value.items())
                    lines.append(f"{key} = {{ {inner} }}")
                else:
                    lines.append(f"{key} = {json.dumps(value)}")
    return "\n".join(lines) + "\n"


def count_steps(changes: Iterable[Change], place: Place) -> int:
    """Return the steps, of 32 rows, that are still to be trained; what two need counts once."""
    left: dict[Path, int] = {}
    for change in changes:
        lessons = (change.recipe["training"], change.recipe.get("distillation", {}))
        labels, lesson = (arguments.get("max_steps", 0) for arguments in lessons)
        steps = change.recipe.get("orders", 1) * labels + lesson
        missing = [
            folder
            for folder in place.find_models(change).values()
            if not (folder / SETTINGS).is_file()
        ]
        left |= dict.fromkeys(missing, steps)
        encoder = place.find_encoder(change)
        if missing and encoder and not (encoder / WEIGHTS).is_file():
            left[encoder] = STEPS
    return sum(left.values())


def train_change(change: Change, place: Place) -> None:
    """Train what is missing of a change; a finished model of other rows is refused."""
    recipe = change.recipe
    encoder = place.find_encoder(change)
    if change.adapt and encoder:
        choice = EncoderChoice(**recipe["encoder"])
        adapt(change.adapt, choice, encoder, place.data, place.corpora)
        table = {"name": str(encoder), "max_tokens": choice.max_tokens}
        recipe = {**recipe, "encoder": table}
    path = place.runs / f"{change.of}.toml"
    files.write_text(path, format_toml(recipe))
    for seed, out in place.find_models(change).items():
        train(TrainOptions(path, out, data=place.data, seed=seed, bars=sys.stderr.isatty()))


def judge(folder: Path, place: Place) -> list[Record]:
    """Return what a model says of the rows; it is kept beside the model, and read again."""
    model, kept = load(folder), folder.with_name(f"{folder.name}.jsonl")
    records = read_records(kept) if kept.is_file() else []
    same = {record.model for record in records} == {model.bundle.sha256}
    if same and [record.id for record in records] == [row.id for row in place.rows]:
        return records
    trial = model.bundle.settings.recipe.get("trial", {})
    rows = add_context(place.rows, place.corpora) if trial.get("context") else place.rows
    records = judge_rows(judge_by_model(model), {}, rows, place.corpora, bars=sys.stderr.isatty())
    write_records(kept, records)
    return records


def average(parts: Sequence[list[Record]]) -> list[Record]:
    """Return the records with the mean of the models' probabilities; spans are the first's."""
    if len(parts) == 1:
        return parts[0]
    averaged = []
    for same in zip(*parts, strict=True):
        scores = np.mean([record.scores for record in same], axis=0)
        label = LABELS[int(scores.argmax())]
        averaged.append(replace(same[0], label=label, scores=tuple(scores.tolist())))
    return averaged


def describe(why: str, rows: list[Row], records: list[Record], base: list[Record]) -> Table:
    """Return the figures of one change, and the paired difference to the base."""
    entry = summarize(rows, records)
    return {
        "why": why,
        "n": entry["n"],
        "macro_f1": entry["metrics"]["macro_f1"],
        "f1": {label: entry["per_label"][label]["f1"] for label in LABELS},
        "minus_base": compare(rows, records, base, BASE)["difference"]["macro_f1"],
    }


def keep_earlier(changes: dict[str, Change], table: Table, earlier: Table) -> Table:
    """Return the table with what another run found beside the same base, in order."""
    if earlier.get(BASE) != table[BASE]:
        earlier = {}
    both = {**earlier, **table}
    return {
        name: both[name]
        for name, change in changes.items()
        if name in table or earlier.get(name, {}).get("why") == change.why
    }


def ablate(changes: dict[str, Change], names: Sequence[str], place: Place, out: Path) -> None:
    """Train what is named and missing, judge it and all that is finished, write after each."""
    taken = {
        name: change
        for name, change in changes.items()
        if name in (BASE, *names) or not count_steps([change], place)
    }
    judged: dict[str, list[Record]] = {}
    table: Table = {}
    earlier = json.loads(out.read_text(encoding="utf-8"))["runs"] if out.is_file() else {}
    total = count_steps(taken.values(), place)
    with tqdm(total=total, unit="step", disable=None) as bar:
        for name, change in taken.items():
            bar.set_description(f"{name} ({len(table) + 1} of {len(taken)})")
            log.info("%s: %d of %d steps", name, count_steps([change], place), total - bar.n)
            train_change(change, place)
            models = place.find_models(change).values()
            judged[name] = average([judge(folder, place) for folder in models])
            table[name] = describe(change.why, place.rows, judged[name], judged[BASE])
            runs = keep_earlier(changes, table, earlier)
            files.write_json(out, {"schema": 1, "split": "realnews validation", "runs": runs})
            bar.update(total - count_steps(taken.values(), place) - bar.n)


def main() -> None:
    """Do what the options say."""
    parser = make_parser(__doc__)
    changes = read_changes(CHANGES, RECIPE)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(changes))
    parser.add_argument("--runs", type=Path, required=True, help="folder of the trained models")
    parser.add_argument("--out", type=Path, default="data/ablations.json")
    parser.add_argument("--data-dir", type=Path, default="data")
    options = parser.parse_args()
    for name in options.names:
        if name not in changes:
            parser.error(f"NAME: expected changes among {', '.join(changes)}, found {name}")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    corpora, data = need_corpora(), find_data(options.data_dir)
    rows = read_usable("realnews", "validation", data, corpora).rows
    place = Place(options.runs, data, corpora, rows)
    ablate(changes, options.names or list(changes), place, options.out)


if __name__ == "__main__":
    run_script(main)
