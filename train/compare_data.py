"""Compare training data with one fixed recipe: rounds, written statements, sources.

Usage: STANCE_CORPORA=DIR python train/compare_data.py --runs DIR --out FILE [NAME ...]

Each variant is the data folder with some rows taken away. A model is trained on it by the recipe
(about 15 minutes on two idle cores), judged on real-news validation and test, and compared with
the variants adopted, all and written on the same rows, paired. Beside it stands the linear SVM on
the same training rows, which takes seconds.

A model that is finished in --runs is taken again only when recipe and rows are those it was trained
on; its identity lies beside it, in NAME.sha256.

variants (default: all seven):
  adopted    the first four rounds, as the first annotator labelled them
  third      those and the rounds stratified and active3, as decided
  fourth     those and the round active4
  all        every round
  written    every round and the written statements
  scenes     those and the scenes that were written last
  fetched    every round, without the rows whose texts train/corpora.py cannot get
"""

import hashlib
import json
import shutil
import tomllib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calling import make_parser, need_corpora, read_layer, run_script
from stance import files
from stance.errors import InputError
from stance.evaluation.baselines import Ground, fit_svm
from stance.evaluation.compare import compare
from stance.evaluation.judges import judge_by_model, judge_rows
from stance.evaluation.records import Record
from stance.evaluation.summary import summarize
from stance.model import load
from stance.rows import Row
from stance.selection import Rows, Source, select_rows
from stance.sets import find_data, read_usable
from stance.training.run import TrainOptions, train
from stance.types import LABELS

ADOPTED = ("keyword", "active", "active2", "recent")  # rounds of the adopted layers
THIRD = (*ADOPTED, "stratified", "active3")
FOURTH = (*THIRD, "active4")


@dataclass(frozen=True)
class Variant:
    """What of the layers a model is trained on, and whether on the written statements too.

    Attributes:
        rounds: rounds of the layers; empty for all.
        first_vote: take the first annotator's answer instead of the decided label.
        fetched: only corpora that ``train/corpora.py`` can rebuild on a user's machine.
        written: train on the written statements too.
        scenes: train on ``written/scenes.jsonl`` too.
    """

    rounds: tuple[str, ...] = ()
    first_vote: bool = False
    fetched: bool = False
    written: bool = False
    scenes: bool = False


VARIANTS = {  # the first ones make the learning curve
    "adopted": Variant(ADOPTED, first_vote=True),
    "third": Variant(THIRD),
    "fourth": Variant(FOURTH),
    "all": Variant(),
    "written": Variant(written=True),
    "scenes": Variant(written=True, scenes=True),
    "fetched": Variant(fetched=True),
}


BASES = ("adopted", "all", "written")  # variants that every other is compared with


@dataclass(frozen=True)
class Judged:
    """Real-news rows and what was said of them.

    Attributes:
        rows: the rows.
        records: the answers, in their order.
        counts: rows by label that the model was trained on.
        identity: what the model was made from, as ``identify`` gives it.
    """

    rows: list[Row]
    records: list[Record]
    counts: Counter[str]
    identity: str


@dataclass(frozen=True)
class Place:
    """Where data lie.

    Attributes:
        data: the data folder.
        corpora: the corpora folder.
        runs: folder of the trained models.
        recipe: the fixed recipe.
    """

    data: Path
    corpora: Path
    runs: Path
    recipe: Path


def keep(row: dict[str, Any], variant: Variant, fetched: Collection[str]) -> bool:
    """Say whether a layer row belongs to a variant."""
    in_round = not variant.rounds or row["round"] in variant.rounds
    names = (row["corpus"], f"{row['corpus']}/{row['row'].split('/')[0]}")
    return in_round and (not variant.fetched or any(name in fetched for name in names))


def read_fetched() -> set[str]:
    """Return the corpora and sources that ``train/corpora.py`` fetches."""
    with files.open_input(Path(__file__).with_name("corpora.toml")) as stream:
        return {source["name"] for source in tomllib.load(stream)["sources"]}


def write_data(variant: Variant, place: Place, out: Path) -> None:
    """Write the variant's data folder, in place of an earlier one."""
    fetched = read_fetched()
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(place.data, out)
    for path in (out / "layers").glob("*.jsonl"):
        rows = [row for row in read_layer(path, "round", "votes") if keep(row, variant, fetched)]
        for row in rows:
            if variant.first_vote:
                row |= {key: row["votes"][0][key] for key in ("label", "holder", "source")}
        files.write_jsonl(path, rows)
    if variant.scenes:
        written, scenes = out / "written" / "train.jsonl", out / "written" / "scenes.jsonl"
        rows = [row for path in (written, scenes) for _, row in files.read_jsonl(path)]
        files.write_jsonl(written, rows)


def train_variant(name: str, place: Place) -> Rows:
    """Train a variant's model if it is not there; return the rows it is trained on.

    Raises:
        InputError: there is a model of other rows or of another recipe.
    """
    out, recipe = place.runs / name, place.runs / f"{name}.toml"
    text, rows = read_variant(name, place)
    identity = identify(text, rows)
    if (out / "stance.json").is_file():
        check_identity(out, identity)
        return rows
    files.write_text(recipe, text)
    train(TrainOptions(recipe, out, data=place.runs / f"{name}-data"))
    files.write_text(note_of(out), identity + "\n")
    return rows


