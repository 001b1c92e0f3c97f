"""The first stage of a cascade: trained, stored, asked, and what ``stance score --fast`` says."""

import gzip
import json
import os
import shutil
import signal
import sys
import time
from dataclasses import asdict

import numpy as np
import pytest
import torch

import cascade
import contenders
from calling import run_script
from conftest import write_rows
from scoring import count_shards, finish, read_bytes, read_csv, read_parts, start, write_form
from stance.bundle import CASCADE, read_bundle
from stance.cascade import CascadeFacts, FirstStage, read_first_stage
from stance.errors import InputError, StanceError
from stance.evaluation.promises import format_cascade
from stance.layers import hash_text
from stance.model import load
from stance.runtime import Runtime
from stance.sets import read_set
from stance.training.cascade import (
    Checked,
    add_cascade,
    choose_threshold,
    measure,
    train_first_stage,
)
from stance.training.teacher import SoftRow, format_line
from stance.types import LABELS

TEXTS = [
    "the weather report of kyiv the town", "kyiv rejected talks , moscow said", "weather",
    "", "the minister urges dialogue , kyiv said", "weapons town market " * 60,
    "kyiv will negotiate only if the army withdraws , moscow said",
]  # fmt: skip


@pytest.fixture(scope="module")
def taught(tiny_model):
    """A network trained on what a perfect teacher says of the tiny rows."""
    rows = read_set(tiny_model.data, "written", "train", None).rows
    soft = [
        SoftRow(row.id, row.text, tuple(0.97 if name == row.label else 0.01 for name in LABELS))
        for row in rows
    ]
    return train_first_stage(load(tiny_model.folder, device="cpu"), soft * 25)


@pytest.fixture(scope="module")
def folder(tiny_model, taught, tmp_path_factory):
    """The tiny model with a first stage."""
    copy = tmp_path_factory.mktemp("cascade") / "model"
    shutil.copytree(tiny_model.folder, copy)
    rows = read_set(tiny_model.data, "written", "validation", None).rows
    add_cascade(load(copy, device="cpu"), taught, rows, rows)
    return copy


@pytest.fixture(scope="module")
def model(folder):
    return load(folder, device="cpu")


def test_numpy_computes_what_torch_trained(taught):
    network = taught.half().float()
    stage = FirstStage(network.to_tensors())
    ids = [[2, 3], [2, 9, 17, 4, 30, 8, 3], [2, 5, 3]]
    found = stage.score(ids)
    for text, scores in zip(ids, found, strict=True):
        with torch.inference_mode():
            logits = network(torch.tensor([text]), torch.ones(1, len(text)))
        assert scores == pytest.approx(logits.softmax(dim=1)[0].numpy(), abs=1e-5)
        assert stage.score([text])[0] == pytest.approx(scores, abs=1e-6)
    assert found[::-1] == pytest.approx(stage.score(ids[::-1]), abs=1e-6)


def test_a_contender_of_the_speed_table_reads_every_run_anew(folder, monkeypatch):
    """A run that found its answers remembered would time the memory, not the model."""
    label = contenders.build_fast(folder)
    read = []
    score_cuts = Runtime.score_cuts

    def count(self, cuts):
        read.append(len(cuts))
        return score_cuts(self, cuts)

    monkeypatch.setattr(Runtime, "score_cuts", count)
    first, second = label(TEXTS), label(TEXTS)
    assert first == second
    assert read[0] == read[1] > 0


def test_what_is_passed_on_gets_the_full_models_answer_and_the_rest_is_neutral(model):
    texts = TEXTS * 3
    answers = list(model.stream_fast(texts))
    assert [prediction.text for prediction, _ in answers] == texts
    assert {read for _, read in answers} == {True, False}
    for (prediction, read), full in zip(answers, model.predict(texts), strict=True):
        if read:
            assert prediction == full
        else:
            assert (
                prediction.label == "neutral" == max(prediction.scores, key=prediction.scores.get)
            )
            assert not prediction.reliable
            assert prediction.holder is prediction.source is None
            assert sum(prediction.scores.values()) == pytest.approx(1)
    by_text = {prediction.text: read for prediction, read in answers}
    assert by_text[TEXTS[1]]
    assert by_text[TEXTS[5]], "a text of several windows is always read"
    assert not by_text[TEXTS[0]]
    ((alone, read),) = model.stream_fast([TEXTS[0]])
    assert (alone.label, read) == ("neutral", False)
    assert alone.scores == pytest.approx(answers[0][0].scores, abs=1e-5)


