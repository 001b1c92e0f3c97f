import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from huggingface_hub import ModelCard, ModelCardData

import make_card
from made import make_record, make_row
from stance.bundle import hash_file, read_bundle
from stance.errors import InputError
from stance.evaluation import card, data_card, measured, promises, table, trials
from stance.evaluation.folds import ARTICLES, saw_articles
from stance.evaluation.model_plots import draw_model_plots
from stance.evaluation.records import read_records
from stance.evaluation.released import (
    BY_ITSELF,
    TITLES,
    check_model,
    say_who_judged_articles,
    summarize_predictions,
)
from stance.evaluation.results import Judged
from stance.evaluation.summary import summarize
from stance.rows import Row
from stance.sets import read_labels
from stance.types import LABELS


@pytest.fixture(scope="module")
def released(root):
    return read_bundle(root / "src" / "stance" / "weights" / "negotiations")


def test_cards_are_what_the_predictions_give(root):
    done = subprocess.run(
        [sys.executable, root / "train" / "make_card.py", "--check"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "src/stance/weights/negotiations/README.md: up to date" in done.stdout


def test_a_card_that_differs_is_named_with_the_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(make_card, "ROOT", tmp_path)
    card_file = tmp_path / "card.md"
    card_file.write_text("a\nb\n")
    assert not make_card.tell(card_file, "a\nb\n")
    assert make_card.tell(card_file, "a\nc\nd\n")
    assert capsys.readouterr().out.splitlines() == [
        "card.md: up to date", "card.md: differs from line 2 on", "  found: b", "  due:   c"
    ]  # fmt: skip


SCORE = {"value": -0.5, "low": -0.75, "high": -0.25}


def test_figures_in_prose_are_those_of_files_that_scripts_leave(released, tmp_path):
    weights = hash_file(released.folder / measured.WEIGHTS)
    noises = {measured.WORST_NOISE: {"macro_f1": SCORE, "accuracy": SCORE, "changed": 0.125}}
    noise = {"model": released.sha256, "rows": 2001, "documents": 1001, "noises": noises}
    own = {"encoder": weights, "labels": ["yes", "no"], "train": 1999, "test": 99,
           "systems": {"model": {"macro_f1": SCORE},
                       "other": {"macro_f1": SCORE, "model_minus_it": SCORE}}}  # fmt: skip
    lines = (measured.format_noise, measured.format_noises, measured.format_own_labels)
    assert all("not measured yet" in line(tmp_path, released) for line in lines)
    for old in (False, True):
        other = {"model": "0" * 64} if old else {}
        (tmp_path / measured.NOISE).write_text(json.dumps(noise | other))
        other = {"encoder": "0" * 64} if old else {}
        (tmp_path / measured.OWN_LABELS).write_text(json.dumps(own | other))
        found = [line(tmp_path, released) for line in lines]
        assert ["an earlier model, `000000000000`" in text for text in found] == [old] * 3
        assert all("0.500 [-0.750, -0.250]" in text for text in found)
        assert all("2,001 rows of 1,001 documents" in text for text in found[:2])
        assert "labels yes, no; 1,999 rows to train on, 99 to test" in found[2]


def copy_data(root, tmp_path, old, new, times=-1):
    """Return a copy of the data folder in which the real-news predictions are changed."""
    data = tmp_path / "data"
    (data / "predictions").mkdir(parents=True)
    for path in (root / "data").iterdir():
        if path.name != "predictions":
            (data / path.name).symlink_to(path)
    for path in (root / "data" / "predictions").iterdir():
        text = path.read_text()
        changed = text.replace(old, new, times) if path.name == "realnews.jsonl" else text
        (data / "predictions" / path.name).write_text(changed)
    return data


def test_a_changed_prediction_changes_the_card(root, released, tmp_path):
    data = copy_data(root, tmp_path, '"reliable": true', '"reliable": false', 20)
    text = (root / "model_card.md").read_text()
    assert card.fill(text, card.build_model_tables(data, released)) != text


def test_the_lesson_is_counted_from_its_files(released, tmp_path):
    folder = tmp_path / "teacher"
    folder.mkdir()
    sure = "".join(f"a{i}\t00\t000000ff\n" for i in range(100))
    (folder / "gwsd.tsv").write_text(f"{sure}b\t00\tff000000\nb~0\t00\t000000ff\n")
    text = card.format_lesson(tmp_path, released)
    kept = int(re.search(r"lesson takes (\d+)", text)[1])
    assert "Of the 102 sentences" in text
    assert f"{kept - 1} of the pools, and 1 variants" in text
    assert 5 < kept < 50
    assert "an earlier state" in text
    assert card.format_lesson(tmp_path / "none", released) == ""


def test_predictions_of_another_model_are_refused(root, released, tmp_path):
    data = copy_data(root, tmp_path, released.sha256, "0" * 64)
    with pytest.raises(InputError, match="predictions of the released model"):
        summarize_predictions(data, released)


def test_no_article_was_judged_by_a_model_that_saw_it(root, released):
    """A record names the article that its model left out, or is of a model that saw none."""
    rows = read_labels(root / "data", "articles", "train")
    records = {r.id: r for r in read_records(root / "data/predictions/articles.jsonl")}
    models = {}
    for row in rows:
        models.setdefault(row.document, set()).add(records[row.id].model)
    assert len(models) == 5
    if not saw_articles(released.settings):
        assert set.union(*models.values()) == {released.sha256}
        return
    assert all(records[row.id].fold == row.document for row in rows)
    assert all(len(found) == 1 for found in models.values())
    assert len(set.union(*models.values())) == 5
    assert released.sha256 not in set.union(*models.values())


def forget_articles(bundle, *, seen):
    """Return a bundle that was trained on articles, or was not."""
    data = {name: "x" for name in bundle.settings.data if name != ARTICLES}
    data |= {ARTICLES: "x"} if seen else {}
    return replace(bundle, settings=replace(bundle.settings, data=data))


def test_articles_are_of_folds_or_of_a_model_that_saw_none(released):
    rows = [make_row(i, document=f"d{i // 2}") for i in range(4)]
    own, other = released.sha256, "0" * 64
    by_folds = [replace(make_record(i), fold=f"d{i // 2}", model=other) for i in range(4)]
    itself = [replace(make_record(i), model=own) for i in range(4)]
    wrong_fold = [replace(record, fold="d0") for record in by_folds]
    fold_is_released = [replace(record, model=own) for record in by_folds]
    for seen, records, fits in (
        (True, by_folds, True), (True, itself, False), (True, wrong_fold, False),
        (True, fold_is_released, False), (False, itself, True), (False, by_folds, False),
    ):  # fmt: skip
        part, bundle = Judged(rows, records), forget_articles(released, seen=seen)
        for name in ("articles", "articles_core"):
            if fits:
                check_model(name, part, Path("x"), bundle)
            else:
                with pytest.raises(InputError, match="expected predictions of"):
                    check_model(name, part, Path("x"), bundle)


def test_the_card_says_whether_folds_judged_the_articles(root, released):
    assert "without one article" in say_who_judged_articles(forget_articles(released, seen=True))
    assert "has not seen any" in say_who_judged_articles(forget_articles(released, seen=False))
    text = (root / "model_card.md").read_text()  # what the predictions give: see above
    assert "| five articles (none seen) | 127 / 5 |" in text
    assert BY_ITSELF in text
    assert "one left out" not in text


def test_card_is_valid_for_the_hub(root):
    loaded = ModelCard.load(root / "model_card.md")  # raises where model-index is malformed
    assert loaded.data.license == "apache-2.0"
    assert len(loaded.data.eval_results) == 2 * len(TITLES)
    assert loaded.data.model_name == "negotiation-stance"
    for result in loaded.data.eval_results:
        assert result.metric_type in ("f1", "accuracy")
        assert 0 < result.metric_value < 1
        assert result.dataset_name
        assert re.fullmatch("[0-9a-f]{64}", result.dataset_revision)
    splits = {result.dataset_type: result.dataset_split for result in loaded.data.eval_results}
    assert splits["negotiation-stance-realnews"] == "test"
    assert splits["negotiation-stance-articles_core"] == "train"  # each judged by who left it out
    again = ModelCardData(**yaml.safe_load(loaded.data.to_yaml()))
    assert again.eval_results == loaded.data.eval_results


def test_malformed_cards_are_not_valid(root):
    text = (root / "model_card.md").read_text()
    for old, new in (
        ("    dataset:\n", "    data:\n"),
        ("    - type: f1\n", "    - kind: f1\n"),
        ("---\n", ""),
    ):
        with pytest.raises((ValueError, KeyError, AssertionError)):
            assert ModelCard(text.replace(old, new)).data.eval_results


@pytest.mark.parametrize(
    "words",
    ["Intended use", "Out-of-scope use", "judgement of a person", "Political bias", "Languages",
     "Data", "language models", "Training", "Evaluation", "Limits", "Energy", "Citation"],
)  # fmt: skip
def test_card_says_what_a_card_should(root, words):
    assert words in (root / "model_card.md").read_text()


def test_unknown_marks_are_refused():
    with pytest.raises(InputError, match="mark 'nothing'"):
        card.fill("<!-- begin nothing -->\n<!-- end nothing -->\n", {"a": ""})


def test_mentions_reads_text_or_stratum():
    text = Row("1", "d", "They met for talks.", "neutral", None, None, {})
    layer = Row("2", "d", "", "neutral", None, None, {"stratum": "free/word+cue"})
    assert data_card.mentions(text)
    assert data_card.mentions(layer)


def test_strata_are_counted_and_weighted_back_to_the_pools():
    few = [make_row(1, "favor", stratum="free/word", weight=4.0),
           make_row(2, "neutral", stratum="free/word", weight=6.0)]  # fmt: skip
    many = [make_row(3, "neutral", stratum="plain/other", weight=90.0)]
    parts = {"realnews / validation": few, "realnews / test": [*few, *many]}
    lines = data_card.format_strata(parts).splitlines()[2:]
    assert lines == [
        "| `free/word` | 2 | 2 | 1 / 0 / 0 / 1 | 4.0 to 6.0 | 10 (10.0 %) "
        "| 40.0 % | 0.0 % | 0.0 % | 60.0 % |",
        "| `plain/other` | 0 | 1 | 0 / 0 / 0 / 1 | 90.0 to 90.0 | 90 (90.0 %) "
        "| 0.0 % | 0.0 % | 0.0 % | 100.0 % |",
        "| all | 2 | 3 | 1 / 0 / 0 / 2 | 4.0 to 90.0 | 100 (100.0 %) "
        "| 4.0 % | 0.0 % | 0.0 % | 96.0 % |",
    ]


def test_differences_stand_for_both_splits_and_once_for_each_pair(root):
    variants = json.loads((root / "data" / data_card.COMPARISON).read_text())["variants"]
    lines = data_card.format_differences(root / "data").splitlines()[2:]
    pairs = [tuple(line.split(" | ")[0].strip("| ").split(" minus ")) for line in lines]
    assert len({frozenset(pair) for pair in pairs}) == len(pairs)
    assert ("`all`", "`adopted`") in pairs
    found = {
        (f"`{name}`", f"`{base}`") for name, v in variants.items() for base in v["test"]["minus"]
    }
    assert {frozenset(pair) for pair in found} == {frozenset(pair) for pair in pairs}
    minus = variants["written"]["validation"]["minus"]["all"]
    (line,) = (line for line in lines if "`written` minus `all`" in line)
    assert table.format_interval(minus, signed=True) in line


def test_leads_over_baselines_are_paired():
    rows = [make_row(i, LABELS[i % 2], weight=1.0 + i % 2) for i in range(40)]
    records = [replace(make_record(i, LABELS[i % 2]), baselines={"keywords": "favor"})
               for i in range(40)]  # fmt: skip
    shown = table.format_leads(summarize(rows, records)).splitlines()[2:]
    assert [line.split(" | ")[0] for line in shown] == [
        "| keyword rule",
        "| keyword rule, weighted",
    ]
    assert "+0.500 [" in shown[0]  # accuracy: all right against one half


def test_sections_on_trials_are_there_when_their_figures_are(root, tmp_path):
    mark = "<!-- begin x -->\nold\n<!-- end x -->\n"
    absent = (
        trials.format_ablations(tmp_path / "no.json"),
        trials.format_recipes(tmp_path / "no", {}),
    )
    assert absent == ("", "")
    assert card.fill(mark, {"x": ""}) == "<!-- begin x -->\n<!-- end x -->\n"

    score = {"value": 0.5, "low": 0.25, "high": 0.75}
    entry = {"n": 1262, "macro_f1": score, "f1": dict.fromkeys(LABELS, score), "minus_base": score}
    runs = {"base": {"why": "as it is", **entry}, "focal": {"why": "focal loss", **entry}}
    path = tmp_path / "ablations.json"
    path.write_text(json.dumps({"runs": runs}))
    section = trials.format_ablations(path)
    assert "1,262 rows" in section
    assert "| focal loss | 0.500 [0.250, 0.750] | 0.500 |" in section
    assert section.count("| +0.500 [+0.250, +0.750] |") == 1  # the base is not compared with itself

    sets = {"probes": {"n": 9, "metrics": {"polarity_flip_rate": score}, "minus_first": score}}
    path.write_text(json.dumps({"models": [{"name": "small", "sets": sets}]}))
    section = trials.format_recipes(path, TITLES)
    assert "| small | behavioural probes | 9 | - | - | 50.0 % [25.0, 75.0] | - | - |  |" in section
    assert {"ablations", "recipes"} <= set(
        re.findall(r"begin ([\w-]+)", (root / "train/README.md").read_text())
    )


def test_no_machine_paths_in_cards(root):
    machine_path = re.compile(r"(?<![\w.])/(?:home|tmp|root|usr|var)/")
    for name in ("README.md", "model_card.md", "data/README.md", "train/README.md"):
        assert not machine_path.search((root / name).read_text()), name


@pytest.mark.parametrize(
    ("found", "words"),
    [((0.95, 0.91, 0.97), "yes"), ((0.91, 0.89, 0.93), "yes, within chance of less"),
     ((0.88, 0.8, 0.94), "no, within chance of it"), ((0.78, 0.73, 0.82), "no"),
     ((None, None, None), "-")],
)  # fmt: skip
def test_whether_a_promise_is_kept_is_said(found, words):
    entry = dict(zip(("value", "low", "high"), found, strict=True))
    assert promises.say_kept(entry, 0.9) == words


def test_a_label_that_is_never_reliable_is_named():
    metrics = {"reliable_share": 0.6, "reliable_accuracy": 0.9, "reliable_stance_accuracy": None}
    entry = {
        "title": "the news",
        "metrics": {name: dict.fromkeys(("value", "low", "high"), value)
                    for name, value in metrics.items()},
        "reliable": {label: {"share": {"value": value}}
                     for label, value in zip(LABELS, (0.5, 0.0, None, 0.7), strict=True)},
    }  # fmt: skip
    said = promises.say_reliable(entry)
    assert said.startswith(
        "`reliable` marks 60.0 % [60.0, 60.0] of the statements on the news; 90.0 %"
    )
    assert said.endswith(" - of those read as a stance. `conditional` never is.")


def test_plots_of_the_card_are_what_the_predictions_give(root, tmp_path):
    draw_model_plots(root / "data", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"reliability.svg", "risk_coverage.svg"}
    text = (root / "model_card.md").read_text()
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (root / "data" / "plots" / path.name).read_bytes()
        assert f"(data/plots/{path.name})" in text
