"""``stance score``: what goes in and what comes out, good rows and bad."""

import gzip
import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from scoring import (
    HARD,
    answer,
    read_bytes,
    read_csv,
    read_jsonl,
    read_parts,
    run,
    write_form,
    write_jsonl,
)
from stance import corpus, parquet, shards
from stance.errors import InputError, StanceError
from stance.outputs import choose_output
from stance.shards import Scorer
from stance.stream import cut_stream
from stance.types import LABELS


@pytest.mark.parametrize(
    "name", ["a.txt", "a.csv", "a.jsonl", "a.parquet", "a.txt.gz", "a.csv.gz", "a.jsonl.gz"]
)
def test_every_form_is_read_and_every_row_comes_out_in_order(light, tmp_path, name):
    lines = [f"kyiv said {'no ' * (i % 5)}" for i in range(95)]
    texts = lines if ".txt" in name else lines + HARD
    source = write_form(tmp_path / name, texts)
    summary = run(source, tmp_path / "out", shard_rows=10)
    rows = read_parts(tmp_path / "out")
    assert [row["text"] for row in rows] == texts
    assert [row["label"] for row in rows] == [answer(text).label for text in texts]
    assert len(list((tmp_path / "out").glob("part-*.jsonl"))) == -(-len(texts) // 10)
    assert summary.rows == summary.new_rows == len(texts)
    assert sum(summary.labels.values()) == len(texts)
    if ".txt" not in name:
        assert [int(row["id"]) for row in rows] == list(range(len(texts)))
        assert list(rows[0])[:3] == ["id", "text", "label"]


@pytest.mark.parametrize("name", ["out", "out.csv", "out.jsonl", "out.parquet"])
def test_every_form_is_written_and_reads_back(light, tmp_path, name):
    rows = [{"id": i, "text": text, "who": {"n": [i, None]}, "half": i / 2 if i % 3 else None}
            for i, text in enumerate(HARD)]  # fmt: skip
    source, out = write_jsonl(tmp_path / "in.jsonl", rows), tmp_path / name
    run(source, out, shard_rows=4)
    expected = [answer(text) for text in HARD]
    if name in ("out", "out.jsonl"):
        back = read_parts(out) if name == "out" else read_jsonl(out)
        for given, found, prediction in zip(rows, back, expected, strict=True):
            assert found == given | prediction.to_dict()
        return
    back = read_csv(out) if name == "out.csv" else pq.read_table(out).to_pylist()
    assert [row["text"] for row in back] == HARD
    assert [json.loads(row["who"]) for row in back] == [row["who"] for row in rows]
    for given, found, prediction in zip(rows, back, expected, strict=True):
        ours = prediction.to_columns()
        if name == "out.csv":
            given = {key: "" if value is None else str(value) for key, value in given.items()}
            ours = {key: "" if value is None else str(value).lower() if isinstance(value, bool)
                    else str(value) for key, value in ours.items()}  # fmt: skip
        assert {key: found[key] for key in ("id", "half", *ours)} == {
            key: (given | ours)[key] for key in ("id", "half", *ours)
        }


def test_a_file_holds_what_the_parts_hold(light, tmp_path):
    source = write_form(tmp_path / "in.jsonl", HARD * 20)
    run(source, tmp_path / "one.jsonl", shard_rows=30)
    run(source, tmp_path / "parts", shard_rows=30)
    joined = b"".join(p.read_bytes() for p in sorted((tmp_path / "parts").glob("part-*")))
    assert (tmp_path / "one.jsonl").read_bytes() == joined
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "in.jsonl", "one.jsonl", "one.jsonl.run.json", "parts",
    ]  # fmt: skip


