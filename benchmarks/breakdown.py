"""Where the time goes: from text to prediction by parts, and in the network by operator.

    python benchmarks/breakdown.py [MODEL ...] [--out runs/breakdown.json]

Several model folders, such as one before and after ``train/requantize.py``, are told apart in one
run. Parts are seconds of the whole process, runtime threads included, so a busy machine disturbs
them little; operators are timed by onnxruntime on one thread.
"""

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from onnxruntime import InferenceSession, SessionOptions

from contenders import RELEASED
from sentences import hash_sentences, read_sentences
from speed import describe_environment
from stance.bundle import ONNX
from stance.model import Model, load
from stance.runtime import SLOW_OPTIMIZERS

WARM_UP = 64
SHOWN = 0.02  # operators of a smaller share are put together


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
    models = {}
    for folder in options.models or [RELEASED]:
        model = load(folder, device="cpu")
        models[str(folder)] = {
            "environment": describe_environment(folder),
            "parts_ms": time_parts(model, texts),
            "operators_ms": time_operators(model, texts),
        }
    sentences = {"n": len(texts), "origin": origin, "sha256": hash_sentences(texts)}
    report = {"schema": 1, "sentences": sentences, "models": models}
    print_report(report)
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(report, indent=2) + "\n")


def time_parts(model: Model, texts: list[str]) -> dict[str, float]:
    """Return the milliseconds of processor time a statement, by part."""
    model.predict(texts[:WARM_UP])
    cuts = model.runtime.cut(texts)
    tokenizer = time_cpu(lambda: model.runtime.cut(texts))
    network = time_cpu(lambda: model.runtime.score_cuts(cuts))
    whole = time_cpu(lambda: model.predict(texts))
    seconds = {"tokenizer": tokenizer, "network": network}
    seconds["probabilities, spans, language"] = whole - tokenizer - network
    return {name: 1000 * value / len(texts) for name, value in seconds.items()}


def time_cpu(call: Callable[[], object]) -> float:
    """Return the processor time of all threads that a call takes, in seconds."""
    start = time.process_time()
    call()
    return time.process_time() - start


def time_operators(model: Model, texts: list[str]) -> dict[str, float]:
    """Return the milliseconds a statement in each kind of operator, the slowest first."""
    with tempfile.TemporaryDirectory() as scratch:
        options = SessionOptions()
        options.intra_op_num_threads = 1
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(scratch) / "profile")
        session = InferenceSession(
            str(model.bundle.folder / ONNX), options, disabled_optimizers=SLOW_OPTIMIZERS
        )
        usual, threads = model.runtime.session, model.runtime.threads
        model.runtime.session, model.runtime.threads = session, 1
        model.runtime.score(texts)
        model.runtime.session, model.runtime.threads = usual, threads
        events = json.loads(Path(session.end_profiling()).read_text())
    microseconds: Counter[str] = Counter()
    for event in events:
        if event["cat"] == "Node" and event["name"].endswith("_kernel_time"):
            microseconds[event["args"]["op_name"]] += event["dur"]
    return {name: value / 1000 / len(texts) for name, value in microseconds.most_common()}


def print_report(report: dict) -> None:
    """Print a table of parts and one of operators for each folder, in Markdown."""
    print(f"{report['sentences']['n']} sentences: {report['sentences']['origin']}")
    for folder, found in report["models"].items():
        machine = found["environment"]
        print(f"\n{folder}, {machine['cpu']}, {machine['cores']} cores\n")
        print_table("part", found["parts_ms"])
        print()
        print_table("operator, one thread", found["operators_ms"])


def print_table(title: str, times: dict[str, float]) -> None:
    """Print times and shares; the small ones together."""
    whole = sum(times.values())
    shown = {name: value for name, value in times.items() if value >= SHOWN * whole}
    if len(shown) < len(times):
        shown["others"] = whole - sum(shown.values())
    print(f"| {title} | ms a statement | share |\n| --- | --- | --- |")
    for name, value in shown.items():
        print(f"| {name} | {value:.3f} | {value / whole:.0%} |")
    print(f"| all | {whole:.3f} | |")


if __name__ == "__main__":
    main()
