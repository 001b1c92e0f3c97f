"""Keep what the released model says of real-news validation, for the table of errors.

Usage: STANCE_CORPORA=DIR python train/judge_validation.py [MODEL]

Writes data/predictions/validation.jsonl, per-row predictions without texts. Errors are studied on
validation rows, so that the test rows stay unread.
"""

import sys
from pathlib import Path

from calling import make_parser, need_corpora, run_script
from stance.evaluation.card import VALIDATION
from stance.evaluation.judges import judge_by_model, judge_rows
from stance.evaluation.records import write_records
from stance.model import load
from stance.sets import find_data, read_usable


def main() -> None:
    """Judge and write."""
    parser = make_parser(__doc__)
    parser.add_argument("model", nargs="?", help="model folder (default: the released model)")
    parser.add_argument("--data-dir", type=Path, default="data")
    options = parser.parse_args()
    data, corpora = find_data(options.data_dir), need_corpora()
    rows = read_usable("realnews", "validation", data, corpora).rows
    judge = judge_by_model(load(options.model))
    records = judge_rows(judge, {}, rows, corpora, bars=sys.stderr.isatty())
    write_records(data / "predictions" / VALIDATION, records)


if __name__ == "__main__":
    run_script(main)
