"""Compare the ONNX file of a model folder with torch in float32, on real sentences.

Usage: STANCE_CORPORA=DIR python train/compare_export.py [MODEL]

Prints the share of equal labels and the largest score difference on the first 700 test rows of real
news, and whether batch size or order changes a label or a score.
"""

import random
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from calling import make_parser, need_corpora, run_script
from stance.model import find_folder, load
from stance.sets import find_data, read_set
from stance.types import LABELS

SIZE = 700


def main() -> None:
    """Compare and print."""
    parser = make_parser(__doc__)
    parser.add_argument("model", nargs="?", help="model folder (default: the released model)")
    path = parser.parse_args().model
    rows = read_set(find_data("data"), "realnews", "test", need_corpora()).rows[:SIZE]
    if not rows:
        parser.error("STANCE_CORPORA holds the text of no test row of real news")
    texts = [row.text for row in rows]
    folder: Path = find_folder(path, None)
    model = load(folder, device="cpu")
    network = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        logits = torch.cat(
            [
                network(**tokenizer(text, return_tensors="pt", truncation=True)).logits
                for text in texts
            ]
        ).numpy()
    predictions = model.predict(texts)
    equal = [p.label == LABELS[i] for p, i in zip(predictions, logits.argmax(axis=1), strict=True)]
    scores = model.bundle.settings.calibration.calibrate(logits, LABELS)
    gap = np.abs(scores - [list(p.scores.values()) for p in predictions]).max()
    print(f"labels equal to torch float32: {sum(equal)} of {len(equal)} ({np.mean(equal):.2%})")
    print(f"largest difference of a score: {gap:.4f}")

    order = random.Random(0).sample(range(len(texts)), len(texts))
    shuffled = model.predict([texts[i] for i in order])
    alone = [model.predict(text) for text in texts]
    for name, others in (
        ("another order", [shuffled[order.index(i)] for i in range(len(texts))]),
        ("one at a time", alone),
    ):
        moved = sum(a.label != b.label for a, b in zip(predictions, others, strict=True))
        most = max(
            abs(a.scores[label] - b.scores[label])
            for a, b in zip(predictions, others, strict=True)
            for label in LABELS
        )
        print(f"{name}: {moved} labels change, scores by at most {most:.1e}")


if __name__ == "__main__":
    run_script(main)
