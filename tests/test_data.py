import json
import shutil
from collections import defaultdict
from dataclasses import replace

import pytest
from datasets import load_dataset

from stance import keywords
from stance.errors import InputError
from stance.evaluation.data_card import hash_held_out
from stance.layers import document_of, find_corpora, hash_text, read_texts
from stance.rows import read_rows
from stance.selection import Source, select_rows
from stance.sets import is_released, list_files, read_labels, read_licences, read_set
from stance.training.duplicates import find_near_duplicates
from stance.training.recipe import read_recipe
from stance.types import LABELS
from withhold import list_touched

ARTICLES = 5
DIGESTS = {
    "validation": "347132ed7bc91bad78edb6b153ec86283810383504b18b6deb13ccca4e9490c4",
    "test": "21112757fa6cb12f48d5afbf5fd087117c97b51795e07c2d7367555c6908107f",
}
TRAINED = (("layers", "train"), ("articles", "train"), ("written", "train"), ("written", "scenes"))
STEERING = (("realnews", "validation"), ("written", "validation"))
MEASURED = (("realnews", "test"), ("written", "test"))
HELD_OUT = (*STEERING, *MEASURED, ("layers", "test"))


@pytest.fixture(scope="module")
def data(root):
    return root / "data"


@pytest.fixture(scope="module")
def articles(data):
    return read_rows(data / "articles.jsonl")


def test_articles_cut_their_files(data, articles):
    documents = {row.document for row in articles}
    assert len(documents) == ARTICLES
    for document in documents:
        text = (data / "articles" / f"{document}.txt").read_bytes().decode()
        rows = [row for row in articles if row.document == document]
        end = 0
        for row in rows:
            start = row.fields["start"]
            assert text[start : row.fields["end"]] == row.text
            assert text[end:start].strip() == ""  # nothing is left out between two rows
            end = row.fields["end"]
        assert text[end:].strip() == ""


def test_articles_have_parts_duplicates_and_votes(articles):
    by_id = {row.id: row for row in articles}
    for row in articles:
        assert row.fields["part"] in ("headline", "body", "furniture")
        twin = by_id.get(row.fields["duplicate_of"])
        if twin:
            assert twin.text.rstrip(".") == row.text.rstrip(".")
            assert twin.label == row.label
        votes = row.fields["votes"]
        assert {vote["annotator"] for vote in votes} >= {"A", "B"}
        first, second = votes[:2]
        if first["label"] != second["label"]:
            assert len(votes) == 3, row.id
        assert row.label in {vote["label"] for vote in votes}


def test_datasets_loads_articles_and_written_offline(data, articles, tmp_path):
    loaded = load_dataset(str(data), "articles", cache_dir=str(tmp_path))["train"]
    assert loaded["id"] == [row.id for row in articles]
    assert loaded[5]["holder"] == articles[5].fields["holder"]
    actors = load_dataset(str(data), "actors", cache_dir=str(tmp_path))["train"]
    assert set(actors["id"]) == {row.id for row in articles if row.holder}
    assert [vote["kind"] for vote in actors[0]["votes"]] == ["language model"] * 2
    written = load_dataset(str(data), "written", cache_dir=str(tmp_path))
    assert {name: len(part) for name, part in written.items()} == {
        name: len(read_labels(data, "written", name))
        for name in ("train", "validation", "test", "scenes")
    }


def test_labels_over_corpora_hold_no_text(data):
    for name in ("layers", "realnews"):
        for path in (data / name).glob("*.jsonl"):
            for line in path.read_text().splitlines():
                fields = json.loads(line)
                assert "text" not in fields
                for entry in (fields["holder"], fields["source"], *fields["votes"]):
                    assert "text" not in (entry or {})


def test_documents_of_real_news_are_trained_on_by_nobody(data):
    trained = {row.document for row in read_labels(data, "layers", "train")}
    held = {row.document for row in read_labels(data, "layers", "test")}
    validation = {row.document for row in read_labels(data, "realnews", "validation")}
    test = {row.document for row in read_labels(data, "realnews", "test")}
    for left, right in ((trained, held), (trained, validation), (trained, test),
                        (held, test), (validation, test)):  # fmt: skip
        assert not left & right


@pytest.fixture(scope="module")
def texts():
    folder = find_corpora()
    assert folder is not None, "set STANCE_CORPORA"
    return folder


