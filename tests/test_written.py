"""Written statements: whom they name, how they are split, and whether words give labels away."""

import re
from collections import defaultdict

import pytest

from stance.evaluation.data_card import mentions, share
from stance.keywords import has_negotiation_word
from stance.layers import find_corpora
from stance.sets import read_labels, read_set
from stance.training.duplicates import find_near_duplicates
from stance.types import LABELS, NEUTRAL

SPLITS = ("train", "validation", "test")
ALL = (*SPLITS, "scenes")  # scenes are for whoever trains: no split of the others
DECIDING = re.compile(
    r"\b(?:refus\w*|agree\w*|reject\w*|oppos\w*|demand\w*|ready|only|unless|until|if)\b", re.I
)


@pytest.fixture(scope="module")
def data(root):
    return root / "data"


def test_written_rows_name_no_real_person(data):
    """The list is of names that occurred in the first draft of the statements."""
    names = set((data / "written" / "real_names.txt").read_text().split("\n")) - {""}
    assert len(names) > 250
    for split in ALL:
        for row in read_labels(data, "written", split):
            words = set(row.text.replace("’s", "").replace("'s", "").split())
            assert not {word.strip(".,:;!?\"'“”‘’()") for word in words} & names, row.id


def test_no_written_pair_or_near_duplicate_crosses_a_split(data):
    rows, splits = [], []
    for split in SPLITS:
        part = read_labels(data, "written", split)
        rows += part
        splits += [split] * len(part)
    homes = defaultdict(set)
    for row, split in zip(rows, splits, strict=True):
        homes[row.document].add(split)
    assert all(len(home) == 1 for home in homes.values())
    for i, j in find_near_duplicates([row.text for row in rows]):
        assert splits[i] == splits[j], (rows[i].id, rows[j].id)


def test_there_are_enough_rows_and_each_holds_its_authors_vote(data):
    rows = [row for split in ALL for row in read_labels(data, "written", split)]
    assert len({row.id for row in rows}) == len(rows) >= 1500
    for row in rows:
        votes = row.fields["votes"]
        assert votes[0]["annotator"] == "author"
        assert {vote["label"] for vote in votes} == {row.label}, row.id


@pytest.mark.parametrize("split", SPLITS)
def test_negotiation_words_are_as_frequent_as_in_real_news(data, split):
    """By label, within five points of real news as weighted to the pools."""
    rows, real = read_labels(data, "written", split), read_labels(data, "realnews", "test")
    for label in LABELS:
        written = share([row for row in rows if row.label == label], mentions)
        assert abs(written - share([row for row in real if row.label == label], mentions)) <= 0.05


@pytest.mark.corpora
def test_words_of_deciding_do_not_mark_easy_negatives(data):
    """Else a model learns that refusing and agreeing are what neutral sentences speak of."""
    texts = find_corpora()

    def compute_share(parts):
        plain = [r for r in parts if r.label == NEUTRAL and not has_negotiation_word(r.text)]
        return share(plain, lambda row: DECIDING.search(row.text) is not None)

    written = [row for split in SPLITS for row in read_labels(data, "written", split)]
    real = [r for x in ("validation", "test") for r in read_set(data, "realnews", x, texts).rows]
    assert abs(compute_share(written) - compute_share(real)) <= 0.05


@pytest.mark.corpora
def test_a_negotiation_word_is_no_stance_in_the_layers(data):
    """Written rows with one are hardly ever neutral, so the real rows beside them have to be."""
    rows = read_set(data, "layers", "train", find_corpora()).rows
    with_word = [row for row in rows if has_negotiation_word(row.text)]
    assert share(with_word, lambda row: row.label == NEUTRAL) > 0.45
