"""What the tests of ``stance score`` share: inputs, outputs, a scorer that needs no model."""

import csv
import gzip
import io
import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet as pq

from stance.corpus import Job, score
from stance.outputs import choose_output
from stance.shards import Scorer
from stance.types import LABELS, Prediction, Span

HARD = [  # what a cell may hold
    "kyiv rejected talks", 'he "said" no', "two\nlines, one\r\nmore", "a bare \r return",
    "", "  ", "007", "null", "🕊️ мир\u2028", "\0", "=1+1", "'", '"',
]  # fmt: skip


def answer(text: str) -> Prediction:
    """A prediction that depends on the text alone: the model is not what is tested here."""
    label = LABELS[len(text) % 4]
    scores = {name: 0.7 if name == label else 0.1 for name in LABELS}
    holder = Span(0, 4, text[:4]) if label != "neutral" and len(text) > 3 else None
    return Prediction(text, label, scores, 0.7, True, holder, None, False)


def make_scorer(sha256: str = "0") -> Scorer:
    """A scorer without a model."""
    return Scorer(
        {"name": "none", "sha256": sha256}, {}, lambda texts: ((answer(t), {}) for t in texts)
    )


def run(source, out, *, form=None, **options):
    names = [str(name) for name in (source if isinstance(source, list) else [source])]
    return score(Job(names, choose_output(Path(out), form), **options))


def write_jsonl(path, rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read_jsonl(path) -> list[dict]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def read_parts(out) -> list[dict]:
    return [row for part in sorted(out.glob("part-*.jsonl")) for row in read_jsonl(part)]


def read_csv(path) -> list[dict]:
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, strict=True))


def read_bytes(folder) -> dict[str, bytes]:
    """Every file below a folder; hidden ones too: nothing may be left behind."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def write_form(path: Path, texts: list[str]) -> Path:
    """Write texts with an id in the form that the name says; txt has no ids."""
    rows = [{"id": i, "text": text} for i, text in enumerate(texts)]
    form = path.name.split(".")[1]
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=7)
        return path
    buffer = io.StringIO(newline="")
    if form == "csv":
        writer = csv.DictWriter(buffer, ["id", "text"], quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
    else:
        lines = texts if form == "txt" else map(json.dumps, rows)
        buffer.write("".join(f"{line}\n" for line in lines))
    data = buffer.getvalue().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def start(tiny_model, *arguments, **options) -> subprocess.Popen:
    command = [sys.executable, "-m", "stance.cli", "score", "--model", tiny_model.folder]
    return subprocess.Popen(
        [*command, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, **options,
    )  # fmt: skip


def finish(process: subprocess.Popen, code: int = 0) -> str:
    out, messages = process.communicate(timeout=120)
    assert process.returncode == code, messages
    assert out == ""
    assert "Traceback" not in messages
    return messages


def count_shards(out: Path) -> int:
    run_file = out / "run.json"
    return len(json.loads(run_file.read_text())["shards"]) if run_file.is_file() else 0
