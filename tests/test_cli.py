import csv
import io
import json
import os
import shutil
import subprocess
import sys

import pytest

from stance.errors import InputError
from stance.files import write_text
from stance.types import LABELS


def stance(*arguments, data: bytes = b"", **environment) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "stance.cli", *map(str, arguments)], input=data,
        capture_output=True, env={**os.environ, **environment}, check=False,
    )  # fmt: skip


def assert_refused(done: subprocess.CompletedProcess, *words: str) -> None:
    message = done.stderr.decode()
    assert done.returncode == 2, message
    assert "Traceback" not in message
    lines = [line for line in message.strip().splitlines() if ": read: " not in line]
    assert len(lines) == 1, message
    assert done.stdout == b""
    for word in ("expected", "found", *words):
        assert word in message


def predict(tiny_model, *arguments, **rest) -> subprocess.CompletedProcess:
    return stance("predict", "--model", tiny_model.folder, *arguments, **rest)


def test_predict_arguments_as_json_lines(tiny_model):
    done = predict(tiny_model, "kyiv rejected talks", "")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["text"] for row in rows] == ["kyiv rejected talks", ""]
    assert list(rows[0]["scores"]) == list(LABELS)
    assert rows[1]["label"] == "neutral"
    assert not rows[1]["reliable"]
    assert done.stderr == b""


def test_predict_keeps_one_row_a_line(tiny_model):
    data = "kyiv rejected talks\r\n\nweather\u2028report\x0b 🕊️\nend".encode()
    done = predict(tiny_model, data=data)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["text"] for row in rows] == [
        "kyiv rejected talks", "", "weather\u2028report\x0b 🕊️", "end",
    ]  # fmt: skip


def test_predict_file_as_csv_and_table(tiny_model, tmp_path):
    path = tmp_path / "in.txt"
    path.write_bytes(b'\xef\xbb\xbfkyiv rejected talks, "said" moscow\nthe weather\treport\n')
    done = predict(tiny_model, "--file", path, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert rows[0]["text"] == 'kyiv rejected talks, "said" moscow'
    assert float(rows[0]["score_favor"]) <= 1
    table = predict(tiny_model, "--file", path, "--format", "table").stdout.decode()
    assert table.splitlines()[0].split() == ["stance", "conf", "holder", "statement"]
    assert "the weather report" in table


def test_csv_reads_back_whatever_the_text(tiny_model):
    texts = ["kyiv\rrejected talks", 'he "said" no', "\u2028 war \x85", "", "007"]
    done = predict(tiny_model, "--format", "csv", *texts)
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode(), newline="")))
    assert [row["text"] for row in rows] == texts
    assert {row["reliable"] for row in rows} <= {"true", "false"}


def test_megabyte_line_is_answered(tiny_model):
    done = predict(tiny_model, data=b"the weather report of kyiv . " * 36_000)
    row = json.loads(done.stdout)
    assert row["truncated"]


def test_bad_input_is_refused(tiny_model, tmp_path):
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"fine\nnot \xff fine\n")
    assert_refused(predict(tiny_model, "--file", bad), "bad.txt line 2", "0xff")
    assert_refused(predict(tiny_model, data=b"\xff"), "standard input line 1")
    assert_refused(predict(tiny_model, "--file", tmp_path), "a directory")
    assert_refused(predict(tiny_model, "--file", tmp_path / "none"), "no such file")
    assert_refused(predict(tiny_model, "x", "--format", "xml"), "jsonl, csv, table")
    assert_refused(predict(tiny_model, "x", "--file", bad), "both")
    assert_refused(stance("predict", "--model", tmp_path / "none", "x"), "no such folder")


def test_late_bad_byte_leaves_no_output(tiny_model):
    data = b"kyiv rejected talks\n" * 700 + b"\xff\n"
    assert_refused(predict(tiny_model, data=data), "standard input line 701")


def test_bad_bytes_in_an_argument_are_refused(tiny_model):
    assert_refused(predict(tiny_model, b"bad \xff talks".decode(errors="surrogateescape")))


def test_pipe_as_file_is_read(tiny_model):
    done = predict(tiny_model, "--file", "/dev/stdin", data=b"kyiv rejected talks\n" * 3)
    assert len(done.stdout.splitlines()) == 3


def test_table_shows_no_control_characters(tiny_model):
    done = predict(tiny_model, "--format", "table", "ky\n\x1b[31miv rejected talks")
    assert b"\x1b" not in done.stdout
    assert len(done.stdout.splitlines()) == 2


def test_full_disk_is_one_message(tiny_model):
    command = f"{sys.executable} -m stance.cli predict --model {tiny_model.folder} x > /dev/full"
    done = subprocess.run(command, shell=True, capture_output=True, check=False)
    assert done.returncode == 1
    assert len(done.stderr.decode().strip().splitlines()) == 1


def test_damaged_model_is_refused(tiny_model, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_model.folder, folder)
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    assert_refused(stance("predict", "--model", folder, "x"), "model.safetensors", "sha256")
    path.unlink()
    assert_refused(stance("check", folder), "model.safetensors", "no such file")


