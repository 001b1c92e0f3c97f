"""The harness: a model and data sets in, ``results.json`` and per-row predictions out."""

import logging
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from stance import __version__, files
from stance.errors import InputError
from stance.evaluation.baselines import Scorer, fit_all
from stance.evaluation.records import Record, build_records, write_records
from stance.evaluation.summary import summarize
from stance.model import Model, load
from stance.rows import Row
from stance.selection import Source, select_rows
from stance.sets import NEED_CORPORA, SETS, hash_rows, read_usable

EVALUATED = {"articles": "train", "written": "test", "layers": "test", "realnews": "test"}
"""Set to the split that is evaluated; articles are judged by models that have not seen them."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """Where data come from.

    Attributes:
        data: the repository's data folder.
        corpora: the corpora folder, or None.
        folds: folder of the five models that each left one article out, or None.
    """

    data: Path
    corpora: Path | None
    folds: Path | None


@dataclass(frozen=True)
class Judge:
    """A model, and baselines trained on the same rows as it."""

    model: Model
    baselines: dict[str, Scorer]

    def judge(self, rows: list[Row]) -> list[Record]:
        """Return what the model and the baselines say of rows."""
        texts = [row.text for row in rows]
        bundle = self.model.bundle
        return build_records(
            rows,
            self.model.predict(texts),
            {name: scorer(texts) for name, scorer in self.baselines.items()},
            model=bundle.sha256,
            fold=bundle.settings.left_out,
        )


@dataclass(frozen=True)
class Judged:
    """One evaluated set: its rows and what was said of them, in the same order."""

    rows: list[Row]
    records: list[Record]


def check_sets(names: Sequence[str], *, has_corpora: bool) -> None:
    """Raise unless every set is known and can be read, before anything long begins."""
    for name in names:
        if name not in SETS:
            raise InputError(
                f"--sets {name}",
                expected="sets among " + ", ".join(SETS),
                found=name,
                remedy="Name sets separated by commas.",
            )
        if name in NEED_CORPORA and not has_corpora:
            raise InputError(
                f"--sets {name}",
                expected="STANCE_CORPORA to name the folder with the corpora's texts",
                found="no such variable",
                remedy="Set it as data/README.md says, or leave the set out.",
            )


def evaluate(model: Model, names: Sequence[str], place: Place) -> dict[str, Judged]:
    """Let the model and the baselines judge each set.

    Of the articles a second set is made, ``articles_core``: their headlines and body without
    duplicates and page furniture.

    Raises:
        InputError: a set is unknown, lacks its corpora, or lacks its fold models.
    """
    check_sets(names, has_corpora=place.corpora is not None)
    judge = appoint(model, place) if any(name != "articles" for name in names) else None
    judged = {name: judge_set(judge, model, name, place) for name in names}
    if "articles" in judged:
        judged["articles_core"] = pick_core(judged["articles"])
    return judged


def pick_core(part: Judged) -> Judged:
    """Return the rows that are neither page furniture nor a duplicate of another row."""
    kept = [
        (row, record)
        for row, record in zip(part.rows, part.records, strict=True)
        if row.fields.get("part") != "furniture" and row.fields.get("duplicate_of") is None
    ]
    return Judged([row for row, _ in kept], [record for _, record in kept])


def appoint(model: Model, place: Place) -> Judge:
    """Train the baselines that go with a model."""
    train = read_training_rows(model, place)
    return Judge(model, fit_all([row.text for row in train], [row.label for row in train]))


def judge_set(judge: Judge | None, model: Model, name: str, place: Place) -> Judged:
    """Let the judge judge a set, or the fold models the articles."""
    rows = read_usable(name, EVALUATED[name], place.data, place.corpora).rows
    log.info("%s: %d rows", name, len(rows))
    if not rows:
        raise InputError(
            f"set '{name}'",
            expected="at least one row",
            found="none",
            remedy="Check the data folder and STANCE_CORPORA.",
        )
    if name != "articles":
        assert judge is not None
        return Judged(rows, judge.judge(rows))
    if place.folds is None:
        raise InputError(
            "set 'articles'",
            expected="models that have not seen the article they judge",
            found="none",
            remedy="Pass --folds DIR.",
        )
    records = []
    for document in sorted({row.document for row in rows}):
        fold = appoint(load_fold(place, document, model, model.device), place)
        records += fold.judge([row for row in rows if row.document == document])
    return Judged(rows, records)


def load_fold(place: Place, document: str, model: Model, device: str) -> Model:
    """Load the model that left an article out, and make sure it is otherwise like the model.

    Raises:
        InputError: the folder is missing or damaged, its model saw the article, or it was trained
            by another recipe or on other rows.
    """
    assert place.folds is not None
    folder = place.folds / document
    fold = load(folder, device=device)
    expected, found = model.bundle.settings, fold.bundle.settings
    if found.left_out != document:
        raise InputError(
            str(folder),
            expected=f"a model trained without {document}",
            found=f"one trained without {found.left_out or 'any article left out'}",
            remedy="Delete the folder; stance evaluate trains it again.",
        )
    same = [
        {name: value for name, value in settings.data.items() if name != "articles/train"}
        for settings in (expected, found)
    ]
    if expected.recipe != found.recipe or same[0] != same[1]:
        raise InputError(
            str(folder),
            expected="the recipe and the other rows of the model that is evaluated",
            found="another recipe or other rows",
            remedy="Delete the folder, or pass the model's own --recipe and corpora.",
        )
    return fold


def read_training_rows(model: Model, place: Place) -> list[Row]:
    """Return the rows a model was trained on; none when they are not of this repository.

    Raises:
        InputError: the rows at hand are not those the model was trained on.
    """
    settings = model.bundle.settings
    used = [name for name in SETS if f"{name}/train" in settings.data]
    if not used:
        return []
    source = Source(
        place.data, place.corpora, settings.recipe["data"]["release"], settings.left_out
    )
    rows = select_rows(source, train=used, validation=())
    if any(settings.data[name] != value for name, value in rows.hashes.items()):
        raise InputError(
            f"model {settings.name}",
            expected="the rows it was trained on, for the baselines to be trained on the same",
            found="other rows",
            remedy="Use the data of the model's release, and set STANCE_CORPORA.",
        )
    if len(rows.hashes) < len(used):
        log.warning("baselines are trained on fewer rows than the model: no corpora")
    return rows.train


def write_results(out: Path, model: Model, judged: dict[str, Judged]) -> dict[str, Any]:
    """Write ``results.json`` and, in the folder ``results`` beside it, one file of records a set.

    Returns:
        The content of ``results.json``.
    """
    results = {
        "schema": 1,
        "stance_version": __version__,
        "model": {"name": model.bundle.settings.name, "sha256": model.bundle.sha256},
        "data": {name: hash_rows(part.rows) for name, part in judged.items()},
        "environment": describe_environment(),
        "sets": {name: summarize(part.rows, part.records) for name, part in judged.items()},
    }
    for name, part in judged.items():
        if name not in SETS:
            continue  # a part of another set
        write_records(out.with_suffix("") / f"{name}.jsonl", part.records)
    files.write_json(out, results)
    return results


def describe_environment() -> dict[str, Any]:
    """Return what else a result may depend on."""
    packages = {}
    for name in ("numpy", "onnxruntime", "tokenizers", "scikit-learn"):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "packages": packages,
    }
