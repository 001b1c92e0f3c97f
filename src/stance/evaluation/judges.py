"""Who is judged: a model, or a scorer by the protocol."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tqdm import tqdm

from stance.evaluation.answers import find_file, read_answers
from stance.evaluation.folds import saw_articles
from stance.evaluation.records import PLACES, Record, get_offsets
from stance.evaluation.scorers import Scorer, load_scorer, predict_with, run_scorer
from stance.evaluation.slices import describe_text, read_origins
from stance.model import Model
from stance.rows import Row
from stance.types import LABELS, Prediction

CHUNK = 256  # rows that a model gets at once
ASKED = 32  # that a scorer gets: what it has answered is kept then, and the progress bar moves


@dataclass(frozen=True)
class Judge:
    """Whoever is judged.

    Attributes:
        name: the model's name, or the scorer's ``module:function``.
        sha256: the model's hash, or that of the scorer's file and function.
        predict: rows with texts in, predictions out.
        model: the model; None for a scorer, which has neither flags nor spans.
        fold: the article that it left out in training, or None.
        chunk: rows that it gets at once.
    """

    name: str
    sha256: str
    predict: Callable[[Sequence[Row]], list[Prediction]]
    model: Model | None = None
    fold: str | None = None
    chunk: int = CHUNK

    @property
    def needs_folds(self) -> bool:
        """Whether others must judge the articles: it is a model that was trained on them."""
        return self.model is not None and saw_articles(self.model.bundle.settings)


def judge_by_model(model: Model) -> Judge:
    """Return a model as a judge."""
    settings = model.bundle.settings

    def predict(rows: Sequence[Row]) -> list[Prediction]:
        return model.predict([row.text for row in rows])

    return Judge(settings.name, model.bundle.sha256, predict, model, settings.left_out)


def judge_by_scorer(name: str, folder: Path) -> Judge:
    """Return a scorer as a judge; it is not asked again what it has answered in a stopped run.

    Args:
        name: ``module:function``.
        folder: the folder of the per-row predictions, where its answers are kept until these are.
    """
    scorer, sha256 = load_scorer(name)
    answers = read_answers(find_file(folder, sha256))
    predict = partial(predict_with, scorer, name=name, answers=answers)
    return Judge(name, sha256, predict, chunk=ASKED)


def judge_rows(
    judge: Judge,
    baselines: dict[str, Scorer],
    rows: Sequence[Row],
    corpora: Path | None,
    *,
    bars: bool,
    keep_text: bool = False,
) -> list[Record]:
    """Return what the judge and the baselines say of rows, in their order.

    Args:
        judge: whoever is judged.
        baselines: baselines by name.
        rows: n rows with texts.
        corpora: the corpora folder, for outlets and years, or None.
        bars: whether to show a progress bar.
        keep_text: whether records keep the texts; for a user's own file alone.
    """
    texts = [row.text for row in rows]
    predictions: list[Prediction] = []
    with tqdm(total=len(rows), unit="row", disable=not bars, leave=False) as bar:
        for i in range(0, len(rows), judge.chunk):
            predictions += judge.predict(rows[i : i + judge.chunk])
            bar.update(len(rows[i : i + judge.chunk]))
    labels = {
        name: [LABELS[int(row.argmax())] for row in run_scorer(scorer, texts, name)]
        for name, scorer in baselines.items()
    }
    origins = read_origins(rows, corpora)
    return [
        Record(
            id=row.id,
            model=judge.sha256,
            fold=judge.fold,
            label=prediction.label,
            scores=tuple(round(prediction.scores[label], PLACES) for label in LABELS),
            reliable=prediction.reliable if judge.model else None,
            holder=get_offsets(prediction.holder),
            source=get_offsets(prediction.source),
            baselines={name: found[i] for name, found in labels.items()},
            slices=describe_text(row, origins[row.id]),
            text=row.text if keep_text else None,
        )
        for i, (row, prediction) in enumerate(zip(rows, predictions, strict=True))
    ]
