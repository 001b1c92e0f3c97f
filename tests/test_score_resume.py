"""``stance score`` killed, run twice, run again after a change, where it may not read or write."""

import json
import os
import random
import resource
import shutil
import signal
import time
from pathlib import Path

import pytest

from scoring import (
    HARD,
    count_shards,
    finish,
    make_scorer,
    read_bytes,
    run,
    start,
    write_form,
    write_jsonl,
)
from stance import corpus, outputs, survey
from stance.errors import InputError


@pytest.mark.parametrize("name", ["out", "out.csv", "out.parquet"])
def test_killed_at_every_step_and_resumed_it_ends_with_the_same_bytes(light, tmp_path, name):
    """The process dies at its n-th write to the file system, for every n, in every form."""
    rows = [{"id": i, "text": text, "label": "old"} for i, text in enumerate(HARD)]
    rows[3]["text"] = rows[7]["text"] = None
    source = write_jsonl(tmp_path / "in.jsonl", rows)
    whole = tmp_path / "whole"
    run(source, whole / name, shard_rows=7)
    for step in range(1, 200):
        folder = tmp_path / str(step)
        died = run_and_die(step, source, folder / name)
        run(source, folder / name, shard_rows=7, resume=True)
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
        run(source, out, shard_rows=7)
    finally:
        os._exit(0)  # the test goes on in the parent alone


@pytest.mark.parametrize("name", ["out", "out.csv"])
def test_killed_job_resumes_to_the_same_bytes(tiny_model, tmp_path, name):
    """Kills the whole process group at random moments, several times."""
    texts = [
        f"kyiv {'rejected' if i % 3 else 'urges'} talks , {'war ' * (i % 9)}" for i in range(4000)
    ]
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
    assert "could not be scored: 1;" in messages
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


@pytest.mark.parametrize("texts", [["a"] * 7, ["b"] * 20, None])
def test_an_input_that_changes_while_it_is_scored_is_an_error(light, tmp_path, texts):
    """It shrinks, or is replaced by one of the same size, or goes; the part then read is void."""
    source = write_form(tmp_path / "in.jsonl", ["a"] * 20)

    def change_after_one(*arguments):
        outcomes = corpus.score_here(*arguments)
        yield next(outcomes)
        os.utime(source, ns=(0, 0))  # a file system's clock may be coarse
        if texts:
            write_form(tmp_path / "new.jsonl", texts).replace(source)
        else:
            source.unlink()
        yield from outcomes

    job = corpus.Job([str(source)], outputs.choose_output(tmp_path / "out", None), shard_rows=5)
    found = "[0-9]+ bytes of 20" if texts else "no such file"
    with pytest.raises(InputError, match=f"in.jsonl: expected .*found {found}"):
        corpus.score(job, change_after_one)
    assert count_shards(tmp_path / "out") == 1
    if texts:
        with pytest.raises(InputError, match="has other content"):
            run(source, tmp_path / "out", shard_rows=5, resume=True)


