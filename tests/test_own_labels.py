"""Labels of a user's own: trained, stored, loaded, and refused where stances are meant."""

import csv
import io
import json

import pytest

from stance.bundle import read_bundle
from stance.cli import main
from stance.errors import InputError
from stance.model import load
from stance.training.data import read_own
from stance.types import LABELS

PATTERNS = {
    "war": "the army of {} offered weapons",
    "weather": "the weather report of {}",
    "market": "the market of {} will leave sanctions",
}
PLACES = ("kyiv", "moscow", "the town", "the minister")
RECIPE = """
[encoder]
name = "{}"
max_tokens = 32
[training]
num_train_epochs = 12
per_device_train_batch_size = 8
learning_rate = 2e-3
bf16 = true
"""


def write_own(path, patterns=PATTERNS):
    rows = [
        (f"{pattern.format(place)} {'and war ' * (i % 3)}before {i} .", label)
        for label, pattern in patterns.items()
        for place in PLACES
        for i in range(8)
    ]
    with path.open("w", newline="") as out:
        csv.writer(out).writerows([("text", "label"), *rows])
    return path


@pytest.fixture(scope="module")
def own(tmp_path_factory, tiny_model):
    """A model of three labels that goes on from the tiny model of the four stances."""
    folder = tmp_path_factory.mktemp("own")
    recipe = folder / "own.toml"
    recipe.write_text(RECIPE.format(tiny_model.folder))
    out = folder / "model"
    assert main(["train", "--recipe", str(recipe), "--data", str(write_own(folder / "mine.csv")),
                 "--out", str(out), "--device", "cpu"]) == 0  # fmt: skip
    return out


def test_labels_of_the_file_are_learned_and_stored(own):
    model = load(own, device="cpu")
    assert model.labels == read_bundle(own).settings.labels == ("market", "war", "weather")
    assert json.loads((own / "config.json").read_text())["id2label"]["0"] == "market"
    for label, pattern in PATTERNS.items():
        item = model.predict(pattern.format("kyiv") + " before 3 .")
        assert item.label == label
        assert list(item.scores) == list(model.labels)
        assert sum(item.scores.values()) == pytest.approx(1)
    note = json.loads((own / "training" / "history.json").read_text())
    assert max(entry.get("eval_macro_f1", 0) for entry in note) > 0.9


def test_nobody_is_named_whom_nobody_taught(own, tiny_model):
    texts = [pattern.format(place) for pattern in PATTERNS.values() for place in PLACES]
    assert all(p.holder is p.source is None for p in load(own).predict(texts))
    taught = load(tiny_model.folder).predict([f"{p} rejected talks , moscow said" for p in PLACES])
    assert any(item.holder for item in taught)


def test_blank_and_long_texts_are_answered(own):
    model = load(own)
    blank = model.predict("  ")
    assert blank.label in model.labels
    assert not blank.reliable
    long = model.predict("the weather report of kyiv . " * 60)
    assert (long.label, long.reliable) == ("weather", False)


def test_a_few_validation_rows_make_no_score_more_confident(own):
    settings = read_bundle(own).settings
    assert settings.reliability.n < 100
    assert settings.temperature >= 1


def test_csv_of_predictions_has_the_columns_of_the_labels(own, capsys):
    assert main(["predict", "--model", str(own), "--format", "csv", "the weather report"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert [name for name in row if name.startswith("score_")] == [
        "score_market", "score_war", "score_weather"
    ]  # fmt: skip


@pytest.mark.parametrize("task", ["analyze", "score", "evaluate"])
def test_what_is_about_stances_refuses_other_labels(own, task, tmp_path, capsys):
    text = tmp_path / "text.txt"
    text.write_text("Kyiv rejected talks .\n")
    out = str(tmp_path / "out.jsonl")
    calls = {
        "analyze": [str(text)],
        "score": [str(text), out],
        "evaluate": ["--sets", "written", "--out", str(tmp_path / "out.json")],
    }
    assert main([task, *calls[task], "--model", str(own)]) == 2
    assert "expected labels favor, conditional, against, neutral" in capsys.readouterr().err


def test_the_four_stances_stay_in_their_order(tmp_path):
    patterns = {"neutral": PATTERNS["weather"], "against": "{} rejected talks"}
    assert read_own(write_own(tmp_path / "mine.csv", patterns)).labels == LABELS


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("text,label\nmarket,a\n" * 1, "enough rows"),
        ("text,label\n" + "".join(f"talks {i},a\n" for i in range(40)), "'a' alone"),
        ("text,label\n" + "".join(f"talks {i},{' ' if i == 7 else 'a'}\n" for i in range(40)),
         "line 9 field 'label': expected a label, found a blank"),
        ("text,topic\nmarket,a\n", "columns text and label"),
    ],
)  # fmt: skip
def test_faults_of_the_file_are_said(tmp_path, content, words):
    path = tmp_path / "mine.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=words):
        read_own(path)


def test_without_recipe_and_rows_nothing_is_trained(tmp_path, capsys):
    assert main(["train", "--out", str(tmp_path / "out")]) == 2
    assert "--recipe, or --data" in capsys.readouterr().err


def test_weights_of_stances_are_refused_for_other_labels(tmp_path, tiny_model, capsys):
    recipe = tmp_path / "weighted.toml"
    weights = "[loss]\nlabel_weights = { neutral = 2 }\n"
    recipe.write_text(RECIPE.format(tiny_model.folder) + weights)
    data = write_own(tmp_path / "mine.csv")
    out = str(tmp_path / "out")
    assert main(["train", "--recipe", str(recipe), "--data", str(data), "--out", out]) == 2
    assert "no label_weights" in capsys.readouterr().err
