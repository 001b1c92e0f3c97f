"""Baselines that a model must beat: texts in, labels out."""

import re
from collections import Counter
from collections.abc import Callable, Sequence

from stance.keywords import has_condition_cue, has_negotiation_word
from stance.types import NEUTRAL

Scorer = Callable[[Sequence[str]], list[str]]
"""Texts in, one label for each out."""

REFUSAL = re.compile(
    r"\b(reject\w*|refus\w*|rul(?:ed?|es|ing) out|no (?:talks|negotiations|deal|ceasefire)|"
    r"not? (?:negotiate|talk|interested)|walk\w* (?:out|away)|pull\w* out|withdr\w+|"
    r"suspend\w*|halt\w*|break\w* off|broke off|violat\w*|oppos\w+|den(?:y|ied|ies)|never)\b",
    re.IGNORECASE,
)


def predict_keywords(texts: Sequence[str]) -> list[str]:
    """Judge by words alone: no word of negotiating is neutral, a cue is a condition, and so on."""
    labels = []
    for text in texts:
        if not has_negotiation_word(text):
            labels.append(NEUTRAL)
        elif has_condition_cue(text):
            labels.append("conditional")
        else:
            labels.append("against" if REFUSAL.search(text) else "favor")
    return labels


def fit_majority(labels: Sequence[str]) -> Scorer:
    """Return a scorer that gives every text the most frequent training label."""
    label = Counter(labels).most_common(1)[0][0]
    return lambda texts: [label] * len(texts)


def fit_svm(texts: Sequence[str], labels: Sequence[str]) -> Scorer:
    """Return TF-IDF (words 1 to 2, characters 2 to 5) with a balanced linear SVM, trained."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=3),
    )
    classifier = LinearSVC(C=0.5, class_weight="balanced", random_state=0)
    pipeline = make_pipeline(features, classifier).fit(list(texts), list(labels))
    return lambda new: [str(label) for label in pipeline.predict(list(new))]


def fit_all(texts: Sequence[str], labels: Sequence[str]) -> dict[str, Scorer]:
    """Return every baseline by name; without training rows only the keyword rule."""
    if not texts:
        return {"keywords": predict_keywords}
    return {
        "majority": fit_majority(labels),
        "keywords": predict_keywords,
        "tfidf_svm": fit_svm(texts, labels),
    }
