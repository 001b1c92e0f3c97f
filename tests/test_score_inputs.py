"""``stance score``: inputs that look like others, and what must not be taken for one."""

import json

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from scoring import read_jsonl, read_parts, run, write_jsonl
from stance.errors import InputError
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


@pytest.mark.parametrize("parquet", [False, True])
def test_inputs_without_a_single_text_are_refused(light, tmp_path, parquet):
    rows = [{"text": None, "n": i} for i in range(40)]
    source = write_jsonl(tmp_path / "in.jsonl", rows)
    table = pa.Table.from_pylist(rows, pa.schema([("text", pa.string()), ("n", pa.int64())]))
    if parquet:
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
