"""Change a recipe one thing at a time: what helps on real news, and what does not.

Usage: STANCE_CORPORA=DIR python train/ablate.py --runs DIR [--out FILE] [NAME ...]

Every table of train/ablations.toml is a change of the base recipe, train/recipes/compare.toml (the
small encoder, the same steps for all). Each is trained (about 11 minutes on two idle cores;
finished ones in --runs are taken while recipe and data are the same), judged on real-news
validation, and compared with ``base`` on the same rows, paired. Test is left alone: what is chosen
here is measured there once.
"""

import argparse
import json
import tomllib
from pathlib import Path
from typing import Any

from stance import files
from stance.evaluation.compare import compare
from stance.evaluation.judges import judge_by_model, judge_rows
from stance.evaluation.records import Record
from stance.evaluation.summary import summarize
from stance.layers import find_corpora
from stance.model import load
from stance.sets import find_data, read_usable
from stance.training.run import TrainOptions, train
from stance.types import LABELS

HERE = Path(__file__).parent
BASE = "base"


def read_toml(path: Path) -> dict[str, Any]:
    """Return a TOML file's content."""
    with files.open_input(path) as stream:
        return tomllib.load(stream)


def change(recipe: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return the recipe with the changed keys, table by table; a ``why`` is no key."""
    changed = {
        name: {**value, **changes.get(name, {})} if isinstance(value, dict) else value
        for name, value in recipe.items()
    }
    return changed | {k: v for k, v in changes.items() if k not in recipe and k != "why"}


def format_toml(recipe: dict[str, Any]) -> str:
    """Write a recipe: plain values first, then tables of plain values (written alike in JSON)."""
    plain = {k: v for k, v in recipe.items() if not isinstance(v, dict)}
    lines = [f"{key} = {json.dumps(value)}" for key, value in plain.items()]
    for name, table in recipe.items():
        if isinstance(table, dict):
            lines += ["", f"[{name}]"]
            for key, value in table.items():
                if isinstance(value, dict):
                    inner = ", ".join(f"{k} = {json.dumps(v)}" for k, v in value.items())
                    lines.append(f"{key} = {{ {inner} }}")
                else:
                    lines.append(f"{key} = {json.dumps(value)}")
    return "\n".join(lines) + "\n"


def judge(folder: Path, data: Path, corpora: Path) -> tuple[Any, list[Record]]:
    """Return the rows of real-news validation and what a model says of them."""
    rows = read_usable("realnews", "validation", data, corpora).rows
    return rows, judge_rows(judge_by_model(load(folder)), {}, rows, corpora, bars=False)


def describe(why: str, judged: tuple[Any, list[Record]], base: list[Record]) -> dict[str, Any]:
    """Return the figures of one change, and the paired difference to the base."""
    rows, records = judged
    entry = summarize(rows, records)
    difference = compare(rows, records, base, BASE)["difference"]["macro_f1"]
    return {
        "why": why,
        "n": entry["n"],
        "macro_f1": entry["metrics"]["macro_f1"],
        "f1": {label: entry["per_label"][label]["f1"] for label in LABELS},
        "minus_base": difference,
    }


def main() -> None:
    """Train what is missing, judge, compare, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    changes = read_toml(HERE / "ablations.toml")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(changes))
    parser.add_argument("--runs", type=Path, required=True, help="folder of the trained models")
    parser.add_argument("--out", type=Path, default="data/ablations.json")
    parser.add_argument("--data-dir", type=Path, default="data")
    options = parser.parse_args()
    corpora = find_corpora()
    if corpora is None:
        parser.error("set STANCE_CORPORA to the corpora folder that data/README.md describes")
    unknown = set(options.names) - set(changes)
    if unknown:
        parser.error(
            f"no such change: {', '.join(sorted(unknown))}; there are {', '.join(changes)}"
        )
    data, recipe = find_data(options.data_dir), read_toml(HERE / "recipes" / "compare.toml")
    names = [BASE, *(name for name in options.names or changes if name != BASE)]
    judged = {}
    for name in names:
        path = options.runs / f"{name}.toml"
        files.write_text(path, format_toml(change(recipe, changes[name])))
        out = options.runs / name
        train(TrainOptions(path, out, data=data))
        judged[name] = judge(out, data, corpora)
    table = {name: describe(changes[name]["why"], judged[name], judged[BASE][1]) for name in names}
    files.write_json(options.out, {"schema": 1, "split": "realnews validation", "runs": table})


if __name__ == "__main__":
    main()
