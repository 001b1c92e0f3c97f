"""Keep a teacher as its probabilities over the unlabelled pools.

Usage: STANCE_CORPORA=DIR python train/teach.py TEACHER [TEACHER ...] [--data-dir data]

Scores the sentences of both pools that may teach: the source is released, and the document touches
neither real news nor the held-out layers. All with a negotiation word or a conditional cue are
taken, of the others a quarter, by hash: nearly all of those are neutral. Several teachers are
averaged. Writes ``data/teacher/CORPUS.tsv``: row id, text hash, four bytes. An interrupted run is
gone on with. With a teacher of 110 million parameters 50 sentences a second on two idle cores.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from calling import make_parser, need_corpora, run_script
from draw_active import list_open
from draw_realnews import order
from stance.sets import find_data, read_licences
from stance.training.teacher import FOLDER, Teacher, format_line

CHUNK = 2048  # sentences scored between two writes
OTHERS = 0.25  # share of the sentences without negotiation word and cue


def read_done(path: Path) -> set[str]:
    """Return the ids of the rows written before; a half-written last line is cut off."""
    if not path.is_file():
        return set()
    content = path.read_text(encoding="utf-8")
    whole = content[: content.rfind("\n") + 1]
    path.write_text(whole, encoding="utf-8")
    return {line.split("\t")[0] for line in whole.splitlines()}


def list_pool(data: Path, corpora: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the sentences that may teach, by corpus."""
    licences = read_licences(data)
    pools: dict[str, list[dict[str, Any]]] = {"recent": [], "article_bias_prediction": []}
    for row in list_open(data, corpora):
        if row["corpus"] not in pools:
            continue
        entry = licences[row["corpus"]]
        source = entry.get("sources", {}).get(row["row"].split("/")[0], entry)
        taken = row["content"] != "other" or order(row["id"], "teach") < OTHERS
        if taken and source["release"]:
            pools[row["corpus"]].append(row)
    return pools


def cut(rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows in chunks."""
    for start in range(0, len(rows), CHUNK):
        yield rows[start : start + CHUNK]


def main() -> None:
    """Score and write."""
    parser = make_parser(__doc__)
    parser.add_argument("teachers", nargs="+", type=Path)
    parser.add_argument("--data-dir", type=Path, default="data")
    options = parser.parse_args()
    corpora = need_corpora()
    data = find_data(options.data_dir)
    teachers = [Teacher.load(folder) for folder in options.teachers]
    (data / FOLDER).mkdir(exist_ok=True)
    for corpus, rows in list_pool(data, corpora).items():
        path = data / FOLDER / f"{corpus}.tsv"
        done = read_done(path)
        rows = [row for row in rows if row["row"] not in done]
        print(f"{corpus}: {len(done)} done, {len(rows)} to score", file=sys.stderr)
        with path.open("a", encoding="utf-8") as out, tqdm(total=len(rows), disable=None) as bar:
            for chunk in cut(rows):
                texts = [row["text"] for row in chunk]
                scores = sum(teacher.score(texts) for teacher in teachers) / len(teachers)
                for row, probabilities in zip(chunk, scores, strict=True):
                    out.write(format_line(row["row"], row["sha256"], probabilities))
                out.flush()
                bar.update(len(chunk))


if __name__ == "__main__":
    run_script(main)
