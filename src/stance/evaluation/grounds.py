"""What the baselines beside a judge are trained on: the rows that the judge was trained on."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from typing import Any

from stance.errors import MissingExtraError, StanceError
from stance.evaluation.baselines import (
    BASELINES,
    MAJORITY,
    MAJORITY_HERE,
    Embedder,
    Ground,
    explain_absent,
    fit_baselines,
    fit_majority,
)
from stance.evaluation.judges import Judge
from stance.evaluation.place import Place
from stance.evaluation.scorers import Scorer
from stance.model import Model
from stance.rows import Row
from stance.selection import Rows, Source, select_rows
from stance.sets import SETS

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Beside:
    """The baselines that stand beside a judge.

    Attributes:
        scorers: those that are made, by name.
        absent: why the others are not, by name.
        needs_rows: whether the majority is to be that of the rows that are measured.
        note: in words, that they were trained on other rows than the judge; None where not.
    """

    scorers: dict[str, Scorer] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    needs_rows: bool = False
    note: str | None = None

    def take(self, rows: Sequence[Row]) -> dict[str, Scorer]:
        """Return the scorers for a set, with the majority of its rows where there is no other."""
        here = {MAJORITY_HERE: fit_majority(Ground(rows))} if self.needs_rows else {}
        return here | self.scorers


def put_beside(ground: Ground, names: Sequence[str] | None, *, own_labels: bool = True) -> Beside:
    """Make the baselines and say why others are not there.

    Raises:
        InputError: one that was named cannot be made.
    """
    absent = explain_absent(ground, names, own_labels=own_labels)
    needs_rows = not ground.rows and (names is None or MAJORITY in names)
    if needs_rows:
        del absent[MAJORITY]
    return Beside(fit_baselines(ground, names, own_labels=own_labels), absent, needs_rows)


def fit_for_judge(judge: Judge, place: Place, names: Sequence[str] | None) -> Beside:
    """Train baselines on the rows that a model was trained on, or for a scorer by the recipe."""
    if names is not None and not names:
        return Beside()
    note = None
    if judge.model:
        rows, note = read_training_rows(judge.model, place)
        encoder = judge.model.bundle.settings.recipe.get("encoder")
    elif place.data and place.recipe.is_file():
        from stance.training.recipe import read_recipe

        recipe = read_recipe(place.recipe).to_dict()
        source = Source(place.data, place.corpora, recipe["data"]["release"], judge.fold)
        rows = select_rows(source, train=recipe["data"]["train"], validation=()).train
        encoder = recipe["encoder"]
    else:
        rows, encoder = [], None
    if not rows:
        log.warning("no training rows at hand: without the baselines that need some")
    else:
        log.info("baselines: learning from %d rows; of thousands this takes minutes "
                 "(--baselines none leaves them out)", len(rows))  # fmt: skip
    ground = replace(lay(rows, encoder, place, names), no_rows=explain_rows(judge, place))
    return replace(put_beside(ground, names), note=note)


def learn_articles(judge: Judge, place: Place) -> bool:
    """Say whether the judge or its baselines are trained on articles, so that one is left out."""
    if judge.model or place.data is None or not place.recipe.is_file():
        return judge.needs_folds
    from stance.training.recipe import read_recipe

    return "articles" in read_recipe(place.recipe).data.train


def explain_rows(judge: Judge, place: Place) -> str:
    """Return why there are no training rows, where there are none."""
    if judge.model and not list_used(judge.model):
        return "no training rows: the model's are not of this repository"
    if place.data is None:
        return "no training rows: they are in a clone of the repository (`--data-dir`)"
    return f"no training rows: no recipe {place.recipe} (`--recipe`)"


def fit_for_benchmark(
    training: Rows, descriptions: Mapping[str, str], place: Place, names: Sequence[str] | None
) -> Beside:
    """Make baselines of a benchmark's own training rows and of what its labels mean."""
    from stance.training.recipe import read_recipe

    if names is not None and not names:
        return Beside()
    encoder = read_recipe(place.recipe).to_dict()["encoder"]
    ground = replace(lay(training.train, encoder, place, names), descriptions=descriptions)
    return put_beside(ground, names, own_labels=False)


def lay(
    rows: Sequence[Row],
    encoder: dict[str, Any] | None,
    place: Place,
    names: Sequence[str] | None,
) -> Ground:
    """Put together what the wanted baselines are made from."""
    wanted = [name for name in names or BASELINES if name in BASELINES]
    embed = few_shot = None
    lack = Ground(()).no_encoder
    if encoder and any(BASELINES[name].embed for name in wanted):
        try:
            embed = make_embedder(encoder, place)
        except StanceError as error:
            if names is not None:
                raise
            log.warning("without the baselines of the base encoder: %s", error)
            lack = f"no base encoder: {error.found}. {error.remedy}"
    if encoder and names and "setfit" in names:
        if find_spec("setfit") is None:
            raise MissingExtraError("baseline 'setfit'", "setfit", "setfit")
        from stance.training.fewshot import fit_setfit

        few_shot = partial(fit_setfit, encoder, bars=place.bars)
    return Ground(rows, embed, few_shot, no_encoder=lack)


def make_embedder(encoder: dict[str, Any], place: Place) -> Embedder:
    """Return the embedder of a base encoder.

    Raises:
        StanceError: it is not to be had.
    """
    try:
        from stance.training.embedding import load_embedder

        return load_embedder(tuple(sorted(encoder.items())), place.device)
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        raise MissingExtraError("baselines", "train", package) from None


def list_used(model: Model) -> list[str]:
    """Return the repository's sets that a model was trained on."""
    return [name for name in SETS if f"{name}/train" in model.bundle.settings.data]


def read_training_rows(model: Model, place: Place) -> tuple[list[Row], str | None]:
    """Return the rows a model was trained on; none when they are not of this repository.

    Where the repository's rows have changed since, or corpora are missing, the present ones are
    returned, with words that say so.
    """
    settings = model.bundle.settings
    used = list_used(model)
    if not used or place.data is None:
        return [], None
    source = Source(
        place.data, place.corpora, settings.recipe["data"]["release"], settings.left_out
    )
    rows = select_rows(source, train=used, validation=())
    note = None
    if len(rows.hashes) < len(used):
        note = f"baselines were trained on fewer rows than {settings.name}: no corpora at hand"
    elif any(settings.data[name] != value for name, value in rows.hashes.items()):
        note = f"baselines were trained on rows that have changed since {settings.name} was made"
    if note:
        log.warning(note)
    return rows.train, note
