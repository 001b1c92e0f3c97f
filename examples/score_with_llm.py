"""Measure your own language model with the harness, through the scorer protocol.

Put your client in the place of ``ask``, then, in a clone of the repository:

    stance evaluate --scorer examples.score_with_llm:score --sets written,probes --out runs/llm.json

Without a change it runs too: ``ask`` then answers by a rule, so that you see the harness work.
"""

from collections.abc import Sequence

from stance.types import LABELS

PROMPT = """\
What position does this sentence take or report toward settling a conflict by negotiations?
Answer with one word: favor, conditional, against or neutral.

Sentence: {text}
Answer:"""


def ask(prompt: str) -> str:
    """Return the model's answer to a prompt; replace this stub by a call of your client."""
    sentence = prompt.split("Sentence: ")[1]
    return "favor" if "talks" in sentence.split() else "neutral"


def score(texts: Sequence[str]) -> list[list[float]]:
    """Return four probabilities for each text, in the order of ``stance.LABELS``.

    An answer outside the list is an error: it must not be counted as some label in silence.
    A model that gives probabilities can return them here, and its calibration is measured too.
    """
    scores = []
    for text in texts:
        answer = ask(PROMPT.format(text=text)).strip().strip(".").lower()
        if answer not in LABELS:
            raise ValueError(f"expected one of {', '.join(LABELS)}, found {answer!r} for: {text}")
        scores.append([float(label == answer) for label in LABELS])
    return scores
