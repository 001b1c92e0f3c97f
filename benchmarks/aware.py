"""Teach a model to bear rounding: quantisation-aware fine-tuning, for the fastest form.

    STANCE_CORPORA=DIR python benchmarks/aware.py --out runs/aware
    STANCE_CORPORA=DIR python benchmarks/quantisation.py --against runs/aware

The form with one scale a statement is the fastest and changes labels. Here the network learns to
give the answers that it gave before, logits and pointer scores alike, while its matrices and their
inputs are rounded as that form rounds them (gradients pass straight through). The sentences are
those that taught the released model; no real-news test row is among them. It ends at the given
number of steps or minutes, whichever comes first, and says where.
"""

import argparse
import random
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize
from transformers import AutoTokenizer

from contenders import RELEASED
from quantisation import quantize_whole
from stance import files
from stance.bundle import ONNX, read_bundle
from stance.layers import find_corpora
from stance.sets import find_data
from stance.training.export import export_onnx
from stance.training.network import StanceNetwork, read_network
from stance.training.teacher import read_teacher

BATCH = 32
POOL = 64 * BATCH  # sentences sorted by length, so that a batch has little padding
LEARNING_RATE = 2e-5
WARM_UP = 0.1  # share of the steps


class RoundedRows(nn.Module):
    """A matrix in 8 bits, one scale for each of its rows (the columns of the ONNX file)."""

    def forward(self, weight: Tensor) -> Tensor:
        """Return the rounded weights; the gradient passes."""
        scale = weight.detach().abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / 127
        return weight + ((weight / scale).round() * scale - weight).detach()


def round_inputs(module: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
    """Round a matrix's input to 256 steps from a statement's least value to its greatest."""
    (values,) = inputs
    sides = tuple(range(1, values.ndim))
    low = values.detach().amin(dim=sides, keepdim=True).clamp(max=0)
    high = values.detach().amax(dim=sides, keepdim=True).clamp(min=0)
    scale = (high - low).clamp(min=1e-12) / 255
    zero = (-low / scale).round()
    rounded = (((values / scale).round() + zero).clamp(0, 255) - zero) * scale
    return (values + (rounded - values).detach(),)


def main() -> None:
    """Train, export."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=RELEASED, help="(default: the released one)")
    parser.add_argument("--steps", type=int, default=1000, help=f"of {BATCH} sentences")
    parser.add_argument("--minutes", type=float, default=15, help="at most (default: 15)")
    parser.add_argument("--out", type=Path, required=True, help="folder to make")
    options = parser.parse_args()
    network, before = read_network(options.model), read_network(options.model)
    add_rounding(network)
    batches = draw_batches(options.model, options.steps)
    report = train(network, before, batches, options.steps, 60 * options.minutes)
    print(f"{report['steps']} steps, {report['seconds']:.0f} s of processor time; loss "
          f"{report['first_loss']:.4f} at first, {report['last_loss']:.4f} at last")  # fmt: skip
    remove_rounding(network)
    (options.out / ONNX).parent.mkdir(parents=True)
    plain = options.out / "plain.onnx"
    export_onnx(network, plain)
    quantize_whole(plain, options.out / ONNX, [])
    files.write_json(options.out / "aware.json", report)


def find_matrices(network: StanceNetwork) -> list[nn.Module]:
    """Return the matrices that the form quantises: the layers' and the tagger's."""
    layers = network.classifier.base_model.encoder
    return [m for m in (*layers.modules(), network.tagger) if type(m) is nn.Linear]


def add_rounding(network: StanceNetwork) -> None:
    """Let each matrix and its input be rounded as the form rounds them."""
    for matrix in find_matrices(network):
        matrix.register_forward_pre_hook(round_inputs)
        parametrize.register_parametrization(matrix, "weight", RoundedRows())


def remove_rounding(network: StanceNetwork) -> None:
    """Take the rounding away again; the weights stay what they became."""
    for matrix in network.modules():
        if parametrize.is_parametrized(matrix):
            parametrize.remove_parametrizations(matrix, "weight", leave_parametrized=False)
            matrix._forward_pre_hooks.clear()


def draw_batches(folder: Path, steps: int) -> Iterator[dict[str, Tensor]]:
    """Yield batches of the sentences that taught the model, drawn with a seed."""
    texts = [row.text for row in read_teacher(find_data("data"), find_corpora()).rows]
    random.Random(0).shuffle(texts)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    limit = read_bundle(folder).settings.max_tokens
    drawn = texts[: steps * BATCH]
    for start in range(0, len(drawn), POOL):
        pool = sorted(drawn[start : start + POOL], key=len)
        batches = [pool[i : i + BATCH] for i in range(0, len(pool), BATCH)]
        random.Random(start).shuffle(batches)
        for batch in batches:
            yield tokenizer(batch, truncation=True, max_length=limit, padding=True,
                            return_token_type_ids=False, return_tensors="pt")  # fmt: skip


def train(
    network: StanceNetwork,
    before: StanceNetwork,
    batches: Iterator[dict[str, Tensor]],
    steps: int,
    seconds: float,
) -> dict:
    """Teach the rounded network what it said before; return how far it came."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=steps, pct_start=WARM_UP, anneal_strategy="linear"
    )
    start, used, losses = time.monotonic(), time.process_time(), []
    for batch in batches:
        if len(losses) == steps or time.monotonic() - start > seconds:
            break
        with torch.no_grad():
            wanted = before(**batch)
        loss = compare(network(**batch), wanted, batch["attention_mask"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
    tenth = max(1, len(losses) // 10)
    return {
        "steps": len(losses),
        "seconds": time.process_time() - used,
        "first_loss": sum(losses[:tenth]) / tenth,
        "last_loss": sum(losses[-tenth:]) / tenth,
    }


def compare(found: dict[str, Tensor], wanted: dict[str, Tensor], mask: Tensor) -> Tensor:
    """Return the mean squared difference of the logits plus that of the pointer scores."""
    spans = ((found["spans"] - wanted["spans"]) ** 2).mean(dim=2)
    return functional.mse_loss(found["logits"], wanted["logits"]) + spans[mask > 0].mean()


if __name__ == "__main__":
    main()
