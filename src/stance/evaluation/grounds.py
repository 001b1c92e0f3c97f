"""What the baselines beside a judge are trained on: the rows that the judge was trained on."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import Any

from stance.errors import MissingExtraError, StanceError
from stance.evaluation.baselines import BASELINES, Embedder, Ground, fit_baselines
from stance.evaluation.judges import Judge
from stance.evaluation.place import Place
from stance.evaluation.scorers import Scorer
from stance.model import Model
from stance.rows import Row
from stance.selection import Rows, Source, select_rows
from stance.sets import SETS

log = logging.getLogger(__name__)


def fit_for_judge(judge: Judge, place: Place, names: Sequence[str] | None) -> dict[str, Scorer]:
    """Train baselines on the rows that a model was trained on, or for a scorer by the recipe."""
    if names is not None and not names:
        return {}
    if judge.model:
        rows = read_training_rows(judge.model, place)
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
    return fit_baselines(lay(rows, encoder, place, names), names)


def fit_for_benchmark(
    training: Rows, descriptions: Mapping[str, str], place: Place, names: Sequence[str] | None
) -> dict[str, Scorer]:
    """Make baselines of a benchmark's own training rows and of what its labels mean."""
    from stance.training.recipe import read_recipe

    encoder = read_recipe(place.recipe).to_dict()["encoder"]
    ground = replace(lay(training.train, encoder, place, names), descriptions=descriptions)
    return fit_baselines(ground, names, own_labels=False)


def lay(
    rows: Sequence[Row],
    encoder: dict[str, Any] | None,
    place: Place,
    names: Sequence[str] | None,
) -> Ground:
    """Put together what the wanted baselines are made from."""
    wanted = [name for name in names or BASELINES if name in BASELINES]
    embed = few_shot = None
    if encoder and any(BASELINES[name].embed for name in wanted):
        embed = make_embedder(encoder, place, needed=names is not None)
    if encoder and names and "setfit" in names:
        if find_spec("setfit") is None:
            raise MissingExtraError("baseline 'setfit'", "setfit", "setfit")
        from stance.training.fewshot import fit_setfit

        few_shot = partial(fit_setfit, encoder, bars=place.bars)
    return Ground(rows, embed, few_shot)


def make_embedder(encoder: dict[str, Any], place: Place, *, needed: bool) -> Embedder | None:
    """Return the embedder of a base encoder; None, and said, where it is not to be had.

    Raises:
        StanceError: a baseline that was named needs it.
    """
    try:
        from stance.training.embedding import load_embedder

        return load_embedder(tuple(sorted(encoder.items())), place.device)
    except ModuleNotFoundError as error:
        missing: StanceError = MissingExtraError(
            "baselines", "train", (error.name or "").split(".")[0]
        )
    except StanceError as error:
        missing = error
    if needed:
        raise missing
    log.warning("without the baselines of the base encoder: %s", missing)
    return None


def read_training_rows(model: Model, place: Place) -> list[Row]:
    """Return the rows a model was trained on; none when they are not of this repository.

    Where the repository's rows have changed since, the present ones are returned, with a warning.
    """
    settings = model.bundle.settings
    used = [name for name in SETS if f"{name}/train" in settings.data]
    if not used or place.data is None:
        return []
    source = Source(
        place.data, place.corpora, settings.recipe["data"]["release"], settings.left_out
    )
    rows = select_rows(source, train=used, validation=())
    if any(settings.data[name] != value for name, value in rows.hashes.items()):
        log.warning("baselines are trained on the rows at hand, which are not those that %s was "
                    "trained on", settings.name)  # fmt: skip
    if len(rows.hashes) < len(used):
        log.warning("baselines are trained on fewer rows than the model: no corpora")
    return rows.train
