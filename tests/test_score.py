"""``stance score``: what goes in, what comes out, and what happens when things go wrong."""

import csv
import gzip
import io
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from stance import corpus, outputs
from stance.corpus import Job, score
from stance.errors import InputError, StanceError
from stance.outputs import choose_output
from stance.shards import Scorer
from stance.types import LABELS, Prediction, Span

HARD = [  # what a cell may hold
    "kyiv rejected talks", 'he "said" no', "two\nlines, one\r\nmore", "a bare \r return",
    "", "  ", "007", "null", "🕊️ мир\u2028", "\0", "=1+1", "'", '"',
]  # fmt: skip


def answer(text: str) -> Prediction:
    """A prediction that depends on the text alone: the model is not what is tested here."""
    label = LABELS[len(text) % 4]
    scores = {name: 0.7 if name == label else 0.1 for name in LABELS}
    holder = Span(0, 4, text[:4]) if label != "neutral" and len(text) > 3 else None
    return Prediction(text, label, scores, 0.7, True, holder, None, False)


@pytest.fixture
def light(monkeypatch):
    """Jobs that score without a model."""
    scorer = Scorer({"name": "none", "sha256": "0"}, {}, lambda texts: ((answer(t), {}) for t in texts))
    monkeypatch.setattr(corpus, "open_scorer", lambda job: scorer)


def run(source, out, *, form=None, **options):
    names = [str(name) for name in (source if isinstance(source, list) else [source])]
    return score(Job(names, choose_output(Path(out), form), **options))


def write_jsonl(path, rows) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read_jsonl(path) -> list[dict]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def read_parts(out) -> list[dict]:
    return [row for part in sorted(out.glob("part-*.jsonl")) for row in read_jsonl(part)]


def read_csv(path) -> list[dict]:
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, strict=True))


def read_bytes(folder) -> dict[str, bytes]:
    """Every file below a folder; hidden ones too: nothing may be left behind."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def write_form(path: Path, texts: list[str]) -> Path:
    """Write texts with an id in the form that the name says; txt has no ids."""
    rows = [{"id": i, "text": text} for i, text in enumerate(texts)]
    form = path.name.split(".")[1]
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=7)
        return path
    buffer = io.StringIO(newline="")
    if form == "csv":
        writer = csv.DictWriter(buffer, ["id", "text"], quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(rows)
    else:
        lines = texts if form == "txt" else map(json.dumps, rows)
        buffer.write("".join(f"{line}\n" for line in lines))
    data = buffer.getvalue().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


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
        ("a.jsonl", 8): "found 5,000,000", ("b.csv", 2): "CSV record", ("b.csv", 3): "found 3 fields",
        ("b.csv", 4): "CSV record", ("b.csv", 5): "found 5,000,000", ("b.csv", 7): "0xff",
        ("c.txt", 2): "0xff", ("c.txt", 3): "found 20,000,000 bytes",
        ("d.parquet", 2): "found null", ("d.parquet", 3): "found 5,000,000",
    }.items():  # fmt: skip
        assert words in reasons.pop(place), place
    assert not reasons
    assert summary.bad_rows == len(bad) == 16
    assert summary.rows == 8


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
    kinds = {field.name: str(field.type) for field in table.schema}
    assert kinds | {"n": "string", "mixed": "string", "big": "string", "wide": "string",
                    "flag": "bool", "f": "double", "late": "string", "only": "string",
                    "day": "timestamp[ns]", "code": "string", "holder_start": "int64"} == kinds  # fmt: skip
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
    refuse("a.csv", "0xff", b"\xff\xfet\0e\0")
    refuse("a.jsonl", "a column 'body', found columns id", b'{"id": 1}\n' * 3, text_column="body")
    refuse("a.jsonl", "none in 2 rows; of this one: expected a JSON object", b"[1]\n[2]\n")
    refuse("a.txt", "none in 1 rows.*0xff", b"\xff\xfe\n")
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


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "b.csv"])
def test_an_input_without_rows_gives_an_empty_part(light, tmp_path, name):
    (tmp_path / name).write_text("text\n" if name == "b.csv" else "")
    assert run(tmp_path / name, tmp_path / "out", form="csv").rows == 0
    assert read_csv(tmp_path / "out" / "part-00000.csv") == []


def test_outputs_are_never_inputs(light, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_jsonl(tmp_path / "in.jsonl", [{"text": "x"}])
    run(".", "out.jsonl")
    assert run(".", "out.jsonl", resume=True).rows == 1
    run("in.jsonl", "deep/out")
    assert run("in.jsonl", "deep/out", resume=True).rows == 1
    (tmp_path / "deep" / "more.txt").write_text("a\nb\n")
    assert run("deep", "deep/second").rows == 3  # the first job's rows and the new file's


def test_memory_does_not_grow_with_the_input(light, tmp_path):
    def peak(rows: int) -> int:
        source = write_jsonl(tmp_path / "in.jsonl", [{"text": f"row {i}" * 20} for i in range(rows)])
        tracemalloc.start()
        run(source, tmp_path / f"out{rows}", shard_rows=10_000)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(1000)  # what is loaded once
    small, large = peak(2000), peak(12_000)
    assert large < small + 1_000_000


def start(tiny_model, *arguments, **options) -> subprocess.Popen:
    command = [sys.executable, "-m", "stance.cli", "score", "--model", tiny_model.folder]
    return subprocess.Popen(
        [*command, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, **options,
    )  # fmt: skip


def finish(process: subprocess.Popen, code: int = 0) -> str:
    out, messages = process.communicate(timeout=120)
    assert process.returncode == code, messages
    assert out == ""
    assert "Traceback" not in messages
    return messages


def count_shards(out: Path) -> int:
    run_file = out / "run.json"
    return len(json.loads(run_file.read_text())["shards"]) if run_file.is_file() else 0


@pytest.mark.parametrize("name", ["out", "out.csv", "out.parquet"])
def test_killed_at_every_step_and_resumed_it_ends_with_the_same_bytes(light, tmp_path, name):
    """The process dies at its n-th write to the file system, for every n, in every form."""
    rows = [{"id": i, "text": text, "label": "old"} for i, text in enumerate(HARD)]
    rows[3]["text"] = rows[7]["text"] = None
    source = write_jsonl(tmp_path / "in.jsonl", rows)
    whole = tmp_path / "whole"
    run(source, whole / name, shard_rows=5)
    for step in range(1, 200):
        folder = tmp_path / str(step)
        died = run_and_die(step, source, folder / name)
        run(source, folder / name, shard_rows=5, resume=True)
        assert read_bytes(folder) == read_bytes(whole), f"after step {step}"
        shutil.rmtree(folder)
        if not died:
            break
    assert step > 15


def run_and_die(step: int, source: Path, out: Path) -> bool:
    """Score in a child process that dies at its n-th change of a file; say whether it died."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    left = step

    def die_at(module, attribute) -> None:
        real = getattr(module, attribute)

        def change(*arguments, **options):
            nonlocal left
            left -= 1
            if left == 0:
                os._exit(9)  # no handler runs, nothing is flushed: as with SIGKILL
            return real(*arguments, **options)

        setattr(module, attribute, change)

    for attribute in ("fsync", "open", "truncate", "unlink", "rmdir", "replace", "mkdir"):
        die_at(os, attribute)
    for attribute in ("replace", "mkdir", "unlink"):
        die_at(Path, attribute)
    try:
        run(source, out, shard_rows=5)
    finally:
        os._exit(0)  # the test goes on in the parent alone


