"""Draw the real-news validation and test rows: by document, in fixed strata, without a model.

Usage: STANCE_CORPORA=DIR python train/draw_realnews.py data/layers OUT

OUT receives ``validation.jsonl`` and ``test.jsonl``: row id, hash, document, stratum and weight, no
label and no text. The draw ran once; its outcome, annotated, is ``data/realnews``, fixed from then
on. Of the layers only the rounds that existed then are read, so that it can be repeated.

Documents. A document goes with all others that share a near-duplicate sentence. Documents fall
into three groups: ``free`` (no row in a layer), ``cue`` (layer rows, and a sentence with both a
negotiation word and a conditional cue) and ``plain`` (layer rows, no such sentence). A fixed
fraction of each group, picked by hash, belongs to real news: layers were drawn by models, so
documents without a layer row alone would hold hardly any stance. The layer rows of picked
documents leave the training set. Of the picked documents 30 % are for validation.

Rows. Strata are corpus x group x what the sentence holds: a negotiation word and a conditional
cue, one of them, neither. Within a stratum rows are taken in the order of a hash. The weight of
a row is its stratum's size in the whole pool per row drawn: weighted figures speak of the pools.
"""

import hashlib
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from datasketch import MinHash, MinHashLSH

from calling import make_parser, need_corpora, read_layer, run_script
from stance import keywords
from stance.layers import collapse, document_of, hash_text, iter_corpus
from stance.training.duplicates import LEAST_WORDS, cluster, shingle

PICKED = {  # fraction of documents that belong to real news, by corpus and group
    ("recent", "free"): 1.0,
    ("recent", "cue"): 0.45,
    ("recent", "plain"): 0.05,
    ("article_bias_prediction", "free"): 1.0,
    ("article_bias_prediction", "cue"): 0.34,
    ("article_bias_prediction", "plain"): 0.05,
}
SIZES = {  # most rows of a stratum in test, by group; validation takes half as many
    "free": {"word+cue": 120, "word": 240, "cue": 50, "other": 90},
    "cue": {"word+cue": 400, "word": 480, "cue": 60, "other": 60},
    "plain": {"word+cue": 0, "word": 60, "cue": 20, "other": 20},
}
ROUNDS = ("keyword", "active", "active2", "recent")  # of the layers when the draw was made
Row = dict[str, Any]


def order(name: str, purpose: str) -> float:
    """Map a name to a fixed number in [0, 1), another one for each purpose."""
    return int(hashlib.sha256(f"{purpose}:{name}".encode()).hexdigest()[:8], 16) / 2**32


def name_content(text: str) -> str:
    """Say what the sentence holds: negotiation word, conditional cue, both or neither."""
    found = (keywords.has_negotiation_word(text), keywords.has_condition_cue(text))
    names = {(True, True): "word+cue", (True, False): "word", (False, True): "cue"}
    return names.get(found, "other")


def find_likely_duplicates(texts: list[str]) -> list[tuple[int, int]]:
    """List the pairs of texts that overlap as this draw found them: nearly all, not all.

    The draw stands as it was made; what its hashes missed ``train/withhold.py`` keeps out of
    training.
    """
    index = MinHashLSH(threshold=0.6, num_perm=64)
    pieces: list[set[str]] = []
    pairs = []
    for j, text in enumerate(texts):
        pieces.append(shingle(text))
        if len(text.split()) < LEAST_WORDS:
            continue
        signature = MinHash(num_perm=64)
        signature.update_batch([piece.encode("utf-8", "replace") for piece in pieces[j]])
        for i in index.query(signature):
            if len(pieces[i] & pieces[j]) / len(pieces[i] | pieces[j]) >= 0.6:
                pairs.append((i, j))
        index.insert(j, signature)
    return pairs


