"""Labels of a user's own: trained, stored, loaded, and refused where stances are meant."""

import csv
import io
import json

import pytest

import requantize
from stance.bundle import hash_file, read_bundle
from stance.cli import main
from stance.errors import InputError
from stance.model import load
from stance.training.own import read_own
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


def test_holders_are_still_named_after_more_rows_of_the_four_stances(tmp_path, tiny_model):
    recipe = tmp_path / "more.toml"
    recipe.write_text(RECIPE.format(tiny_model.folder).replace("epochs = 12", "epochs = 2"))
    patterns = {"favor": "{} urges talks", "against": "{} rejected talks",
                "neutral": "the weather report of {}"}  # fmt: skip
    data, other = (write_own(tmp_path / name, patterns) for name in ("mine.csv", "other.csv"))
    data.write_text(data.read_text().replace(" before ", " after "))
    out = tmp_path / "model"
    assert main(["train", "--recipe", str(recipe), "--data", str(data), "--validation", str(other),
                 "--out", str(out), "--device", "cpu"]) == 0  # fmt: skip
    settings = read_bundle(out).settings
    assert settings.labels == LABELS
    assert list(settings.data) == ["mine.csv", "validation/other.csv"]
    assert settings.reliability.n == 96
    texts = [f"{place} rejected talks , moscow said" for place in ("kyiv", "the minister")]
    assert [p.holder.text for p in load(out).predict(texts)] == ["kyiv", "the minister"]


def test_other_rows_than_its_own_do_not_calibrate_it(own, tiny_model):
    with pytest.raises(InputError, match="found one of other rows"):
        requantize.requantize(own, tiny_model.data)


def test_the_folder_says_what_was_used_and_how_good_it_is(own, tiny_model):
    recipe = read_bundle(own).settings.recipe["data"]
    assert recipe["train"] == recipe["validation"] == []
    card = (own / "README.md").read_text()
    assert hash_file(tiny_model.folder / "model.safetensors") in card
    (line,) = (line for line in card.splitlines() if "macro-F1" in line)
    assert line.startswith("9 rows of 9 documents: macro-F1 ")
    rows = [line.split(" | ") for line in card.splitlines() if line.startswith("| ")][1:]
    assert [row[0] for row in rows] == ["| market", "| war", "| weather"]
    assert all(row[1] == "3" and 0 <= float(row[2].split()[0]) <= 1 for row in rows)


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
        ("text,label\nmarket,a\nwar,b\n", "found 2 different texts"),
        ("text,label\n" + "".join(f"talks {i},a\n" for i in range(40)), "'a' alone"),
        ("text,label\n" + "".join(f"talks {i},{' ' if i == 7 else 'a'}\n" for i in range(40)),
         "line 9 field 'label': expected a label, found a blank"),
        ("text,topic\nmarket,a\n", "columns text and label"),
        ("text, Label\nmarket,a\n", "Rename ' Label' to 'label'"),
        ("text,label\n\u200b\ufeff,a\n", "expected a statement, found a blank"),
    ],
)  # fmt: skip
def test_faults_of_the_file_are_said(tmp_path, content, words):
    path = tmp_path / "mine.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=words):
        read_own(path)


def test_a_number_for_a_label_is_told_how_to_write_it(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text('{"text": "market", "label": 0}\n')
    with pytest.raises(InputError, match='Write it as a string: "0"'):
        read_own(path)


@pytest.mark.parametrize(
    ("labels", "code", "words"),
    [
        (("agree", "neutral", "disagree"), 0, "6 rows, labels agree, disagree, neutral, ok"),
        (("agree", "Agree", "disagree"), 2, "expected 'agree' as in a row before, found 'Agree'"),
        (("favor", "agaisnt", "neutral"), 2, "expected one of favor"),
        (("Favor", "Against", "Neutral"), 2, "expected one of favor"),
    ],
)
def test_labels_of_ones_own_are_checked_as_such(tmp_path, capsys, labels, code, words):
    path = tmp_path / "mine.csv"
    path.write_text("text,label\n" + "".join(f"talks,{label}\n" for label in labels * 2))
    assert main(["check", str(path)]) == code
    captured = capsys.readouterr()
    assert words in captured.out + captured.err


@pytest.mark.parametrize("name", ["distilbert-base-uncased", "no/such"])
def test_an_encoder_that_is_no_folder_is_told_where_hub_ids_go(tmp_path, capsys, name):
    data = write_own(tmp_path / "mine.csv")
    out = str(tmp_path / "out")
    assert main(["train", "--data", str(data), "--encoder", name, "--out", out]) == 2
    assert "train/recipes/hub.toml" in capsys.readouterr().err


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
