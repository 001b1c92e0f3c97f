"""Keep a teacher as its probabilities over sentences: row id, text hash, four bytes.

Usage: STANCE_CORPORA=DIR python train/teach.py TEACHER [TEACHER ...] --encoder FOLDER

Scores, as far as the source is released, and writes to ``data/teacher/CORPUS.tsv``

- sentences of both pools whose document touches neither real news nor the held-out layers: all with
  a negotiation word or a conditional cue, of the others a quarter, by hash: nearly all of those are
  neutral.
- variants of the labelled rows that are trained on (``stance.training.variants``): more of the rare
  labels, of neutral ones those with a negotiation word. --encoder is the folder of the student's
  base encoder, whose words they are made of.

Several teachers are averaged. An interrupted run is gone on with. With a teacher of 110 million
parameters 50 sentences a second on two idle cores.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from calling import make_parser, need_corpora, run_script
from draw_active import list_open
from draw_realnews import order
from stance.keywords import has_negotiation_word
from stance.layers import hash_text
from stance.rows import Row
from stance.sets import find_data, is_released, read_licences, read_usable
from stance.training.teacher import FOLDER, Teacher, format_line
from stance.training.variants import MARK, Neighbours, vary
from stance.types import NEUTRAL

CHUNK = 2048  # sentences scored between two writes
OTHERS = 0.25  # share of the pool sentences without negotiation word and cue
VARIANTS = {"favor": 2, "conditional": 10, "against": 5, NEUTRAL: 2}
Sentence = dict[str, Any]


def list_pool(data: Path, corpora: Path) -> list[Sentence]:
    """Return the sentences of the pools that may teach."""
    licences = read_licences(data)
    taken = []
    for row in list_open(data, corpora):
        if row["corpus"] not in ("recent", "article_bias_prediction"):
            continue
        entry = licences[row["corpus"]]
        source = entry.get("sources", {}).get(row["row"].split("/")[0], entry)
        wanted = row["content"] != "other" or order(row["id"], "teach") < OTHERS
        if wanted and source["release"]:
            taken.append(row)
    return taken


def list_variants(data: Path, corpora: Path, neighbours: Neighbours) -> list[Sentence]:
    """Return the variants of the labelled rows that are trained on."""
    licences = read_licences(data)
    rows = read_usable("layers", "train", data, corpora).rows
    return [
        describe_variant(row, number, neighbours)
        for row in rows
        if is_released(licences, row) and (row.label != NEUTRAL or has_negotiation_word(row.text))
        for number in range(VARIANTS[row.label])
    ]


def describe_variant(row: Row, number: int, neighbours: Neighbours) -> Sentence:
    """Return one variant of a row."""
    name = f"{row.fields['row']}{MARK}{number}"
    text = vary(row.text, f"{row.fields['corpus']}:{name}", neighbours)
    return {"corpus": row.fields["corpus"], "row": name, "text": text, "sha256": hash_text(text)}


def skip_done(path: Path, rows: list[Sentence]) -> list[Sentence]:
    """Return the rows after the last one written; a half-written last line is cut off."""
    if not path.is_file():
        return rows
    content = path.read_text(encoding="utf-8")
    whole = content[: content.rfind("\n") + 1]
    path.write_text(whole, encoding="utf-8")
    last = whole.splitlines()[-1].split("\t")[0] if whole else None
    places = {row["row"]: place for place, row in enumerate(rows, 1)}
    return rows[places.get(last, 0) :]


def cut(rows: list[Sentence]) -> Iterator[list[Sentence]]:
    """Yield the rows in chunks."""
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]


def main() -> None:
    """Score and write."""
    parser = make_parser(__doc__)
    parser.add_argument("teachers", nargs="+", type=Path)
    parser.add_argument("--encoder", type=Path, required=True, help="the student's base encoder")
    parser.add_argument("--data-dir", type=Path, default="data")
    options = parser.parse_args()
    corpora = need_corpora()
    data = find_data(options.data_dir)
    teachers = [Teacher.load(folder) for folder in options.teachers]
    neighbours = Neighbours.load(options.encoder)
    (data / FOLDER).mkdir(exist_ok=True)
    by_corpus = defaultdict(list)
    for row in (*list_pool(data, corpora), *list_variants(data, corpora, neighbours)):
        by_corpus[row["corpus"]].append(row)
    for corpus, rows in by_corpus.items():
        path = data / FOLDER / f"{corpus}.tsv"
        left = skip_done(path, rows)
        print(f"{corpus}: {len(rows)} sentences, {len(left)} to score", file=sys.stderr)
        with path.open("a", encoding="utf-8") as out, tqdm(total=len(left), disable=None) as bar:
            for chunk in cut(left):
                texts = [row["text"] for row in chunk]
                scores = sum(teacher.score(texts) for teacher in teachers) / len(teachers)
                for row, probabilities in zip(chunk, scores, strict=True):
                    out.write(format_line(row["row"], row["sha256"], probabilities))
                out.flush()
                bar.update(len(chunk))


if __name__ == "__main__":
    run_script(main)
