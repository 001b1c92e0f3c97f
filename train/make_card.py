"""Write the tables and plots of the cards from committed labels and predictions.

Usage: python train/make_card.py [--check | --benchmarks RESULTS]

The cards are model_card.md and the README.md of the root, of data, train and benchmarks. What
stands between marks is written, from the committed predictions and, of timings, from the reports in
benchmarks/results; other prose is not.

With --check nothing is written; the exit code is 1 when a card differs from what the committed
predictions and figures give, or the released folder's copy from the card. It prints which. With
--benchmarks the outcomes of a run of stance evaluate on the benchmarks are taken into
data/predictions first, without the rows (STANCE_CORPORA must name their texts). The released
folder's README.md is the model card.
"""

from itertools import zip_longest
from pathlib import Path

from calling import make_parser, run_script
from corpora import TABLE, format_sources, read_parts
from sources import read_table
from stance.bundle import CARD, read_bundle, write_settings
from stance.evaluation.benchmarks import list_benchmarks
from stance.evaluation.card import BENCHMARKS, build_model_tables, fill
from stance.evaluation.data_card import build_data_tables, read_data_parts
from stance.evaluation.data_plots import draw_data_plots
from stance.evaluation.model_plots import draw_model_plots
from stance.evaluation.outcomes import take_outcomes, write_outcomes
from stance.evaluation.place import Place
from stance.evaluation.records import align, read_records
from stance.evaluation.results import read_results
from stance.evaluation.run import read_set_rows
from stance.evaluation.timings import build_timing_tables
from stance.files import write_text
from stance.layers import find_corpora

ROOT = Path(__file__).parent.parent
SHOWN = 160  # characters of a line that differs
RELEASED = ROOT / "src" / "stance" / "weights" / "negotiations"


def keep_benchmarks(results: Path) -> None:
    """Take the outcomes of a run on all benchmarks into data/predictions."""
    read_results(results)  # says first whether there is such a run
    place = Place(None, find_corpora())
    outcomes = []
    for name in list_benchmarks():
        path = results.with_suffix("") / f"{name}.jsonl"
        rows = read_set_rows(name, place)
        outcomes += take_outcomes(name, rows, align(rows, read_records(path), str(path)))
    write_outcomes(ROOT / "data" / "predictions" / BENCHMARKS, outcomes)


def fill_cards(*, check: bool) -> int:
    """Fill the cards, or compare."""
    bundle = read_bundle(RELEASED)
    model_tables = build_model_tables(ROOT / "data", bundle)
    timing_tables = build_timing_tables(ROOT / "benchmarks" / "results")
    tables = {
        ROOT / "model_card.md": model_tables,
        ROOT / "README.md": model_tables | timing_tables,
        ROOT / "train" / "README.md": model_tables,
        ROOT / "benchmarks" / "README.md": model_tables | timing_tables,
        ROOT / "data" / "README.md": model_tables
        | build_data_tables(ROOT / "data")
        | {"texts": format_sources(read_table(TABLE), read_parts(ROOT / "data"))},
    }
    filled = {path: fill(path.read_text(encoding="utf-8"), part) for path, part in tables.items()}
    filled[RELEASED / CARD] = filled[ROOT / "model_card.md"]
    stale = [tell(path, text) for path, text in filled.items()]
    if check:
        return int(any(stale))
    for path, text in filled.items():
        write_text(path, text)
    draw_data_plots(ROOT / "data", read_data_parts(ROOT / "data"), ROOT / "data" / "plots")
    draw_model_plots(ROOT / "data", ROOT / "data" / "plots")
    write_settings(RELEASED, bundle.settings)
    return 0


def tell(path: Path, text: str) -> bool:
    """Print whether a card is what it should be, and the first line in which it is not.

    Returns:
        Whether it differs.
    """
    found, due = path.read_text(encoding="utf-8").splitlines(), text.splitlines()
    pairs = enumerate(zip_longest(found, due, fillvalue="nothing"), start=1)
    differs = [(number, *pair) for number, pair in pairs if pair[0] != pair[1]]
    name = path.relative_to(ROOT)
    if not differs:
        print(f"{name}: up to date")
        return False
    number, old, new = differs[0]
    print(f"{name}: differs from line {number} on\n  found: {old[:SHOWN]}\n"
          f"  due:   {new[:SHOWN]}")  # fmt: skip
    return True


def main() -> int:
    """Do what the options say; return the exit code."""
    parser = make_parser(__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    parser.add_argument("--benchmarks", type=Path, help="results.json of a run on benchmarks")
    options = parser.parse_args()
    if options.benchmarks:
        keep_benchmarks(options.benchmarks)
    return fill_cards(check=options.check)


if __name__ == "__main__":
    run_script(main)
