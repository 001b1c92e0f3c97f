"""Compare two outlets over time, with intervals that admit that the classifier errs.

python examples/compare_outlets.py FOLDER

Of the invented corpus outlets.csv 150 rows are drawn and "labelled by hand". Here the hand is the
column ``gold`` of that file; of your own corpus you fill in sample.csv yourself.
"""

import csv
import json
import sys
from pathlib import Path

import stance
from stance.cli import main as run

CORPUS = Path(__file__).parent / "outlets.csv"
OUTLETS = ("Harbour Post", "Northern Courier")


def main(folder: str) -> None:
    """Score, sample, label, estimate."""
    scored, sample, labelled = (
        Path(folder) / name for name in ("scored.jsonl", "sample.csv", "labelled.csv")
    )
    with CORPUS.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    with scored.open("w", encoding="utf-8") as out:
        for row, item in zip(rows, stance.load().stream(row["text"] for row in rows), strict=True):
            out.write(json.dumps({**row, "gold": None, **item.to_dict()}) + "\n")

    run(["sample", str(scored), "--by", "outlet", "--n", "150", "--out", str(sample)])
    with sample.open(encoding="utf-8", newline="") as lines, labelled.open("w") as out:
        reader = csv.DictReader(lines)
        writer = csv.DictWriter(out, list(reader.fieldnames or ()))
        writer.writeheader()
        for row in reader:
            writer.writerow({**row, "gold": rows[int(row["row"]) - 1]["gold"]})

    estimate = ["estimate", str(scored), "--labelled", str(labelled), "--format", "table"]
    run([*estimate, "--by", "outlet", "--difference", *OUTLETS])
    run([*estimate, "--by", "outlet,date", "--period", "month", "--difference", *OUTLETS])


if __name__ == "__main__":
    main(*sys.argv[1:])
