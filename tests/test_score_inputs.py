"""``stance score``: inputs that look like others, and what must not be taken for one."""

from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from scoring import read_jsonl, read_parts, run, write_jsonl
from stance import parquet, scored
from stance.commands.score import report
from stance.corpus import Summary
from stance.errors import InputError
from stance.journal import Journal
from stance.outputs import choose_output
from stance.tables import read_csv

LINES = {
    "a.txt": "Kyiv rejected the talks.\nIt rained.\n",
    "a.csv": "text,n\nKyiv rejected the talks.,1\n",
    "a.jsonl": '{"text": "Kyiv rejected the talks."}\n',
}


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize(
    ("codec", "mark", "likely"),
    [
        ("utf-16-be", b"\xfe\xff", "UTF-16"), ("utf-16-le", b"\xff\xfe", "UTF-16"),
        ("utf-32-le", b"\xff\xfe\0\0", "UTF-32"), ("utf-32-be", b"\0\0\xfe\xff", "UTF-32"),
        ("utf-16-le", b"", "UTF-16LE"), ("utf-16-be", b"", "UTF-16BE"),
    ],
)  # fmt: skip
def test_another_encoding_is_refused_in_every_form(light, tmp_path, name, codec, mark, likely):
    source = tmp_path / name
    source.write_bytes(mark + LINES[name].encode(codec))
    with pytest.raises(InputError, match=rf"{name}: expected UTF-8 text.*iconv -f {likely} "):
        run(source, tmp_path / "out")
    source.write_bytes(mark + LINES[name].replace("Kyiv", "Київ и мир").encode(codec))
    with pytest.raises(InputError, match=rf"iconv -f {likely} "):
        run(source, tmp_path / "out")


def test_a_rare_nul_is_text(light, tmp_path):
    source = tmp_path / "a.txt"
    source.write_text("Kyiv rejected the talks.\n" * 20 + "a \0 in a cell\n")
    assert run(source, tmp_path / "out").rows == 21


@pytest.mark.parametrize("name", LINES)
def test_a_file_whose_lines_end_in_carriage_returns_is_refused(light, tmp_path, name):
    source = tmp_path / name
    source.write_bytes(LINES[name].replace("\n", "\r").encode() + b"and more\r")
    with pytest.raises(InputError, match=rf"{name}: expected lines that end in .*tr "):
        run(source, tmp_path / "out")
    source.write_bytes(LINES[name].replace("\n", "\r\n").encode())
    assert run(source, tmp_path / "out").rows == LINES[name].count("\n") - (name == "a.csv")


