"""The first stage of a cascade, trained from a teacher's probabilities over unlabelled sentences.

Embeddings start as the encoder's own, reduced to their main directions: a small network cannot
learn from some ten thousand sentences which words are alike, and need not. The threshold is chosen
on real-news validation rows and verified on test rows, both by what the full model says of them;
what it keeps of the stances that the test rows are labelled with is measured beside.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save_file
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from stance.bundle import CASCADE, Bundle, write_settings
from stance.cascade import CascadeFacts, FirstStage, Kept
from stance.errors import StanceError
from stance.evaluation.intervals import draw_documents, take_interval
from stance.model import Model
from stance.rows import Row
from stance.training.network import read_network
from stance.training.teacher import SoftRow
from stance.types import LABELS, NEUTRAL

WIDTH = 64  # of an embedding
WINDOW = 5  # tokens that a filter sees
FILTERS = 96
DROPOUT = 0.3
EPOCHS = 6
BATCH = 256
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 0.01
GOAL = 0.99  # of the rows with a stance, wanted on rows that nothing was chosen on
RECALL = 0.9975  # to keep on some 400 validation rows: few, so more than the goal
HIGHEST = 0.5  # a threshold above it could skip rows for which neutral is not the likeliest label


class FirstStageNetwork(nn.Module):
    """What ``stance.cascade.FirstStage`` computes, in a form that can be trained."""

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        self.embedding = nn.Embedding.from_pretrained(table, freeze=False)
        self.convolution = nn.Conv1d(WIDTH, FILTERS, WINDOW, padding=WINDOW // 2)
        self.head = nn.Linear(2 * FILTERS, len(LABELS))
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Return logits, (batch, labels), of token ids and their mask, both (batch, tokens)."""
        tokens = self.dropout(self.embedding(ids)) * mask.unsqueeze(-1)  # (batch, tokens, width)
        hidden = functional.relu(self.convolution(tokens.transpose(1, 2))) * mask.unsqueeze(1)
        mean = hidden.sum(dim=2) / mask.sum(dim=1, keepdim=True)
        logits: Tensor = self.head(self.dropout(torch.cat([hidden.amax(dim=2), mean], dim=1)))
        return logits

    def to_tensors(self) -> dict[str, NDArray[np.float16]]:
        """Return the weights under the names that ``FirstStage`` reads."""
        weights = {
            "table": self.embedding.weight,
            "kernel": self.convolution.weight.permute(2, 1, 0),
            "bias": self.convolution.bias,
            "head": self.head.weight.T,
            "head_bias": self.head.bias,
        }
        return {
            name: np.ascontiguousarray(value.detach().numpy().astype(np.float16))
            for name, value in weights.items()
            if value is not None
        }


@dataclass(frozen=True)
class Checked:
    """What the first stage says of rows, and whether the full model gives them a stance.

    Attributes:
        chances: probability of a stance by the first stage, (n,); 1 for several windows.
        stances: whether the full model gives a stance, (n,).
        gold: whether the rows are labelled with one, (n,).
        documents: what the rows come from, (n,).
        weights: draw weights of the rows, (n,).
    """

    chances: NDArray[np.float64]
    stances: NDArray[np.bool_]
    gold: NDArray[np.bool_]
    documents: NDArray[np.str_]
    weights: NDArray[np.float64]


