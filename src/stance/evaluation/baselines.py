"""Baselines that a judge must beat, each a scorer: texts in, class scores out."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.errors import InputError
from stance.evaluation.scorers import Scorer
from stance.keywords import has_condition_cue, has_negotiation_word
from stance.rows import Row
from stance.types import LABELS, NEUTRAL

DESCRIPTIONS = {
    "favor": "Someone calls for, offers, accepts or defends settling the conflict by talks.",
    "conditional": "Someone would negotiate, but only on a stated demand or condition.",
    "against": "Someone rejects, suspends or undermines negotiations.",
    "neutral": "A report of events that takes no position on negotiations.",
}
"""What zero-shot similarity compares a statement with; a benchmark has words of its own."""

REFUSAL = re.compile(
    r"\b(reject\w*|refus\w*|rul(?:ed?|es|ing) out|no (?:talks|negotiations|deal|ceasefire)|"
    r"not? (?:negotiate|talk|interested)|walk\w* (?:out|away)|pull\w* out|withdr\w+|"
    r"suspend\w*|halt\w*|break\w* off|broke off|violat\w*|oppos\w+|den(?:y|ied|ies)|never)\b",
    re.IGNORECASE,
)
KNOWN_HOLDER_ROWS = 2  # a holder that fewer training rows name is no known one

Embedder = Callable[[Sequence[str]], NDArray[np.float64]]
"""Texts in, unit vectors of a frozen encoder out, (n, width)."""


@dataclass(frozen=True)
class Ground:
    """What baselines are made from.

    Attributes:
        rows: the rows that the judge was trained on; may be empty.
        embed: the base encoder's embedder, or None where there is none.
        few_shot: makes SetFit from texts and labels, or None where it was not asked for.
        descriptions: what each label means, in words.
        no_rows: why there are no rows, where there are none.
        no_encoder: why there is no embedder, where there is none.
    """

    rows: Sequence[Row]
    embed: Embedder | None = None
    few_shot: Callable[[Sequence[str], Sequence[str]], Scorer] | None = None
    descriptions: Mapping[str, str] = field(default_factory=lambda: DESCRIPTIONS)
    no_rows: str = "no training rows"
    no_encoder: str = "no base encoder is named"


def mark(labels: Sequence[str]) -> NDArray[np.float64]:
    """Return scores that are 1 for the label and 0 for the others, (n, labels)."""
    return np.eye(len(LABELS))[[LABELS.index(label) for label in labels]]


def score_keywords(texts: Sequence[str]) -> NDArray[np.float64]:
    """Judge by words alone: no word of negotiating is neutral, a cue is a condition, and so on."""
    labels = []
    for text in texts:
        if not has_negotiation_word(text):
            labels.append(NEUTRAL)
        elif has_condition_cue(text):
            labels.append("conditional")
        else:
            labels.append("against" if REFUSAL.search(text) else "favor")
    return mark(labels)


def fit_majority(ground: Ground) -> Scorer:
    """Return a scorer that gives every text the label shares of the training rows."""
    counts = Counter(row.label for row in ground.rows)
    shares = np.array([counts[label] for label in LABELS]) / len(ground.rows)
    return lambda texts: np.tile(shares, (len(texts), 1))


def fit_holders(ground: Ground) -> Scorer:
    """Return a linear model that sees nothing but which known holders a text names.

    Neither the gold holder nor a model's will do: both are None exactly where their label is
    neutral, so a model of them would be told who is neutral. Known holders are the strings that
    training rows name as holder; which of them stand in a text, anybody can see beforehand.
    """
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    counts = Counter(row.holder.text.lower() for row in ground.rows if row.holder)
    known = sorted((name for name, n in counts.items() if n >= KNOWN_HOLDER_ROWS), key=len)
    if not known:
        return fit_majority(ground)
    names = "|".join(map(re.escape, reversed(known)))
    pattern = re.compile(rf"(?<!\w)(?:{names})(?!\w)")
    features = CountVectorizer(
        binary=True, vocabulary=known, analyzer=lambda text: pattern.findall(text.lower())
    )
    classifier = LinearSVC(C=0.5, class_weight="balanced", random_state=0)
    return fit_pipeline(make_pipeline(features, classifier), ground)


def fit_svm(ground: Ground) -> Scorer:
    """Return the linear model of ``make_svm``, trained."""
    return fit_pipeline(make_svm(), ground)


def make_svm() -> Any:
    """Return TF-IDF (words 1 to 2, characters 2 to 5) with a balanced linear SVM, untrained."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=3),
    )
    return make_pipeline(features, LinearSVC(C=0.5, class_weight="balanced", random_state=0))


def fit_pipeline(pipeline: Any, ground: Ground) -> Scorer:
    """Train a scikit-learn pipeline on the rows and return it as a scorer of labels."""
    fitted = pipeline.fit([row.text for row in ground.rows], [row.label for row in ground.rows])
    return lambda texts: mark([str(label) for label in fitted.predict(list(texts))])


