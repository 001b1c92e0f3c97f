"""Sets that need models of their own: benchmarks fine-tune, articles leave one out.

A model that was trained on no article judges them itself.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

from stance.bundle import Settings
from stance.errors import InputError
from stance.evaluation import benchmarks
from stance.evaluation.place import Place
from stance.model import Model, load
from stance.selection import Rows
from stance.sets import read_labels

RETRAIN = "Delete the folder; stance evaluate trains it again."

ARTICLES = "articles/train"  # their key among the hashes of the rows that a model was trained on

log = logging.getLogger(__name__)


def saw_articles(settings: Settings) -> bool:
    """Say whether a model was trained on articles, be it on all or on all but one."""
    return ARTICLES in settings.data


def train_missing(names: Sequence[str], place: Place, *, for_articles: bool) -> None:
    """Train the models that the sets need and that are not in the folder of fold models.

    Args:
        names: the sets.
        place: where data and models are.
        for_articles: whether the articles need any; who has not seen them judges them itself.
    """
    if "articles" in names and for_articles:
        for document in list_articles(place):
            train_fold(place, document, leave_out=document)
    for name in names:
        if name in benchmarks.list_benchmarks():
            benchmark = benchmarks.read_benchmark(name)
            for target, rows in benchmarks.read_training(benchmark, place.get_corpora()).items():
                train_fold(place, benchmarks.name_folder(benchmark, target), rows=rows)


def list_articles(place: Place) -> list[str]:
    """Return the names of the articles."""
    return sorted({row.document for row in read_labels(place.get_data(), "articles", "train")})


def train_fold(
    place: Place, name: str, *, leave_out: str | None = None, rows: Rows | None = None
) -> None:
    """Train one fold model unless it is there."""
    out = place.folds / name
    if (out / "stance.json").is_file():
        return
    from stance.training.run import TrainOptions, has_distilled, train

    log.info("fold model %s: training", name)
    alike = [place.folds / article for article in list_articles(place)] if leave_out else []
    train(
        TrainOptions(
            place.recipe,
            out,
            rows=rows,
            data=place.data or Path("data"),
            leave_out=leave_out,
            distilled=next((folder for folder in alike if has_distilled(folder)), None),
            device=place.device,
            bars=place.bars,
        )
    )


def load_fold(place: Place, document: str, model: Model) -> Model:
    """Load the model that left an article out, and make sure it is otherwise like the model.

    Raises:
        InputError: the folder is missing or damaged, its model saw the article, or it was trained
            by another recipe or on other rows.
    """
    folder = place.folds / document
    fold = load(folder, device=place.device)
    expected, found = model.bundle.settings, fold.bundle.settings
    if found.left_out != document:
        raise InputError(
            str(folder),
            expected=f"a model trained without {document}",
            found=f"one trained without {found.left_out or 'any article left out'}",
            remedy=RETRAIN,
        )
    same = [
        {name: value for name, value in settings.data.items() if name != ARTICLES}
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


def load_tuned(place: Place, name: str, rows: Rows) -> Model:
    """Load a model that was fine-tuned on a benchmark's rows.

    Raises:
        InputError: the folder is missing or damaged, or its model was trained by another recipe
            or on other rows.
    """
    from stance.training.recipe import read_recipe

    folder = place.folds / name
    model = load(folder, device=place.device)
    recipe = read_recipe(place.recipe).to_dict()
    settings = model.bundle.settings
    if settings.data != rows.hashes or as_stored(recipe) != as_stored(settings.recipe):
        raise InputError(
            str(folder),
            expected=f"a model trained by {place.recipe} on the benchmark's rows",
            found="another recipe or other rows",
            remedy=RETRAIN,
        )
    return model


def as_stored(recipe: object) -> object:
    """Return a recipe as JSON gives it back: tuples become lists."""
    if isinstance(recipe, dict):
        return {key: as_stored(value) for key, value in recipe.items()}
    return [as_stored(value) for value in recipe] if isinstance(recipe, list | tuple) else recipe
