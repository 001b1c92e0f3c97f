"""Draw rows to label next: where a model sees a rare stance, where it is unsure, and at random.

Usage: STANCE_CORPORA=DIR python train/draw_active.py MODEL OUT --round NAME [--size 1600]

Scores sentences of both pools that are not labelled yet and whose document does not belong to real
news: all of recent, and of the older pool those with a negotiation word or a conditional cue and as
many as --others without (in the order of a hash). Writes id, document, text, the sentence before
and the rule that drew it to OUT (texts: not for the repository).

Rules and shares: predicted conditional 30 %, predicted against 25 %, predicted favor 10 %, unsure
(least margin between the best two labels) 25 %, random 10 %.
Of a near-duplicate only one is drawn, and none of a row already labelled.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

from draw_realnews import order, read_pools
from stance.layers import collapse, find_corpora, iter_corpus
from stance.model import Model, load
from stance.sets import find_data, read_labels
from stance.training.duplicates import find_near_duplicates

SHARES = {"conditional": 0.30, "against": 0.25, "favor": 0.10, "unsure": 0.25, "random": 0.10}
LEAST = 0.15  # a row is "predicted" when the label has at least this probability


def list_candidates(data: Path, corpora: Path, others: int) -> list[dict]:
    """Return the unlabelled rows to score, outside the documents of real news."""
    labelled, closed = set(), set()
    for name, split in (("realnews", "validation"), ("realnews", "test"), ("layers", "withheld")):
        closed |= {row.document for row in read_labels(data, name, split)}
    for split in ("train", "test", "withheld"):
        labelled |= {row.fields["sha256"] for row in read_labels(data, "layers", split)}
    closed |= {row.document for row in read_labels(data, "layers", "test")}
    rows = read_pools(corpora)
    clusters = {row["cluster"] for row in rows if row["document"] in closed}
    rows = [row for row in rows if row["cluster"] not in clusters and row["sha256"] not in labelled]
    first = [row for row in rows if row["corpus"] == "recent" or row["content"] != "other"]
    rest = [row for row in rows if row["corpus"] != "recent" and row["content"] == "other"]
    return first + sorted(rest, key=lambda row: order(row["id"], "active"))[:others]


def pick(rows: list[dict], model: Model, size: int, salt: str) -> list[dict]:
    """Return the drawn rows, each with its rule."""
    for done, (row, item) in enumerate(
        zip(rows, model.stream(row["text"] for row in rows), strict=True)
    ):
        best = sorted(item.scores.values())
        row["scores"], row["margin"] = item.scores, best[-1] - best[-2]
        if done % 5000 == 0:
            print(f"{done} of {len(rows)} scored", file=sys.stderr)
    keys = {
        "unsure": lambda row: row["margin"],
        "random": lambda row: hashlib.sha256(f"{salt}:{row['id']}".encode()).hexdigest(),
    }
    drawn: dict[str, dict] = {}
    for rule, share in SHARES.items():
        key = keys.get(rule, lambda row, rule=rule: -row["scores"][rule])
        ranked = sorted((row for row in rows if row["id"] not in drawn), key=key)
        if rule not in keys:
            ranked = [row for row in ranked if row["scores"][rule] >= LEAST]
        for row in ranked[: round(share * size)]:
            drawn[row["id"]] = {**row, "rule": rule}
    kept = list(drawn.values())
    twins = {j for _, j in find_near_duplicates([row["text"] for row in kept])}
    return [row for i, row in enumerate(kept) if i not in twins]


def main() -> None:
    """Draw and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--round", required=True)
    parser.add_argument("--size", type=int, default=1600)
    parser.add_argument("--others", type=int, default=2000)
    parser.add_argument("--data-dir", type=Path, default="data")
    options = parser.parse_args()
    corpora = find_corpora()
    assert corpora is not None, "set STANCE_CORPORA"
    rows = list_candidates(find_data(options.data_dir), corpora, options.others)
    drawn = pick(rows, load(options.model), options.size, options.round)
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
            entry |= {"round": options.round, "before": before[row["id"]]}
            out.write(json.dumps(entry) + "\n")


if __name__ == "__main__":
    main()
