"""A trained network to a model folder: safetensors, tokenizer, ONNX."""

import json
import logging
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from stance import files
from stance.bundle import ONNX, TOKENIZER
from stance.training.network import TAGGER, StanceNetwork
from stance.training.quantisation import quantize_checked, tokenize

OPSET = 23  # the first with an operator for attention, which runtimes do in one step
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


def export_folder(
    network: StanceNetwork, tokenizer: Any, folder: Path, max_tokens: int, texts: Sequence[str]
) -> None:
    """Write everything of a model folder but ``stance.json`` and the model card.

    Weights are stored as float16; the ONNX file is made of the same values, but in 8 bits. Both
    mostly give the same label; near ties they may differ. The share of texts on which the 8 bits
    keep the label of float32 is logged, and bettered where it is low (``quantize_checked``).
    """
    folder.mkdir(parents=True, exist_ok=True)
    for parameter in network.parameters():
        parameter.data = parameter.data.half().float()
    write_classifier(network, folder)
    tagger = {name: value.half() for name, value in network.tagger.state_dict().items()}
    save_file(tagger, folder / TAGGER, metadata={"format": "pt"})
    for path in folder.glob("*.safetensors"):
        path.chmod(0o644)  # safetensors writes files that only their owner may read
    write_tokenizer(tokenizer, folder, max_tokens)
    (folder / ONNX).parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "model.onnx"
        export_onnx(network, plain)
        quantize_checked(plain, folder / ONNX, tokenize(folder, texts, max_tokens))


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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter about its own parts
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