def test_bad_rows_go_to_a_side_file_and_the_job_goes_on(light, tmp_path):
    (tmp_path / "in").mkdir()
    huge = "a" * 5_000_000
    (tmp_path / "in" / "a.jsonl").write_bytes(
        b'{"text": "one"}\n{broken\n\n{"text": null}\n{"text": 7}\n{"other": 1}\n'
        b'{"text": "\xff"}\n[1]\n' + json.dumps({"text": huge}).encode() + b'\n{"text": "two"}\n'
    )
    (tmp_path / "in" / "b.csv").write_bytes(
        f'id,text\n1,three\n2,"never closed\n3,four,five\n4,"a" b\n5,{huge}\n6,six\n7,'.encode()
        + b"\xff\n8,eight\n"
    )
    (tmp_path / "in" / "c.txt").write_bytes(b"nine\n\xffbad\n" + b"x" * 20_000_000 + b"\nten")
    table = pa.table({"text": ["eleven", None, huge]})
    pq.write_table(table, tmp_path / "in" / "d.parquet")
    summary = run(tmp_path / "in", tmp_path / "out", shard_rows=5)
    assert [row["text"] for row in read_parts(tmp_path / "out")] == [
        "one", "two", "three", "six", "eight", "nine", "ten", "eleven",
    ]  # fmt: skip
    bad = read_jsonl(tmp_path / "out" / "bad-rows.ndjson")
    reasons = {(Path(row["file"]).name, row["row"]): row["reason"] for row in bad}
    for place, words in {
        ("a.jsonl", 2): "not JSON", ("a.jsonl", 3): "found null", ("a.jsonl", 4): "found int",
        ("a.jsonl", 5): "found other", ("a.jsonl", 6): "0xff", ("a.jsonl", 7): "found list",
        ("a.jsonl", 8): "found 5,000,000", ("b.csv", 2): "CSV record",
        ("b.csv", 3): "found 3 fields", ("b.csv", 4): "CSV record",
        ("b.csv", 5): "found 5,000,000", ("b.csv", 7): "0xff",
        ("c.txt", 2): "0xff", ("c.txt", 3): "found 20,000,001 bytes",
        ("d.parquet", 2): "found null", ("d.parquet", 3): "found 5,000,000",
    }.items():  # fmt: skip
        assert words in reasons.pop(place), place
    assert not reasons
    assert summary.bad_rows == len(bad) == 16
    assert summary.rows == 8


@pytest.mark.parametrize("name", ["out", "out.csv", "out.parquet"])
def test_json_that_would_be_lost_or_cannot_be_written_is_a_bad_row(light, tmp_path, name):
    def nest(value: str) -> str:
        return f'{{"text": "[[x]]", "deep": {value}}}'

    deep = "[" * 900 + "]" * 900
    faults = {  # line -> what its reason says
        nest(deep): "at most 100 deep, found 901 deep",
        nest((deep * 200)[:100_000]): "not JSON",
        nest("[" * 99_999): "not JSON",
        '{"text": "x", "\\ud83d": 1}': "keys of Unicode text, found '\\ud83d'",
        '{"text": "lost", "text": "x"}': "'text' twice",
        '{"text": "x", "in": [{"a": 1, "a": 2}]}': "'a' twice",
    }
    fine = nest(deep[850:950])
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join([fine, *faults, fine]))
    summary = run(source, tmp_path / name)
    assert (summary.rows, summary.bad_rows) == (2, len(faults))
    side = tmp_path / ("out/bad-rows.ndjson" if name == "out" else f"{name}.bad-rows.ndjson")
    for row, (number, words) in zip(read_jsonl(side), enumerate(faults.values(), 2), strict=True):
        assert row["row"] == row["line"] == number
        assert words in row["reason"]


def test_an_odd_parquet_cell_is_a_bad_row_and_an_odd_column_is_refused(light, tmp_path):
    def write(texts, **columns) -> Path:
        text = pa.array([text.encode() for text in texts], pa.binary())
        pq.write_table(pa.table({"text": text.view(pa.string()), **columns}), source)
        return source

    source = tmp_path / "in.parquet"
    texts = [f"row {i}" for i in range(30)]
    days = pa.array([3_000_000 if i == 4 else i for i in range(30)], pa.int32()).cast(pa.date32())
    times = pa.array([2**60 if i == 7 else i for i in range(30)], pa.int64())
    names = pa.array([b"\xff" if i == 9 else b"x" for i in range(30)], pa.binary())
    write(texts, day=days, time=times.cast(pa.timestamp("us", "UTC")), name=names.view(pa.string()))
    run(source, tmp_path / "out", shard_rows=7)
    bad = {row["row"]: row["reason"] for row in read_jsonl(tmp_path / "out" / "bad-rows.ndjson")}
    assert list(bad) == [5, 8, 10]
    assert "column 'day' a date32" in bad[5]
    assert "column 'time'" in bad[8]
    assert "column 'name' a string that Python can hold, found 'utf-8' codec" in bad[10]
    rows = read_parts(tmp_path / "out")
    assert [row["text"] for row in rows] == [t for i, t in enumerate(texts) if i not in (4, 7, 9)]

    zone = pa.array(range(30), pa.int64()).cast(pa.timestamp("us", "Mars/Base"))
    pair = pa.StructArray.from_arrays([pa.array(range(30))] * 2, names=["a", "a"])
    for column, words in ((zone, "the unknown time zone 'Mars/Base'"), (pair, "'a' twice")):
        write(texts, odd=column)
        with pytest.raises(InputError, match=f"in.parquet column 'odd': .*{words}"):
            run(source, tmp_path / "refused")
    table = pa.Table.from_arrays([pa.array(["x"]), pa.array(["y"])], names=["text", "text"])
    pq.write_table(table, source)
    with pytest.raises(InputError, match="columns with different names, found 'text' twice"):
        run(source, tmp_path / "refused")
    assert not (tmp_path / "refused").exists()


