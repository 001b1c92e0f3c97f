"""A float32 ONNX file to one in 8 bits, checked against it."""

import logging
import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from tokenizers import Tokenizer

from stance.bundle import TOKENIZER

BITS = 8
BLOCK_SIZE = 128  # weights, and activations of a token, that share one scale
INT8 = 4  # the runtime's name for multiplying in 8-bit integers
NARROW = 16  # columns below which a matrix is a head: labels, tags
LARGE_TABLE = 256  # rows from which an embedding table is worth quantising
CHECKED = 1000  # sentences, at most, on which a quantised file is compared with float32
KEPT = 0.99  # share of their labels that it must keep

log = logging.getLogger(__name__)


def tokenize(folder: Path, texts: Sequence[str], max_tokens: int) -> list[list[int]]:
    """Return the token ids of a model folder for at most ``CHECKED`` of the texts, evenly drawn."""
    tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
    tokenizer.enable_truncation(max_tokens)
    drawn = texts[:: math.ceil(len(texts) / CHECKED)] if texts else []
    return [encoding.ids for encoding in tokenizer.encode_batch(list(drawn))]


def quantize_checked(plain: Path, target: Path, sentences: Sequence[Sequence[int]]) -> None:
    """Quantise; all matrices in blocks where the labels of sentences change otherwise.

    Which inputs hold outliers was measured on one encoder; another may hold them elsewhere.

    Args:
        plain: a float32 ONNX file.
        target: the file to write.
        sentences: token ids of real sentences.
    """
    quantize(plain, target)
    expected = label_sentences(plain, sentences)
    kept = float(np.mean(label_sentences(target, sentences) == expected)) if sentences else 1.0
    log.info("labels kept in 8 bits: %.1f %% of %d validation rows", 100 * kept, len(sentences))
    if kept < KEPT:
        quantize(plain, target, blocks_only=True)
        kept = float(np.mean(label_sentences(target, sentences) == expected))
        log.warning("too few: all matrices are quantised in blocks, which is slower; kept then: "
                    "%.1f %%", 100 * kept)  # fmt: skip


