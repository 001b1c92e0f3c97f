"""The one thing the harness asks of whoever is judged: texts in, class scores out."""

import hashlib
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stance.bundle import hash_file
from stance.errors import InputError
from stance.evaluation.answers import Answers, is_answer
from stance.rows import Row
from stance.types import LABELS, Prediction

ONE = f"{len(LABELS)} probabilities that sum to 1"


class Scorer(Protocol):
    """Texts in, class scores out; a plain function will do.

    Example:
        >>> def score(texts):
        ...     return [[0, 0, 0, 1] for _ in texts]  # favor, conditional, against, neutral
    """

    def __call__(self, texts: Sequence[str], /) -> ArrayLike:
        """Return the scores of n texts, (n, 4): probabilities in the order of ``LABELS``.

        A scorer that has labels alone gives 1 to the label and 0 to the others.
        """
        ...


def run_scorer(
    scorer: Scorer, texts: Sequence[str], name: str, ids: Sequence[str] = ()
) -> NDArray[np.float64]:
    """Return a scorer's scores of the texts, checked, (n, labels).

    Args:
        scorer: whoever scores.
        texts: n texts.
        name: what the scorer is called in an error.
        ids: the rows that the texts are of, for an error to name them; none for their numbers.

    Raises:
        InputError: the scorer fails, or its answer is not n times four probabilities.
    """
    where = f"scorer {name} rows '{ids[0]}' to '{ids[-1]}'" if ids else f"scorer {name}"
    try:
        answer = scorer(texts)
    except Exception as error:  # a user's own code: whatever it raises is said in one line
        raise InputError(
            where,
            expected=f"scores of {len(texts)} texts",
            found=say_fault(error),
            remedy="Mend the scorer.",
        ) from error
    many = f"{len(texts)} rows of {ONE}"
    try:
        scores = np.asarray(answer, dtype=float)
    except (TypeError, ValueError) as error:
        raise refuse(where, many, f"something else ({error})") from None
    if scores.shape != (len(texts), len(LABELS)):
        raise refuse(where, many, f"the shape {scores.shape}")
    for i, row in enumerate(scores):
        if not is_answer(row):
            which = f"row '{ids[i]}'" if ids else f"text {i}"
            raise refuse(f"scorer {name} {which}", ONE, str(row.tolist()))
    return scores


def say_fault(error: Exception) -> str:
    """Return in one line what a user's own code raised, and where."""
    frames = traceback.extract_tb(error.__traceback__)
    *_, last = (frame for frame in frames if not frame.filename.startswith("<"))
    place = "" if isinstance(error, SyntaxError) else f" ({last.filename} line {last.lineno})"
    return f"{type(error).__name__}: {' '.join(str(error).split())}{place}"


def refuse(where: str, expected: str, found: str) -> InputError:
    """Return the error that a scorer's answer is of another kind."""
    return InputError(
        where,
        expected=expected,
        found=found,
        remedy="Return scores in the order of stance.LABELS; 1 and 0 where there is a label alone.",
    )


def predict_with(
    scorer: Scorer, rows: Sequence[Row], name: str, answers: Answers
) -> list[Prediction]:
    """Return a scorer's predictions of rows: no holder, no source, never reliable.

    Args:
        scorer: whoever scores.
        rows: n rows with texts.
        name: what the scorer is called in an error.
        answers: what it has answered; it is asked for the others, whose answers are added.
    """
    texts = [row.text for row in rows]
    if new := [row for row in rows if row.text not in answers]:
        asked = [row.text for row in new]
        answers.add(asked, run_scorer(scorer, asked, name, [row.id for row in new]))
    scores = answers.get(texts)
    return [
        Prediction(
            text=text,
            label=LABELS[int(row.argmax())],
            scores=dict(zip(LABELS, map(float, row), strict=True)),
            confidence=float(row.max()),
            reliable=False,
            holder=None,
            source=None,
            truncated=False,
        )
        for text, row in zip(texts, scores, strict=True)
    ]


def load_scorer(name: str) -> tuple[Scorer, str]:
    """Import a scorer by its name, ``module:function``; modules are found from this folder too.

    Returns:
        The scorer, and a SHA-256 over that of the file that defines it and the function's name.

    Raises:
        InputError: there is no such module or function, or the module fails.
    """
    module_name, _, function = name.partition(":")
    here = os.getcwd()  # noqa: PTH109 - an entry of sys.path is a string
    sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
        scorer: Any = getattr(module, function)
        if not callable(scorer) or module.__file__ is None:
            raise AttributeError(f"'{function}' is no function of a file")
        path = Path(module.__file__)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(
            f"--scorer {name}",
            expected="module:function",
            found=str(error) or "another form",
            remedy="Name an importable module and a function in it.",
        ) from error
    except Exception as error:  # the module is a user's own code
        raise InputError(
            f"--scorer {name}",
            expected="module:function, of a module that can be imported",
            found=say_fault(error),
            remedy="Mend the module.",
        ) from error
    finally:
        sys.path.pop(0)
    if here not in sys.path:
        sys.path.append(here)  # last: the scorer may import its neighbours when it is called
    return scorer, hashlib.sha256(f"{hash_file(path)} {function}".encode()).hexdigest()