def test_a_clashing_column_is_renamed_and_said_once(light, tmp_path, caplog):
    rows = [{"text": "t", "body": f"row {i}", "label": "old", "input_label": "older", "n": i}
            for i in range(30)]  # fmt: skip
    source = write_jsonl(tmp_path / "in.jsonl", rows)
    caplog.set_level("INFO")
    run(source, tmp_path / "out", text_column="body", shard_rows=4)
    first = read_parts(tmp_path / "out")[0]
    assert first["body"] == first["text"] == "row 0"
    assert first["input_text"] == "t"
    assert first["input_label"] == "older"
    assert first["input_input_label"] == "old"
    assert first["label"] in LABELS
    said = [record.getMessage() for record in caplog.records]
    assert sum("'label' is written as 'input_input_label'" in line for line in said) == 1


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.parquet"])
def test_marks_of_a_scorer_become_columns(tmp_path, monkeypatch, name):
    def stream(texts):
        return ((answer(text), {"stage": "first"}) for text in texts)

    scorer = Scorer({"name": "two stages", "sha256": "2"}, {"stage": str}, stream)
    monkeypatch.setattr(corpus, "open_scorer", lambda job: scorer)
    out = tmp_path / name
    run(write_form(tmp_path / "in.txt", ["a", "b"]), out)
    rows = (
        pq.read_table(out).to_pylist()
        if name == "out.parquet"
        else (read_csv(out) if name == "out.csv" else read_jsonl(out))
    )
    assert [row["stage"] for row in rows] == ["first", "first"]