def read_variant(name: str, place: Place) -> tuple[str, Rows]:
    """Write a variant's data folder; return its recipe's text and its rows."""
    variant, data = VARIANTS[name], place.runs / f"{name}-data"
    text = place.recipe.read_text(encoding="utf-8")
    if variant.written:
        sets = json.dumps(list_sets(variant))
        text = text.replace('train = ["layers"]', f"train = {sets}")
    write_data(variant, place, data)
    source = Source(data, place.corpora, release=True)
    return text, select_rows(source, train=list_sets(variant), validation=["realnews"])


def identify(recipe: str, rows: Rows) -> str:
    """Return a SHA-256 of what makes a model: the recipe, and the rows with labels and spans."""
    digest = hashlib.sha256(recipe.encode())
    for part in (rows.train, rows.validation):
        for row in part:
            spans = [span and (span.start, span.end) for span in (row.holder, row.source)]
            entry = json.dumps([row.id, row.label, row.text, spans])
            digest.update(f"{entry}\n".encode())
        digest.update(b"\n")
    return digest.hexdigest()


def note_of(out: Path) -> Path:
    """Return the file that holds the identity of a finished model."""
    return out.with_name(f"{out.name}.sha256")


def check_identity(out: Path, identity: str) -> None:
    """Raise unless a finished model was made from the same recipe and rows."""
    note = note_of(out)
    found = note.read_text(encoding="utf-8").strip() if note.is_file() else ""
    if found != identity:
        raise InputError(
            f"model {out}",
            expected=f"one made from this recipe and these rows ({identity[:12]})",
            found=f"one made from others ({found[:12]})" if found else "one without identity",
            remedy="Delete the folder to train it anew, or name another folder with --runs.",
        )


def judge_variant(name: str, rows: list[Row], place: Place) -> dict[str, Judged]:
    """Return what a variant's model and the SVM on the same rows say of both splits."""
    model = load(place.runs / name)
    baselines = {"tfidf_svm": fit_svm(Ground(rows))}
    counts = Counter(row.label for row in rows)
    identity = note_of(place.runs / name).read_text(encoding="utf-8").strip()
    judged = {}
    for split in ("validation", "test"):
        real = read_usable("realnews", split, place.data, place.corpora).rows
        records = judge_rows(judge_by_model(model), baselines, real, place.corpora, bars=False)
        judged[split] = Judged(real, records, counts, identity)
    return judged


def list_sets(variant: Variant) -> list[str]:
    """Return the sets a variant is trained on, in the recipe's order."""
    return ["layers", "written"] if variant.written else ["layers"]


def describe(judged: Judged) -> dict[str, Any]:
    """Return the figures of one variant on one split."""
    entry = summarize(judged.rows, judged.records)
    svm = entry["baselines"]["tfidf_svm"]["metrics"]["macro_f1"]
    return {
        "n": entry["n"],
        "macro_f1": entry["metrics"]["macro_f1"],
        "f1": {label: entry["per_label"][label]["f1"] for label in LABELS},
        "tfidf_svm": svm,
    }


def main() -> None:
    """Train what is missing, judge, compare, write."""
    parser = make_parser(__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="variants, as above")
    parser.add_argument("--runs", type=Path, required=True, help="folder of the models")
    parser.add_argument("--out", type=Path, required=True, help="file of the figures")
    parser.add_argument("--data-dir", type=Path, default="data")
    parser.add_argument("--recipe", type=Path, default="train/recipes/compare.toml")
    options = parser.parse_args()
    for name in options.names:
        if name not in VARIANTS:
            parser.error(f"NAME: expected variants among {', '.join(VARIANTS)}, found {name}")
    corpora = need_corpora()
    place = Place(find_data(options.data_dir), corpora, options.runs, options.recipe)
    judged = {}
    for name in options.names or VARIANTS:
        rows = train_variant(name, place)
        judged[name] = judge_variant(name, list(rows.train), place)
    variants = read_current(options.out, place) | compare_all(judged)
    ordered = {name: variants[name] for name in VARIANTS if name in variants}
    files.write_json(options.out, {"schema": 1, "variants": ordered})


def read_current(path: Path, place: Place) -> dict[str, Any]:
    """Return the figures in a file that were made with the rows and the recipe of today."""
    if not path.is_file():
        return {}
    entries = json.loads(path.read_text(encoding="utf-8"))["variants"]
    return {
        name: entry
        for name, entry in entries.items()
        if entry["identity"] == identify(*read_variant(name, place))
    }


def compare_all(judged: dict[str, dict[str, Judged]]) -> dict[str, Any]:
    """Return every variant's figures, and its difference to those it is compared with."""
    variants: dict[str, Any] = {}
    for name, parts in judged.items():
        made_of = parts["test"]
        entry: dict[str, Any] = {
            "identity": made_of.identity,
            "trained_on": dict(made_of.counts),
        }
        for split, part in parts.items():
            entry[split] = describe(part)
            entry[split]["minus"] = {
                other: compare(part.rows, part.records, judged[other][split].records, other)[
                    "difference"
                ]["macro_f1"]
                for other in BASES
                if other in judged and other != name
            }
        variants[name] = entry
    return variants


if __name__ == "__main__":
    run_script(main)