def train_first_stage(
    model: Model, rows: Sequence[SoftRow], *, seed: int = 1, bars: bool = False
) -> FirstStageNetwork:
    """Train a first stage on a teacher's probabilities.

    Args:
        model: the full model; its tokenizer and the embeddings of its encoder are used.
        rows: sentences with the teacher's probabilities.
        seed: seed of everything random.
        bars: whether to show progress.
    """
    torch.manual_seed(seed)
    network = FirstStageNetwork(reduce_embeddings(model.bundle.folder))
    ids = [torch.tensor(cut.windows[0].ids) for cut in model.runtime.cut([r.text for r in rows])]
    targets = torch.tensor([row.probabilities for row in rows])
    steps = EPOCHS * -(-len(rows) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, steps)
    with tqdm(total=steps, unit=" batches", disable=not bars) as bar:
        for _ in range(EPOCHS):
            for batch in draw_batches([len(text) for text in ids]):
                padded = nn.utils.rnn.pad_sequence([ids[i] for i in batch], batch_first=True)
                lengths = torch.tensor([len(ids[i]) for i in batch])
                mask = torch.arange(padded.shape[1])[None, :] < lengths[:, None]
                loss = functional.cross_entropy(network(padded, mask.float()), targets[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                bar.update()
    return network.eval()


def find_shared(taught: Sequence[SoftRow], held_out: Sequence[Row]) -> set[str]:
    """Return the texts that a teacher scored and that are to be judged on."""
    return {row.text for row in taught} & {row.text for row in held_out}


def reduce_embeddings(folder: Path) -> Tensor:
    """Return the encoder's token embeddings in their ``WIDTH`` main directions, at unit scale."""
    embedding: Any = read_network(folder).classifier.get_input_embeddings()
    table = embedding.weight.detach().double()
    table = table - table.mean(dim=0)
    _, directions = torch.linalg.eigh(table.T @ table)  # ascending
    reduced = functional.pad(table, (0, max(0, WIDTH - table.shape[1])))
    reduced[:, : min(WIDTH, table.shape[1])] = table @ directions[:, -WIDTH:]
    return (reduced[:, :WIDTH] / reduced[:, :WIDTH].std()).float()


def draw_batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield positions in batches of similar length, the batches in random order."""
    order = np.argsort(lengths, kind="stable").tolist()
    starts = range(0, len(order), BATCH)
    for i in torch.randperm(len(starts)).tolist():
        yield order[starts[i] : starts[i] + BATCH]


def check(stage: FirstStage, model: Model, rows: Sequence[Row]) -> Checked:
    """Ask both stages about rows."""
    texts = [row.text for row in rows]
    cuts = model.runtime.cut(texts)
    scores = stage.score([cut.windows[0].ids for cut in cuts])
    chances = 1 - scores[:, LABELS.index(NEUTRAL)]
    chances[[len(cut.windows) > 1 for cut in cuts]] = 1.0  # always passed on
    stances = np.array([item.label != NEUTRAL for item in model.predict(texts)])
    return Checked(
        chances,
        stances,
        gold=np.array([row.label != NEUTRAL for row in rows]),
        documents=np.array([row.document for row in rows]),
        weights=np.array([row.fields.get("weight", 1.0) for row in rows]),
    )


def choose_threshold(checked: Checked, recall: float = RECALL) -> float:
    """Return the highest threshold that passes on the wanted share of the stances.

    Raises:
        StanceError: there are no stances to choose by.
    """
    chances = np.sort(checked.chances[checked.stances])
    if not len(chances):
        raise lack_stances("validation")
    missed = int((1 - recall) * len(chances) + 1e-9)
    return float(min(chances[missed], HIGHEST))


def lack_stances(split: str) -> StanceError:
    """Return the error that no row of a split has a stance by the full model."""
    return StanceError(
        "the first stage's threshold", expected=f"{split} rows with a stance", found="none",
        remedy="Use more rows, or a model that finds stances.",
    )  # fmt: skip


def measure(checked: Checked, threshold: float) -> CascadeFacts:
    """Return what a threshold keeps of rows that it was not chosen on.

    Raises:
        StanceError: there are no stances to keep.
    """
    passed = checked.chances >= threshold
    kept = measure_kept(passed, checked.stances, checked.documents)
    return CascadeFacts(
        threshold=threshold,
        **asdict(kept),
        passed=float(np.average(passed, weights=checked.weights)),
        gold=measure_kept(passed, checked.gold, checked.documents),
    )


def measure_kept(
    passed: NDArray[np.bool_], stances: NDArray[np.bool_], documents: NDArray[np.str_]
) -> Kept:
    """Return the share of the stances that is passed on; whole documents are resampled.

    Args:
        passed: whether a row is passed on, (n,).
        stances: whether it has a stance, (n,).
        documents: what it comes from, (n,).

    Raises:
        StanceError: there are no stances.
    """
    if not stances.any():
        raise lack_stances("test")
    drawn = draw_documents(documents[stances].tolist())
    shares = drawn.sum(passed[stances]) / drawn.sum(np.ones(stances.sum()))
    interval = take_interval(shares, drawn.count_documents())
    return Kept(interval.value, interval.low, interval.high, int(stances.sum()))


def add_cascade(
    model: Model, network: FirstStageNetwork, validation: Sequence[Row], test: Sequence[Row]
) -> Bundle:
    """Write the first stage into the model's folder, with its threshold and what it keeps.

    Args:
        model: the full model.
        network: the first stage as trained.
        validation: rows to choose the threshold on.
        test: rows to verify it on; nothing else is done with them.

    Raises:
        StanceError: no validation or test row has a stance by the full model.
    """
    stage = FirstStage(network.to_tensors())
    threshold = choose_threshold(check(stage, model, validation))
    facts = measure(check(stage, model, test), threshold)
    folder, settings = model.bundle.folder, model.bundle.settings
    write_settings(folder, replace(settings, cascade=None))  # whole at every moment
    save_file(network.to_tensors(), folder / CASCADE)
    (folder / CASCADE).chmod(0o644)
    return write_settings(folder, replace(settings, cascade=facts))