def test_columns_of_several_files_and_mixed_types_share_one_table(light, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    write_jsonl(folder / "a.jsonl", [
        {"text": "one", "n": 1, "mixed": 1, "big": 2**70, "wide": 2**60, "flag": True, "f": 1},
        {"text": "two", "n": None, "mixed": "x", "big": 1, "wide": 0.5, "flag": None, "f": 0.5},
        {"text": "three", "late": [1]},
    ])  # fmt: skip
    (folder / "b.csv").write_text("n,text,only\n2,four,here\n")
    day = pa.array([1_700_000_000_123_456_789], pa.timestamp("ns"))
    code = pa.array(["x"]).dictionary_encode()
    pq.write_table(pa.table({"text": ["five"], "day": day, "code": code}), folder / "c.parquet")
    run(folder, tmp_path / "out.parquet", shard_rows=2)
    table = pq.read_table(tmp_path / "out.parquet")
    expected = {
        "n": "string", "mixed": "string", "big": "string", "wide": "string", "flag": "bool",
        "f": "double", "late": "string", "only": "string", "day": "timestamp[ns]",
        "code": "string", "holder_start": "int64",
    }  # fmt: skip
    assert {name: str(table.schema.field(name).type) for name in expected} == expected
    rows = table.to_pylist()
    assert [row["text"] for row in rows] == ["one", "two", "three", "four", "five"]
    assert [row["n"] for row in rows] == ["1", None, None, "2", None]
    assert [row["mixed"] for row in rows[:3]] == ["1", "x", None]
    assert rows[0]["wide"] == str(2**60)
    assert rows[2]["late"] == "[1]"
    run(folder, tmp_path / "out", shard_rows=2)
    assert read_parts(tmp_path / "out")[4]["day"] == "2023-11-14T22:13:20.123456"


def test_what_json_cannot_hold_does_not_stop_the_job(light, tmp_path):
    source = tmp_path / "in.jsonl"
    source.write_text('{"text": "\\ud83d half", "x": NaN}\n{"text": "ok", "x": [Infinity]}\n')
    run(source, tmp_path / "out")
    assert [row["x"] for row in read_parts(tmp_path / "out")] == [None, [None]]
    assert read_parts(tmp_path / "out")[0]["text"] == "\ud83d half"
    for name in ("out.csv", "out.parquet"):
        run(source, tmp_path / name)
    assert read_csv(tmp_path / "out.csv")[0]["text"] == "? half"


def test_a_file_name_that_is_not_utf8_does_not_stop_the_job(light, tmp_path):
    source = tmp_path / os.fsdecode(b"old\xff.jsonl")
    write_jsonl(source, [{"text": "one"}, {"text": None}])
    for name in ("out", "out.csv"):
        assert run(source, tmp_path / name).rows == 1
        assert run(source, tmp_path / name, resume=True).new_rows == 0
    (bad,) = read_jsonl(tmp_path / "out" / "bad-rows.ndjson")
    assert bad["file"] == str(source)


def test_inputs_that_cannot_be_right_are_refused_before_anything_is_written(light, tmp_path):
    def refuse(name: str, words: str, data: bytes | None = b"", **options) -> None:
        source = tmp_path / name
        if data is not None:
            source.write_bytes(data)
        with pytest.raises(InputError, match=words):
            run(source, tmp_path / "out", **options)
        assert not (tmp_path / "out").exists()

    refuse("none.csv", "no such file", None)
    refuse("a.docx", "ends in .txt, .csv, .jsonl")
    refuse("a.csv", "a column 'text', found columns id, body", b"id,body\n1,x\n")
    refuse("a.csv", "an empty file")
    refuse("a.csv", "'x' twice", b"x,x\n1,2\n")
    refuse("a.csv", "0xe9.*iconv -f WINDOWS-1252", b"caf\xe9,text\n")
    refuse("a.jsonl", "a column 'body', found columns id", b'{"id": 1}\n' * 3, text_column="body")
    refuse("a.jsonl", "none in 2 rows; of this one: expected a JSON object", b"[1]\n[2]\n")
    refuse("a.txt", "none in 1 row; .*0xff", b"\xff\n")
    refuse("a.txt.gz", "a whole gzip file", gzip.compress(b"text\n" * 10_000)[:-10])
    refuse("a.jsonl.gz", "a whole gzip file", b"not gzip")
    refuse("a.parquet", "a Parquet file", b"PAR1 not really PAR1")
    pq.write_table(pa.table({"text": [1]}), tmp_path / "n.parquet")
    refuse("n.parquet", "text in column 'text', found int64", None)
    os.mkfifo(tmp_path / "pipe.txt")
    refuse("pipe.txt", "a pipe", None)
    refuse("*.nothing", "at least one file", None)
    one = write_jsonl(tmp_path / "one.jsonl", [{"text": "x"}])
    with pytest.raises(InputError, match="it twice"):
        run([one, tmp_path / "on*.jsonl"], tmp_path / "out")
    for name, form in (("out.gz", None), ("out.txt", None), ("out.csv", "jsonl"), ("o", "xml")):
        with pytest.raises(InputError):
            choose_output(Path(name), form)


@pytest.mark.parametrize("name", ["out", "out.csv"])
def test_an_output_that_cannot_be_is_one_message(light, tmp_path, name):
    source = write_form(tmp_path / "in.jsonl", ["a"])
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StanceError, match="expected a place to write to, found Not a directory"):
        run(source, tmp_path / "file" / name)
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_parquet_file_damaged_inside_stops_the_job_and_promises_nothing(light, tmp_path, caplog):
    source = tmp_path / "in.parquet"
    table = pa.table({"text": [f"row {i} {'war ' * (i % 7)}" for i in range(1000)]})
    pq.write_table(table, source, row_group_size=100, use_dictionary=False)
    data = bytearray(source.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 1000] = bytes(1000)
    source.write_bytes(data)
    caplog.set_level("INFO")
    with pytest.raises(InputError, match=r"in.parquet: expected a Parquet file, found [^.]*\. Get"):
        run(source, tmp_path / "out", shard_rows=100)
    stopped = caplog.records[-1].getMessage()
    assert stopped.startswith("stopped with ")
    assert "--resume" not in stopped  # the same file would stop it again