@pytest.mark.parametrize("name", ["out", "out.csv"])
def test_killed_job_resumes_to_the_same_bytes(tiny_model, tmp_path, name):
    """Kills the whole process group at random moments, several times."""
    texts = [f"kyiv {'rejected' if i % 3 else 'urges'} talks , {'war ' * (i % 9)}" for i in range(4000)]
    source = write_form(tmp_path / "in.csv.gz", [*texts[:1500], "a" * 1_000_001, *texts[1500:]])
    options = ("--shard-rows", 100)
    finish(start(tiny_model, source, tmp_path / "whole" / name, *options))
    out = tmp_path / "killed" / name
    work = out.with_name(name + ".parts") if "." in name else out
    chance = random.Random(name)
    for kills in range(4):
        resume = ["--resume"] if kills or chance.random() < 0.5 else []
        job = start(tiny_model, source, out, *options, *resume, start_new_session=True)
        target = count_shards(work) + chance.randint(1, 5)
        while job.poll() is None and count_shards(work) < target:
            time.sleep(0.002)
        time.sleep(chance.random() * 0.05)
        os.killpg(job.pid, signal.SIGKILL)
        assert job.wait() == -signal.SIGKILL, "it must die before it ends"
        with pytest.raises(ProcessLookupError):
            os.killpg(job.pid, 0)  # nothing of the group is left
    assert 4 <= count_shards(work) < 41
    messages = finish(start(tiny_model, source, out, *options, "--resume"))
    assert "4,000 rows" in messages
    assert "1 rows could not be scored" in messages
    assert read_bytes(tmp_path / "killed") == read_bytes(tmp_path / "whole")