def test_a_header_in_the_middle_of_joined_files_is_a_bad_row(light, tmp_path):
    source = tmp_path / "a.csv"
    source.write_text("n,text\n1,one\nn,text\n2,two\n")
    assert run(source, tmp_path / "out").rows == 2
    (bad,) = read_jsonl(tmp_path / "out" / "bad-rows.ndjson")
    assert (bad["row"], bad["line"]) == (2, 3)
    assert "the header again" in bad["reason"]
    with pytest.raises(InputError, match=r"a.csv line 3: .*the header again"):
        list(read_csv(source))


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_inputs_without_a_single_text_are_refused(light, tmp_path, form):
    rows = [{"text": None, "n": i} for i in range(40)]
    source = write_jsonl(tmp_path / "in.jsonl", rows)
    table = pa.Table.from_pylist(rows, pa.schema([("text", pa.string()), ("n", pa.int64())]))
    if form == "parquet":
        source = tmp_path / "in.parquet"
        pq.write_table(table, source)
    with pytest.raises(InputError, match=r"row 1: .*none in 40 rows; of this one: .*found null"):
        run(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    more = tmp_path / "more.parquet"
    pq.write_table(pa.concat_tables([table, pa.table({"text": ["a"], "n": [1]})]), more)
    assert run([source, more], tmp_path / "out").rows == 1


def test_more_columns_than_a_table_can_have_are_refused(light, tmp_path, monkeypatch):
    monkeypatch.setattr("stance.survey.MAX_COLUMNS", 30)
    rows = [{"text": "a", f"key {i}": i} for i in range(29)]
    source = write_jsonl(tmp_path / "in.jsonl", rows)
    assert run(source, tmp_path / "fine.csv").rows == 29
    source = write_jsonl(source, [*rows, {"text": "a", "one more": 1}])
    with pytest.raises(InputError, match=r"in.jsonl line 30: expected at most 30 columns"):
        run(source, tmp_path / "out.csv")
    wide = tmp_path / "wide.csv"
    wide.write_text(",".join(["text", *map(str, range(30))]) + "\n")
    with pytest.raises(InputError, match=r"wide.csv: expected at most 30 columns"):
        run(wide, tmp_path / "out.csv")


def test_a_column_name_with_a_blank_at_its_end_is_shown_as_it_is(light, tmp_path):
    (tmp_path / "in.csv").write_text('id," text"\n1,a\n')
    with pytest.raises(InputError, match="a column 'text', found columns id, ' text'"):
        run(tmp_path / "in.csv", tmp_path / "out")
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": "a"}, {"text ": "a"}])
    run(source, tmp_path / "out")
    (bad,) = read_jsonl(tmp_path / "out" / "bad-rows.ndjson")
    assert bad["reason"].endswith("found 'text '")


def test_what_earlier_jobs_wrote_is_no_input_unless_named(light, tmp_path, caplog):
    caplog.set_level("INFO")
    folder = tmp_path / "in"
    folder.mkdir()
    write_jsonl(folder / "a.jsonl", [{"text": "one"}, {"text": "two"}])
    (folder / "other").mkdir()
    (folder / "other" / "run.json").write_text('{"program": "another"}')
    write_jsonl(folder / "other" / "b.jsonl", [{"text": "three"}])
    for name in ("s1", "s2.jsonl", "s3", "s4.csv"):
        assert run(folder, folder / name).rows == 3
    said = [message for message in caplog.messages if "what stance score wrote left out" in message]
    assert said[-1].endswith(f"left out: 3, {folder}/s1, {folder}/s2.jsonl, {folder}/s3")
    assert run(folder, folder / "s4.csv", resume=True).new_rows == 0
    caplog.clear()
    assert run(folder / "**" / "*.jsonl", tmp_path / "t1").rows == 3
    assert f"wrote left out: 3, {folder}/s1, {folder}/s2.jsonl, {folder}/s3" in caplog.text
    assert run(folder / "s1" / "*.jsonl", tmp_path / "t2").rows == 3  # it is named
    assert run(folder / "s1", tmp_path / "t3").rows == 3
    assert run(folder / "s2.jsonl", tmp_path / "t4").rows == 3
    (folder / "s2.jsonl.parts").mkdir()  # killed before the record stood beside the file
    (folder / "s2.jsonl.run.json").rename(folder / "s2.jsonl.parts" / "run.json")
    assert run(folder, tmp_path / "t5").rows == 3


@pytest.mark.parametrize("name", ["new/deep/out", "new/deep/out.csv", "kept/out"])
def test_a_refused_job_leaves_no_folder(light, tmp_path, name):
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": "a"}])
    (tmp_path / "kept").mkdir()
    for inputs, options in ((source, {"text_column": "nope"}), (tmp_path / "gone.csv", {})):
        with pytest.raises(InputError):
            run(inputs, tmp_path / name, **options)
        assert sorted(path.name for path in tmp_path.rglob("*")) == ["in.jsonl", "kept"]


def test_where_there_is_no_bar_a_line_now_and_then_says_how_far_a_job_is(
    light, tmp_path, monkeypatch, caplog, capsys
):
    monkeypatch.setattr("stance.progress.LINE_S", 0.0)
    caplog.set_level("INFO")
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": "a"}] * 40)
    run(source, tmp_path / "out", shard_rows=10)
    said = [message for message in caplog.messages if message.startswith("scoring: ")]
    assert "50 % (20 of 40), " in said[20]
    assert " rows/s, 00:00 left" in said[20]
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("stance.progress.LINE_S", 60.0)
    caplog.clear()
    run(source, tmp_path / "second", bars=True)
    assert "scoring: 100%" in capsys.readouterr().err
    assert not [message for message in caplog.messages if "scoring" in message]


def test_the_record_of_many_parts_is_not_written_after_each(light, tmp_path, monkeypatch):
    saved = []
    real = Journal.save

    def save(journal, *, done):
        saved.append(len(journal.shards))
        real(journal, done=done)

    monkeypatch.setattr(Journal, "save", save)
    monkeypatch.setattr("stance.journal.EVERY", 10)
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": "a"}] * 100)
    run(source, tmp_path / "out", shard_rows=1)
    assert saved[:12] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12]
    assert len(saved) < 50
    assert max(after - before for before, after in pairwise(saved)) <= 10
    assert len(read_parts(tmp_path / "out")) == 100


def test_one_row_is_one_row(caplog):
    caplog.set_level("INFO")
    report(Summary(1, {"favor": 1}, 0, 1, 0.5), choose_output(Path("out"), None))
    assert caplog.messages == ["1 row in 0.5 s, 2 a second", "out holds 1 row: 1 favor"]


def test_a_scored_parquet_file_is_read_a_few_rows_at_a_time(light, tmp_path, monkeypatch):
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": "a", "n": i} for i in range(40)])
    run(source, tmp_path / "out.parquet")
    sizes = []
    real = parquet.iter_batches

    def watch(*arguments):
        for batch in real(*arguments):
            sizes.append(batch.num_rows)
            yield batch

    monkeypatch.setattr(parquet, "iter_batches", watch)
    rows = list(scored.iter_rows(tmp_path / "out.parquet"))
    assert [row["n"] for _, row in rows] == list(range(40))
    assert rows[1][0].endswith("out.parquet row 2")
    assert max(sizes) <= parquet.BATCH_ROWS
