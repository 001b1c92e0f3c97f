"""Fine-tune on labels of your own: a CSV with ``text`` and ``label`` in, a model folder out.

python examples/own_labels.py examples/own_labels.csv runs/own
STANCE_CORPORA=FOLDER python examples/own_labels.py gwsd runs/gwsd       # a public corpus
python examples/own_labels.py mine.csv runs/mine --encoder FOLDER        # from any encoder

The model goes on from the released one unless --encoder names another folder. Of a CSV every fifth
row is kept back to measure; the corpus, GWSD (stance of news sentences on global warming), has
200 test rows of its own. The figures are left in figures.json. Needs the extras train and eval.
"""

import csv
import sys
from pathlib import Path

import numpy as np

import stance
from stance.bundle import read_bundle
from stance.cli import main as run
from stance.evaluation.intervals import Interval, bound_f1, draw_documents, take_interval
from stance.files import write_json
from stance.layers import find_corpora, iter_corpus

Pairs = list[tuple[str, str]]


def main(source: str, folder: str, *options: str) -> None:
    """Train on one part, measure on the other."""
    training, test = read_corpus(source) if source == "gwsd" else read_csv(Path(source))
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    data, model_folder = out / "train.csv", out / "model"
    with data.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("text", "label"), *training])
    if run(["train", "--data", str(data), "--out", str(model_folder), *options]):
        sys.exit(1)

    model = stance.load(model_folder)
    predictions = model.predict([text for text, _ in test])
    for item in predictions[:3]:
        print(f"{item.label:<12} {item.confidence:.2f} {item.text}")
    found = np.array([model.labels.index(item.label) for item in predictions])
    gold = np.array([model.labels.index(label) for _, label in test])
    reliable = [item.reliable for item in predictions]
    print(
        f"labels {', '.join(model.labels)}; {len(training)} rows to train on, {len(test)} to test"
    )
    macro_f1 = measure(gold, found)
    print(
        f"macro-F1 {macro_f1.value:.3f} [{macro_f1.low:.3f}, {macro_f1.high:.3f}]; "
        f"reliable: {sum(reliable)} of {len(test)}"
    )
    figures = {
        "encoder": read_bundle(model_folder).settings.encoder["sha256"],
        "labels": model.labels,
        "train": len(training),
        "test": len(test),
        "macro_f1": macro_f1.to_dict(),
        "reliable": sum(reliable),
    }
    write_json(out / "figures.json", figures)


def read_csv(path: Path) -> tuple[Pairs, Pairs]:
    """Return the rows to train on, and every fifth row."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = [(row["text"], row["label"]) for row in csv.DictReader(lines)]
    return [row for i, row in enumerate(rows) if i % 5], rows[::5]


def read_corpus(name: str) -> tuple[Pairs, Pairs]:
    """Return the training and the test rows of a public corpus, with the labels it gives."""
    corpora = find_corpora()
    if corpora is None:
        sys.exit("set STANCE_CORPORA to the folder of the corpora (data/README.md)")
    parts: dict[str, Pairs] = {"train": [], "test": []}
    for row_id, row in iter_corpus(corpora, name):
        parts[row_id.split("/")[0]].append((row["text"], row["label_orig"]))
    return parts["train"], parts["test"]


def measure(gold: np.ndarray, found: np.ndarray) -> Interval:
    """Return macro-F1 with its 95 % bootstrap interval."""
    if (
        gold == found
    ).all():  # resamples are all right too; no label is worse than the rarest can be
        return bound_f1(1.0, int(np.unique(gold, return_counts=True)[1].min()))
    draws = draw_documents(np.arange(len(gold)), resamples=2000)
    scores = []
    for k in np.unique(gold):
        hits = draws.sum((gold == k) & (found == k))
        with np.errstate(invalid="ignore"):
            scores.append(2 * hits / (draws.sum(gold == k) + draws.sum(found == k)))
    return take_interval(np.nanmean(scores, axis=0))


if __name__ == "__main__":
    main(*sys.argv[1:])
