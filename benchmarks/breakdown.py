"""Where the time goes: from text to prediction by parts, and in the network by operator.

    python benchmarks/breakdown.py [MODEL ...] --out benchmarks/results/breakdown.json

Several model folders, such as one before and after ``train/requantize.py``, are told apart in one
run, each by its folder's name. Parts are processor time of the whole process, runtime threads
included, taken one after the other in a single pass, so that they sum up and a busy machine
disturbs them little. onnxruntime's profiler measures operators by the wall clock, which a busy
machine and profiling itself make longer: only their shares are taken from it, and the network's
processor time is divided by them. What the profiled pass took, by either clock, is reported beside.
"""

import argparse
import json
import os
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from onnxruntime import InferenceSession, SessionOptions

from contenders import RELEASED
from environment import describe_environment, write_report
from sentences import hash_sentences, read_sentences
from stance.bundle import ONNX
from stance.evaluation.timings import format_breakdown
from stance.model import Model, load
from stance.runtime import SLOW_OPTIMIZERS, Cut

WARM_UP = 64
BETWEEN = "between operators"  # the runtime's own work: which operator next, memory for it


@dataclass(frozen=True)
class Profile:
    """Operators of a pass on one thread, milliseconds a statement.

    Attributes:
        shares: of each kind of operator in the runs' wall clock, the largest first; they sum to 1.
        wall_ms: the profiled runs by the profiler's wall clock.
        processor_ms: the same by the process's processor time.
        plain_ms: processor time of the pass without the profiler, on one thread too.
    """

    shares: dict[str, float]
    wall_ms: float
    processor_ms: float
    plain_ms: float


def main() -> None:
    """Measure each folder, print, write the JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("models", nargs="*", type=Path, help="(default: the released one)")
    parser.add_argument("--rows", type=int, default=2000, help="sentences (default: 2000)")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    options = parser.parse_args()
    texts, origin = read_sentences(options.rows)
    models = []
    for folder in options.models or [RELEASED]:
        environment = describe_environment(folder)
        model = load(folder, device="cpu")
        parts = time_parts(model, texts)
        profile = profile_operators(model, texts)
        models.append({
            "folder": folder.resolve().name,
            "environment": environment,
            "parts_ms": parts,
            "operators_ms": {n: s * parts["network"] for n, s in profile.shares.items()},
            "profiled_ms": {"wall": profile.wall_ms, "processor": profile.processor_ms,
                            "without_profiler": profile.plain_ms},
        })  # fmt: skip
    sentences = {"n": len(texts), "origin": origin, "sha256": hash_sentences(texts)}
    report = {
        "schema": 1, "sentences": sentences, "models": models, "load_after": os.getloadavg(),
    }  # fmt: skip
    print(format_breakdown(report))
    write_report(report, options.out)


def time_parts(model: Model, texts: list[str]) -> dict[str, float]:
    """Return the milliseconds of processor time a statement, by part."""
    model.predict(texts[:WARM_UP])
    start = time.process_time()
    cuts = model.runtime.cut(texts)
    cut = time.process_time()
    scores = model.runtime.score_cuts(cuts)
    scored = time.process_time()
    for text, found in zip(texts, scores, strict=True):
        model._decide(text, found)
    decided = time.process_time()
    seconds = {
        "tokenizer": cut - start,
        "network": scored - cut,
        "probabilities, spans, language": decided - scored,
    }
    return {name: 1000 * value / len(texts) for name, value in seconds.items()}


def profile_operators(model: Model, texts: list[str]) -> Profile:
    """Return what each kind of operator takes of the network's time."""
    cuts = model.runtime.cut(texts)
    with tempfile.TemporaryDirectory() as scratch:
        plain, _ = time_session(model, cuts, None)
        processor, session = time_session(model, cuts, Path(scratch) / "profile")
        events = json.loads(Path(session.end_profiling()).read_text())
    microseconds: Counter[str] = Counter()
    for event in events:
        if event["cat"] == "Node" and event["name"].endswith("_kernel_time"):
            microseconds[event["args"]["op_name"]] += event["dur"]
    wall = sum(event["dur"] for event in events if event["name"] == "model_run")
    microseconds[BETWEEN] = wall - sum(microseconds.values())
    shares = {name: value / wall for name, value in microseconds.most_common()}
    n = len(texts)
    return Profile(shares, wall / 1000 / n, 1000 * processor / n, 1000 * plain / n)


def time_session(
    model: Model, cuts: list[Cut], profile: Path | None
) -> tuple[float, InferenceSession]:
    """Return the processor seconds of a pass on one thread, and its session.

    Args:
        model: the model whose file is run.
        cuts: statements in windows.
        profile: where the profiler writes; None for no profiler.
    """
    options = SessionOptions()
    options.intra_op_num_threads = 1
    if profile:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile)
    session = InferenceSession(
        str(model.bundle.folder / ONNX), options, disabled_optimizers=SLOW_OPTIMIZERS
    )
    usual, threads = model.runtime.session, model.runtime.threads
    model.runtime.session, model.runtime.threads = session, 1
    start = time.process_time()
    model.runtime.score_cuts(cuts)
    seconds = time.process_time() - start
    model.runtime.session, model.runtime.threads = usual, threads
    return seconds, session


if __name__ == "__main__":
    main()
