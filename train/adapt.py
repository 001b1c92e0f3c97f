"""Train a base encoder further before a recipe fine-tunes it.

Usage: STANCE_CORPORA=DIR python train/adapt.py KIND OUT [--steps 1400]

  masked    guess masked words in the unlabelled sentences of both pools that train/teach.py takes
  directed  tell favor, against and neutral from (statement, holder toward target): the training
            rows of released public corpora that name a holder

Documents of real news and of the held-out layers stay out. OUT is an encoder folder, from which a
recipe starts with ``[encoder] name = "OUT"``. A stopped run goes on when called again and ends with
the same weights; a finished OUT stays as it is.
"""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    DataCollatorForTokenClassification,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    set_seed,
)

from calling import make_parser, need_corpora, run_script
from draw_active import HELD_OUT
from stance.layers import POOLS, collapse, document_of, iter_corpus
from stance.sets import find_data, read_labels, read_licences
from stance.training.checkpoints import find_checkpoint
from stance.training.encoders import WEIGHTS, resolve_encoder
from stance.training.lesson import choose_cpu, supports_bf16
from stance.training.recipe import EncoderChoice, read_recipe
from teach import list_pool
from withhold import list_touched

KINDS = ("masked", "directed")
DIRECTIONS = ("favor", "against", "neutral")  # how the public corpora speak of an attitude
MASKED = 0.15  # share of words to guess
STEPS = 1400
SEED = 1
RECIPE = Path(__file__).parent / "recipes" / "compare.toml"


@dataclass(frozen=True)
class Task:
    """What an encoder learns.

    Attributes:
        network: the encoder with a fresh head.
        rows: encoded rows.
        collator: makes batches of them.
    """

    network: Any
    rows: list[dict[str, Any]]
    collator: Any


def list_pairs(data: Path, corpora: Path) -> list[tuple[str, str, str]]:
    """Return (statement, holder toward target, direction) of the open rows that name a holder."""
    rows, documents = list_touched(data, corpora)
    documents |= {row.document for part in HELD_OUT for row in read_labels(data, *part)}
    released = [name for name, entry in read_licences(data).items() if entry["release"]]
    return [
        (collapse(row["text"]), f"{row['holder']} toward {row['target']}", row["label"])
        for corpus in sorted(set(released) - set(POOLS))
        for row_id, row in iter_corpus(corpora, corpus)
        if row_id.startswith("train/")
        and row.get("holder")
        and f"{corpus}:{row_id}" not in rows
        and document_of(corpus, row_id, row) not in documents
    ]


def prepare_masked(
    folder: Path, tokenizer: Any, max_tokens: int, data: Path, corpora: Path
) -> Task:
    """Mask each sentence once: a run that goes on must see the same masks."""
    texts = [row["text"] for row in list_pool(data, corpora)]
    encoded = tokenizer(
        texts, truncation=True, max_length=max_tokens, return_token_type_ids=False,
        return_special_tokens_mask=True,
    )  # fmt: skip
    mask = DataCollatorForLanguageModeling(tokenizer, mlm_probability=MASKED)
    rows = []
    for i in range(len(texts)):
        masked = mask([{key: encoded[key][i] for key in encoded}])
        rows.append({key: value[0].tolist() for key, value in masked.items()})
    network = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32)
    return Task(network, rows, DataCollatorForTokenClassification(tokenizer))


def prepare_directed(
    folder: Path, tokenizer: Any, max_tokens: int, data: Path, corpora: Path
) -> Task:
    """Encode statement and direction as the two parts of a pair."""
    texts, directions, labels = zip(*list_pairs(data, corpora), strict=True)
    encoded = tokenizer(
        list(texts), list(directions), truncation="only_first", max_length=max_tokens,
        return_token_type_ids=False,
    )  # fmt: skip
    rows = [
        {**{key: encoded[key][i] for key in encoded}, "labels": DIRECTIONS.index(label)}
        for i, label in enumerate(labels)
    ]
    network = AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=torch.float32, num_labels=len(DIRECTIONS)
    )
    return Task(network, rows, DataCollatorWithPadding(tokenizer))


def adapt(
    kind: str, choice: EncoderChoice, out: Path, data: Path, corpora: Path, *, steps: int = STEPS
) -> None:
    """Train an encoder further and write its folder, unless it is there.

    Args:
        kind: one of ``KINDS``.
        choice: the encoder to start from.
        out: folder to write; checkpoints lie beside it until it is finished.
        data: the data folder.
        corpora: the corpora folder.
        steps: steps of 32 rows.
    """
    if (out / WEIGHTS).is_file():
        return
    transformers.logging.set_verbosity_error()  # that the head is new is no news
    folder, work = resolve_encoder(choice).folder, out.with_name(f"{out.name}-checkpoints")
    tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True)
    set_seed(SEED)
    prepare = prepare_masked if kind == "masked" else prepare_directed
    task = prepare(folder, tokenizer, choice.max_tokens, data, corpora)
    print(f"{kind}: {len(task.rows)} rows", file=sys.stderr)
    arguments = TrainingArguments(
        str(work), max_steps=steps, per_device_train_batch_size=32, learning_rate=1e-4,
        lr_scheduler_type="linear", warmup_steps=0.06, weight_decay=0.01, logging_steps=100,
        train_sampling_strategy="group_by_length", save_steps=min(200, max(1, steps // 2)),
        save_total_limit=1, remove_unused_columns=False, report_to="none", seed=SEED,
        use_cpu=choose_cpu("auto"), bf16=supports_bf16("auto"),
        disable_tqdm=not sys.stderr.isatty(),
    )  # fmt: skip
    trainer = Trainer(task.network, arguments, task.collator, train_dataset=task.rows)
    checkpoint = find_checkpoint(work)
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    trained = trainer.accelerator.unwrap_model(task.network, keep_fp32_wrapper=False).cpu()
    encoder = AutoModel.from_pretrained(folder, dtype=torch.float32)  # with its pooler, if any
    encoder.load_state_dict(trained.base_model.state_dict(), strict=False)
    encoder.save_pretrained(work / "encoder")
    tokenizer.save_pretrained(work / "encoder")
    (work / "encoder").rename(out)
    shutil.rmtree(work)


def main() -> None:
    """Do what the options say."""
    parser = make_parser(__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("out", type=Path)
    parser.add_argument("--recipe", type=Path, default=RECIPE, help="whose encoder it starts from")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"of 32 rows (default: {STEPS})")
    parser.add_argument("--data-dir", type=Path, default="data")
    options = parser.parse_args()
    if options.steps < 1:
        parser.error(f"argument --steps: expected at least 1, found {options.steps}")
    corpora, data = need_corpora(), find_data(options.data_dir)
    choice = read_recipe(options.recipe).encoder
    adapt(options.kind, choice, options.out, data, corpora, steps=options.steps)


if __name__ == "__main__":
    run_script(main)