@pytest.mark.corpora
@pytest.mark.parametrize(("left", "right"), [(TRAINED, HELD_OUT), (STEERING, MEASURED)])
def test_no_near_duplicate_crosses_a_split(data, texts, left, right):
    """What is trained on holds nothing held out, what stops and calibrates nothing measured."""
    ours, others = (
        [row for part in parts for row in read_set(data, *part, texts).rows]
        for parts in (left, right)
    )
    assert not {hash_text(row.text) for row in ours} & {hash_text(row.text) for row in others}
    rows = [*ours, *others]
    assert not [
        (rows[i].id, rows[j].id)
        for i, j in find_near_duplicates([row.text for row in rows])
        if i < len(ours) <= j
    ]


@pytest.mark.corpora
def test_no_training_document_shares_a_sentence_with_a_held_out_document(data, texts):
    """Not only labelled sentences count: a held-out document is closed with all of its text."""
    rows, documents = list_touched(data, texts)
    assert len(rows) > 10
    assert len(documents) > 1000
    for row in read_labels(data, "layers", "train"):
        assert row.id not in rows
        assert row.document not in documents, row.id


@pytest.mark.parametrize("split", list(DIGESTS))
def test_real_news_rows_are_those_of_the_card(data, split):
    """Whoever mends a held-out label changes the digest here and tells the card's readers why."""
    rows = read_labels(data, "realnews", split)
    digest = hash_held_out(rows, split)
    assert digest == DIGESTS[split]
    assert digest in (data / "README.md").read_text()
    relabelled = [replace(rows[0], label="favor"), *rows[1:]]
    assert hash_held_out(relabelled, split) != digest


def test_real_news_is_what_was_promised(data):
    rows = read_labels(data, "realnews", "test")
    assert len(rows) >= 2000
    counts = {label: sum(row.label == label for row in rows) for label in LABELS}
    assert counts["conditional"] >= 100
    assert counts["against"] >= 150
    assert len(read_labels(data, "realnews", "validation")) >= 1000
    for row in rows:
        votes = row.fields["votes"]
        assert [vote["annotator"] for vote in votes][:3] == ["A", "B", "C"]
        assert sum(vote["label"] == row.label for vote in votes) >= 2
        assert row.fields["weight"] > 0


def test_every_corpus_has_a_licence_and_recipes_obey(data, root):
    licences = read_licences(data)
    forbidden = {"seesaw", "cameo_manual", "conflibert_cameo"}
    assert not any(licences[name]["release"] for name in forbidden)
    for path in list_files(data, "layers", "train"):
        assert path.stem in licences
    for row in read_labels(data, "layers", "train"):
        corpus, source = row.fields["corpus"], row.fields["row"].split("/")[0]
        banned = corpus in forbidden or source in ("aljazeera_2025", "semeval2025_task10")
        assert is_released(licences, row) != banned
    for path in (root / "train" / "recipes").glob("*.toml"):
        assert read_recipe(path).data.release, path.name
    released = root / "src/stance/weights/negotiations/stance.json"
    assert json.loads(released.read_text())["recipe"]["data"]["release"] is True


def test_unreleased_rows_steer_nothing(data, corpora, tmp_path):
    """Neither training nor early stopping and calibration see rows that may not be released."""
    copy = tmp_path / "data"
    (copy / "layers").mkdir(parents=True)
    (copy / "realnews").mkdir()
    (copy / "licences.toml").write_text((data / "licences.toml").read_text())
    text = "Kyiv rejected talks."
    rows = [
        {"id": f"recent:{source}/a#1", "corpus": "recent", "row": f"{source}/a#1",
         "document": source, "sha256": hash_text(text), "label": "against", "holder": None,
         "source": None, "others": [], "votes": []}
        for source in ("s", "aljazeera_2025")
    ]  # fmt: skip
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (copy / "layers" / "recent.jsonl").write_text(lines)
    (copy / "realnews" / "validation.jsonl").write_text(lines)
    for release, expected in ((True, 1), (False, 2)):
        selected = select_rows(
            Source(copy, corpora, release), train=["layers"], validation=["realnews"]
        )
        assert len(selected.train) == len(selected.validation) == expected


def test_leaving_an_article_out_leaves_its_texts_out(data, articles):
    document = articles[0].document
    source = Source(data, None, release=True, left_out=document)
    selected = select_rows(source, train=["articles"], validation=["written"])
    own = {hash_text(row.text) for row in articles if row.document == document}
    assert selected.left_out == document
    assert not {hash_text(row.text) for row in selected.train} & own
    with pytest.raises(InputError, match="one of 000_"):
        select_rows(
            Source(data, None, release=True, left_out="x"), train=["articles"], validation=[]
        )


