"""The model: statements in, predictions out."""

from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from importlib.resources import files as package_files
from pathlib import Path
from typing import overload

import numpy as np

from stance import language
from stance.bundle import CASCADE, ONNX, TOKENIZER, Bundle, read_bundle
from stance.cascade import FirstStage, read_first_stage
from stance.document import analyze as analyze_document
from stance.errors import InputError, StanceError
from stance.runtime import Runtime, Scores
from stance.spans import decode_spans
from stance.stream import Recent, copy, cut_stream
from stance.types import LABELS, NEUTRAL, Analysis, Prediction
from stance.unread import is_blank, predict_blank, predict_skipped


class Model:
    """A verified model folder, ready to predict.

    Args:
        bundle: the folder, as ``bundle.read_bundle`` returns it.
        device: ``auto``, ``cpu`` or ``cuda``.
    """

    def __init__(self, bundle: Bundle, *, device: str = "auto") -> None:
        self.bundle = bundle
        self.device = device
        self.recent = Recent()
        self.runtime = Runtime(
            bundle.folder / ONNX,
            bundle.folder / TOKENIZER,
            max_tokens=bundle.settings.max_tokens,
            device=device,
            labels=bundle.settings.labels,
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels in the order of the scores: ``LABELS``, or those of a user's own model."""
        return self.bundle.settings.labels

    def check_stances(self, task: str) -> None:
        """Raise unless the labels are the four stances, which a task is about.

        Raises:
            InputError: the model has labels of its own.
        """
        if self.labels != LABELS:
            raise InputError(
                f"{task} with model {self.bundle.folder}", expected="labels " + ", ".join(LABELS),
                found=", ".join(self.labels),
                remedy="Use a model of the four stances; one of other labels can predict alone.",
            )  # fmt: skip

    @overload
    def predict(self, text: str) -> Prediction: ...
    @overload
    def predict(self, text: list[str]) -> list[Prediction]: ...
    def predict(self, text: str | list[str]) -> Prediction | list[Prediction]:
        """Predict the stance of one statement, or of each in a list.

        Args:
            text: a statement, or a list of statements; any length, any characters.

        Returns:
            One prediction for a string, a list in the same order for a list.

        Raises:
            InputError: something else than strings was given.
        """
        if isinstance(text, str):
            return self._predict([text])[0]
        if not isinstance(text, list):
            raise InputError(
                "predict",
                expected="a string or a list of strings",
                found=type(text).__name__,
                remedy="Pass list(texts), or use Model.stream for an iterable.",
            )
        return self._predict(text)

    def stream(self, texts: Iterable[str]) -> Iterator[Prediction]:
        """Yield the prediction of each statement in order, in constant memory.

        A text that came lately (see ``stream.Recent``) is not read again.

        Args:
            texts: statements, perhaps without end.
        """
        if isinstance(texts, str):
            raise InputError(
                "stream",
                expected="an iterable of strings",
                found="a string",
                remedy="Pass [text], or use Model.predict.",
            )
        for chunk in cut_stream(texts):
            self._check(chunk)
            known = self.recent.find(chunk)
            new = self._predict([text for text in dict.fromkeys(chunk) if text not in known])
            self.recent.keep(new)
            known |= {prediction.text: prediction for prediction in new}
            yield from (copy(known[text]) for text in chunk)

    def stream_fast(self, texts: Iterable[str]) -> Iterator[tuple[Prediction, bool]]:
        """Yield the prediction of each statement, and whether the full model read it.

        Where it did not, the first stage of the cascade found too little of a stance: the
        prediction is neutral with the first stage's scores, and not reliable.

        Args:
            texts: statements, perhaps without end.

        Raises:
            InputError: the model folder has no first stage.
        """
        facts = self.bundle.settings.cascade
        if facts is None:
            raise InputError(
                f"fast scoring with the model {self.bundle.folder}",
                expected="a model folder with a first stage",
                found=f"no {CASCADE} in it",
                remedy="Score without it (leave --fast out), or add one with train/cascade.py.",
            )
        return self._cascade(texts, self._first_stage, facts.threshold)

    @cached_property
    def _first_stage(self) -> FirstStage:
        return read_first_stage(self.bundle.folder / CASCADE)

    def _cascade(
        self, texts: Iterable[str], stage: FirstStage, threshold: float
    ) -> Iterator[tuple[Prediction, bool]]:
        for chunk in cut_stream(texts):
            self._check(chunk)
            different = list(dict.fromkeys(chunk))
            cuts = self.runtime.cut(different)
            first = stage.score([cut.windows[0].ids for cut in cuts])
            several = np.array([len(cut.windows) > 1 for cut in cuts])  # more than it reads
            passed = (1 - first[:, LABELS.index(NEUTRAL)] >= threshold) | several
            known = self.recent.find(different[i] for i in passed.nonzero()[0])
            new = [i for i in passed.nonzero()[0] if different[i] not in known]
            scores = self.runtime.score_cuts([cuts[i] for i in new])
            read = [self._decide(different[i], s) for i, s in zip(new, scores, strict=True)]
            self.recent.keep(read)
            known |= {prediction.text: prediction for prediction in read}
            at = {text: i for i, text in enumerate(different)}
            for i, text in ((at[text], text) for text in chunk):
                if passed[i]:
                    yield copy(known[text]), True
                else:
                    yield predict_skipped(text, first[i], cuts[i].windows[0].offsets), False

    def analyze(
        self, text: str, *, document: str | None = None, actors: str | Path | None = None
    ) -> Analysis:
        """Analyse an article: its statements, and who takes which position in it.

        Args:
            text: the article as plain text, in English.
            document: a name for it.
            actors: a TOML file that adds to the table of actors.

        Raises:
            InputError: the text is no English article: blank, HTML, too long, another language;
                or the model has labels of its own.
        """
        self.check_stances("analyze")
        return analyze_document(text, self.predict, document=document, actors=actors)

    def _predict(self, texts: list[str]) -> list[Prediction]:
        self._check(texts)
        return [
            self._decide(text, scores)
            for text, scores in zip(texts, self.runtime.score(texts), strict=True)
        ]

    def _check(self, texts: list[str]) -> None:
        for i, text in enumerate(texts):
            if not isinstance(text, str):
                raise InputError(
                    f"predict item {i}",
                    expected="a string",
                    found=type(text).__name__,
                    remedy="Turn missing values into '' first.",
                )

    def _decide(self, text: str, scores: Scores) -> Prediction:
        settings = self.bundle.settings
        blank = is_blank(text, scores.offsets)
        if blank and NEUTRAL in settings.labels:
            return predict_blank(text, settings.labels)
        probabilities = settings.calibration.calibrate(scores.logits, settings.labels)
        label = settings.labels[int(scores.logits.argmax())]
        holder, source = decode_spans(scores.spans, scores.offsets, text)
        confidence = float(probabilities.max())
        return Prediction(
            text=text,
            label=label,
            scores=dict(zip(settings.labels, map(float, probabilities), strict=True)),
            confidence=confidence,
            reliable=confidence >= settings.reliability.get_threshold(label)
            and scores.windows == 1
            and not blank
            and not language.is_foreign(text),
            holder=None if label == NEUTRAL else holder,
            source=None if label == NEUTRAL else source,
            truncated=scores.truncated,
        )


def load(
    path_or_name: str | Path | None = None, revision: str | None = None, device: str = "auto"
) -> Model:
    """Load a model.

    Args:
        path_or_name: a model folder, the name of a Hub repository, or None for the released
            model that comes with the package.
        revision: commit of the Hub repository; required with a name, so that the same code
            always loads the same weights.
        device: ``auto``, ``cpu`` or ``cuda``.

    Raises:
        InputError: the folder is missing or damaged, or the name has no revision.
        StanceError: the Hub cannot be reached.
    """
    return Model(read_bundle(find_folder(path_or_name, revision)), device=device)


def find_folder(path_or_name: str | Path | None, revision: str | None) -> Path:
    """Return the model folder that the name stands for, downloading it where need be."""
    if path_or_name is None:
        return Path(str(package_files("stance"))) / "weights" / "negotiations"
    path = Path(path_or_name)
    if path.exists() or str(path_or_name).count("/") != 1 or str(path_or_name).startswith("."):
        return path
    if revision is None:
        raise InputError(
            f"model {path_or_name}",
            expected="a folder, or a Hub name with its revision",
            found="neither such a folder nor a revision",
            remedy="Check the path, or pass the revision (a commit) too.",
        )
    return download(str(path_or_name), revision)


def download(name: str, revision: str) -> Path:
    """Fetch a Hub repository at a revision into the Hub's cache."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, revision=revision))
    except Exception as error:
        raise StanceError(
            f"model {name} at {revision}",
            expected="a repository that the Hub serves",
            found=f"{type(error).__name__}",
            remedy="Check name, revision and network, or pass a folder.",
        ) from error


@lru_cache(maxsize=1)
def load_default() -> Model:
    """Return the released model, loaded once."""
    return load()


@overload
def predict(text: str) -> Prediction: ...
@overload
def predict(text: list[str]) -> list[Prediction]: ...
def predict(text: str | list[str]) -> Prediction | list[Prediction]:
    """Predict with the released model; see ``Model.predict``.

    Example:
        >>> import stance
        >>> stance.predict("Antonov urges the West to negotiate.").label
        'favor'
    """
    return load_default().predict(text)


def analyze(
    text: str, *, document: str | None = None, actors: str | Path | None = None
) -> Analysis:
    """Analyse an article with the released model; see ``Model.analyze``.

    Example:
        >>> import stance
        >>> analysis = stance.analyze("Antonov urges the West to negotiate. It rained.")
        >>> [(actor.name, actor.label) for actor in analysis.actors]
        [('Antonov', 'favor')]
    """
    return load_default().analyze(text, document=document, actors=actors)
