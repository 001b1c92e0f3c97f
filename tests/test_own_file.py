"""A user's own labelled file: weights, documents and spans."""

import csv
import json
from dataclasses import replace

import pytest

from made import make_record
from stance.cli import main
from stance.errors import InputError
from stance.evaluation.intervals import draw_documents
from stance.evaluation.records import align
from stance.evaluation.results import read_results
from stance.evaluation.summary import summarize
from stance.own import read_own_rows

TEXT = "Kyiv urges talks, Oslo said."
HEAD = "text,label,weight,holder_start,holder_end,source_start,source_end\n"


def write(tmp_path, *lines, head=HEAD):
    path = tmp_path / "mine.csv"
    path.write_text(head + "".join(f'"{TEXT}",{line}\n' for line in lines))
    return path


def test_weights_and_spans_are_read(tmp_path):
    first, second = read_own_rows(write(tmp_path, "favor,2.5,0,4,18,22", "neutral,1,,,,"))
    assert first.fields["weight"] == 2.5
    assert (first.holder.text, first.source.text) == ("Kyiv", "Oslo")
    assert (second.holder, second.source) == (None, None)
    path = tmp_path / "mine.jsonl"
    row = {"text": TEXT, "label": "favor", "holder": {"start": 0, "end": 4}, "source": None}
    path.write_text(json.dumps(row) + "\n")
    (read,) = read_own_rows(path)
    assert read.fields == {"holder": {"start": 0, "end": 4}}
    assert read.holder.text == "Kyiv"


def test_a_column_of_names_is_no_span(tmp_path):
    (row,) = read_own_rows(write(tmp_path, "favor,Kyiv", head="text,label,holder\n"))
    assert row.holder is None
    assert not row.fields


