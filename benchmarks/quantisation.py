"""Forms of the model's ONNX file: how fast, how large, how many labels they change.

    STANCE_CORPORA=DIR python benchmarks/quantisation.py --out benchmarks/results/quantisation.json
    STANCE_CORPORA=DIR python benchmarks/quantisation.py --model AFTER --against BEFORE --forms

Exports the network of a model folder, quantises it in each form, and lets the forms and the
folder's own file take turns, statement by statement, on real-news test rows: one thread, one
statement a run, so that even a form whose scales come from the whole input cannot see other
statements. Time is processor time, so a busy machine disturbs the ratios little. Labels changed
are counted against float32. The file of another folder with the same tokenizer can take part. The
float32 file and the folder's own are run by OpenVINO too, where it is installed (extra ``bench``).
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnxruntime import InferenceSession, SessionOptions
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from scipy.stats import binomtest

from contenders import RELEASED
from environment import describe_environment, write_report
from speed import spread
from stance.bundle import ONNX, read_bundle
from stance.calibration import Calibration
from stance.evaluation.metrics import compute_metrics, count_confusion
from stance.evaluation.timings import format_forms
from stance.layers import find_corpora
from stance.model import load
from stance.runtime import SLOW_OPTIMIZERS
from stance.sets import find_data, read_set
from stance.training import quantisation
from stance.training.export import export_onnx
from stance.training.network import read_network
from stance.types import LABELS

REFERENCE = "float32"
OWN, OTHER = "the folder's file", "the other folder's file"
OPENVINO = {  # file and what OpenVINO computes in: its default here is bfloat16
    "float32, by OpenVINO": (REFERENCE, "f32"),
    "bfloat16, by OpenVINO": (REFERENCE, "bf16"),
    "the folder's file, by OpenVINO": (OWN, "f32"),
}
CALIBRATION = 200  # validation sentences that fix scales
RUNS = 5  # slices of the rows; a ratio is taken within each


Form = Callable[[Path, Path, list[list[int]]], None]
"""Makes of a float32 file another one; the token ids of real sentences are there to calibrate."""
Runner = Callable[[dict[str, np.ndarray]], np.ndarray]
"""From the network's input for one statement to its logits, (labels,)."""


def quantize_blocks(bits: int, block_size: int, level: int) -> Form:
    """Return the function that quantises weights in blocks; level 0 multiplies in float32."""

    def quantize(plain: Path, target: Path, sentences: list[list[int]]) -> None:
        quantisation.quantize(
            plain, target, bits=bits, block_size=block_size, level=level, blocks_only=True
        )

    return quantize


def quantize_ours(plain: Path, target: Path, sentences: list[list[int]]) -> None:
    """Quantise as ``stance train`` does."""
    quantisation.quantize(plain, target)


def copy(plain: Path, target: Path, sentences: list[list[int]]) -> None:
    """Leave the file as it is."""
    shutil.copyfile(plain, target)


def quantize_whole(plain: Path, target: Path, sentences: list[list[int]]) -> None:
    """Quantise weights by column; activations at run time with one scale for the whole input."""
    quantize_dynamic(
        shrink_embeddings(plain), target, op_types_to_quantize=["MatMul"], per_channel=True,
        weight_type=QuantType.QInt8, extra_options={"MatMulConstBOnly": True},
    )  # fmt: skip


def quantize_fixed(plain: Path, target: Path, sentences: list[list[int]]) -> None:
    """Quantise weights by column; activations with scales that real sentences fixed beforehand."""
    quantize_static(
        shrink_embeddings(plain), target, Sentences(sentences), op_types_to_quantize=["MatMul"],
        per_channel=True, weight_type=QuantType.QInt8, activation_type=QuantType.QUInt8,
        extra_options={"MatMulConstBOnly": True},
    )  # fmt: skip


class Sentences(CalibrationDataReader):
    """Sentences one by one, as the calibration asks for them."""

    def __init__(self, sentences: list[list[int]]) -> None:
        self.feeds = iter(map(build_feed, sentences))

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the next input, or None."""
        return next(self.feeds, None)


def build_feed(ids: list[int]) -> dict[str, np.ndarray]:
    """Return the network's input for one sentence."""
    return {"input_ids": np.array([ids]), "attention_mask": np.ones((1, len(ids)), np.int64)}


def shrink_embeddings(plain: Path) -> Path:
    """Write the file with 8-bit embeddings beside and return its path."""
    path = plain.with_name("embeddings.onnx")
    model = onnx.load(plain)
    quantisation.quantize_embeddings(model)
    onnx.save(model, path)
    return path


FORMS: dict[str, Form] = {
    REFERENCE: copy,
    "weights 8 bits, blocks of 64": quantize_blocks(8, 64, 0),
    "8 bits, blocks of 32": quantize_blocks(8, 32, quantisation.INT8),
    "8 bits, blocks of 64": quantize_blocks(8, 64, quantisation.INT8),
    "8 bits, blocks of 128": quantize_blocks(8, 128, quantisation.INT8),
    "8 bits, blocks of 128 where outliers are (ours)": quantize_ours,
    "4 bits, blocks of 32": quantize_blocks(4, 32, quantisation.INT8),
    "8 bits, one scale a statement": quantize_whole,
    "8 bits, scales fixed beforehand": quantize_fixed,
}


