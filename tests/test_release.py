"""A new model takes the place of the released one only where it is better on real news."""

import logging
from dataclasses import replace

import pytest

from check_release import check_release
from stance.errors import StanceError
from stance.evaluation.compare import plant_regression
from stance.evaluation.records import read_records, write_records

ROWS = 800  # of the test rows, enough for the differences that are planted here


@pytest.fixture(scope="module")
def versions(root, tmp_path_factory):
    """Predictions of the released model, and of new ones that are worse, alike and better."""
    folder = tmp_path_factory.mktemp("versions")
    data = folder / "data"
    (data / "predictions").mkdir(parents=True)
    (data / "realnews").symlink_to(root / "data" / "realnews")
    released = read_records(root / "data" / "predictions" / "realnews.jsonl")[:ROWS]
    changed = plant_regression(released, 0.05)
    named = {"released": released, "worse": rename(changed), "alike": rename(released)}
    for name, records in named.items():
        write_records(folder / f"{name}.jsonl", records)
    return folder, data, released, changed


def rename(records):
    return [replace(record, model="new") for record in records]


def put(versions, records):
    write_records(versions[1] / "predictions" / "realnews.jsonl", records)
    return versions[1]


@pytest.mark.parametrize("name", ["worse", "alike"])
def test_a_model_that_is_not_better_is_not_released(versions, name, caplog):
    caplog.set_level(logging.INFO)
    data, new = put(versions, versions[2]), versions[0] / f"{name}.jsonl"
    with pytest.raises(StanceError, match=r"macro-F1.* on 800 real-news .*RELEASE_ANYWAY"):
        check_release(new, data)
    check_release(new, data, "smaller")
    assert "released all the same: smaller" in caplog.text


def test_a_better_model_and_the_released_one_itself_are_released(versions):
    check_release(versions[0] / "released.jsonl", put(versions, versions[2]))
    check_release(versions[0] / "alike.jsonl", put(versions, versions[3]))


def test_a_model_that_finds_more_holders_is_better_unless_it_is_worse_elsewhere(versions):
    folder, _, released, changed = versions
    lost = [replace(record, holder=None) if i % 3 else record for i, record in enumerate(released)]
    check_release(folder / "alike.jsonl", put(versions, lost))
    write_records(folder / "lost.jsonl", rename(lost))
    with pytest.raises(StanceError, match="worse on none"):
        check_release(folder / "lost.jsonl", put(versions, changed))  # better labels


def test_rows_that_the_released_model_has_not_judged_do_not_count(versions, caplog):
    caplog.set_level(logging.INFO)
    check_release(versions[0] / "alike.jsonl", put(versions, versions[3][:700]))
    assert "on 700 real-news test rows" in caplog.text


def test_reproducing_asks_before_it_replaces_anything(root):
    script = (root / "train" / "reproduce.sh").read_text()
    asked = script.index('check_release.py "$runs/results/realnews.jsonl"')
    assert asked < script.index("data/predictions/\n") < script.index("rm -rf $released")
