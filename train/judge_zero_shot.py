"""Judge the public benchmarks by what their labels mean: the frozen encoder, and no training.

Usage: STANCE_CORPORA=DIR python train/judge_zero_shot.py

The descriptions stand in src/stance/evaluation/benchmarks/*.toml. Writes what was said of each test
row, without the row, into data/predictions/benchmarks_zero_shot.jsonl. stance evaluate makes the
same baseline beside fine-tuned models, and then paired; this needs none of them, and seconds.
"""

from functools import partial
from pathlib import Path

from calling import make_parser, need_corpora, run_script
from stance.evaluation import benchmarks
from stance.evaluation.card import ZERO_SHOT
from stance.evaluation.grounds import fit_for_benchmark
from stance.evaluation.judges import Judge, judge_rows
from stance.evaluation.outcomes import Outcome, take_outcomes, write_outcomes
from stance.evaluation.place import Place
from stance.evaluation.records import Record, align
from stance.evaluation.scorers import predict_with
from stance.sets import find_data

RECIPE = Path(__file__).parent / "recipes" / "benchmarks.toml"  # names the encoder
NAME = "zero_shot"


def judge_benchmark(name: str, place: Place) -> list[Outcome]:
    """Return what was said of a benchmark's test rows."""
    benchmark = benchmarks.read_benchmark(name)
    rows = benchmarks.read_rows(benchmark, "test", place.get_corpora())
    records: list[Record] = []
    for target, training in benchmarks.read_training(benchmark, place.get_corpora()).items():
        meant = benchmark.describe_labels(target)
        scorer = fit_for_benchmark(training, meant, place, [NAME]).scorers[NAME]
        judge = Judge(NAME, "", partial(predict_with, scorer, name=NAME))
        part = [row for row in rows if benchmarks.name_target(row) == target]
        records += judge_rows(judge, {}, part, None, bars=place.bars)
    return take_outcomes(name, rows, align(rows, records, name))


def main() -> None:
    """Judge and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--data-dir", type=Path, default="data")
    options = parser.parse_args()
    data = find_data(options.data_dir)
    place = Place(data, need_corpora(), recipe=RECIPE, device="cpu")
    outcomes = [
        outcome for name in benchmarks.list_benchmarks() for outcome in judge_benchmark(name, place)
    ]
    write_outcomes(data / "predictions" / ZERO_SHOT, outcomes)


if __name__ == "__main__":
    run_script(main)