def test_closed_pipe_is_no_error(tiny_model):
    command = f"{sys.executable} -m stance.cli predict --model {tiny_model.folder} | head -n 1"
    done = subprocess.run(
        command, shell=True, input=b"kyiv rejected talks\n" * 3000, capture_output=True, check=True
    )
    assert done.stderr == b""


def test_check_names_every_problem(tmp_path):
    good = {"id": "1", "document": "d", "text": "kyiv rejected talks", "label": "against",
            "holder": {"start": 0, "end": 4}}  # fmt: skip
    rows = [
        good,
        {**good, "id": "2", "label": "maybe"},
        {**good, "id": "1"},
        {**good, "id": "3", "holder": {"start": 0, "end": 400}},
        {**good, "id": "4", "label": "neutral"},
        {"id": "5", "text": "x"},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = stance("check", path)
    assert done.returncode == 2
    lines = done.stderr.decode().splitlines()
    for expected in (
        "line 2 field 'label': expected one of favor, conditional, against, neutral, found 'maybe'",
        "line 3 field 'id': expected a new id, found '1' a second time",
        "line 4 field 'holder': expected 0 <= start < end <= 19, found 0:400",
        "line 5 field 'holder': expected null in a neutral row",
        "line 6 field 'document': expected the field to be there",
    ):
        assert any(expected in line for line in lines), expected
    path.write_text("")
    assert_refused(stance("check", path), "at least one row")
    table = tmp_path / "own.csv"
    table.write_text(",text,label\n0,x,favor\n1,y,maybe\n")
    done = stance("check", table)
    assert done.returncode == 2
    assert "line 3 field 'label'" in done.stderr.decode()
    own = tmp_path / "own.jsonl"
    own.write_text('{"text": "They met.", "label": "neutral"}\n{"text": "x", "label": "no"}\n')
    done = stance("check", own)
    assert done.returncode == 2
    assert done.stderr.decode().splitlines()[0].startswith(f"{own} line 2 field 'label'")
    assert "1 problem" in done.stderr.decode()
    own.write_text('{"text": "They met.", "label": "neutral"}\n')
    assert b"1 rows, ok" in stance("check", own).stdout
    path.write_text("[1]\n")
    assert_refused(stance("check", path), "line 1", "a JSON object")
    path.write_text("{not json\n")
    assert_refused(stance("check", path), "line 1", "not JSON")


def test_check_passes_the_repository(root):
    for path in sorted((root / "data").rglob("*.jsonl")):
        if path.parent.name != "predictions" and path.name not in ("probes.jsonl", "actors.jsonl"):
            done = stance("check", path)
            assert done.returncode == 0, done.stderr.decode()


def test_help_of_every_command():
    commands = "predict analyze score sample estimate train evaluate report check demo"
    for command in commands.split():
        done = stance(command, "--help")
        assert done.returncode == 0
        assert b"example" in done.stdout
    assert b"examples:\n  stance check data" in stance("check", "--help").stdout
    assert stance("--version").stdout.startswith(b"stance ")


def test_a_folder_is_no_file_to_write(tmp_path):
    with pytest.raises(InputError, match=r"a folder\. Name a file in it"):
        write_text(tmp_path, "words")


def test_evaluate_refuses_unknown_sets(tiny_model, tmp_path):
    out = tmp_path / "results.json"
    base = ("evaluate", "--model", tiny_model.folder, "--data-dir", tiny_model.data, "--out", out)
    assert_refused(stance(*base, "--sets", "tweets"), "tweets", "realnews")
    assert_refused(stance(*base, "--sets", "realnews", STANCE_CORPORA=""), "STANCE_CORPORA")
    assert_refused(stance(*base[:-1], tmp_path, "--sets", "written"), "a directory")
    assert_refused(stance(*base[:4], tmp_path, "--out", out), "articles.jsonl")
    assert not out.exists()


@pytest.mark.slow  # each call imports torch: three quarters of a minute
def test_train_refuses_bad_files(tiny_recipe, tmp_path):
    own = tmp_path / "own.csv"
    base = ("train", "--recipe", tiny_recipe, "--out", tmp_path / "out", "--data", own)
    own.write_text("sentence,label\nx,favor\n")
    assert_refused(stance(*base), "own.csv line 2 field 'text'", "columns text and label")
    own.write_text("text,label\nx, \n")
    assert_refused(stance(*base), "line 2 field 'label'", "a blank")
    own.write_text("text,label\nx,favor,more\n")
    assert_refused(stance(*base), "line 2", "2 fields")
    assert_refused(stance("train", "--recipe", tmp_path / "no.toml", "--out", "x"), "no such file")
    own.write_text(
        "text,label\n" + "".join(f"word {i},{('favor', 'neutral')[i % 2]}\n" for i in range(60))
    )
    assert_refused(stance(*base, "--leave-out", "one"), "both")
    assert_refused(stance(*base[:4], tmp_path, *base[5:]), "a folder with other files")
    assert_refused(stance(*base[:4], own, *base[5:]), "found a file")


@pytest.mark.parametrize("call", [[], ["predict", "--no-such-option"], ["dance"]])
def test_wrong_calls_exit_with_2(call):
    assert stance(*call).returncode == 2
