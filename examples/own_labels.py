"""Fine-tune on labels of your own: a CSV with ``text`` and ``label`` in, a model folder out.

python examples/own_labels.py examples/own_labels.csv runs/own
python examples/own_labels.py mine.csv runs/mine --encoder FOLDER        # from any encoder
STANCE_CORPORA=FOLDER python examples/own_labels.py gwsd runs/gwsd --plain   # a public corpus

The model goes on from the released one unless --encoder names another folder. A fifth of each label
is kept back to measure, rows of one text or document (where there is such a column) on one side;
the corpus, GWSD (stance of news sentences on global warming), has 200 test rows of its own. Beside
the model stands a linear one trained on the same rows, and with --plain the same recipe from the
base encoder as it was before it learned about negotiations. FOLDER/figures.json holds the figures.
Needs the extras train and eval.
"""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np

import stance
from stance import files
from stance.cli import main as run
from stance.errors import StanceError
from stance.evaluation.any_labels import compute_label_f1, compute_macro
from stance.evaluation.baselines import make_svm
from stance.evaluation.intervals import draw_documents, take_interval
from stance.layers import find_corpora, iter_corpus
from stance.own import read_own_rows
from stance.rows import Row
from stance.training.encoders import resolve_encoder
from stance.training.own import hold_out
from stance.training.recipe import read_recipe

SMALL = Path(__file__).parents[1] / "train" / "recipes" / "small.toml"  # names the base encoder
MODEL, SVM, PLAIN = "model", "TF-IDF + linear SVM", "same recipe, plain encoder"


def main() -> None:
    """Train on one part, measure on the other."""
    parser = argparse.ArgumentParser(description="Fine-tune on labels of your own and measure.")
    parser.add_argument("source", help="a CSV or JSON-lines file, or gwsd")
    parser.add_argument("folder", type=Path, help="where to write")
    parser.add_argument("--encoder", help="folder to start from instead of the released model")
    parser.add_argument("--plain", action="store_true", help="train from the base encoder too")
    options, others = parser.parse_known_args()  # the others are for stance train
    train, test = read_corpus("gwsd") if options.source == "gwsd" else read_file(options.source)
    strange = sorted({row.label for row in test} - {row.label for row in train})
    if strange:
        sys.exit(f"labels of test rows alone: {', '.join(strange)}; add training rows of them")
    data = options.folder / "train.csv"
    write_csv(data, train)

    texts = [row.text for row in test]
    start = ["--encoder", options.encoder] if options.encoder else []
    model = tune(data, options.folder / "model", *start, *others)
    predictions = model.predict(texts)
    for item in predictions[:3]:
        print(f"{item.label:<12} {item.confidence:.2f} {item.text}")
    svm = make_svm().fit([row.text for row in train], [row.label for row in train])
    found = {MODEL: [item.label for item in predictions], SVM: list(map(str, svm.predict(texts)))}
    if options.plain:
        base = str(resolve_encoder(read_recipe(SMALL).encoder).folder)
        plain = tune(data, options.folder / "plain", "--encoder", base, *others)
        found[PLAIN] = [item.label for item in plain.predict(texts)]

    systems = measure(test, model.labels, found)
    reliable = sum(item.reliable for item in predictions)
    started = model.bundle.settings.encoder["sha256"]
    facts = {"source": Path(options.source).name, "encoder": started, "labels": model.labels,
             "train": len(train), "test": len(test), "reliable": reliable,
             "systems": systems}  # fmt: skip
    files.write_json(options.folder / "figures.json", facts)
    print(f"labels {', '.join(model.labels)}; {len(train)} rows to train on, {len(test)} to test")
    print(f"macro-F1 {say(systems[MODEL]['macro_f1'])}; reliable: {reliable} of {len(test)}")
    for name, figures in systems.items():
        if name != MODEL:
            lead = say(figures["model_minus_it"], "+")
            print(f"{name}: {say(figures['macro_f1'])}; model minus it {lead}")


def read_file(path: str) -> tuple[list[Row], list[Row]]:
    """Return the rows to train on, and a fifth of each label."""
    return hold_out(read_own_rows(Path(path), any_label=True), 0.2)


def read_corpus(name: str) -> tuple[list[Row], list[Row]]:
    """Return the training and the test rows of a public corpus, with the labels it gives."""
    corpora = find_corpora()
    if corpora is None:
        sys.exit("set STANCE_CORPORA to the folder of the corpora (data/README.md)")
    parts: dict[str, list[Row]] = {"train": [], "test": []}
    for row_id, row in iter_corpus(corpora, name):
        made = Row(row_id, row_id, row["text"], row["label_orig"], None, None, {})
        parts[row_id.split("/")[0]].append(made)
    return parts["train"], parts["test"]


def write_csv(path: Path, rows: list[Row]) -> None:
    """Write rows as ``stance train --data`` reads them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label", "document"))
        writer.writerows((row.text, row.label, row.document) for row in rows)


def tune(data: Path, out: Path, *options: str) -> stance.Model:
    """Train a model folder and load it; end where that fails."""
    if code := run(["train", "--data", str(data), "--out", str(out), *options]):
        sys.exit(code)
    return stance.load(out)


def measure(
    rows: list[Row], labels: tuple[str, ...], found: dict[str, list[str]]
) -> dict[str, dict[str, dict[str, float | None]]]:
    """Return macro-F1 of each system and the model's lead over it, paired, with 95 % intervals."""
    draws = draw_documents([row.document for row in rows])
    gold = np.array([labels.index(row.label) for row in rows])
    macros = {}
    for name, said in found.items():
        ids = np.array([labels.index(label) for label in said])
        macros[name] = compute_macro(compute_label_f1(draws, gold, ids, len(labels)), gold)
    return {
        name: {"macro_f1": take_interval(macro).to_dict(),
               "model_minus_it": take_interval(macros[MODEL] - macro).to_dict()}
        for name, macro in macros.items()
    }  # fmt: skip


def say(figure: dict[str, float | None], sign: str = "") -> str:
    """Return a figure with its interval, where there is one."""
    value, low, high = (figure[key] for key in ("value", "low", "high"))
    return f"{value:{sign}.3f}" + (
        f" [{low:{sign}.3f}, {high:{sign}.3f}]" if low is not None else ""
    )


if __name__ == "__main__":
    try:
        main()
    except StanceError as error:
        sys.exit(str(error))
