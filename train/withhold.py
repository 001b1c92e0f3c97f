"""Withhold training rows whose document touches real news or the held-out layers.

Usage: STANCE_CORPORA=DIR python train/withhold.py [--data-dir data]

Sentences of both pools and of every public corpus that labels or draws come from are compared at
once. A training row becomes ``withheld`` when it is a near-duplicate of a closed row (real-news
validation or test, layers test), or when a sentence of its document, ten words or longer, is a
near-duplicate of a sentence of a closed document. Run it after rows were added (30 seconds); a
second run changes nothing.
"""

from collections import Counter
from pathlib import Path

from calling import make_parser, need_corpora, read_layer, run_script
from stance.files import write_jsonl
from stance.layers import POOLS, collapse, document_of, iter_corpus
from stance.sets import find_data, list_files, read_labels
from stance.training.duplicates import find_near_duplicates

PUBLIC = (  # released, and written by journalists or diplomats: rows to label are drawn from these
    "directed_sentiment",
    "newsmtsc",
    "newsmtsc_mt",
    "persent_paragraphs",
    "plover_plv",
    "un_quadclass",
    "unscon",
    "gwsd",
)
CLOSED = (("realnews", "validation"), ("realnews", "test"), ("layers", "test"))
LONG = 10  # words; documents often share a shorter sentence by chance


def list_touched(data: Path, corpora: Path) -> tuple[set[str], set[str]]:
    """Return the ids of the rows and the names of the documents that nothing may learn from."""
    closed = [row for part in CLOSED for row in read_labels(data, *part)]
    closed_rows = {row.id for row in closed}
    closed_documents = {row.document for row in closed}
    labelled = [*closed, *read_labels(data, "layers", "train")]
    homes = {row.id: row.document for row in labelled}
    names = {*POOLS, *PUBLIC, *(row.fields["corpus"] for row in labelled)}
    ids, documents, texts = [], [], []
    for corpus in sorted(names):
        for row_id, row in iter_corpus(corpora, corpus):
            ids.append(f"{corpus}:{row_id}")
            known = homes.get(ids[-1])
            documents.append(known or document_of(corpus, row_id, row))
            texts.append(collapse(row["text"]))
    touched_rows, touched_documents = set(), set(closed_documents)
    for pair in find_near_duplicates(texts):
        for i, j in (pair, pair[::-1]):
            if ids[i] in closed_rows:
                touched_rows.add(ids[j])
            long = min(len(texts[i].split()), len(texts[j].split())) >= LONG
            if documents[i] in closed_documents and long:
                touched_documents.add(documents[j])
    return touched_rows, touched_documents


def withhold(data: Path, corpora: Path) -> Counter[str]:
    """Rewrite the layers; return how many rows of each corpus were withheld now."""
    rows, documents = list_touched(data, corpora)
    counts: Counter[str] = Counter()
    for path in list_files(data, "layers", "train"):
        entries = list(read_layer(path, "split"))
        for entry in entries:
            if entry["split"] == "train" and (
                entry["id"] in rows or entry["document"] in documents
            ):
                entry["split"] = "withheld"
                counts[path.stem] += 1
        write_jsonl(path, entries)
    return counts


def main() -> None:
    """Withhold and say how many."""
    parser = make_parser(__doc__)
    parser.add_argument("--data-dir", type=Path, default="data")
    data = find_data(parser.parse_args().data_dir)
    for corpus, count in sorted(withhold(data, need_corpora()).items()):
        print(f"{corpus}: {count} rows withheld")


if __name__ == "__main__":
    run_script(main)
