"""Label a CSV: the column ``text`` in, the same rows with stance, confidence and holder out.

python examples/label_csv.py examples/outlets.csv labelled.csv
"""

import csv
import sys

import stance


def main(source: str, target: str) -> None:
    """Read, label and write."""
    with open(source, encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    model = stance.load()
    for row, item in zip(rows, model.stream(row["text"] for row in rows), strict=True):
        row["stance"] = item.label
        row["confidence"] = f"{item.confidence:.3f}"
        row["reliable"] = "yes" if item.reliable else "no"
        row["holder"] = item.holder.text if item.holder else ""
    with open(target, "w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    print(f"{target}: {len(rows)} rows")


if __name__ == "__main__":
    main(*sys.argv[1:])