def test_an_input_that_changes_while_it_is_surveyed_is_an_error(light, tmp_path, monkeypatch):
    source = write_form(tmp_path / "in.jsonl", ["a"] * 20)
    real = survey.hash_file

    def hash_then_change(path) -> str:
        sha256 = real(path)
        write_form(source, ["b"] * 21)
        return sha256

    monkeypatch.setattr(survey, "hash_file", hash_then_change)
    with pytest.raises(InputError, match=r"in\.jsonl: expected the file as it was when the job"):
        run(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


ROWS = [{"text": "kyiv" if i % 7 else None, "n": i} for i in range(20)]


@pytest.mark.parametrize("name", ["part-00001.jsonl", "bad-rows.ndjson"])
def test_a_part_edited_in_place_is_written_again(light, tmp_path, name):
    """Its size stays what it was; an interrupted job and a finished one alike."""
    source = write_jsonl(tmp_path / "in.jsonl", ROWS)
    out = tmp_path / "out"
    run(source, out, shard_rows=5)
    before = read_bytes(out)
    content = bytearray((out / name).read_bytes())
    content[-5] ^= 1
    (out / name).write_bytes(content)
    assert run(source, out, shard_rows=5, resume=True).new_rows > 0
    assert read_bytes(out) == before


@pytest.mark.parametrize("name", ["out.csv", "out.csv.bad-rows.ndjson"])
@pytest.mark.parametrize("damage", ["cut", "edit", "gone"])
def test_a_finished_file_that_was_damaged_is_refused(light, tmp_path, name, damage):
    source = write_jsonl(tmp_path / "in.jsonl", ROWS)
    run(source, tmp_path / "out.csv", shard_rows=5)
    good = (tmp_path / name).read_bytes()
    if damage == "gone":
        (tmp_path / name).unlink()
        if name == "out.csv":  # nothing is there to be damaged: the job starts anew
            assert run(source, tmp_path / "out.csv", shard_rows=5, resume=True).new_rows == 17
            return
    else:
        (tmp_path / name).write_bytes(
            good[:-3] if damage == "cut" else good[:-3] + b"x" + good[-2:]
        )
    before = read_bytes(tmp_path)
    with pytest.raises(InputError, match=f"{name}: expected the file as the job left it"):
        run(source, tmp_path / "out.csv", shard_rows=5, resume=True)
    assert read_bytes(tmp_path) == before
    (tmp_path / name).write_bytes(good)
    assert run(source, tmp_path / "out.csv", shard_rows=5, resume=True).new_rows == 0


@pytest.mark.parametrize("name", ["out.csv.run.json", "out.csv.bad-rows.ndjson"])
@pytest.mark.parametrize("resume", [False, True])
def test_files_of_others_beside_the_output_are_left_alone(light, tmp_path, name, resume):
    source = write_jsonl(tmp_path / "in.jsonl", ROWS)
    (tmp_path / name).write_text('{"years": "of work"}')
    before = read_bytes(tmp_path)
    with pytest.raises(InputError, match=f"{name}: expected"):
        run(source, tmp_path / "out.csv", resume=resume)
    assert read_bytes(tmp_path) == before


def test_a_record_that_is_no_jobs_is_one_message(light, tmp_path):
    source = write_jsonl(tmp_path / "in.jsonl", ROWS)
    out = tmp_path / "out"
    run(source, out, shard_rows=5)
    whole = json.loads((out / "run.json").read_text())
    broken = [
        ("[]", "found list"), ("{", "not JSON"), ("{}", "schema None"),
        ('{"schema": 1, "shards": [{}], "stance_version": "0.0.1"}', "version 0.0.1 then"),
        ('{"schema": 1, "shards": []}', "no 'stance_version', no 'model', no 'options'"),
        (json.dumps(whole | {"model": {}}), "no 'model.sha256'"),
        (json.dumps(whole | {"shards": [7]}), r"no 'shards\[0\].rows'"),
        (json.dumps(whole | {"inputs": [{}]}), r"no 'inputs\[0\].path'"),
        (json.dumps(whole | {"joined": 1}), "no 'joined.bytes'"),
        (json.dumps(whole | {"shards": [whole["shards"][0] | {"labels": {}}]}),
         r"no 'shards\[0\].labels.favor'"),
    ]  # fmt: skip
    for content, words in broken:
        (out / "run.json").write_text(content)
        with pytest.raises(InputError, match=rf"run\.json: expected .*{words}"):
            run(source, out, shard_rows=5, resume=True)


def test_what_changed_between_runs_is_refused_and_named(light, tmp_path, monkeypatch):
    source = write_form(tmp_path / "in.jsonl", ["a"] * 20)
    out = tmp_path / "out"
    run(source, out, shard_rows=5)
    before = read_bytes(out)
    for words, options in (
        ("shard_rows 5 then, 6 now", {"shard_rows": 6}),
        ("format jsonl then, csv now", {"shard_rows": 5, "form": "csv"}),
        ("device auto then, cpu now", {"shard_rows": 5, "device": "cpu"}),
    ):
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
    monkeypatch.setattr(corpus, "open_scorer", lambda job: make_scorer("1"))
    with pytest.raises(InputError, match="model 0 then, 1 now"):
        run(source, out, shard_rows=5, resume=True)
    after = read_bytes(out)
    assert {n: b for n, b in after.items() if n != "run.json"} == {
        n: b for n, b in before.items() if n != "run.json"
    }


@pytest.mark.parametrize(
    ("name", "limit", "parts"),
    [("out", 60_000, 3), ("out.csv", 200_000, 6), ("out.parquet", 40_000, 3)],
)
def test_a_full_disk_is_one_message_and_can_be_resumed(tiny_model, tmp_path, name, limit, parts):
    """No file may grow past the limit: that stops a part, or the file they are joined to."""
    noise = random.Random(0)
    rows = [{"text": "kyiv rejected talks", "pad": noise.randbytes(i // 300 * 500).hex()}
            for i in range(600)]  # fmt: skip
    source = write_jsonl(tmp_path / "in.jsonl", rows)
    call = (tiny_model, source, tmp_path / "full" / name, "--shard-rows", 100)
    messages = finish(
        start(*call, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))),
        code=1,
    )
    assert "File too large. Free the disk" in messages
    assert f"{parts} of 6 parts" in messages
    assert "--resume" in messages
    finish(start(*call, "--resume"))
    finish(start(tiny_model, source, tmp_path / "whole" / name, "--shard-rows", 100))
    assert read_bytes(tmp_path / "full") == read_bytes(tmp_path / "whole")


def test_a_file_that_may_not_be_read_is_named(light, tmp_path, monkeypatch):
    source = write_form(tmp_path / "in.jsonl", ["a"])

    real = open

    def refuse(path, *arguments, **options):
        if str(path) == str(source):
            raise PermissionError(13, "Permission denied", str(source))
        return real(path, *arguments, **options)

    monkeypatch.setattr("builtins.open", refuse)  # root may read everything: no mode would do
    with pytest.raises(InputError, match=r"in\.jsonl: .*found Permission denied"):
        run(source, tmp_path / "out")
    monkeypatch.undo()
    assert not (tmp_path / "out").exists()
