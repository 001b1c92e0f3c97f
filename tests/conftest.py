import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

ROOT = Path(__file__).parent.parent
WORDS = (  # noqa: SIM905 - one word after another is easier to read
    "the a to of and in he she said will not no talks peace negotiate negotiations only if "
    "unless until as long ready reject rejected refuse refused urges called for dialogue truce "
    "ceasefire war army weather report kyiv moscow minister president before after with "
    "withdraws leave reply . , ' ? offered demand sanctions weapons town market"
).split()
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory) -> Path:
    """A random two-layer BERT with a small WordPiece vocabulary: an encoder made offline."""
    folder = tmp_path_factory.mktemp("tiny-encoder")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(WORDS)]
    pieces += [p for p in (*LETTERS, *(f"##{c}" for c in LETTERS)) if p not in pieces]
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]",
        sep_token="[SEP]", mask_token="[MASK]", model_max_length=64,
    ).save_pretrained(folder)  # fmt: skip
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(pieces), hidden_size=64, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=128, max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory) -> Path:
    """A data folder of the repository's form, with rows a tiny model can learn."""
    folder = tmp_path_factory.mktemp("tiny-data")
    patterns = {
        "favor": ("{} urges dialogue , {} said", True),
        "conditional": ("{} will negotiate only if the army withdraws , {} said", True),
        "against": ("{} rejected talks , {} said", True),
        "neutral": ("the weather report of {} {}", False),
    }
    actors = ["kyiv", "moscow", "the president", "the minister"]
    (folder / "written").mkdir()
    for split, size in (("train", 24), ("validation", 8), ("test", 8)):
        rows = []
        for i in range(size):
            for label, (pattern, is_stance) in patterns.items():
                holder, source = actors[i % 4], actors[(i + 1 + i // 4) % 4]
                text = pattern.format(holder, source)
                at = text.rindex(source)
                rows.append(make_row(
                    f"{split}-{label}-{i}", text, label,
                    holder={"start": 0, "end": len(holder)} if is_stance else None,
                    source={"start": at, "end": at + len(source)} if is_stance else None,
                ))  # fmt: skip
        write_rows(folder / "written" / f"{split}.jsonl", rows)
    articles = [
        make_row(f"{d}-{i}", text, label, document=d)
        for d in ("one", "two")
        for i, (text, label) in enumerate(
            [("kyiv rejected talks .", "against"), ("moscow urges dialogue .", "favor"),
             ("the weather report", "neutral")]
        )
    ]  # fmt: skip
    write_rows(folder / "articles.jsonl", articles)
    write_rows(folder / "probes.jsonl", [
        {"id": f"verb-{i}", "phenomenon": "negated-verb", "expected": "change",
         "a": {"text": f"{actor} urges dialogue .", "label": "favor"},
         "b": {"text": f"{actor} rejected talks .", "label": "against"}}
        for i, actor in enumerate(actors)
    ] + [
        {"id": f"name-{i}", "phenomenon": "name-swap", "expected": "invariance",
         "a": {"text": f"{actor} rejected talks .", "label": "against"},
         "b": {"text": f"{actor} rejected talks today .", "label": "against"}}
        for i, actor in enumerate(actors)
    ])  # fmt: skip
    (folder / "licences.toml").write_text((ROOT / "data" / "licences.toml").read_text())
    return folder


def make_row(row_id, text, label, *, holder=None, source=None, document=None) -> dict:
    vote = {"annotator": "A", "kind": "language model", "label": label, "holder": holder,
            "source": source, "sure": 3}  # fmt: skip
    return {"id": row_id, "document": document or row_id, "text": text, "label": label,
            "holder": holder, "source": source, "others": [], "votes": [vote]}  # fmt: skip


def write_rows(path: Path, rows: list[dict]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture(scope="session")
def tiny_recipe(tmp_path_factory, tiny_encoder) -> Path:
    path = tmp_path_factory.mktemp("tiny-recipe") / "tiny.toml"
    path.write_text(f"""
patience = 20
[encoder]
name = "{tiny_encoder}"
max_tokens = 32
[data]
train = ["articles", "written"]
validation = ["written"]
[training]
num_train_epochs = 16
per_device_train_batch_size = 8
learning_rate = 2e-3
max_grad_norm = 5.0
bf16 = true
""")
    return path


@dataclass(frozen=True)
class Trained:
    folder: Path
    data: Path


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory, tiny_recipe, tiny_data) -> Trained:
    """A model folder trained on the tiny data with the tiny encoder."""
    from stance.training.run import TrainOptions, train

    folder = tmp_path_factory.mktemp("tiny-model") / "model"
    train(TrainOptions(tiny_recipe, folder, data=tiny_data, device="cpu"))
    return Trained(folder, tiny_data)


@pytest.fixture(scope="session")
def place(tiny_model, tiny_recipe):
    """Where an evaluation of the tiny model finds things."""
    from stance.evaluation.place import Place

    return Place(tiny_model.data, recipe=tiny_recipe, device="cpu")


@pytest.fixture(scope="session")
def judge(tiny_model):
    """The tiny model as a judge."""
    from stance.evaluation.judges import judge_by_model
    from stance.model import load

    return judge_by_model(load(tiny_model.folder, device="cpu"))


@pytest.fixture
def light(monkeypatch):
    """Jobs of ``stance score`` that need no model."""
    from scoring import make_scorer
    from stance import corpus

    monkeypatch.setattr(corpus, "open_scorer", lambda job: make_scorer())


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        # Debian's Chromium; as root, as in a container, it starts without its sandbox alone.
        yield driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
