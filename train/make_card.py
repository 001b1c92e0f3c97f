"""Write the tables and plots of the three cards from committed labels and predictions.

Usage: python train/make_card.py [--check | --benchmarks RESULTS]

The cards are model_card.md, README.md and data/README.md.

With --check nothing is written; the exit code is 1 when a table differs from what the committed
predictions give. With --benchmarks the figures of a run on benchmarks are taken into
data/predictions first, without its rows. The released folder's README.md is the model card.
"""

from pathlib import Path

from calling import make_parser, run_script
from corpora import TABLE, format_sources, read_parts
from sources import read_table
from stance.bundle import CARD, read_bundle, write_settings
from stance.evaluation.card import BENCHMARKS, build_model_tables, fill, keep_figures
from stance.evaluation.data_card import build_data_tables, read_data_parts
from stance.evaluation.data_plots import draw_data_plots
from stance.evaluation.results import read_results
from stance.files import write_json, write_text

ROOT = Path(__file__).parent.parent
RELEASED = ROOT / "src" / "stance" / "weights" / "negotiations"


def fill_cards(*, check: bool) -> int:
    """Fill the cards, or compare."""
    bundle = read_bundle(RELEASED)
    model_tables = build_model_tables(ROOT / "data", bundle)
    tables = {
        ROOT / "model_card.md": model_tables,
        ROOT / "README.md": model_tables,
        ROOT / "data" / "README.md": build_data_tables(ROOT / "data")
        | {"texts": format_sources(read_table(TABLE), read_parts(ROOT / "data"))},
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
    draw_data_plots(ROOT / "data", read_data_parts(ROOT / "data"), ROOT / "data" / "plots")
    write_text(RELEASED / CARD, card)
    write_settings(RELEASED, bundle.settings)
    return 0


def main() -> int:
    """Do what the options say; return the exit code."""
    parser = make_parser(__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    parser.add_argument("--benchmarks", type=Path, help="results.json of a run on benchmarks")
    options = parser.parse_args()
    if options.benchmarks:
        figures = keep_figures(read_results(options.benchmarks))
        write_json(ROOT / "data" / "predictions" / BENCHMARKS, figures)
    return fill_cards(check=options.check)


if __name__ == "__main__":
    run_script(main)
