"""Ways to run the same ONNX file: threads or processes, batches, graph optimisers.

    python benchmarks/options.py --out benchmarks/results/options.json

Each way goes from texts to labels on the first of the sentences of ``speed.py``; ways take turns,
run after run, and a ratio is taken within each turn to the first, which is what the package does.
Processes are started, and have read the file, before time counts. About two minutes on two cores.
"""

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnxruntime import GraphOptimizationLevel, InferenceSession, SessionOptions

from contenders import RELEASED, Contender
from environment import describe_environment, write_report
from sentences import hash_sentences, read_sentences
from speed import WARM_UP, time_contenders
from stance.bundle import ONNX, TOKENIZER, read_bundle
from stance.evaluation.timings import format_options
from stance.runtime import SLOW_OPTIMIZERS, Runtime, Window, count_cores

BATCH = 16
PIECE = 25  # sentences that a process gets at a time
CORES = count_cores()
Outputs = tuple[NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True)
class Way:
    """How a file is run.

    Attributes:
        threads: runs at the same time, in one session.
        intra: threads of the runtime within a run.
        batch: windows a run; more than one are sorted by length and padded.
        processes: each with a session; 0 for none beside this one.
        optimized: whether the runtime rewrites the graph when it reads the file.
        disabled: rewritings that are left out.
    """

    threads: int = CORES
    intra: int = 1
    batch: int = 1
    processes: int = 0
    optimized: bool = True
    disabled: tuple[str, ...] = tuple(SLOW_OPTIMIZERS)


WAYS = {
    f"{CORES} threads, one window a run (the package)": Way(),
    "one thread": Way(threads=1),
    f"one run at a time, {CORES} threads within it": Way(threads=1, intra=CORES),
    f"{CORES} threads, {CORES} more within each run": Way(intra=CORES),
    f"{CORES} processes": Way(threads=1, processes=CORES),
    f"{CORES} threads, batches of {BATCH} sorted by length": Way(batch=BATCH),
    f"batches of {BATCH} sorted by length, {CORES} threads within a run":
        Way(threads=1, intra=CORES, batch=BATCH),
    "the runtime's graph optimisers all on": Way(disabled=()),
    "the runtime's graph optimisers off": Way(optimized=False),
}  # fmt: skip


class WayRuntime(Runtime):
    """The package's runtime, run in another way."""

    def __init__(self, folder: Path, way: Way) -> None:
        settings = read_bundle(folder).settings
        super().__init__(folder / ONNX, folder / TOKENIZER, max_tokens=settings.max_tokens,
                         device="cpu", labels=settings.labels)  # fmt: skip
        options = SessionOptions()
        options.intra_op_num_threads = way.intra
        if not way.optimized:
            options.graph_optimization_level = GraphOptimizationLevel.ORT_DISABLE_ALL
        self.session = InferenceSession(
            str(folder / ONNX), options, disabled_optimizers=list(way.disabled)
        )
        self.threads, self.batch, self.names = way.threads, way.batch, settings.labels

    def label(self, texts: list[str]) -> list[str]:
        """Return the label of each text."""
        return [self.names[int(scores.logits.argmax())] for scores in self.score(texts)]

    def _run_all(self, windows: Sequence[Window]) -> list[Outputs]:
        if self.batch == 1:
            return super()._run_all(windows)
        order = sorted(range(len(windows)), key=lambda i: len(windows[i].ids))
        batches = [order[i : i + self.batch] for i in range(0, len(order), self.batch)]
        with ThreadPoolExecutor(self.threads) as pool:
            found = pool.map(lambda batch: self._run_batch([windows[i] for i in batch]), batches)
            outputs = dict(zip(order, (row for rows in found for row in rows), strict=True))
        return [outputs[i] for i in range(len(windows))]

    def _run_batch(self, windows: list[Window]) -> Iterator[Outputs]:
        """Yield the logits and pointer scores of windows that are run together."""
        ids = np.zeros((len(windows), max(len(window.ids) for window in windows)), np.int64)
        mask = np.zeros_like(ids)
        for row, window in enumerate(windows):
            ids[row, : len(window.ids)] = window.ids
            mask[row, : len(window.ids)] = 1
        logits, spans = self.session.run(
            ["logits", "spans"], {"input_ids": ids, "attention_mask": mask}
        )
        for row, window in enumerate(windows):
            yield logits[row], spans[row, : len(window.ids)]


def build_way(folder: Path, way: Way, stack: ExitStack) -> Contender:
    """Return what labels texts in a way; processes that it starts end with the stack."""
    if not way.processes:
        return WayRuntime(folder, way).label
    pool = stack.enter_context(
        ProcessPoolExecutor(way.processes, get_context("spawn"), start_worker, (folder, way))
    )

    def label(texts: list[str]) -> list[str]:
        pieces = [texts[i : i + PIECE] for i in range(0, len(texts), PIECE)]
        return [name for names in pool.map(label_piece, pieces) for name in names]

    return label


worker_label: Callable[[list[str]], list[str]]  # of a process, set when it starts


def start_worker(folder: Path, way: Way) -> None:
    """Read the model in a process of its own."""
    global worker_label
    worker_label = WayRuntime(folder, way).label


def label_piece(texts: list[str]) -> list[str]:
    """Return the labels of some texts, in a process of its own."""
    return worker_label(texts)


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=500, help="sentences a run (default: 500)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each (default: 5)")
    parser.add_argument("--model", type=Path, default=RELEASED, help="(default: the released one)")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    options = parser.parse_args()
    environment = describe_environment(options.model)
    texts, origin = read_sentences(options.rows)
    with ExitStack() as stack:
        built = {name: build_way(options.model, way, stack) for name, way in WAYS.items()}
        for label in built.values():
            label(texts[:WARM_UP])
        ways = time_contenders(built, texts, options.runs, reference=next(iter(WAYS)))
    report = {
        "schema": 1,
        "environment": environment,
        "sentences": {"n": len(texts), "origin": origin, "sha256": hash_sentences(texts)},
        "ways": ways,
        "load_after": os.getloadavg(),
    }
    print(format_options(report))
    write_report(report, options.out)


if __name__ == "__main__":
    main()
