"""Scripts of train/: what they do with rows, and how they answer calls that cannot work."""

import gzip
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
from safetensors.numpy import load_file
from transformers import Trainer

import ablate
import adapt
import cascade
import compare_data
import compare_export
import compare_recipes
import draw_active
import draw_realnews
import fetch_encoder
import make_card
import name_conflicts
import recalibrate
import requantize
import teach
import withhold
from calling import run_script
from stance.cli import build_parser
from stance.errors import InputError
from stance.evaluation.baselines import check_baselines
from stance.evaluation.records import Record
from stance.evaluation.run import check_sets
from stance.layers import hash_text
from stance.rows import Row
from stance.sets import read_labels
from stance.training.encoders import resolve_encoder
from stance.training.finetune import load_classifier
from stance.training.recipe import EncoderChoice, read_recipe
from stance.types import LABELS, Span

TALKS = "Kyiv said on Monday that it would never return to the talks in Doha."
AGAIN = "Kyiv said on Monday that it would never return to the talks in Doha, again."
OTHER = "The weather in the mountains was better than anybody had expected it to be."
THIRD = "Not one of the delegations has said so far when it means to fly home."


@pytest.fixture
def call(monkeypatch, capsys):
    """Run a script's main function; return the exit code and what it wrote to stderr."""

    def run(script, *arguments):
        monkeypatch.setattr(sys, "argv", [f"{script.__name__}.py", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            run_script(script.main)
        return left.value.code, capsys.readouterr().err

    return run


@pytest.fixture
def corpora(tmp_path, monkeypatch):
    """A pool of two documents that share a sentence, and one that is apart."""
    folder = tmp_path / "corpora"
    (folder / "pool").mkdir(parents=True)
    texts = {"s/a#1": TALKS, "s/a#2": OTHER, "s/b#1": AGAIN, "s/b#2": THIRD, "s/c#1": "So what."}
    write_pool(folder, [{"row": row, "text": text} for row, text in texts.items()])
    monkeypatch.setenv("STANCE_CORPORA", str(folder))
    return folder


def write_pool(folder, rows):
    with gzip.open(folder / "pool" / "recent.jsonl.gz", "wt") as out:
        out.writelines(json.dumps(row) + "\n" for row in rows)


def make_row(row, text, label="neutral", **more):
    return {
        "id": f"recent:{row}", "corpus": "recent", "row": row, "document": f"recent:{row[:3]}",
        "sha256": hash_text(text), "label": label, "holder": None, "source": None, "others": [],
        "votes": [{"annotator": "N", "kind": "person", "label": label, "holder": None,
                   "source": None, "sure": 3}], **more,
    }  # fmt: skip


@pytest.fixture
def data(root, tmp_path, corpora):
    """A data folder whose real-news test holds a sentence of document a."""
    folder = tmp_path / "data"
    for name in ("layers", "realnews", "written"):
        (folder / name).mkdir(parents=True)
    for name in ("articles.jsonl", "licences.toml", "conflicts.toml", "written/train.jsonl"):
        shutil.copy(root / "data" / name, folder / name)
    layer = {"split": "train", "round": "keyword"}
    write(folder / "layers" / "recent.jsonl",
          make_row("s/b#2", THIRD, **layer), make_row("s/c#1", "So what.", **layer))  # fmt: skip
    write(folder / "realnews" / "test.jsonl", make_row("s/a#1", TALKS))
    write(folder / "realnews" / "validation.jsonl", make_row("s/a#2", OTHER))
    return folder


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_rows_of_documents_that_share_a_held_out_sentence_are_withheld(data, corpora):
    """Document b is not held out and its labelled row is like no other; its other sentence is."""
    assert withhold.withhold(data, corpora) == {"recent": 1}
    assert [row.id for row in read_labels(data, "layers", "train")] == ["recent:s/c#1"]
    assert [row.id for row in read_labels(data, "layers", "withheld")] == ["recent:s/b#2"]
    before = (data / "layers" / "recent.jsonl").read_bytes()
    assert not withhold.withhold(data, corpora)
    assert (data / "layers" / "recent.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("text", "conflict"),
    [
        ("Putin said that Russia was open to talks.", None),
        ("Putin told Kyiv that Russia was open to talks.", "russia-ukraine"),
        ("Russia and the U.S. resumed talks on arms control.", "us-russia"),
        ("Moscow called New START dead.", "us-russia"),
        ("The US sent arms to Ukraine, and Russia protested.", "russia-ukraine"),
        ("Washington and Moscow met over Syria and its president, Assad.", "syria"),
        ("Washington said nothing.", None),
        ("Iran and Russia held talks in Tehran.", "iran"),
    ],
)
def test_a_conflict_is_named_by_the_names_it_needs(root, text, conflict):
    assert (
        name_conflicts.name_conflict(text, name_conflicts.read_conflicts(root / "data")) == conflict
    )


def test_a_table_of_conflicts_of_another_form_is_refused(data, call):
    path = data / "conflicts.toml"
    path.write_text(path.read_text().replace('us-russia = ["US"', 'us-rusia = ["US"'))
    code, said = call(name_conflicts, "--data-dir", data)
    assert code == 2
    assert "needs of unknown conflicts: us-rusia" in said


@pytest.fixture
def place(data, corpora, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('[data]\ntrain = ["layers"]\n')
    return compare_data.Place(data, corpora, tmp_path / "runs", recipe)


def test_finished_models_are_taken_for_their_own_rows_and_recipe_alone(place, monkeypatch):
    trained = []

    def train(options):
        trained.append(options.out.name)
        options.out.mkdir(parents=True)
        (options.out / "stance.json").write_text("{}")

    monkeypatch.setattr(compare_data, "train", train)
    rows = compare_data.train_variant("all", place)
    assert len(rows.train) == 2
    assert compare_data.train_variant("all", place).train == rows.train
    assert trained == ["all"]

    path = place.data / "layers" / "recent.jsonl"
    text = path.read_text()
    path.write_text(text.replace('"split"', '"note": 1, "split"'))  # trains no other model
    compare_data.train_variant("all", place)
    path.write_text(text.replace('"neutral", "holder": null', '"favor", "holder": null', 1))
    with pytest.raises(InputError, match=r"expected one made from this recipe.*Delete the folder"):
        compare_data.train_variant("all", place)
    path.write_text(text)
    place.recipe.write_text(place.recipe.read_text() + "# another\n")
    with pytest.raises(InputError, match="found one made from others"):
        compare_data.train_variant("all", place)
    (place.runs / "all.sha256").unlink()
    with pytest.raises(InputError, match="found one without identity"):
        compare_data.train_variant("all", place)
    assert trained == ["all"]


def test_figures_of_other_rows_are_not_kept(place, tmp_path):
    out = tmp_path / "comparison.json"
    assert compare_data.read_current(out, place) == {}
    mine = {"identity": compare_data.identify(*compare_data.read_variant("all", place))}
    other = {"identity": mine["identity"][::-1]}
    out.write_text(json.dumps({"variants": {"all": mine, "third": other}}))
    assert compare_data.read_current(out, place) == {"all": mine}


def test_spans_belong_to_the_identity(place):
    compare_data.write_data(compare_data.VARIANTS["all"], place, place.runs / "d")
    source = compare_data.Source(place.data, place.corpora, release=True)
    rows = compare_data.select_rows(source, train=["layers"], validation=["realnews"])
    moved = replace(rows.train[0], holder=Span(0, 3, "Not"))
    other = replace(rows, train=[moved, *rows.train[1:]])
    assert compare_data.identify("r", rows) != compare_data.identify("r", other)
    assert compare_data.identify("r", rows) != compare_data.identify("s", rows)


def test_a_change_changes_what_it_names_alone(root):
    changes = ablate.read_changes(ablate.CHANGES, ablate.RECIPE)
    base = changes["base"].recipe
    assert base["data"]["train"] == ["layers", "written"]
    for name, change in changes.items():
        differing = {key for key in change.recipe if change.recipe[key] != base.get(key)}
        assert len(differing) <= 1 or name == "longer", name
        assert name in ("base", change.of) or change.recipe == base
    longer = changes["longer"].recipe
    assert (longer["patience"], longer["training"]["max_steps"]) == (3, 4200)
    assert longer["training"]["learning_rate"] == base["training"]["learning_rate"]


def test_changes_are_recipes(tmp_path):
    for name, change in ablate.read_changes(ablate.CHANGES, ablate.RECIPE).items():
        path = tmp_path / f"{name}.toml"
        path.write_text(ablate.format_toml(change.recipe))
        assert read_recipe(path).training == change.recipe["training"]


@pytest.mark.parametrize(
    ("line", "said"), [('of = "bas"', "'of': expected one of"), ('adapt = "x"', "masked, directed")]
)
def test_changes_of_nothing_are_refused(tmp_path, line, said):
    path = tmp_path / "changes.toml"
    path.write_text(f'[base]\nwhy = "b"\n[other]\nwhy = "o"\n{line}\n')
    with pytest.raises(InputError, match=said):
        ablate.read_changes(path, ablate.RECIPE)


def make_record(name, scores):
    label = LABELS[scores.index(max(scores))]
    return Record(name, "m", None, label, tuple(scores), True, None, None, {})


def test_an_ensemble_says_what_its_members_say_on_average():
    members = [
        [make_record("1", [0.5, 0.1, 0.4, 0]), make_record("2", [1, 0, 0, 0])],
        [make_record("1", [0.2, 0.1, 0.7, 0]), make_record("2", [0, 0, 0.2, 0.8])],
    ]
    averaged = ablate.average(members)
    assert [record.label for record in averaged] == ["against", "favor"]
    assert averaged[0].scores == pytest.approx((0.35, 0.1, 0.55, 0))


def test_what_is_finished_is_not_trained_again(data, corpora, tmp_path, monkeypatch):
    rows = [Row(str(i), str(i), "", label, None, None, {}) for i, label in enumerate(LABELS * 9)]
    trained = []

    def train(options):
        folder = options.out
        if not (folder / "stance.json").is_file():
            trained.append((folder.name, options.seed))
            folder.mkdir(parents=True)
            (folder / "stance.json").write_text("{}")

    def judge(folder, place):
        return [make_record(row.id, [0.4, 0.2, 0.2, 0.2]) for row in place.rows]

    monkeypatch.setattr(ablate, "train", train)
    monkeypatch.setattr(ablate, "judge", judge)
    changes = ablate.read_changes(ablate.CHANGES, ablate.RECIPE)
    place, out = ablate.Place(tmp_path / "runs", data, corpora, rows), tmp_path / "out.json"
    assert ablate.count_steps([changes["base"], changes["three-seeds"]], place) == 3 * 1400
    ablate.ablate(changes, ["another-seed"], place, out)
    assert trained == [("base", 1), ("base-seed2", 2)]
    ablate.ablate(changes, ["three-seeds"], place, out)
    assert trained[2:] == [("base-seed3", 3)]
    table = json.loads(out.read_text())["runs"]
    assert list(table) == ["base", "another-seed", "three-seeds"]  # the first by itself: finished
    assert table["three-seeds"]["n"] == len(rows)
    elsewhere = ablate.Place(tmp_path / "elsewhere", data, corpora, rows)
    ablate.ablate(changes, ["focal"], elsewhere, out)  # what the other folder had stays
    table = json.loads(out.read_text())["runs"]
    assert list(table) == ["base", "another-seed", "focal", "three-seeds"]
    out.write_text(out.read_text().replace('"n": ', '"n": 1', 1))  # another base
    ablate.ablate(changes, ["focal"], elsewhere, out)
    assert list(json.loads(out.read_text())["runs"]) == ["base", "focal"]


def test_what_a_model_says_is_kept_for_the_same_rows(tiny_model, tmp_path, monkeypatch):
    shutil.copytree(tiny_model.folder, tmp_path / "base")
    rows = read_labels(tiny_model.data, "written", "test")
    place = ablate.Place(tmp_path, tiny_model.data, tmp_path, rows)
    records = ablate.judge(tmp_path / "base", place)
    assert [record.label for record in records] == [row.label for row in rows]
    with monkeypatch.context() as patch:
        patch.delattr(ablate, "judge_rows")
        assert ablate.judge(tmp_path / "base", place) == records
    fewer = replace(place, rows=rows[1:])
    assert ablate.judge(tmp_path / "base", fewer) == records[1:]


def test_recipes_compared_earlier_stay_beside_the_same_first():
    def model(name, macro_f1):
        return {"name": name, "sets": {"realnews": {"metrics": {"macro_f1": macro_f1}}}}

    small, teacher, written = model("small", 0.6), model("teacher", 0.7), model("written", 0.5)
    assert compare_recipes.keep_earlier([small, teacher], []) == [small, teacher]
    earlier = [small, model("teacher", 0.1), written]
    assert compare_recipes.keep_earlier([small, teacher], earlier) == [small, teacher, written]
    earlier[0] = model("small", 0.61)
    assert compare_recipes.keep_earlier([small, teacher], earlier) == [small, teacher]


@pytest.fixture
def adaptable(data, corpora, tiny_encoder):
    """Sentences without label and directed pairs, open and closed; what to call adapt with."""
    texts = {"s/a#1": TALKS}
    texts |= {
        f"s/d#{word}": f"the army of town {word} will reject talks" for word in "abcdefghijkl"
    }
    write_pool(corpora, [{"row": row, "text": text} for row, text in texts.items()])
    folder = corpora / "public" / "directed_sentiment"
    folder.mkdir(parents=True)
    for split in ("train", "test"):
        with gzip.open(folder / f"{split}.jsonl.gz", "wt") as out:
            for i, text in enumerate(texts.values()):
                row = {"id": str(i), "text": text, "target": "kyiv", "holder": "moscow",
                       "label": adapt.DIRECTIONS[i % 3]}  # fmt: skip
                out.write(json.dumps(row) + "\n")
    return {"choice": EncoderChoice(str(tiny_encoder), max_tokens=32), "data": data,
            "corpora": corpora, "steps": 4}  # fmt: skip


def test_pairs_are_of_open_training_rows(adaptable):
    pairs = adapt.list_pairs(adaptable["data"], adaptable["corpora"])
    assert len(pairs) == 12  # without the sentence of real news, and the test rows
    assert {pair[1] for pair in pairs} == {"moscow toward kyiv"}


@pytest.mark.parametrize("kind", adapt.KINDS)
def test_an_adapted_encoder_is_started_from_and_stops_without_loss(
    kind, adaptable, tiny_encoder, tmp_path, monkeypatch
):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    adapt.adapt(kind, out=whole, **adaptable)
    step, taken = Trainer.training_step, []

    def count(*arguments, **named):
        taken.append(1)
        if len(taken) > 3:  # checkpoints after two and four steps
            raise KeyboardInterrupt
        return step(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "training_step", count)
        with pytest.raises(KeyboardInterrupt):
            adapt.adapt(kind, out=stopped, **adaptable)
    assert not stopped.exists()
    adapt.adapt(kind, out=stopped, **adaptable)
    weights = [load_file(folder / "model.safetensors") for folder in (whole, stopped, tiny_encoder)]
    assert weights[0].keys() == weights[2].keys()
    assert all((weights[0][name] == weights[1][name]).all() for name in weights[0])
    name = "encoder.layer.1.output.dense.weight"
    assert (weights[0][name] != weights[2][name]).any()
    assert sorted(tmp_path.glob("*-checkpoints")) == []
    encoder = resolve_encoder(EncoderChoice(str(whole), max_tokens=32))
    assert load_classifier(encoder, LABELS).config.num_labels == len(LABELS)


NEEDY = {  # scripts that need the corpora, and a call that is right but for them
    ablate: ["--runs", "r"],
    adapt: ["masked", "o"],
    withhold: [],
    name_conflicts: [],
    compare_data: ["all", "--runs", "r", "--out", "o.json"],
    compare_export: [],
    teach: ["t", "--encoder", "e"],
    cascade: ["m"],
    draw_active: ["m", "o", "--round", "r"],
}


@pytest.mark.parametrize("script", NEEDY, ids=lambda script: script.__name__)
def test_scripts_say_that_they_need_the_corpora(root, call, monkeypatch, script):
    monkeypatch.chdir(root)
    monkeypatch.delenv("STANCE_CORPORA", raising=False)
    code, said = call(script, *NEEDY[script])
    assert code == 2
    assert "STANCE_CORPORA" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("script", "arguments", "said"),
    [
        (draw_realnews, [], "the following arguments are required: layers, out"),
        (draw_realnews, ["nowhere", "out"], "expected a folder of label layers"),
        (draw_active, ["m", "o"], "the following arguments are required: --round"),
        (draw_active, ["m", "o", "--round", "r", "--size", "0"], "--size: expected at least 1"),
        (draw_active, ["m", "o", "--round", "r", "--shares", '{"pro": 1}'], "with rules among"),
        (draw_active, ["m", "o", "--round", "r", "--shares", "[1]"], "expected JSON like"),
        (teach, [], "the following arguments are required: teachers, --encoder"),
        (fetch_encoder, [], "the following arguments are required: out"),
        (compare_data, ["every", "--runs", "r", "--out", "o"], "expected variants among adopted"),
        (make_card, ["--benchmarks", "nowhere.json"], "nowhere.json"),
        (requantize, ["nowhere"], "expected a model folder, found no such folder"),
        (recalibrate, ["m"], "the following arguments are required: --recipe"),
        (ablate, ["nothing", "--runs", "r"], "NAME: expected changes among base"),
        (adapt, ["masked", "o", "--steps", "0"], "--steps: expected at least 1"),
        (adapt, ["guessed", "o"], "invalid choice: 'guessed'"),
        (cascade, [], "the following arguments are required: model"),
        (compare_export, ["a", "b"], "unrecognized arguments: b"),
    ],
)
def test_calls_that_cannot_work_are_refused(call, script, arguments, said):
    code, found = call(script, *arguments)
    assert code == 2
    assert said in found
    assert "Traceback" not in found


@pytest.mark.parametrize(
    ("script", "missing"),
    [(withhold, "split"), (withhold, "label"), (name_conflicts, "sha256"), (name_conflicts, "row")],
)
def test_rows_without_a_field_are_named(data, call, script, missing):
    row = make_row("s/c#1", "So what.", split="train", round="keyword")
    del row[missing]
    write(data / "layers" / "recent.jsonl", make_row("s/b#2", THIRD, split="train"), row)
    code, said = call(script, "--data-dir", data)
    assert code == 2
    assert f"recent.jsonl line 2 field '{missing}'" in said


def test_rows_of_a_pool_without_a_text_are_named(data, corpora, call):
    write_pool(corpora, [{"row": "s/a#1"}])
    code, said = call(withhold, "--data-dir", data)
    assert code == 2
    assert "recent.jsonl.gz: expected gzipped JSON lines with row and text" in said


def test_texts_of_no_labelled_row_are_no_ground_to_compare_on(root, corpora, call, monkeypatch):
    monkeypatch.chdir(root)
    code, said = call(compare_export)
    assert code == 2
    assert "holds the text of no test row" in said


def read_calls(root):
    """Return the calls of the script that reproduces everything, in words."""
    text = (root / "train" / "reproduce.sh").read_text().replace("\\\n", " ")
    (baselines,) = re.findall(r"^baselines=(.+)$", text, re.MULTILINE)
    for old, new in (
        ("$stance", "stance"), ("$recipe", "train/recipes/small.toml"), ("$benchmarks", "gwsd"),
        ("$baselines", baselines),
        ("${benchmarks:+--benchmarks", "--benchmarks"), ('.json"}', '.json"'),
    ):  # fmt: skip
        text = text.replace(old, new)
    found = re.findall(r"(?:stance|python) (?:train|evaluate)[ /].*", text)
    return [shlex.split(call) for call in found if "=" not in call.split()[0]]


def test_calls_that_reproduce_everything_are_calls_of_the_command(root):
    calls = [call[1:] for call in read_calls(root) if call[0] == "stance"]
    assert len(calls) == 3
    for call in calls:
        options = build_parser().parse_args(call)  # exits where an option is unknown
        assert (root / getattr(options, "recipe", "missing")).is_file()
        names = (getattr(options, "sets", None) or "").split(",")
        if names != [""]:
            check_sets(names, has_corpora=True)
            check_baselines((options.baselines or "majority").split(","))


def test_reproducing_says_at_once_what_it_lacks(root, tmp_path):
    script = [str(root / "train" / "reproduce.sh")]
    for corpora, found in ((None, "set it to the folder"), ("nowhere", "No such file")):
        environment = {"PATH": os.environ["PATH"]} | (
            {"STANCE_CORPORA": corpora} if corpora else {}
        )
        done = subprocess.run(
            script, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert done.returncode != 0
        assert found in done.stderr