@pytest.mark.parametrize(
    ("line", "field", "expected"),
    [
        ("favor,-1,,,,", "weight", "a finite number above 0"),
        ("favor,0,,,,", "weight", "a finite number above 0"),
        ("favor,nan,,,,", "weight", "a finite number above 0"),
        ("favor,inf,,,,", "weight", "a finite number above 0"),
        ("favor,1e200,,,,", "weight", "a finite number above 0"),  # its square is infinite
        ("favor,1e-200,,,,", "weight", "a finite number above 0"),
        ("favor,,,,,", "weight", "a finite number above 0"),
        ("favor,much,,,,", "weight", "a finite number above 0"),
        ("favor,1,0,,,", "holder", "whole numbers in holder_start and holder_end, or nothing in"),
        ("favor,1,x,4,,", "holder", "whole numbers in holder_start and holder_end, or nothing in"),
        ("favor,1,4,0,,", "holder", "0 <= start < end <= 28"),
        ("favor,1,,,18,99", "source", "0 <= start < end <= 28"),
        ("neutral,1,0,4,,", "holder", "none in a neutral row"),
    ],
)
def test_faults_are_refused_with_line_and_field(tmp_path, line, field, expected):
    path = write(tmp_path, "favor,1,0,4,,", line)
    with pytest.raises(InputError, match=f"line 3 field '{field}': expected {expected}"):
        read_own_rows(path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "text;label\nThey met, and left;neutral\n", "separated by commas, found semico"),
        ("a.csv", "text\tlabel\nThey met.\tneutral\n", "separated by commas, found tabs"),
        ("a.tsv", "text\tlabel\nThey met.\tneutral\n", "a .csv or a .jsonl file, found a .tsv"),
        ("a.csv", "text,label\n  ,favor\n", "line 2 field 'text': expected a statement, found"),
        ("a.jsonl", '{"text": "They met.", "label": "favor", "holder": "They"}\n',
         "line 1 field 'holder': expected null or "),
    ],
)  # fmt: skip
def test_what_would_be_misread_is_refused_with_the_remedy(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(InputError, match=words):
        read_own_rows(path)


def test_columns_that_are_not_read_are_said(tmp_path, caplog):
    caplog.set_level("INFO")
    path = write(tmp_path, "favor,2,a,Kyiv", head="text,label,wieght,doc,holder\n")
    read_own_rows(path)
    (message,) = caplog.messages
    assert message == f"{path}: read: text, label; not read: wieght, doc, holder"


def test_rows_have_an_id_of_their_own_or_that_of_their_line(tmp_path):
    path = write(tmp_path, "favor,b7", "neutral,a2", head="text,label,id\n")
    assert [row.id for row in read_own_rows(path)] == ["b7", "a2"]
    assert [row.id for row in read_own_rows(write(tmp_path, "favor,", head="text,label,id\n"))] == [
        "2"
    ]
    assert [row.id for row in read_own_rows(path, any_label=True)] == ["2"]
    for lines, found in (
        (["favor,a", "favor,a"], "line 3 field 'id': expected a new id, found 'a' a second"),
        (["favor,a", "favor,"], "line 3 field 'id': expected an id in every row, or in none"),
        (["favor,", "favor,a"], "line 3 field 'id': expected an id in every row, or in none"),
    ):
        with pytest.raises(InputError, match=found):
            read_own_rows(write(tmp_path, *lines, head="text,label,id\n"))


def test_texts_of_several_documents_are_said(tmp_path, caplog):
    read_own_rows(write(tmp_path, "favor,a", "favor,a", head="text,label,document\n"))
    assert "repeat" not in caplog.text
    read_own_rows(write(tmp_path, "favor", "favor", "favor", head="text,label\n"))
    assert "2 rows repeat a text of another document, such as row 3 that of row 2" in caplog.text


def test_dates_without_a_year_in_front_are_said(tmp_path, caplog):
    dates = ["favor,3/5/2021", "favor,2021-05-03", "favor,"]
    read_own_rows(write(tmp_path, *dates, head="text,label,date\n"))
    assert "no year read from 1 of 2 dates" in caplog.text
    assert "'3/5/2021'" in caplog.text


def test_texts_that_differ_late_are_shown_where_they_differ(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(f"text,label\n{'They met ' * 20}today.,neutral\n")
    (row,) = rows = read_own_rows(path)
    record = replace(make_record(row.id, "neutral"), text=row.text.replace("today", "then"))
    with pytest.raises(InputError, match=r"met today\.', found \.\.\..*met then\.'"):
        align(rows, [record], "runs/own.jsonl")


def test_own_labels_have_no_use_for_weights(tmp_path):
    (row,) = read_own_rows(write(tmp_path, "war,-1,0,,,"), any_label=True)
    assert (row.holder, row.fields) == (None, {})


def test_weights_and_spans_are_measured_with_intervals(tmp_path):
    rows = read_own_rows(write(tmp_path, *["favor,9,0,4,,"] * 30, *["against,1,0,4,,"] * 30))
    records = [make_record(row.id, "favor") for row in rows]
    for record in records[:30]:
        object.__setattr__(record, "holder", {"start": 0, "end": 4})
    entry = summarize(rows, records)
    assert entry["metrics"]["accuracy"]["value"] == 0.5
    found = entry["weighted"]["metrics"]["accuracy"]
    assert found["value"] == 0.9
    assert found["low"] < 0.9 < found["high"]
    assert entry["weighted"]["effective_n"] == pytest.approx(300**2 / (30 * 82), abs=0.1)
    share = entry["metrics"]["holder_share"]
    assert share["value"] == 0.5
    assert share["low"] < 0.5 < share["high"]
    assert "source_share" not in entry["metrics"]
    assert draw_documents([row.document for row in rows]).counts.shape[1] == 60


def test_the_command_honours_them(tmp_path, tiny_model, capsys):
    with open(tmp_path / "mine.csv", "w", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["text", "label", "document", "weight", "holder_start", "holder_end"])
        for i in range(20):
            label, span = ("against", (0, 4)) if i % 2 else ("neutral", ("", ""))
            out.writerow(["kyiv rejected talks , moscow said", label, i // 2, 1 + i % 2, *span])
    code = main(["evaluate", "--data", str(tmp_path / "mine.csv"), "--model",
                 str(tiny_model.folder), "--data-dir", str(tiny_model.data), "--baselines", "none",
                 "--out", str(tmp_path / "out.json")])  # fmt: skip
    assert code == 0
    entry = read_results(tmp_path / "out.json")["sets"]["own"]
    assert entry["documents"] == 10
    assert entry["coverage"] < 0.9
    assert entry["weighted"]["coverage"] is None  # of 10 documents
    assert entry["metrics"]["holder_share"]["value"] is not None
    printed = capsys.readouterr().out
    assert "from 10 documents they are too narrow: simulated" in printed
    assert "weighted they count as 18 rows, too narrow" in printed
    (tmp_path / "mine.csv").write_text("text,label,weight\nThey met.,neutral,-2\n")
    code = main(["evaluate", "--data", str(tmp_path / "mine.csv"), "--out",
                 str(tmp_path / "out.json")])  # fmt: skip
    assert code == 2
    assert "line 2 field 'weight': expected a finite number above 0, from 1e-12" in (
        capsys.readouterr().err
    )


def test_a_label_in_capitals_is_told_how_it_is_written(tmp_path):
    path = tmp_path / "capital.csv"
    path.write_text("text,label\nThey met.,Favor\n")
    with pytest.raises(InputError, match="Write 'favor'"):
        read_own_rows(path)