def test_the_first_stage_is_checked_like_every_file(folder, tmp_path):
    assert CASCADE in json.loads((folder / "stance.json").read_text())["files"]
    copy = tmp_path / "model"
    shutil.copytree(folder, copy)
    data = bytearray((copy / CASCADE).read_bytes())
    data[-1] ^= 1
    (copy / CASCADE).write_bytes(data)
    with pytest.raises(InputError, match=f"{CASCADE}: expected sha256"):
        load(copy)
    (copy / CASCADE).unlink()
    with pytest.raises(InputError, match=f"{CASCADE}: expected the file"):
        load(copy)
    for header, words in ((b"null", "a JSON object"), (b"{}", "safetensors of a first stage")):
        (copy / CASCADE).write_bytes(len(header).to_bytes(8, "little") + header)
        with pytest.raises(InputError, match=words):
            read_first_stage(copy / CASCADE)


def make_checked(chances, stances, documents=None) -> Checked:
    n = len(chances)
    documents = np.arange(n).astype(str) if documents is None else documents
    return Checked(np.asarray(chances), stances, np.ones(n, bool), documents, np.ones(n))


def test_the_threshold_keeps_the_wanted_share_and_never_skips_a_likely_stance():
    chances = np.arange(1, 1001) / 2000
    every = make_checked(chances, np.ones(1000, bool))
    threshold = choose_threshold(every, recall=0.99)
    facts = measure(every, threshold)
    assert facts.recall == pytest.approx(0.99, abs=1e-9)
    assert facts.low < facts.recall < facts.high
    assert (facts.n, facts.passed) == (1000, pytest.approx(0.99))
    sure = make_checked(np.full(10, 0.9), np.ones(10, bool))
    assert choose_threshold(sure) == 0.5
    none = make_checked(chances, np.zeros(1000, bool))
    with pytest.raises(StanceError, match="validation rows with a stance"):
        choose_threshold(none)
    with pytest.raises(StanceError, match="test rows with a stance"):
        measure(none, 0.5)


