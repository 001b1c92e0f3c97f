import json
import shutil

import pytest

from stance.bundle import CARD, FILES, hash_settings, read_bundle, write_settings
from stance.errors import InputError
from stance.model import load
from stance.types import LABELS


@pytest.fixture
def folder(tiny_model, tmp_path):
    copy = tmp_path / "model"
    shutil.copytree(tiny_model.folder, copy)
    return copy


@pytest.mark.parametrize("name", [*FILES, "stance.json"])
def test_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"{name}: expected the file, found no such file"):
        load(folder)


@pytest.mark.parametrize("name", [*FILES, "stance.json"])
def test_flipped_byte_is_found(folder, name):
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(InputError, match=name):
        load(folder)


def test_other_files_are_not_touched(folder):
    (folder / "pytorch_model.bin").write_bytes(b"not to be read")
    (folder / "evil.pkl").write_bytes(b"cos\nsystem\n(S'touch evil'\ntR.")
    assert load(folder).predict("kyiv rejected talks").label


def test_card_is_checked_but_not_part_of_the_identity(folder):
    before = read_bundle(folder).sha256
    content = json.loads((folder / "stance.json").read_text())
    assert CARD in content["files"]
    (folder / CARD).write_text("another")
    with pytest.raises(InputError, match=CARD):
        read_bundle(folder)
    assert before == content["sha256"]


def test_unknown_format_is_refused(folder):
    content = json.loads((folder / "stance.json").read_text())
    content["format"] = 99
    (folder / "stance.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="expected format 1, found format 99"):
        read_bundle(folder)


def test_settings_without_files_are_not_said_to_be_of_another_format(folder):
    (folder / "stance.json").write_text('{"format": 1}')
    with pytest.raises(
        InputError, match="expected the SHA-256 of each file, found no table 'files'"
    ):
        read_bundle(folder)


def test_file_for_a_folder_is_refused(folder):
    with pytest.raises(InputError, match="expected a model folder, found a file"):
        load(folder / "stance.json")


def test_the_flag_is_noted_label_by_label(folder):
    reliability = read_bundle(folder).settings.reliability
    parts = reliability.by_label
    assert list(parts) == list(LABELS)
    assert sum(part.n for part in parts.values()) == reliability.n
    covered = sum(part.n * part.coverage for part in parts.values() if part.n)
    assert covered / reliability.n == pytest.approx(reliability.coverage)


def test_folders_without_that_note_are_read_and_stay_the_same_model(root, tmp_path):
    released = root / "src" / "stance" / "weights" / "negotiations"
    copy = tmp_path / "released"
    shutil.copytree(released, copy)
    content = json.loads((copy / "stance.json").read_text())
    content["reliability"].pop("by_label", None)
    content.pop("curves", None)
    content["sha256"] = hash_settings(content)
    (copy / "stance.json").write_text(json.dumps(content))
    bundle = read_bundle(copy)
    assert bundle.settings.reliability.by_label is None
    assert bundle.settings.curves is None
    assert write_settings(copy, bundle.settings).sha256 == bundle.sha256


def rewrite(folder, edit):
    """Change the settings of a folder, whose own hash is right again."""
    content = json.loads((folder / "stance.json").read_text())
    edit(content)
    content["sha256"] = hash_settings(content)
    (folder / "stance.json").write_text(json.dumps(content))


RISING = {"confidence": [0.25, 0.9], "accuracy": [0.25, 0.8]}


@pytest.mark.parametrize(
    "curve",
    [
        RISING | {"accuracy": ["0.25", "0.8"]},
        RISING | {"accuracy": "ab"},
        RISING | {"accuracy": [0.25]},
        RISING | {"accuracy": [0.25, None]},
        RISING | {"accuracy": [[0.25], [0.8]]},
        RISING | {"accuracy": [0.25, float("nan")]},
        RISING | {"accuracy": [0.8, 0.25]},
        RISING | {"accuracy": [0.25, 1.5]},
        RISING | {"confidence": [0.9, 0.25]},
        RISING | {"confidence": [0.9, 0.9]},
        RISING | {"confidence": [-0.1, 0.9]},
        RISING | {"slope": 1},
        {"confidence": [], "accuracy": []},
        [1, 2],
        None,
    ],
)
def test_a_curve_that_is_none_is_refused(folder, curve):
    curves = {"stances": RISING, "neutral": curve}
    rewrite(folder, lambda content: content.update(curves=curves))
    with pytest.raises(InputError, match="expected the fields of format 1, found "):
        read_bundle(folder)


@pytest.mark.parametrize(
    "edit",
    [
        {"curves": []},
        {"curves": {"neutral": RISING}},
        {"curves": {"neutral": RISING, "stances": RISING}, "labels": ["a", "b", "c", "d"]},
        {"temperature": 0},
        {"temperature": "1"},
        {"temperature": None},
        {"temperature": float("nan")},
        {"reliability": []},
    ],
)
def test_settings_that_would_fail_later_are_refused(folder, edit):
    rewrite(folder, lambda content: content.update(edit))
    with pytest.raises(InputError, match="expected the fields of format 1, found "):
        read_bundle(folder)


def test_a_field_that_is_not_known_is_refused(folder):
    """It could mean other scores, as a second temperature once did."""
    rewrite(folder, lambda content: content.update(neutral_temperature=1.5))
    with pytest.raises(InputError, match="1, found also neutral_temperature"):
        read_bundle(folder)


def test_curves_are_read(folder):
    curves = {"stances": RISING, "neutral": RISING}
    rewrite(folder, lambda content: content.update(curves=curves))
    bundle = read_bundle(folder)
    assert bundle.settings.curves.neutral.accuracy == (0.25, 0.8)
    assert write_settings(folder, bundle.settings).sha256 == bundle.sha256
