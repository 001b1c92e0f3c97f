"""Baselines that a model must beat: texts in, labels out."""

import re
from collections import Counter
from collections.abc import Sequence

from stance.keywords import has_condition_cue, has_negotiation_word
from stance.types import NEUTRAL

REFUSAL = re.compile(
    r"\b(reject\w*|refus\w*|rul(?:ed?|es|ing) out|no (?:talks|negotiations|deal|ceasefire)|"
    r"not? (?:negotiate|talk|interested)|walk\w* (?:out|away)|pull\w* out|withdr\w+|"
    r"suspend\w*|halt\w*|break\w* off|broke off|violat\w*|oppos\w+|den(?:y|ied|ies)|never)\b",
    re.IGNORECASE,
)


def predict_majority(train_labels: Sequence[str], texts: Sequence[str]) -> list[str]:
    """Give every text the most frequent training label."""
    label = Counter(train_labels).most_common(1)[0][0]
    return [label] * len(texts)


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


def predict_svm(
    train_texts: Sequence[str], train_labels: Sequence[str], texts: Sequence[str]
) -> list[str]:
    """Train TF-IDF (words 1 to 2, characters 2 to 5) with a balanced linear SVM, and apply it."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union
    from sklearn.svm import LinearSVC

    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=3),
    )
    classifier = LinearSVC(C=0.5, class_weight="balanced", random_state=0)
    pipeline = make_pipeline(features, classifier)
    pipeline.fit(list(train_texts), list(train_labels))
    return [str(label) for label in pipeline.predict(list(texts))]


def predict_all(
    train_texts: Sequence[str], train_labels: Sequence[str], texts: Sequence[str]
) -> dict[str, list[str]]:
    """Return the labels of every baseline, by name; only the rule when there are no rows."""
    if not train_texts:
        return {"keywords": predict_keywords(texts)}
    return {
        "majority": predict_majority(train_labels, texts),
        "keywords": predict_keywords(texts),
        "tfidf_svm": predict_svm(train_texts, train_labels, texts),
    }
