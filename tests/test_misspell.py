"""Misspelled copies of training rows."""

from dataclasses import replace

from stance.rows import build_row
from stance.training.misspell import MARK, add_misspelled, misspell
from stance.training.recipe import read_recipe

TEXT = "Moscow refused on Tuesday to resume the talks, a Kremlin spokesman told reporters."


def make_rows(n):
    return [
        build_row({"id": f"r{i}", "document": f"d{i}", "text": f"{TEXT} {i}", "label": "against",
                   "holder": {"start": 0, "end": 6}, "source": None})
        for i in range(n)
    ]  # fmt: skip


def test_copies_are_a_share_of_the_rows_and_keep_label_and_spans():
    rows = make_rows(400)
    more = add_misspelled(rows, 0.25)
    copies = more[len(rows) :]
    assert more[: len(rows)] == rows
    assert 60 <= len(copies) <= 140
    originals = {f"{row.id}{MARK}": row for row in rows}
    for copy in copies:
        row = originals[copy.id]
        assert len(copy.text) == len(row.text)
        assert (copy.label, copy.holder, copy.document) == (row.label, row.holder, row.document)
    assert sum(copy.text != originals[copy.id].text for copy in copies) > len(copies) / 2
    assert add_misspelled(rows, 0.25) == more


def test_no_share_adds_nothing():
    rows = make_rows(20)
    assert add_misspelled(rows, 0.0) == rows
    assert len(add_misspelled(rows, 1.0)) == 40


def test_a_slip_exchanges_inner_neighbours_of_words_of_four_letters_or_more():
    for seed in map(str, range(50)):
        for before, after in zip(TEXT.split(), misspell(TEXT, seed).split(), strict=True):
            assert sorted(before) == sorted(after)
            assert before[0] == after[0]
            if len(before.strip(",.")) < 4:
                assert before == after


def test_a_recipe_without_later_keys_is_that_of_models_made_before(root):
    recipe = read_recipe(root / "train" / "recipes" / "compare.toml")
    assert "misspelled" not in recipe.to_dict()["data"]
    assert "lesson_share" not in recipe.to_dict()
    noisy = replace(recipe, data=replace(recipe.data, misspelled=0.1))
    assert noisy.to_dict()["data"]["misspelled"] == 0.1