def test_two_jobs_at_one_output_are_refused_and_a_stale_lock_is_no_obstacle(light, tmp_path):
    source = write_form(tmp_path / "in.jsonl", ["a"] * 20)
    out = tmp_path / "out"
    run(source, out)
    with outputs.lock(out), pytest.raises(InputError, match="another job at work"):
        run(source, out, resume=True)
    (out / ".lock").write_text("a process that is long dead")
    (out / ".part-00000.jsonl.x.partial").write_text("half a par")
    (out / "part-00000.jsonl").write_text("cut")  # a damaged part is written again
    assert run(source, out, resume=True).new_rows == 20
    assert sorted(path.name for path in out.iterdir()) == ["part-00000.jsonl", "run.json"]


def test_a_second_job_is_refused_while_the_first_is_at_work(tiny_model, tmp_path):
    source = write_form(tmp_path / "in.txt", ["kyiv rejected talks"] * 50_000)
    first = start(tiny_model, source, tmp_path / "out")
    while not (tmp_path / "out" / "run.json").is_file():
        time.sleep(0.01)
    try:
        assert "another job at work" in finish(start(tiny_model, source, tmp_path / "out",
                                                     "--resume"), code=2)  # fmt: skip
    finally:
        first.kill()
        first.communicate()


def test_what_changed_between_runs_is_refused_and_named(light, tmp_path, monkeypatch):
    source = write_form(tmp_path / "in.jsonl", ["a"] * 20)
    out = tmp_path / "out"
    run(source, out, shard_rows=5)
    before = read_bytes(out)
    for words, options in (
        ("shard_rows 5 then, 6 now", {"shard_rows": 6}),
        ("text_column text then, id now", {"shard_rows": 5, "text_column": "id"}),
        ("format jsonl then, csv now", {"shard_rows": 5, "form": "csv"}),
    ):
        if "id now" not in words:
            with pytest.raises(InputError, match=words):
                run(source, out, resume=True, **options)
    extra = write_form(tmp_path / "more.jsonl", ["a"])
    with pytest.raises(InputError, match="1 input files then, 2 now"):
        run([source, extra], out, shard_rows=5, resume=True)
    shutil.move(source, tmp_path / "moved.jsonl")
    assert run(tmp_path / "moved.jsonl", out, shard_rows=5, resume=True).new_rows == 0
    write_form(source, ["b"] * 20)
    with pytest.raises(InputError, match=r"in.jsonl has other content than .*moved.jsonl had"):
        run(source, out, shard_rows=5, resume=True)
    write_form(source, ["a"] * 20)
    other = Scorer({"name": "none", "sha256": "1"}, {}, iter)
    monkeypatch.setattr(corpus, "open_scorer", lambda job: other)
    with pytest.raises(InputError, match="model 0 then, 1 now"):
        run(source, out, shard_rows=5, resume=True)
    after = read_bytes(out)
    assert {n: b for n, b in after.items() if n != "run.json"} == {
        n: b for n, b in before.items() if n != "run.json"
    }


def test_an_output_that_exists_is_refused(light, tmp_path):
    source = write_form(tmp_path / "in.jsonl", ["a"] * 20)
    for name in ("out", "out.csv"):
        run(source, tmp_path / name)
        before = read_bytes(tmp_path)
        with pytest.raises(InputError, match="a path where nothing is yet.*--resume"):
            run(source, tmp_path / name)
        assert read_bytes(tmp_path) == before
        assert run(source, tmp_path / name, resume=True).new_rows == 0  # done is done
        assert read_bytes(tmp_path) == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    (tmp_path / "mine.csv").write_text("years of work")
    for name in ("mine", "mine.csv"):
        with pytest.raises(InputError, match="files of another origin"):
            run(source, tmp_path / name, resume=True)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    assert (tmp_path / "mine.csv").read_text() == "years of work"
    with pytest.raises(InputError, match="expected a folder, found a file"):
        run(source, source.rename(tmp_path / "odd"), resume=True)


def test_a_full_disk_is_one_message_and_can_be_resumed(tiny_model, tmp_path):
    source = write_form(tmp_path / "in.txt", ["kyiv rejected talks"] * 600)
    for name in ("out", "out.jsonl", "out.parquet"):
        out = tmp_path / "full" / name

        def limit(size: int = 40_000 if name == "out" else 60_000) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        options = ("--shard-rows", 100)
        messages = finish(start(tiny_model, source, out, *options, preexec_fn=limit), code=1) \
            if name != "out.parquet" else ""
        if name != "out.parquet":
            assert "File too large" in messages
            assert "--resume" in messages
        finish(start(tiny_model, source, out, *options, *(["--resume"] if messages else [])))
        finish(start(tiny_model, source, tmp_path / "whole" / name, *options))
    assert read_bytes(tmp_path / "full") == read_bytes(tmp_path / "whole")
