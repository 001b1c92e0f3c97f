"""A user's own rows: what is held out, and what is said of it."""

import csv
from collections import Counter

import numpy as np
import pytest

from stance.errors import InputError
from stance.evaluation.any_labels import compute_label_f1, compute_macro
from stance.evaluation.intervals import draw_documents
from stance.training.own import hold_out, read_own


def write(path, rows, head=("text", "label")):
    with path.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([head, *rows])
    return path


def count(rows):
    return Counter(row.label for row in rows)


def test_a_tenth_of_every_label_is_held_out(tmp_path):
    rows = [(f"statement {i}", "a") for i in range(300)] + [(f"other {i}", "b") for i in range(30)]
    split = read_own(write(tmp_path / "mine.csv", rows))
    assert count(split.validation) == {"a": 30, "b": 3}
    assert count(split.train) == {"a": 270, "b": 27}


def test_a_rare_label_is_held_out_and_warned_of(tmp_path, caplog):
    rows = [(f"statement {i}", "a") for i in range(300)] + [(f"other {i}", "b") for i in range(3)]
    split = read_own(write(tmp_path / "mine.csv", rows))
    assert count(split.validation)["b"] == 1
    assert "few rows held out: b 1 of 3" in caplog.text


def test_a_label_beside_the_stances_is_said(tmp_path, caplog):
    rows = [(f"statement {i}", ("favor", "against", "oppose")[i % 3]) for i in range(60)]
    assert read_own(write(tmp_path / "mine.csv", rows)).labels == ("against", "favor", "oppose")
    assert "oppose: no stance" in caplog.text


@pytest.mark.parametrize("name", [f"file {i}" for i in range(20)])
def test_twenty_rows_are_taken_whatever_their_words(tmp_path, name):
    rows = [(f"{name} {i}", "ab"[i % 2]) for i in range(20)]
    assert count(read_own(write(tmp_path / "mine.csv", rows)).validation) == {"a": 1, "b": 1}


def test_a_repeated_text_stays_on_one_side_and_is_said(tmp_path, caplog):
    rows = [(f"Talks {i % 40}{'.' * (i % 3)}", "ab"[i % 2]) for i in range(120)]
    split = read_own(write(tmp_path / "mine.csv", [*rows, ("talks 3", "a")]))
    sides = [{row.text.rstrip(".").lower() for row in part}
             for part in (split.train, split.validation)]  # fmt: skip
    assert sides[1]
    assert not sides[0] & sides[1]
    assert "81 of 121 rows repeat a text" in caplog.text
    assert "1 text with different labels, first in lines 5 and 122: 'Talks 3'" in caplog.text


def test_a_document_stays_on_one_side(tmp_path):
    rows = [(f"Talks {i}", "abc"[i % 3], f"article {i // 10}") for i in range(300)]
    split = read_own(write(tmp_path / "mine.csv", rows, ("text", "label", "document")))
    sides = [{row.document for row in part} for part in (split.train, split.validation)]
    assert not sides[0] & sides[1]
    assert 20 <= len(split.validation) <= 60
    assert set(count(split.validation)) == set("abc")


def test_one_document_cannot_be_split(tmp_path):
    rows = [(f"Talks {i}", "ab"[i % 2], "one") for i in range(100)]
    with pytest.raises(InputError, match="found 1 different"):
        read_own(write(tmp_path / "mine.csv", rows, ("text", "label", "document")))


def test_rows_of_a_second_file_are_validated_on(tmp_path, caplog):
    train = write(tmp_path / "mine.csv", [(f"Talks {i}", "ab"[i % 2]) for i in range(40)])
    other = write(tmp_path / "other.csv", [("Talks 0.", "a"), ("New", "a"), ("Newer", "b")])
    split = read_own(train, other)
    assert [row.text for row in split.validation] == ["Talks 0.", "New", "Newer"]
    assert len(split.train) == 39
    assert "1 row left out" in caplog.text
    assert list(split.hashes) == ["mine.csv", "validation/other.csv"]
    strange = write(tmp_path / "other.csv", [("New", "a"), ("Newer", "c")])
    with pytest.raises(InputError, match="labels among a, b, found c"):
        read_own(train, strange)


def test_labels_differ_in_more_than_capitals_and_blanks(tmp_path):
    rows = [(f"Talks {i}", ["a", " a", "b "][i % 3]) for i in range(60)]
    assert read_own(write(tmp_path / "mine.csv", rows)).labels == ("a", "b")
    write(tmp_path / "mine.csv", [*rows, ("Talks 99", "A")])
    with pytest.raises(InputError, match=r"line 62 field 'label': expected 'a' .*, found 'A'"):
        read_own(tmp_path / "mine.csv")


def test_stances_in_capitals_are_no_labels_of_ones_own(tmp_path):
    rows = [(f"Talks {i}", ["Favor", "Against"][i % 2]) for i in range(60)]
    with pytest.raises(InputError, match="favor, conditional, against, neutral"):
        read_own(write(tmp_path / "mine.csv", rows))
    rows = [(text, label.upper().replace("AGAINST", "NONE")) for text, label in rows]
    assert read_own(write(tmp_path / "mine.csv", rows)).labels == ("FAVOR", "NONE")


def test_any_share_may_be_held_out(tmp_path):
    rows = read_own(write(tmp_path / "a.csv", [(f"Talks {i}", "ab"[i % 2]) for i in range(100)]))
    train, test = hold_out([*rows.train, *rows.validation], 0.2)
    assert (count(train), count(test)) == ({"a": 40, "b": 40}, {"a": 10, "b": 10})


def test_f1_of_any_labels_is_that_of_scikit_learn():
    from sklearn.metrics import f1_score

    gold, found = np.array([0, 0, 1, 1, 2, 2, 2]), np.array([0, 1, 1, 1, 2, 0, 3])
    draws = draw_documents(np.arange(len(gold)), resamples=50)
    f1 = compute_label_f1(draws, gold, found, 5)
    assert f1[0, :3] == pytest.approx(f1_score(gold, found, average=None, labels=[0, 1, 2]))
    assert np.isnan(f1[0, 4])
    expected = f1_score(gold, found, average="macro", labels=[0, 1, 2])
    assert compute_macro(f1, gold)[0] == pytest.approx(expected)
