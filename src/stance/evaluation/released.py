"""The released model's committed predictions: whose they are, and their figures set by set."""

from pathlib import Path
from typing import Any

from stance.bundle import Bundle
from stance.errors import InputError
from stance.evaluation.folds import saw_articles
from stance.evaluation.results import CORE, Judged, hash_gold
from stance.evaluation.run import read_judged
from stance.evaluation.summary import summarize

PREDICTED = ("realnews", "articles", "layers", "written", "probes")
TITLES = {
    "realnews": "real news (test)",
    "articles": "five articles",
    "articles_core": "the same without page furniture and duplicates",
    "layers": "public corpora (held-out documents)",
    "written": "written statements (test)",
    "probes": "behavioural probes",
}
ONE_LEFT_OUT, NONE_SEEN = "one left out", "none seen"
"""What the title of the articles says of the models that judged them."""
BY_FOLDS = (
    "Five trainings by the same recipe, each without one article; no article is judged by a model "
    "that\nsaw it. The released model has seen all five."
)
BY_ITSELF = "Judged by the released model, which has not seen any of them: its recipe has none."


def summarize_predictions(data: Path, bundle: Bundle) -> dict[str, dict[str, Any]]:
    """Return the summary of every set whose predictions are committed, each with its ``title``.

    Raises:
        InputError: predictions do not fit the labels, or come from another model.
    """
    judged = read_judged(data / "predictions", PREDICTED, data)
    for name, part in judged.items():
        check_model(name, part, data / "predictions" / f"{name}.jsonl", bundle)
    seen = ONE_LEFT_OUT if saw_articles(bundle.settings) else NONE_SEEN
    return {
        name: {
            **summarize(judged[name].rows, judged[name].records),
            "title": f"{title} ({seen})" if name == "articles" else title,
            "benchmark": None,
            "gold": hash_gold(judged[name].rows),
        }
        for name, title in TITLES.items()
    }


def check_model(name: str, part: Judged, path: Path, bundle: Bundle) -> None:
    """Raise unless a set was judged by the released model.

    Articles that it was trained on must be judged by others, each of which left the article out.
    """
    models = {record.model for record in part.records}
    if name in ("articles", CORE) and saw_articles(bundle.settings):
        whose = "models that each left the article out"
        pairs = zip(part.rows, part.records, strict=True)
        right = bundle.sha256 not in models and all(x.document == y.fold for x, y in pairs)
    else:
        whose = f"the released model {bundle.sha256[:12]}"
        right = models == {bundle.sha256}
    if not right:
        raise InputError(
            str(path),
            expected=f"predictions of {whose}",
            found=", ".join(sorted(model[:12] for model in models)),
            remedy="Run train/reproduce.sh.",
        )


def say_who_judged_articles(bundle: Bundle) -> str:
    """Return for the card who judged the articles."""
    return BY_FOLDS if saw_articles(bundle.settings) else BY_ITSELF
