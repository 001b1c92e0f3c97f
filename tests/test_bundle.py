import json
import shutil

import pytest

from stance.bundle import CARD, FILES, read_bundle
from stance.errors import InputError
from stance.model import load


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


def test_file_for_a_folder_is_refused(folder):
    with pytest.raises(InputError, match="expected a model folder, found a file"):
        load(folder / "stance.json")