def main() -> None:
    """Build, time, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=RELEASED, help="(default: the released one)")
    parser.add_argument("--against", type=Path, help="another model folder")
    parser.add_argument("--forms", nargs="*", choices=list(FORMS), default=list(FORMS),
                        help="(default: all)")  # fmt: skip
    parser.add_argument("--rows", type=int, default=2825, help="real-news test rows (default: all)")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    options = parser.parse_args()
    environment = describe_environment(options.model)
    validation, rows = (
        read_set(find_data("data"), "realnews", split, find_corpora()).rows
        for split in ("validation", "test")
    )
    rows = rows[: options.rows]
    settings = read_bundle(options.model).settings
    runtime = load(options.model, device="cpu").runtime
    sentences, inputs = (
        [cut.windows[0].ids for cut in runtime.cut([row.text for row in part])]
        for part in (validation[:CALIBRATION], rows)
    )
    with tempfile.TemporaryDirectory() as scratch:
        paths = build_forms(options.model, options.forms, Path(scratch), sentences)
        paths[OWN] = options.model / ONNX
        if options.against:
            paths[OTHER] = options.against / ONNX
        runners = {name: open_onnxruntime(path) for name, path in paths.items()}
        others, missing = open_others(paths)
        logits, seconds = run_forms(runners | others, inputs)
        paths |= {name: paths[OPENVINO[name][0]] for name in others}
        sizes = {name: path.stat().st_size / 1e6 for name, path in paths.items()}
    gold = np.array([LABELS.index(row.label) for row in rows])
    forms = {
        name: {"mb": sizes[name]}
        | compare(logits[name], logits[REFERENCE], gold, settings.calibration)
        | time_form(seconds[name], seconds[REFERENCE])
        for name in logits
    }
    report = {
        "schema": 1,
        "environment": environment,
        "n": len(rows),
        "forms": forms,
        "missing": missing,
    }
    print(format_forms(report))
    write_report(report, options.out)


def build_forms(
    model: Path, names: list[str], folder: Path, sentences: list[list[int]]
) -> dict[str, Path]:
    """Write the ONNX file of each form, the reference first; return the paths by name."""
    plain = folder / "plain.onnx"
    export_onnx(read_network(model), plain)
    paths: dict[str, Path] = {}
    for i, name in enumerate(dict.fromkeys([REFERENCE, *names])):
        paths[name] = folder / f"{i}.onnx"
        FORMS[name](plain, paths[name], sentences)
    return paths


def open_onnxruntime(path: Path) -> Runner:
    """Return what runs a file as the package does, on one thread."""
    options = SessionOptions()
    options.intra_op_num_threads = 1
    session = InferenceSession(str(path), options, disabled_optimizers=SLOW_OPTIMIZERS)
    return lambda feed: session.run(["logits", "spans"], feed)[0][0]


def open_openvino(path: Path, precision: str) -> Runner:
    """Return what runs a file with OpenVINO, on one thread.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    import openvino

    options = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": precision}
    compiled = openvino.Core().compile_model(str(path), "CPU", options)
    return lambda feed: compiled(feed)["logits"][0].copy()


def open_others(paths: dict[str, Path]) -> tuple[dict[str, Runner], dict[str, str]]:
    """Return the files as other runtimes run them, and why those that are missing are."""
    runners: dict[str, Runner] = {}
    missing: dict[str, str] = {}
    for name, (file, precision) in OPENVINO.items():
        try:
            runners[name] = open_openvino(paths[file], precision)
        except ModuleNotFoundError as error:
            missing[name] = f"not installed: {error.name}"
    return runners, missing


def run_forms(
    runners: dict[str, Runner], inputs: list[list[int]]
) -> tuple[dict[str, np.ndarray], dict[str, list[float]]]:
    """Return the logits of each form, (rows, labels), and its seconds for each row."""
    logits: dict[str, list[np.ndarray]] = {name: [] for name in runners}
    seconds: dict[str, list[float]] = {name: [] for name in runners}
    for i, ids in enumerate([inputs[0], *inputs]):
        feed = build_feed(ids)
        for name, run in runners.items():
            start = time.process_time()
            row = run(feed)
            if i:  # the first call warms up
                seconds[name].append(time.process_time() - start)
                logits[name].append(row)
    return {name: np.stack(rows) for name, rows in logits.items()}, seconds


def compare(
    logits: np.ndarray, reference: np.ndarray, gold: np.ndarray, calibration: Calibration
) -> dict:
    """Return the labels changed, the largest score difference and macro-F1 on the gold labels."""
    predicted = logits.argmax(axis=1)
    changed = int((predicted != reference.argmax(axis=1)).sum())
    found, wanted = (calibration.calibrate(part, LABELS) for part in (logits, reference))
    gap = np.abs(found - wanted).max()
    low, high = binomtest(changed, len(gold)).proportion_ci(method="exact")
    macro_f1 = compute_metrics(count_confusion(gold, predicted))["macro_f1"]
    return {
        "labels_changed": {"value": changed / len(gold), "low": float(low), "high": float(high)},
        "largest_score_difference": float(gap),
        "macro_f1": float(macro_f1),
    }


def time_form(seconds: list[float], reference: list[float]) -> dict:
    """Return the milliseconds for one statement and the ratio to float32, slice by slice."""
    ratios = [sum(reference[i::RUNS]) / sum(seconds[i::RUNS]) for i in range(RUNS)]
    return {"one_ms": 1000 * statistics.median(seconds), "ratio": spread(ratios)}


if __name__ == "__main__":
    main()
