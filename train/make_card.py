"""Write the tables of the three cards from committed labels and predictions.

Usage: python train/make_card.py [--check]

The cards are model_card.md, README.md and data/README.md.

With --check nothing is written; the exit code is 1 when a table differs from what the committed
predictions give. The released folder's README.md is the model card.
"""

import sys
from pathlib import Path

from stance.bundle import CARD, read_bundle, write_settings
from stance.evaluation.card import build_model_tables, fill
from stance.evaluation.data_card import build_data_tables
from stance.files import write_text

ROOT = Path(__file__).parent.parent
RELEASED = ROOT / "src" / "stance" / "weights" / "negotiations"


def main(*, check: bool) -> int:
    """Fill the cards, or compare."""
    bundle = read_bundle(RELEASED)
    model_tables = build_model_tables(ROOT / "data", bundle)
    tables = {
        ROOT / "model_card.md": model_tables,
        ROOT / "README.md": model_tables,
        ROOT / "data" / "README.md": build_data_tables(ROOT / "data"),
    }
    stale = False
    for path, part in tables.items():
        text = path.read_text(encoding="utf-8")
        filled = fill(text, part)
        stale |= filled != text
        print(f"{path.relative_to(ROOT)}: {'differs' if filled != text else 'up to date'}")
        if not check:
            write_text(path, filled)
    card = (ROOT / "model_card.md").read_text(encoding="utf-8")
    if check:
        stale |= card != (RELEASED / CARD).read_text(encoding="utf-8")
        return int(stale)
    write_text(RELEASED / CARD, card)
    write_settings(RELEASED, bundle.settings)
    return 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
