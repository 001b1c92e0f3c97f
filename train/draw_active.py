"""Draw rows to label next: where a model sees a stance, where it is unsure, and at random.

Usage: STANCE_CORPORA=DIR python train/draw_active.py MODEL OUT --round NAME [--size 3200]

Scores every sentence of both pools and of the released public corpora that is not labelled yet and
whose document belongs to neither real news nor the held-out layers (about 10 minutes on two
cores; the scores stay in OUT.npz, and a second call with the same rows and model reads them).
Writes id, document, text, the sentence before and the rule that drew it to OUT (texts: not for the
repository), and to OUT.tsv what an annotator may see: number and text.

A row is never drawn when it is a near-duplicate of a labelled or a drawn one.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from calling import make_parser, need_corpora, run_script
from draw_realnews import read_pools
from stance.bundle import read_bundle
from stance.layers import collapse, document_of, hash_text, iter_corpus
from stance.sets import find_data, read_labels
from stance.training.duplicates import find_near_duplicates
from stance.training.teacher import Teacher
from stance.types import LABELS
from withhold import PUBLIC, list_touched

SHARES = {"conditional": 0.35, "against": 0.30, "favor": 0.10, "unsure": 0.20, "random": 0.05}
# The shares of round active4; --shares sets others, e.g. when a label yields too little.
LEAST = 0.10  # a row is "predicted" when the label has at least this probability
HELD_OUT = (
    ("realnews", "validation"),
    ("realnews", "test"),
    ("layers", "test"),
    ("layers", "withheld"),
)
CHUNK = 1024  # sentences scored between two moves of the bar
LONGEST = 700  # characters; longer ones are paragraphs with several positions
Row = dict[str, Any]


def read_public(corpora: Path) -> list[Row]:
    """Return the rows of the public corpora, each text once."""
    rows: dict[str, Row] = {}
    for corpus in PUBLIC:
        for row_id, row in iter_corpus(corpora, corpus):
            text = collapse(row["text"])
            document = document_of(corpus, row_id, row)
            rows.setdefault(
                hash_text(text),
                {
                    "id": f"{corpus}:{row_id}",
                    "corpus": corpus,
                    "row": row_id,
                    "sha256": hash_text(text),
                    "document": document,
                    "text": text,
                },
            )
    return [row for row in rows.values() if len(row["text"]) <= LONGEST]


def list_open(data: Path, corpora: Path) -> list[Row]:
    """Return the rows outside the documents of real news and of the held-out layers."""
    closed = {row.document for part in HELD_OUT for row in read_labels(data, *part)}
    touched, documents = list_touched(data, corpora)
    hidden = closed | documents
    return [
        row
        for row in (*read_pools(corpora), *read_public(corpora))
        if row["document"] not in hidden and row["id"] not in touched
    ]


def list_candidates(data: Path, corpora: Path) -> list[Row]:
    """Return the open rows that are not labelled yet."""
    labelled = {
        row.fields["sha256"]
        for part in (*HELD_OUT, ("layers", "train"))
        for row in read_labels(data, *part)
    }
    return [row for row in list_open(data, corpora) if row["sha256"] not in labelled]


def score(rows: list[Row], folder: Path, cache: Path) -> NDArray[np.float32]:
    """Return the probabilities, rows x labels, from the cache where it fits."""
    identity = [read_bundle(folder).sha256, *(row["id"] for row in rows)]
    key = hashlib.sha256("\n".join(identity).encode()).hexdigest()
    if cache.is_file():
        stored = np.load(cache)
        if str(stored["key"]) == key:
            return np.asarray(stored["scores"])
    model = Teacher.load(folder)
    texts = [row["text"] for row in rows]
    chunks = [texts[i : i + CHUNK] for i in range(0, len(texts), CHUNK)]
    scores = np.concatenate([model.score(chunk) for chunk in tqdm(chunks, unit="chunk")])
    np.savez(cache, key=key, scores=scores)
    return scores


def pick(
    rows: list[Row], scores: NDArray[np.float32], known: list[str], sizes: dict[str, int], salt: str
) -> list[Row]:
    """Return the drawn rows, each with its rule; none is a near-duplicate of a known text."""
    ordered = np.sort(scores, axis=1)
    keys = {label: -scores[:, i] for i, label in enumerate(LABELS)}
    keys["unsure"] = ordered[:, -1] - ordered[:, -2]
    keys["random"] = np.array(
        [
            int(hashlib.sha256(f"{salt}:{row['id']}".encode()).hexdigest()[:8], 16) / 2**32
            for row in rows
        ]
    )
    drawn: dict[int, str] = {}
    for rule, size in sizes.items():
        ranked = [int(i) for i in np.argsort(keys[rule], kind="stable") if int(i) not in drawn]
        if rule in LABELS:
            ranked = [i for i in ranked if keys[rule][i] <= -LEAST]
        drawn |= dict.fromkeys(ranked[:size], rule)
    kept = [{**rows[i], "rule": rule} for i, rule in drawn.items()]
    pairs = find_near_duplicates([*known, *(row["text"] for row in kept)])
    twins = {j - len(known) for _, j in pairs if j >= len(known)}
    return [row for i, row in enumerate(kept) if i not in twins]


def read_known(data: Path, corpora: Path) -> list[str]:
    """Return the texts of all labelled rows of the corpora."""
    hashes = {
        row.fields["sha256"]
        for part in (*HELD_OUT, ("layers", "train"))
        for row in read_labels(data, *part)
    }
    texts = {row["sha256"]: row["text"] for row in read_pools(corpora) + read_public(corpora)}
    return [text for digest, text in texts.items() if digest in hashes]


def parse_shares(text: str) -> dict[str, float]:
    """Return the shares that the option gives.

    Raises:
        argparse.ArgumentTypeError: it is not an object of known rules to shares from 0 to 1.
    """
    try:
        shares = {rule: float(share) for rule, share in json.loads(text).items()}
    except (AttributeError, TypeError, ValueError):
        shares = {}
    if (
        not shares
        or not set(shares) <= set(SHARES)
        or not all(0 <= x <= 1 for x in shares.values())
    ):
        raise argparse.ArgumentTypeError(
            f'expected JSON like {{"against": 0.7, "random": 0.3}} with rules among '
            f"{', '.join(SHARES)}, found {text}"
        )
    return shares


def main() -> None:
    """Draw and write."""
    parser = make_parser(__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--round", required=True)
    parser.add_argument("--size", type=int, default=3200, help="rows to draw (default: 3200)")
    parser.add_argument("--shares", type=parse_shares, default=SHARES, help="JSON, rule to share")
    parser.add_argument("--data-dir", type=Path, default="data")
    options = parser.parse_args()
    if options.size < 1:
        parser.error(f"argument --size: expected at least 1, found {options.size}")
    corpora = need_corpora()
    data = find_data(options.data_dir)
    read_bundle(options.model)  # a folder without a model is refused before minutes of reading
    rows = list_candidates(data, corpora)
    if not rows:
        parser.error(
            "no row to score: the corpora hold labelled rows alone; drawing needs them whole"
        )
    print(f"{len(rows)} rows to score", file=sys.stderr)
    scores = score(rows, options.model, options.out.with_suffix(".npz"))
    sizes = {rule: round(share * options.size) for rule, share in options.shares.items()}
    drawn = pick(rows, scores, read_known(data, corpora), sizes, options.round)
    before = {
        f"{corpus}:{row_id}": collapse(row.get("before") or "")
        for corpus in ("recent", "article_bias_prediction")
        for row_id, row in iter_corpus(corpora, corpus)
    }
    drawn.sort(key=lambda row: row["sha256"])
    with options.out.open("w") as out:
        for row in drawn:
            keys = ("id", "corpus", "row", "sha256", "document", "rule", "text")
            entry = {key: row[key] for key in keys}
            entry |= {"round": options.round, "before": before.get(row["id"], "")}
            out.write(json.dumps(entry) + "\n")
    lines = [f"{i}\t{row['text']}\n" for i, row in enumerate(drawn)]
    options.out.with_suffix(".tsv").write_text("".join(lines))


if __name__ == "__main__":
    run_script(main)
