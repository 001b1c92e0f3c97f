"""Say whether a new model may take the place of the released one.

Usage: python train/check_release.py PREDICTIONS [--data-dir data]

PREDICTIONS is what stance evaluate wrote of the new model on real news, for example in
RUNS/results/realnews.jsonl. It is compared with data/predictions/realnews.jsonl, what the released
model said of the same test rows: paired, by documents. The exit code is 0 where the new model is
better on one of macro-F1, accuracy, holders found and sources found, a 95 % interval of the
difference above 0, and worse on none, an interval below 0; or where it is the released one; else 1.
Whoever releases a model for another reason sets RELEASE_ANYWAY to it, which is logged.
"""

import logging
import os
from pathlib import Path

from calling import make_parser, run_script
from stance.errors import StanceError
from stance.evaluation.compare import compare
from stance.evaluation.records import align, read_records
from stance.sets import find_data, read_labels

ANYWAY = "RELEASE_ANYWAY"
JUDGED = Path("predictions") / "realnews.jsonl"
FIGURES = {"macro_f1": "macro-F1", "accuracy": "accuracy",
           "holder_share": "holders found", "source_share": "sources found"}  # fmt: skip

log = logging.getLogger(__name__)


def check_release(new: Path, data: Path, reason: str = "") -> None:
    """Log the paired difference; return where the new model may be released.

    Args:
        new: the new model's predictions of the real-news test rows.
        data: the data folder, with the released model's predictions of them.
        reason: why to release a model that is not better; empty for no such reason.

    Raises:
        InputError: predictions are of other rows.
        StanceError: the new model is not better, and there is no reason given.
    """
    rows = read_labels(data, "realnews", "test")
    records, released = read_records(new), read_records(data / JUDGED)
    if {record.model for record in records} == {record.model for record in released}:
        log.info("%s is of the released model", new)
        return
    judged = {record.id for record in released}  # not rows that were added since
    rows = [row for row in rows if row.id in judged]
    ids = {row.id for row in rows}
    records, released = ([record for record in part if record.id in ids]
                         for part in (records, released))  # fmt: skip
    records = align(rows, records, str(new))
    found = compare(rows, records, released, str(data / JUDGED))["difference"]
    figures = {name: found[metric] for metric, name in FIGURES.items()}
    said = ", ".join(f"{name} {figure['value']:+.3f} [{figure['low']:+.3f}, {figure['high']:+.3f}]"
                     for name, figure in figures.items())  # fmt: skip
    said = f"{said} on {len(rows):,} real-news test rows"
    log.info("new model minus the released one: %s", said)
    better = any(figure["low"] > 0 for figure in figures.values())
    worse = any(figure["high"] < 0 for figure in figures.values())
    if better and not worse:
        return
    if not reason:
        raise StanceError(
            f"release of {new}", expected="a model that is better on one figure and worse on none",
            found=said,
            remedy=f"Keep the released model, or set {ANYWAY} to why this one is wanted.",
        )  # fmt: skip
    log.warning("not better, released all the same: %s", reason)


def main() -> None:
    """Do what the options say."""
    parser = make_parser(__doc__)
    parser.add_argument("predictions", type=Path, metavar="PREDICTIONS")
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    reason = os.environ.get(ANYWAY, "").strip()
    check_release(options.predictions, find_data(options.data_dir), reason)


if __name__ == "__main__":
    run_script(main)