def test_training_on_nothing_is_refused(data):
    with pytest.raises(InputError, match="at least one row of layers"):
        select_rows(Source(data, None, release=True), train=["layers"], validation=["realnews"])


def test_damaged_corpora_are_named(data, tmp_path):
    (tmp_path / "pool").mkdir()
    (tmp_path / "pool" / "recent.jsonl.gz").write_bytes(b"not gzip")
    with pytest.raises(InputError, match=r"recent.jsonl.gz: expected gzipped JSON lines"):
        read_set(data, "realnews", "test", tmp_path)


@pytest.fixture
def corpora(tmp_path):
    import gzip

    folder = tmp_path / "corpora"
    (folder / "pool").mkdir(parents=True)
    (folder / "public" / "gwsd").mkdir(parents=True)
    with gzip.open(folder / "pool" / "recent.jsonl.gz", "wt") as out:
        for row, text in (("s/a#1", "Kyiv  rejected\ntalks."), ("s/a#2", "Another text.")):
            out.write(json.dumps({"row": row, "text": text}) + "\n")
        out.write(json.dumps({"row": "aljazeera_2025/a#1", "text": "Kyiv rejected talks."}) + "\n")
    with gzip.open(folder / "public" / "gwsd" / "train.jsonl.gz", "wt") as out:
        out.write(json.dumps({"id": "7", "text": "It rained."}) + "\n")
    return folder


def test_rows_with_another_text_are_refused_by_id(corpora, tmp_path):
    data = tmp_path / "data"
    (data / "layers").mkdir(parents=True)
    shared = {"document": "d", "holder": None, "source": None, "others": [], "votes": []}
    rows = [
        {"id": f"recent:s/a#{i}", "corpus": "recent", "row": f"s/a#{i}", "split": "train",
         "sha256": hash_text("Kyiv rejected talks."), "label": "against", **shared}
        for i in (1, 2, 3)
    ]  # fmt: skip
    (data / "layers" / "recent.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    joined = read_set(data, "layers", "train", corpora)
    assert [(row.id, row.text) for row in joined.rows] == [("recent:s/a#1", "Kyiv rejected talks.")]
    assert joined.refused == ["recent:s/a#2"]
    assert joined.absent == ["recent:s/a#3"]


def test_corpus_rows_are_found_by_split_and_id(corpora):
    assert read_texts(corpora, "gwsd", ["train/7", "test/7"]) == {"train/7": "It rained."}


def test_documents_of_corpora():
    assert document_of("recent", "s/a#12", {}) == "recent:s/a"
    assert document_of("persent_paragraphs", "test/3860-3", {}) == "persent_paragraphs:test/3860"
    assert document_of("unscon", "train/6", {"meeting": "M"}) == "unscon:M"
    assert document_of("seesaw", "test/TRIPLET_136_DOCUMENT_0/5#326", {}) == "seesaw:TRIPLET_136"


def test_sets_that_need_corpora_say_so(data):
    with pytest.raises(InputError, match="STANCE_CORPORA"):
        read_set(data, "layers", "train", None)
    with pytest.raises(InputError, match="one of articles, written"):
        read_set(data, "tweets", "train", None)


def test_probes_are_pairs_that_change_or_hold(data):
    rows = [json.loads(line) for line in (data / "probes.jsonl").read_text().splitlines()]
    assert len({row["id"] for row in rows}) == len(rows) >= 400
    counts = defaultdict(int)
    for row in rows:
        counts[row["phenomenon"]] += 1
        a, b = row["a"], row["b"]
        assert {a["label"], b["label"]} <= set(LABELS)
        assert a["text"] != b["text"]
        assert (a["label"] == b["label"]) == (row["expected"] == "invariance")
        for side in (a, b):
            assert len({vote["annotator"] for vote in side["votes"]}) == 2
            assert {vote["label"] for vote in side["votes"]} == {side["label"]}
            assert {vote["kind"] for vote in side["votes"]} == {"language model"}
    assert min(counts.values()) >= 40
    assert len(counts) >= 12


def test_word_lists():
    assert keywords.has_negotiation_word("They talked to nobody but wanted a cease-fire")
    assert not keywords.has_negotiation_word("A talkative guest")
    assert keywords.has_condition_cue("We will, provided they leave")


def test_layers_can_be_read_from_a_copy(data, tmp_path):
    """Nothing in the product knows where the repository lies."""
    shutil.copytree(data, tmp_path / "data")
    assert read_labels(tmp_path / "data", "layers", "train")