def fit_embedding(ground: Ground) -> Scorer:
    """Return logistic regression on the frozen encoder's embeddings, trained."""
    from sklearn.linear_model import LogisticRegression

    assert ground.embed is not None
    embed = ground.embed
    classifier = LogisticRegression(C=10, class_weight="balanced", max_iter=2000)
    classifier.fit(embed([row.text for row in ground.rows]), [row.label for row in ground.rows])
    return lambda texts: mark([str(label) for label in classifier.predict(embed(texts))])


def fit_zero_shot(ground: Ground) -> Scorer:
    """Return the label whose description lies nearest in the frozen encoder's space; untrained."""
    assert ground.embed is not None
    embed = ground.embed
    labels = list(ground.descriptions)
    targets = embed([ground.descriptions[label] for label in labels])
    return lambda texts: mark([labels[i] for i in (embed(texts) @ targets.T).argmax(axis=1)])


def fit_setfit(ground: Ground) -> Scorer:
    """Return SetFit, trained on a few rows a label."""
    assert ground.few_shot is not None
    return ground.few_shot([row.text for row in ground.rows], [row.label for row in ground.rows])


@dataclass(frozen=True)
class Baseline:
    """How a baseline is made and what it needs.

    Attributes:
        fit: makes the scorer.
        rows: whether it needs training rows.
        embed: whether it needs the base encoder's embeddings.
        own_labels: whether it knows what our labels mean, so that it has nothing to say of a
            benchmark with other ones.
    """

    fit: Callable[[Ground], Scorer]
    rows: bool = True
    embed: bool = False
    own_labels: bool = False


BASELINES = {
    "majority": Baseline(fit_majority),
    "keywords": Baseline(lambda _: score_keywords, rows=False, own_labels=True),
    "holders": Baseline(fit_holders, own_labels=True),
    "tfidf_svm": Baseline(fit_svm),
    "embedding_lr": Baseline(fit_embedding, embed=True),
    "zero_shot": Baseline(fit_zero_shot, rows=False, embed=True),
    "setfit": Baseline(fit_setfit),
}
SLOW = ("setfit",)  # made only where it is named
MAJORITY, MAJORITY_HERE = "majority", "majority_here"
"""Without training rows the majority is that of the rows which are measured, under another name."""
NOT_DEFINED = "not defined: it is about negotiations, the labels are not"


def check_baselines(names: Sequence[str]) -> None:
    """Raise unless every baseline is known."""
    for name in names:
        if name not in BASELINES:
            raise InputError(
                f"--baselines {name}",
                expected="baselines among " + ", ".join(BASELINES),
                found=name,
                remedy="Name baselines separated by commas.",
            )


def fit_baselines(
    ground: Ground, names: Sequence[str] | None = None, *, own_labels: bool = True
) -> dict[str, Scorer]:
    """Return baselines by name.

    Args:
        ground: what they are made from.
        names: those wanted; None for all that can be made, the slow ones apart.
        own_labels: whether the labels mean what ours mean.
    """
    wanted = [name for name in BASELINES if name not in SLOW] if names is None else names
    return {
        name: BASELINES[name].fit(ground)
        for name in wanted
        if find_obstacle(name, ground, own_labels=own_labels) is None
    }


def find_obstacle(name: str, ground: Ground, *, own_labels: bool) -> str | None:
    """Return why a baseline cannot be made; None where it can."""
    baseline = BASELINES[name]
    if baseline.own_labels and not own_labels:
        return NOT_DEFINED
    if baseline.rows and not ground.rows:
        return f"not made: {ground.no_rows}"
    needed = ground.few_shot if name in SLOW else ground.embed
    if (baseline.embed or name in SLOW) and needed is None:
        return f"not made: {ground.no_encoder}"
    return None


def say_not_run(name: str) -> str:
    """Return why a slow baseline is not there."""
    return f"not run: an extra, minutes for each model; `--baselines {name}`"


def explain_absent(
    ground: Ground, names: Sequence[str] | None, *, own_labels: bool = True
) -> dict[str, str]:
    """Return why baselines are not there, by name.

    Raises:
        InputError: one of them was named and lacks its rows or its encoder.
    """
    found = {}
    for name in BASELINES:
        obstacle = find_obstacle(name, ground, own_labels=own_labels)
        if names is None and name in SLOW and obstacle != NOT_DEFINED:
            found[name] = say_not_run(name)
        elif names is not None and name not in names:
            slow = name in SLOW
            found[name] = say_not_run(name) if slow else f"not asked for: `--baselines {name}`"
        elif obstacle and names is not None and obstacle != NOT_DEFINED and name != MAJORITY:
            raise InputError(
                f"--baselines {name}", expected="what it is made from", found=obstacle,
                remedy="Leave it out of the list.",
            )  # fmt: skip
        elif obstacle:
            found[name] = obstacle
    return found
