"""A trained network to a model folder: safetensors, tokenizer, quantised ONNX."""

import json
import logging
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from safetensors.torch import save_file
from torch import Tensor, nn

from stance import files
from stance.bundle import ONNX, TOKENIZER
from stance.training.network import StanceNetwork

OPSET = 23  # the first with an operator for attention, which runtimes do in one step
BITS = 8
BLOCK_SIZE = 128  # weights, and activations of a token, that share one scale
INT8 = 4  # the runtime's name for multiplying in 8-bit integers
NARROW = 16  # columns below which a matrix is a head: labels, tags
LARGE_TABLE = 256  # rows from which an embedding table is worth quantising
ROTARY_OPSET = 18  # of encoders with rotary positions, such as ModernBERT
INPUTS = ("input_ids", "attention_mask")
OUTPUTS = ("logits", "spans")


class _Pair(nn.Module):
    """The network with its outputs as a tuple, as the exporter wants them."""

    def __init__(self, network: StanceNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        scores = self.network(input_ids, attention_mask)
        return scores["logits"], scores["spans"]


def export_folder(network: StanceNetwork, tokenizer: Any, folder: Path, max_tokens: int) -> None:
    """Write everything of a model folder but ``stance.json`` and the model card.

    Weights are stored as float16; the ONNX file is made of the float16 values too, so that
    both give the same labels.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for parameter in network.parameters():
        parameter.data = parameter.data.half().float()
    write_classifier(network, folder)
    tagger = {name: value.half() for name, value in network.tagger.state_dict().items()}
    save_file(tagger, folder / "tagger.safetensors", metadata={"format": "pt"})
    for path in folder.glob("*.safetensors"):
        path.chmod(0o644)  # safetensors writes files that only their owner may read
    write_tokenizer(tokenizer, folder, max_tokens)
    (folder / ONNX).parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "model.onnx"
        export_onnx(network, plain)
        quantize(plain, folder / ONNX)


def write_classifier(network: StanceNetwork, folder: Path) -> None:
    """Write configuration and float16 weights that stock loading reads as float32."""
    network.classifier.half().save_pretrained(folder)
    network.classifier.float()
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["dtype"] = "float32"
    config.pop("_name_or_path", None)
    files.write_json(path, config)


def write_tokenizer(tokenizer: Any, folder: Path, max_tokens: int) -> None:
    """Write the two tokenizer files; nothing else of it is needed."""
    with tempfile.TemporaryDirectory() as scratch:
        tokenizer.model_max_length = max_tokens
        tokenizer.save_pretrained(scratch)
        for name in (TOKENIZER, "tokenizer_config.json"):
            content = json.loads((Path(scratch) / name).read_text(encoding="utf-8"))
            if name == TOKENIZER:
                content["truncation"] = content["padding"] = None
            content.pop("name_or_path", None)
            files.write_text(folder / name, json.dumps(content, ensure_ascii=False) + "\n")


def export_onnx(network: StanceNetwork, path: Path) -> None:
    """Write the network as a float32 ONNX graph with free batch and length."""
    write_graph(network, path, OPSET)
    # onnxruntime 1.23 refuses the rotary operator of that version with one table for a whole batch.
    if any(node.op_type == "RotaryEmbedding" for node in onnx.load(path).graph.node):
        write_graph(network, path, ROTARY_OPSET)
    forget_origin(path)


def write_graph(network: StanceNetwork, path: Path, opset: int) -> None:
    """Write the network with the operators of one ONNX version."""
    network.eval()
    ids = torch.tensor([[1, 2, 3, 4], [4, 3, 2, 1]])
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens")}
    for name in ("torch.onnx", "onnxscript", "onnx_ir"):
        logging.getLogger(name).setLevel(logging.ERROR)
    torch.onnx.export(
        _Pair(network).eval(),
        (ids, torch.ones_like(ids)),
        str(path),
        input_names=list(INPUTS),
        output_names=list(OUTPUTS),
        dynamic_shapes=(axes, axes),
        opset_version=opset,
        dynamo=True,
        external_data=False,
        verbose=False,
    )


def forget_origin(path: Path) -> None:
    """Take out of an ONNX file where the code that wrote it lay: paths of one machine."""
    model = onnx.load(path)
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    onnx.save(model, path)


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
    log = logging.getLogger("onnxruntime.quantization.matmul_nbits_quantizer")
    log.setLevel(logging.ERROR)
    quantizer = MatMulNBitsQuantizer(
        model, bits=bits, block_size=block_size, is_symmetric=True, accuracy_level=level
    )
    quantizer.process()
    quantizer.model.save_model_to_file(str(target), use_external_data_format=False)


def list_even(model: onnx.ModelProto) -> list[str]:
    """Name the encoder's matrices whose inputs are even enough for one scale a statement.

    All but the feed-forward's first in the lowest layer and its second in the lower two thirds,
    whose inputs hold outliers, and but the heads behind the last layer, which are small.
    """
    weights = {entry.name: entry.dims for entry in model.graph.initializer}
    shapes = {
        node.name: tuple(weights[node.input[1]])
        for node in model.graph.node
        if node.op_type == "MatMul" and node.input[1] in weights
    }
    names = list(shapes)
    down = [name for name, (rows, columns) in shapes.items() if rows > columns >= NARROW]
    if not down:
        return []
    uneven = {names[names.index(down[0]) - 1], *down[: math.ceil(2 * len(down) / 3)]}
    return [name for name in names[: names.index(down[-1]) + 1] if name not in uneven]


def quantize_whole(model: onnx.ModelProto, names: list[str]) -> onnx.ModelProto:
    """Quantise matrices by column, and their inputs at run time with one scale each.

    Seven bits of a weight: with eight, processors without instructions for 8-bit dot products
    overflow.
    """
    if not names:
        return model
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.onnx"
        quantize_dynamic(
            model, path, op_types_to_quantize=["MatMul"], nodes_to_quantize=names,
            per_channel=True, reduce_range=True, weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True},
        )  # fmt: skip
        return onnx.load(path)


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