def test_files_of_other_systems_are_read(light, tmp_path):
    (tmp_path / "a.csv").write_bytes(b'\xef\xbb\xbftext,n\r\nkyiv,1\r\n\r\n"two\r\nlines",2\r\n')
    (tmp_path / "b.jsonl").write_bytes(b'\xef\xbb\xbf{"text": "three"}\r\n\r\n')
    (tmp_path / "c.txt.gz").write_bytes(
        gzip.compress(b"\xef\xbb\xbffour\r\n") + gzip.compress(b"five")
    )
    run([tmp_path / name for name in ("a.csv", "b.jsonl", "c.txt.gz")], tmp_path / "out")
    texts = ["kyiv", "two\r\nlines", "three", "four", "five"]
    assert [row["text"] for row in read_parts(tmp_path / "out")] == texts


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "b.csv"])
def test_an_input_without_rows_gives_an_empty_part(light, tmp_path, name):
    (tmp_path / name).write_text("text\n" if name == "b.csv" else "")
    assert run(tmp_path / name, tmp_path / "out", form="csv").rows == 0
    assert read_csv(tmp_path / "out" / "part-00000.csv") == []


def test_what_a_folder_or_a_glob_leaves_out_is_said(light, tmp_path, caplog):
    folder = tmp_path / "in"
    for name in ("a.jsonl", ".b.jsonl", "_c.jsonl", "deep/d.jsonl", ".git/e.jsonl", "f.docx"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_jsonl(folder / name, [{"text": name}])
    (folder / "gone.jsonl").symlink_to(folder / "nowhere.jsonl")
    (folder / "linked").symlink_to(folder / "deep")
    os.mkfifo(folder / "pipe.jsonl")
    for i in range(5):
        (folder / f"g{i}.xlsx").touch()
    caplog.set_level("INFO")
    run(folder, tmp_path / "out")
    assert [row["text"] for row in read_parts(tmp_path / "out")] == ["a.jsonl", "deep/d.jsonl"]
    said = [message for message in caplog.messages if "left out" in message]
    for words in (
        f"underscore left out: 3, {folder}/.b.jsonl, {folder}/.git, {folder}/_c.jsonl",
        f"links to nothing left out: 1, {folder}/gone.jsonl",
        f"links to folders left out: 1, {folder}/linked",
        f"pipes and devices left out: 1, {folder}/pipe.jsonl",
        f"files of other forms left out: 6, {folder}/f.docx, {folder}/g0.xlsx, "
        f"{folder}/g1.xlsx, ...",
    ):
        assert [words in message for message in said].count(True) == 1, words
    assert len(said) == 5
    caplog.clear()
    (folder / "pipe.jsonl").unlink()
    (folder / "gone.jsonl").unlink()
    run(folder / "[!fg]*", tmp_path / "second")
    said = [message for message in caplog.messages if "left out" in message]
    assert [message.split(": ", 1)[1] for message in said] == [
        f"folders left out: 2, {folder}/deep, {folder}/linked",
        f"hidden files left out: 1, {folder}/.b.jsonl",
    ]
    caplog.clear()
    (folder / "linked").unlink()
    run(folder / "**" / "*[!x]", tmp_path / "third")  # what is in the folders is read
    assert [message.split(": ", 1)[1][:24] for message in caplog.messages
            if "left out" in message] == ["hidden files left out: 2"]  # fmt: skip
    with pytest.raises(InputError, match="an input beside what the job writes"):
        run(folder / "a.jsonl", folder / "a.jsonl", resume=True)


def test_a_folder_that_cannot_be_read_is_refused(light, tmp_path, monkeypatch):
    write_jsonl(tmp_path / "a.jsonl", [{"text": "a"}])
    (tmp_path / "closed").mkdir()
    real = os.scandir

    def refuse(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)  # root may read everything: no mode would do
    with pytest.raises(InputError, match=r"closed: .*found Permission denied"):
        run(tmp_path, tmp_path / "out")


def test_outputs_are_never_inputs(light, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_jsonl(tmp_path / "in.jsonl", [{"text": "x"}])
    run(".", "out.jsonl")
    assert run(".", "out.jsonl", resume=True).rows == 1
    run("in.jsonl", "deep/out")
    assert run("in.jsonl", "deep/out", resume=True).rows == 1
    (tmp_path / "deep" / "more.txt").write_text("a\nb\n")
    assert run("deep", "deep/second").rows == 2  # the new file's: not the first job's


def test_memory_does_not_grow_with_the_input(light, tmp_path):
    def peak(rows: int) -> int:
        source = write_jsonl(
            tmp_path / "in.jsonl", [{"text": f"row {i}" * 20} for i in range(rows)]
        )
        tracemalloc.start()
        run(source, tmp_path / f"out{rows}", shard_rows=10_000)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(1000)  # what is loaded once
    small, large = peak(2000), peak(12_000)
    assert large < small + 1_000_000


def look_ahead() -> Scorer:
    """A scorer without a model that reads its texts in lists, as models do."""
    return Scorer(
        {"name": "none", "sha256": "0"},
        {},
        lambda texts: ((answer(text), {}) for chunk in cut_stream(texts) for text in chunk),
    )


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("nested", [False, True])
def test_memory_does_not_grow_with_other_columns(tmp_path, monkeypatch, form, nested):
    body = "x" * 200_000
    rows = [
        {"text": f"row {i}", "body": {"parts": [f"{i}", body]} if nested else f"{i}{body}"}
        for i in range(60)
    ]
    source = write_jsonl(tmp_path / "in.jsonl", rows)
    one = write_jsonl(tmp_path / "one.jsonl", rows[:1])
    del rows
    monkeypatch.setattr(shards, "AHEAD_CHARACTERS", 500_000)
    monkeypatch.setattr(parquet, "GROUP_CHARACTERS", 500_000)
    monkeypatch.setattr(corpus, "open_scorer", lambda job: look_ahead())
    run(one, tmp_path / f"first.{form}")  # what is loaded once
    tracemalloc.start()
    run(source, tmp_path / f"out.{form}")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6_000_000  # all rows together hold 12 MB
    if form == "parquet":
        assert pq.ParquetFile(tmp_path / "out.parquet").num_row_groups == 20


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of its memory in /proc")
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_large_rows_are_scored_in_little_memory(tmp_path, form):
    """150 rows of 4 MB each, in a process of its own."""
    source = tmp_path / f"in.{form}"
    texts = [f"kyiv rejected talks {i}" for i in range(150)]
    body = "x" * 4_000_000
    if form == "jsonl":
        with source.open("w") as stream:
            stream.writelines(json.dumps({"text": t, "body": t + body}) + "\n" for t in texts)
    else:
        kinds = pa.schema([("text", pa.string()), ("body", pa.binary())])
        # Pages of a row each; one group, and for repeated cells a dictionary.
        with pq.ParquetWriter(
            source, kinds, write_batch_size=1, dictionary_pagesize_limit=10**9
        ) as writer:
            cells = [(body + str(i % 3)).encode() for i in range(150)]
            writer.write_table(pa.table({"text": texts, "body": cells}, schema=kinds))
            del cells
    code = """
import sys
from stance import corpus
from scoring import run
from test_score import look_ahead
corpus.open_scorer = lambda job: look_ahead()
run(sys.argv[1], sys.argv[2])
status = open("/proc/self/status").read()
print(status.split("VmHWM:")[1].split()[0])
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(source), str(tmp_path / f"out.{form}")],
        capture_output=True, text=True, check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert int(done.stdout) < 600_000, done.stdout  # kB


def test_an_output_that_exists_is_refused(light, tmp_path):
    source = write_form(tmp_path / "in.jsonl", ["a"] * 20)
    for name in ("out", "out.csv"):
        run(source, tmp_path / name)
        before = read_bytes(tmp_path)
        with pytest.raises(InputError, match=r"a path where nothing is yet.*--resume"):
            run(source, tmp_path / name)
        assert read_bytes(tmp_path) == before
        assert run(source, tmp_path / name, resume=True).new_rows == 0  # done is done
        assert read_bytes(tmp_path) == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    (tmp_path / "mine" / ".thesis.partial").write_text("more of it")
    (tmp_path / "mine.csv").write_text("years of work")
    for name in ("mine", "mine.csv"):
        with pytest.raises(InputError, match="files of another origin"):
            run(source, tmp_path / name, resume=True)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    assert (tmp_path / "mine" / ".thesis.partial").read_text() == "more of it"
    assert (tmp_path / "mine.csv").read_text() == "years of work"
    with pytest.raises(InputError, match="expected a folder, found a file"):
        run(source, source.rename(tmp_path / "odd"), resume=True)