def test_what_a_first_stage_keeps_is_measured_by_document_and_of_labels_too():
    chances = np.arange(1, 1001) / 1000
    stances = np.arange(1000) % 2 == 1  # of the labelled rows the model sees every other one
    alone = measure(make_checked(chances, stances), 0.1)
    missed_together = np.array([str(i // 100) for i in range(1000)])
    together = measure(make_checked(chances, stances, missed_together), 0.1)
    assert together.recall == alone.recall == 0.902
    assert together.high - together.low > 2 * (alone.high - alone.low)
    assert (alone.n, alone.gold.n) == (500, 1000)
    assert alone.gold.recall == 0.901
    assert alone.gold.low < 0.901 < alone.gold.high
    assert "1,000 test rows that are labelled with a stance it passes on 90.1 % [" in (
        format_cascade(alone)
    )
    assert CascadeFacts.parse(json.loads(json.dumps(asdict(alone)))) == alone


@pytest.mark.parametrize("name", ["out", "out.csv"])
def test_fast_scoring_marks_its_rows_and_states_the_loss(folder, tmp_path, name):
    source = write_form(tmp_path / "in.jsonl", TEXTS * 9)
    out = tmp_path / "one" / name
    call = ("--fast", "--shard-rows", 10)
    tiny = type("Tiny", (), {"folder": folder})
    messages = finish(start(tiny, source, out, *call))
    rows = read_csv(out) if name == "out.csv" else read_parts(out)
    skipped = [row for row in rows if row["stage"] == "first"]
    assert {row["stage"] for row in rows} == {"first", "full"}
    assert {row["label"] for row in skipped} == {"neutral"}
    assert f"first stage answered {len(skipped)} of 63 rows" in messages
    assert "expected loss: it passes on" in messages
    path = out.with_name(name + ".run.json") if name == "out.csv" else out / "run.json"
    run = json.loads(path.read_text())
    facts = run["model"]["cascade"]
    assert run["skipped"] == len(skipped)
    assert {"recall", "low", "high", "n", "threshold", "passed", "gold"} == set(facts)
    assert facts == json.loads((folder / "stance.json").read_text())["cascade"]
    assert "fast True then, False now" in finish(
        start(tiny, source, out, "--shard-rows", 10, "--resume"), code=2
    )
    if name == "out":
        before = read_bytes(tmp_path / "one")
        (out / "part-00004.jsonl").unlink()
        finish(start(tiny, source, out, *call, "--resume"))
        assert read_bytes(tmp_path / "one") == before


def test_a_model_without_a_first_stage_is_refused_before_anything_is_written(tiny_model, tmp_path):
    assert read_bundle(tiny_model.folder).settings.cascade is None
    source = write_form(tmp_path / "in.txt", ["kyiv rejected talks"])
    messages = finish(start(tiny_model, source, tmp_path / "out", "--fast"), code=2)
    assert "expected a model folder with a first stage" in messages
    assert "leave --fast out" in messages
    assert not (tmp_path / "out").exists()


def test_a_killed_fast_job_resumes_to_the_same_bytes(folder, tmp_path):
    tiny = type("Tiny", (), {"folder": folder})
    source = write_form(tmp_path / "in.csv", TEXTS * 300)
    call = ("--fast", "--shard-rows", 50)
    finish(start(tiny, source, tmp_path / "whole" / "out", *call))
    out = tmp_path / "killed" / "out"
    job = start(tiny, source, out, *call, start_new_session=True)
    while job.poll() is None and count_shards(out) < 3:
        time.sleep(0.002)
    os.killpg(job.pid, signal.SIGKILL)
    assert job.wait() == -signal.SIGKILL, "it must die before it ends"
    assert 3 <= count_shards(out) < 42
    finish(start(tiny, source, out, *call, "--resume"))
    assert read_bytes(tmp_path / "killed") == read_bytes(tmp_path / "whole")


@pytest.fixture
def news(tiny_model, tmp_path, monkeypatch):
    """Real news made of the tiny rows, and a teacher who is right about others."""
    data, corpora = tmp_path / "data", tmp_path / "corpora"
    shutil.copytree(tiny_model.data, data)
    (corpora / "pool").mkdir(parents=True)
    texts = {}
    (data / "realnews").mkdir()
    (data / "teacher").mkdir()
    for split in ("validation", "test"):
        rows = [json.loads(s) for s in (data / "written" / f"{split}.jsonl").open()]
        for row in rows:
            texts[row["id"]] = row["text"]
            row |= {"corpus": "recent", "row": row["id"], "sha256": hash_text(row.pop("text"))}
        write_rows(data / "realnews" / f"{split}.jsonl", rows)
    with (data / "teacher" / "recent.tsv").open("w") as teacher:
        for row in [json.loads(s) for s in (data / "written" / "train.jsonl").open()] * 8:
            name = f"taught-{len(texts)}"
            texts[name] = row["text"] if row["text"] not in texts.values() else "weather"
            chances = np.array([0.97 if row["label"] == label else 0.01 for label in LABELS])
            teacher.write(format_line(name, hash_text(texts[name]), chances))
    with gzip.open(corpora / "pool" / "recent.jsonl.gz", "wt") as pool:
        pool.writelines(json.dumps({"row": r, "text": text}) + "\n" for r, text in texts.items())
    monkeypatch.setenv("STANCE_CORPORA", str(corpora))
    return data


def test_one_command_adds_a_first_stage_and_the_folder_stays_whole(
    tiny_model, news, tmp_path, monkeypatch, capsys
):
    copy = tmp_path / "model"
    shutil.copytree(tiny_model.folder, copy)
    for _ in range(2):  # again over one that is there
        monkeypatch.setattr(sys, "argv", ["cascade.py", str(copy), "--data-dir", str(news)])
        with pytest.raises(SystemExit) as left:
            run_script(cascade.main)
        said = capsys.readouterr()
        assert left.value.code == 0, said.err
    bundle = read_bundle(copy)
    facts = bundle.settings.cascade
    assert bundle.sha256 != read_bundle(tiny_model.folder).sha256
    assert f"{facts.recall:.2%} [{facts.low:.2%}, {facts.high:.2%}] of the {facts.n}" in said.out
    assert f"of the {facts.gold.n} that are labelled with one" in said.out
    assert "on 32 real-news test rows" in said.out
    assert f"{100 * facts.recall:.1f} % [" in format_cascade(facts)
    assert format_cascade(None) == ""
    monkeypatch.delenv("STANCE_CORPORA")
    with pytest.raises(SystemExit) as left:
        run_script(cascade.main)
    assert left.value.code == 2
    assert "STANCE_CORPORA" in capsys.readouterr().err
    assert read_bundle(copy) == bundle
