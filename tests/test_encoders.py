"""Encoders of other architectures than the released one, made small and random here."""

import json
import shutil

import numpy as np
import pytest
import torch
from transformers import (
    AutoModel,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DebertaV2Config,
    ElectraConfig,
    ModernBertConfig,
)

from stance.model import load
from stance.sets import read_set
from stance.training.recipe import read_recipe
from stance.training.run import TrainOptions, train

SMALL = {
    "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 128, "max_position_embeddings": 64, "pad_token_id": 0,
}  # fmt: skip
ARCHITECTURES = {
    # As in DeBERTa-v3: relative positions in buckets, shared keys, no token types.
    "deberta-v3": DebertaV2Config(
        **SMALL, relative_attention=True, position_buckets=16, max_relative_positions=-1,
        pos_att_type=["p2c", "c2p"], share_att_key=True, norm_rel_ebd="layer_norm",
        position_biased_input=False, type_vocab_size=0,
    ),
    "modernbert": ModernBertConfig(
        **SMALL, global_attn_every_n_layers=2, local_attention=16, cls_token_id=2, sep_token_id=3,
        bos_token_id=2, eos_token_id=3,
    ),
    # Embeddings wider than the layers: a matrix that shrinks and is no feed-forward's.
    "electra": ElectraConfig(**SMALL, embedding_size=128),
}  # fmt: skip


@pytest.fixture(scope="module", params=ARCHITECTURES)
def other(request, tmp_path_factory, tiny_encoder, tiny_recipe, tiny_data):
    """A model folder trained from an encoder of another architecture."""
    folder = tmp_path_factory.mktemp(request.param)
    encoder = folder / "encoder"
    shutil.copytree(tiny_encoder, encoder)
    config = ARCHITECTURES[request.param]
    config.vocab_size = json.loads((encoder / "config.json").read_text())["vocab_size"]
    torch.manual_seed(0)
    AutoModel.from_config(config).save_pretrained(encoder)
    recipe = folder / "recipe.toml"
    recipe.write_text(tiny_recipe.read_text().replace(str(tiny_encoder), str(encoder)))
    train(TrainOptions(recipe, folder / "model", data=tiny_data, device="cpu"))
    return folder / "model"


def test_another_architecture_is_trained_and_read_alike(other, tiny_data):
    rows = read_set(tiny_data, "written", "test", None).rows
    model = load(other, device="cpu")
    stock = AutoModelForSequenceClassification.from_pretrained(other).eval()
    tokenizer = AutoTokenizer.from_pretrained(other)
    with torch.no_grad():
        expected = torch.cat(
            [stock(**tokenizer(row.text, return_tensors="pt", return_token_type_ids=False)).logits
             for row in rows]
        ).numpy()  # fmt: skip
    found = np.stack([scores.logits for scores in model.runtime.score([row.text for row in rows])])
    assert np.abs(found - expected).max() < 0.1  # 8-bit weights
    predictions = model.predict([row.text for row in rows])
    assert np.mean([p.label == row.label for p, row in zip(predictions, rows, strict=True)]) > 0.9


def test_results_do_not_depend_on_the_batch(other):
    texts = [
        "kyiv urges dialogue .",
        "moscow will negotiate only if the army withdraws , kyiv said",
    ]
    model = load(other, device="cpu")
    alone = [model.predict([text])[0] for text in texts]
    assert [p.label for p in model.predict(texts)] == [p.label for p in alone]
    for one, two in zip(model.predict(texts), alone, strict=True):
        assert one.confidence == pytest.approx(two.confidence, abs=1e-5)


def test_recipes_of_the_repository_are_read(root):
    recipes = sorted((root / "train" / "recipes").glob("*.toml"))
    assert {"small", "teacher", "hub", "gpu"} <= {path.stem for path in recipes}
    for path in recipes:
        encoder = read_recipe(path).encoder
        assert len(encoder.revision) == 40, path.name