def read_pools(corpora: Path) -> list[Row]:
    """Return every sentence of both pools, and what it holds."""
    rows = []
    for corpus in ("recent", "article_bias_prediction"):
        for row_id, row in iter_corpus(corpora, corpus):
            text = collapse(row["text"])
            rows.append(
                {
                    "id": f"{corpus}:{row_id}",
                    "corpus": corpus,
                    "row": row_id,
                    "sha256": hash_text(text),
                    "document": document_of(corpus, row_id, row),
                    "content": name_content(text),
                    "text": text,
                }
            )
    return rows


def name_clusters(rows: list[Row]) -> list[Row]:
    """Return the rows, each with the cluster of documents that its document belongs to."""
    pairs = find_likely_duplicates([row["text"] for row in rows])
    documents = [(rows[i]["document"], rows[j]["document"]) for i, j in pairs]
    names = cluster({row["document"] for row in rows}, documents)
    return [{**row, "cluster": names[row["document"]]} for row in rows]


def group_clusters(rows: Iterable[Row], labelled: set[str]) -> dict[str, str]:
    """Return the group of each document cluster: free, cue or plain."""
    rows = list(rows)
    touched = {row["cluster"] for row in rows if row["sha256"] in labelled}
    cued = {row["cluster"] for row in rows if row["content"] == "word+cue"}
    return {
        name: "free" if name not in touched else "cue" if name in cued else "plain"
        for name in {row["cluster"] for row in rows}
    }


def draw(rows: list[Row], groups: dict[str, str]) -> dict[str, list[Row]]:
    """Return the drawn rows of ``validation`` and ``test``."""
    sizes = Counter((row["corpus"], groups[row["cluster"]], row["content"]) for row in rows)
    cells: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        group = groups[row["cluster"]]
        if order(row["cluster"], "pick") < PICKED[row["corpus"], group]:
            split = "validation" if order(row["cluster"], "split") < 0.3 else "test"
            cells[split, row["corpus"], group, row["content"]].append(row)
    drawn: dict[str, list[Row]] = {"validation": [], "test": []}
    for (split, corpus, group, content), cell in sorted(cells.items()):
        size = SIZES[group][content] // (2 if split == "validation" else 1)
        taken = sorted(cell, key=lambda row: order(row["id"], "row"))[:size]
        print(split, corpus, group, content, len(taken), "of", len(cell), file=sys.stderr)
        for row in taken:
            weight = round(sizes[corpus, group, content] / len(taken), 4)
            drawn[split].append({**row, "stratum": f"{group}/{content}", "weight": weight})
    return drawn


def read_hashes(layers: Path) -> set[str]:
    """Return the text hashes of the layer rows that there were when the draw was made."""
    rows = (row for path in sorted(layers.glob("*.jsonl")) for row in read_layer(path, "round"))
    return {row["sha256"] for row in rows if row["round"] in ROUNDS}


def write_draw(layers: Path, corpora: Path, out: Path) -> None:
    """Draw the rows and write them, each split in the order of a hash."""
    labelled = read_hashes(layers)
    rows = name_clusters(read_pools(corpora))
    out.mkdir(parents=True, exist_ok=True)
    for split, taken in draw(rows, group_clusters(rows, labelled)).items():
        keys = ("id", "corpus", "row", "sha256", "document", "stratum", "weight")
        lines = [
            json.dumps({key: row[key] for key in keys}) + "\n"
            for row in sorted(taken, key=lambda row: order(row["id"], "file"))
        ]
        (out / f"{split}.jsonl").write_text("".join(lines))


def main() -> None:
    """Draw."""
    parser = make_parser(__doc__)
    parser.add_argument("layers", type=Path, help="folder of label layers")
    parser.add_argument("out", type=Path, help="folder to write")
    options = parser.parse_args()
    if not list(options.layers.glob("*.jsonl")):
        parser.error(f"{options.layers}: expected a folder of label layers (*.jsonl)")
    write_draw(options.layers, need_corpora(), options.out)


if __name__ == "__main__":
    run_script(main)
