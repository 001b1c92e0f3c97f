"""A user's own rows: which are trained on and which are held out."""

import logging
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from stance.errors import InputError
from stance.layers import hash_text
from stance.own import read_own_rows
from stance.rows import Row
from stance.selection import Rows
from stance.sets import hash_rows
from stance.training.duplicates import cluster
from stance.types import LABELS

HELD_OUT = 0.1  # share of each label that is held out where no file to validate on is given
FEW = 10  # held-out rows of a label below which its figures say little

log = logging.getLogger(__name__)


def read_own(path: Path, validation: Path | None = None) -> Rows:
    """Read a user's own labelled file: CSV or JSON lines with ``text`` and ``label``.

    A tenth of each label is held out for validation (see ``hold_out``), or the rows of a second
    file are; what both hold is not trained on. The labels are the four stances where no other
    occurs; else those of the file, in the order of the alphabet.

    Raises:
        InputError: a column is missing, there is one label alone, the second file has a label that
            the first has not, or too few rows are left.
    """
    rows = read_own_rows(path, any_label=True)
    labels = order_labels(path, rows)
    warn_of_repeated(path, rows)
    if validation:
        held = read_own_rows(validation, any_label=True)
        check_labels(validation, held, labels)
        train = drop_held(path, rows, held)
        hashes = {path.name: hash_rows(train), f"validation/{validation.name}": hash_rows(held)}
    else:
        train, held = hold_out(rows)
        hashes = {path.name: hash_rows(rows)}
    known, taught, kept = ({row.label for row in part} for part in (rows, train, held))
    if taught < known or len(kept) < 2:
        raise InputError(
            str(validation or path),
            expected="rows of every label to train on, and of two labels or more to hold out",
            found=f"{len(group_rows(rows))} different texts or documents",
            remedy="Label more statements, or join rare labels.",
        )
    warn_of_few(labels, train, held)
    return Rows(train, held, hashes, labels=labels)


def order_labels(path: Path, rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the labels in their order.

    Raises:
        InputError: there is one alone, or they are the four stances in capitals.
    """
    found = {row.label for row in rows}
    if found <= set(LABELS):
        labels = LABELS
    elif {label.lower() for label in found} <= set(LABELS):
        raise InputError(
            str(path), expected="stances written " + ", ".join(LABELS),
            found=", ".join(sorted(found)), remedy="Write them in small letters.",
        )  # fmt: skip
    else:
        labels = tuple(sorted(found))
        if len(found & set(LABELS)) > 1:  # by chance both sets have "neutral"
            log.warning("%s: %s: no stance; taken as labels of your own, not as the four stances",
                        path, ", ".join(sorted(found - set(LABELS))))  # fmt: skip
    if len(found) < 2:
        raise InputError(
            str(path), expected="two labels or more, each with several rows",
            found=f"'{min(found)}' alone", remedy="Label more statements.",
        )  # fmt: skip
    return labels


def check_labels(path: Path, rows: Sequence[Row], labels: Sequence[str]) -> None:
    """Raise when rows to validate on have a label that nothing teaches."""
    strange = sorted({row.label for row in rows} - set(labels))
    if strange:
        raise InputError(
            str(path), expected="labels among " + ", ".join(labels), found=", ".join(strange),
            remedy="Use the labels of the rows to train on.",
        )  # fmt: skip


def hold_out(rows: Sequence[Row], share: float = HELD_OUT) -> tuple[list[Row], list[Row]]:
    """Split rows into those to learn from and those held out: a share of every label.

    Rows of one document, and rows of the same words, stay on one side. Which are held out hangs on
    a hash of the words, not on the order. Where documents are large it may be more than the share,
    at most half of a label; of a label whose rows are all of one document it is none.

    Args:
        rows: n rows, their ids all different.
        share: share to hold out, 0 to 1.
    """
    groups = group_rows(rows)
    counts = [Counter(row.label for row in group) for group in groups]
    total = Counter(row.label for row in rows)
    half = {label: n // 2 for label, n in total.items()}
    wanted = {label: min(max(1, round(n * share)), half[label]) for label, n in total.items()}
    held: Counter[str] = Counter()
    taken: set[int] = set()
    for most in (wanted, half):  # first what fits; larger documents where that is not enough
        for label in sorted(total, key=lambda name: (total[name], name)):
            for i, count in enumerate(counts):
                fits = all(held[name] + n <= most[name] for name, n in count.items())
                if held[label] < wanted[label] and i not in taken and count[label] and fits:
                    taken.add(i)
                    held += count
    chosen = {row.id for i in taken for row in groups[i]}
    return [row for row in rows if row.id not in chosen], [row for row in rows if row.id in chosen]


def group_rows(rows: Sequence[Row]) -> list[list[Row]]:
    """Put rows of one document or of the same words together; in the order of a hash of words."""
    first: dict[tuple[str, str], str] = {}
    pairs = [
        (row.id, first.setdefault(key, row.id))
        for row in rows
        for key in (("text", reduce_text(row.text)), ("document", row.document))
    ]
    names = cluster([row.id for row in rows], pairs)
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[names[row.id]].append(row)
    return sorted(
        groups.values(), key=lambda group: min(hash_text(reduce_text(row.text)) for row in group)
    )


def reduce_text(text: str) -> str:
    """Return the words of a text in small letters; of a text without words the text itself."""
    return " ".join(re.findall(r"\w+", text.lower())) or text


def drop_held(path: Path, rows: Sequence[Row], held: Sequence[Row]) -> list[Row]:
    """Return the rows without those whose text or document is validated on, and say how many."""
    texts = {reduce_text(row.text) for row in held}
    documents = {row.document for row in held if row.document != row.id}  # else it has none
    kept = [row for row in rows if reduce_text(row.text) not in texts
            and (row.document == row.id or row.document not in documents)]  # fmt: skip
    if left := len(rows) - len(kept):
        log.warning("%s: %d row%s left out: text or document is validated on", path, left,
                    "s" * (left > 1))  # fmt: skip
    return kept


def warn_of_repeated(path: Path, rows: Sequence[Row]) -> None:
    """Say how many rows repeat a text, and which texts have different labels."""
    alike: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        alike[reduce_text(row.text)].append(row)
    if len(alike) < len(rows):
        log.warning("%s: %d of %d rows repeat a text", path, len(rows) - len(alike), len(rows))
    torn = [group for group in alike.values() if len({row.label for row in group}) > 1]
    if torn:
        first = torn[0][0]
        other = next(row for row in torn[0] if row.label != first.label)
        log.warning(
            "%s: %d text%s with different labels, first in lines %s and %s: %r", path, len(torn),
            "s" * (len(torn) > 1), first.id, other.id, first.text[:60],
        )  # fmt: skip


def warn_of_few(labels: Sequence[str], train: Sequence[Row], held: Sequence[Row]) -> None:
    """Name the labels of which so few rows are held out that their figures say little."""
    learned, kept = (Counter(row.label for row in part) for part in (train, held))
    few = [f"{name} {kept[name]} of {kept[name] + learned[name]}"
           for name in labels if learned[name] and kept[name] < FEW]  # fmt: skip
    if few:
        log.warning("few rows held out: %s; what is said of these labels is rough", ", ".join(few))