def label_sentences(path: Path, sentences: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Return the label ids that an ONNX file gives, one sentence a run, (sentences,)."""
    session = InferenceSession(str(path), providers=["CPUExecutionProvider"])
    labels = []
    for ids in sentences:
        feed = {"input_ids": np.array([ids]), "attention_mask": np.ones((1, len(ids)), np.int64)}
        labels.append(int(session.run(["logits"], feed)[0].argmax()))
    return np.array(labels, dtype=np.int64)


def quantize(
    plain: Path,
    target: Path,
    *,
    bits: int = BITS,
    block_size: int = BLOCK_SIZE,
    level: int = INT8,
    blocks_only: bool = False,
) -> None:
    """Quantise matrices and embeddings to 8 bits.

    Matrices whose inputs hold outliers keep one scale for each block of a token's values; the
    others get one scale for the whole statement, which is faster. The runtime reads one statement
    a run, so a result never depends on other statements. ``benchmarks/quantisation.py`` compares
    this with other forms.

    Args:
        plain: a float32 ONNX file.
        target: the file to write.
        bits: of a weight in a block, 4 or 8.
        block_size: weights that share one scale, a power of two.
        level: the runtime's accuracy level of blocks; 0 leaves activations in float32.
        blocks_only: whether all matrices are quantised in blocks.
    """
    model = onnx.load(plain)
    quantize_embeddings(model)
    if not blocks_only:
        model = quantize_whole(model, list_even(model))
    logging.getLogger("onnxruntime.quantization.matmul_nbits_quantizer").setLevel(logging.ERROR)
    quantizer = MatMulNBitsQuantizer(
        model, bits=bits, block_size=block_size, is_symmetric=True, accuracy_level=level
    )
    quantizer.process()
    quantizer.model.save_model_to_file(str(target), use_external_data_format=False)


def list_even(model: onnx.ModelProto) -> list[str]:
    """Name the encoder's matrices whose inputs are even enough for one scale a statement.

    All but the feed-forward's first in the lowest layer and its second in the lower two thirds,
    whose inputs hold outliers, and but the heads behind the last layer, which are small. None at
    all where no feed-forwards are found.
    """
    weights = {entry.name: entry.dims for entry in model.graph.initializer}
    shapes = {
        node.name: tuple(weights[node.input[1]])
        for node in model.graph.node
        if node.op_type == "MatMul" and node.input[1] in weights
    }
    names = list(shapes)
    pairs = [
        (first, second) for first, second in pairwise(names)
        if is_feed_forward(shapes[first], shapes[second])
    ]  # fmt: skip
    if not pairs:
        return []
    down = [second for _, second in pairs]
    uneven = {pairs[0][0], *down[: math.ceil(2 * len(down) / 3)]}
    return [name for name in names[: names.index(down[-1]) + 1] if name not in uneven]


def is_feed_forward(first: tuple[int, ...], second: tuple[int, ...]) -> bool:
    """Say whether two matrices are a feed-forward's: up, doubled where one half gates, and down."""
    inner, width = second
    return inner > width >= NARROW and first in ((width, inner), (width, 2 * inner))


def quantize_whole(model: onnx.ModelProto, names: list[str]) -> onnx.ModelProto:
    """Quantise matrices by column, and their inputs at run time with one scale each.

    Seven bits of a weight: with eight, processors without instructions for 8-bit dot products
    overflow.
    """
    if not names:
        return model
    with tempfile.TemporaryDirectory() as scratch, quiet_root():
        path = Path(scratch) / "model.onnx"
        quantize_dynamic(
            model, path, op_types_to_quantize=["MatMul"], nodes_to_quantize=names,
            per_channel=True, reduce_range=True, weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True},
        )  # fmt: skip
        return onnx.load(path)


@contextmanager
def quiet_root() -> Iterator[None]:
    """Let the root logger, which the quantiser uses for hints of no use here, say errors alone."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)


def quantize_embeddings(model: onnx.ModelProto) -> None:
    """Replace each large table that a Gather reads by 8-bit rows and one scale a row."""
    graph = model.graph
    tables = {entry.name: entry for entry in graph.initializer}
    for node in list(graph.node):
        table = tables.get(node.input[0]) if node.op_type == "Gather" else None
        if table is None or len(table.dims) != 2 or table.dims[0] < LARGE_TABLE:
            continue
        names = (f"{table.name}_int8", f"{table.name}_scale")
        arrays: list[NDArray[Any]] = [*quantize_rows(numpy_helper.to_array(table))]
        graph.initializer.remove(table)
        graph.initializer.extend(
            numpy_helper.from_array(array, name) for array, name in zip(arrays, names, strict=True)
        )
        replace_gather(graph, node, names)


def quantize_rows(table: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return rows as int8 and their scales: (rows, width) and (rows, 1)."""
    scales = np.maximum(np.abs(table).max(axis=1, keepdims=True), 1e-12) / 127
    return np.round(table / scales).astype(np.int8), scales.astype(np.float32)


def replace_gather(graph: onnx.GraphProto, node: onnx.NodeProto, names: tuple[str, str]) -> None:
    """Put Gather(int8), Cast, Gather(scale), Mul where the float Gather was."""
    indices, output = node.input[1], node.output[0]
    at = list(graph.node).index(node)
    graph.node.remove(node)
    rows, floats, scales = (f"{output}_{part}" for part in ("rows", "floats", "scales"))
    for step in reversed(
        [
            helper.make_node("Gather", [names[0], indices], [rows], axis=0),
            helper.make_node("Cast", [rows], [floats], to=TensorProto.FLOAT),
            helper.make_node("Gather", [names[1], indices], [scales], axis=0),
            helper.make_node("Mul", [floats, scales], [output]),
        ]
    ):
        graph.node.insert(at, step)
