"""Compare the models of several recipes on the sets that none of them was trained on.

Usage: STANCE_CORPORA=DIR python train/compare_recipes.py MODEL [MODEL ...]

Each model folder is judged by its ONNX file on real news (test), the held-out public corpora, the
written statements and the probes, and compared with the first one on the same rows, paired. Writes
data/recipes.json, from which the table of train/README.md is made. What another run has put there
stays, where its first model had the same macro-F1: name the first and the new ones alone.
"""

import json
import sys
from pathlib import Path
from typing import Any

from calling import make_parser, need_corpora, run_script
from stance import files
from stance.evaluation.compare import compare
from stance.evaluation.judges import judge_by_model, judge_rows
from stance.evaluation.place import Place
from stance.evaluation.records import Record
from stance.evaluation.run import read_set_rows
from stance.evaluation.summary import summarize
from stance.model import load
from stance.rows import Row
from stance.sets import find_data

SETS = ("realnews", "layers", "written", "probes")
Entry = dict[str, Any]
METRICS = ("macro_f1", "accuracy", "polarity_flip_rate", "holder_share", "source_share", "ece")


def describe(rows: list[Row], records: list[Record], first: list[Record]) -> dict[str, Any]:
    """Return the figures of one model on one set, and the paired difference to the first model."""
    entry = summarize(rows, records)
    return {
        "n": entry["n"],
        "metrics": {name: entry["metrics"][name] for name in METRICS if name in entry["metrics"]},
        "minus_first": compare(rows, records, first, "the first")["difference"]["macro_f1"],
    }


def keep_earlier(models: list[Entry], earlier: list[Entry]) -> list[Entry]:
    """Return the models, and those that another run compared with the same first one."""
    same = [{name: entry["metrics"]["macro_f1"] for name, entry in part[0]["sets"].items()}
            for part in (models, earlier) if part]  # fmt: skip
    names = {model["name"] for model in models}
    others = [model for model in earlier[1:] if model["name"] not in names]
    return models + (others if same[0] == same[-1] else [])


def main() -> None:
    """Judge, compare, write."""
    parser = make_parser(__doc__)
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL")
    parser.add_argument("--data-dir", type=Path, default="data")
    options = parser.parse_args()
    data = find_data(options.data_dir)
    place = Place(data, need_corpora())
    sets = {name: read_set_rows(name, place) for name in SETS}
    out = data / "recipes.json"
    earlier = json.loads(out.read_text(encoding="utf-8"))["models"] if out.is_file() else []
    firsts: dict[str, list[Record]] = {}
    models: list[Entry] = []
    for folder in options.models:
        model = load(folder)
        judge, entries = judge_by_model(model), {}
        for name, rows in sets.items():
            records = judge_rows(judge, {}, rows, place.corpora, bars=sys.stderr.isatty())
            entries[name] = describe(rows, records, firsts.setdefault(name, records))
        settings = model.bundle.settings
        models.append({"name": settings.name, "encoder": settings.encoder["name"], "sets": entries})
        files.write_json(out, {"schema": 1, "models": keep_earlier(models, earlier)})


if __name__ == "__main__":
    run_script(main)
