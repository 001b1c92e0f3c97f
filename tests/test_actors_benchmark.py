"""The measure of actors on public corpora, on a corpus made up for the test."""

import gzip
import json

import actors as script
from stance.actors import read_table
from stance.cast import Cast
from stance.types import LABELS, Prediction

TABLE = read_table()


class Silent:
    """A model that finds nobody's position."""

    def predict(self, texts):
        scores = {label: float(label == "neutral") for label in LABELS}
        return [Prediction(text, "neutral", scores, 1.0, False, None, None, False)
                for text in texts]  # fmt: skip


def write_corpus(folder, rows):
    folder.mkdir(parents=True)
    with gzip.open(folder / "test.jsonl.gz", "wt") as out:
        out.write("".join(json.dumps(row) + "\n" for row in rows))


def test_named_person_found_split_and_missed(tmp_path):
    texts = ["Minister Ivan Orlov spoke.", "Mr Orlov left, said Orlov. Anna Orlov stayed."]
    write_corpus(tmp_path / "public" / "persent_paragraphs",
                 [{"id": f"9-{i}", "text": text, "target": "Ivan Orlov"}
                  for i, text in enumerate(texts)]
                 + [{"id": "8-0", "text": "Oil rose.", "target": "Oil"}])  # fmt: skip
    ((document, statements, name),) = script.iter_named(tmp_path, TABLE)
    assert document == "persent_paragraphs:test/9"
    tally = script.Tally()
    script.measure_named(document, script.build_cast(Silent(), statements, TABLE), name, tally)
    assert tally.cases["persent: named person is an actor"] == [(document, True)]
    assert [r for _, r in tally.cases["persent: place that names the person means it"]] == [
        True
    ] * 3
    assert tally.cases["persent: person is one actor, not split"] == [(document, True)]
    unknown = Cast(["It rained on Ivan Orlov."], Silent().predict(["x"]), TABLE)
    script.measure_named(document, unknown, name, tally)
    assert tally.cases["persent: named person is an actor"][-1] == (document, False)


def test_holders_of_a_story_by_name_and_pronoun(tmp_path):
    rows = [("President Ivan Orlov blamed Kyiv.", "Ivan Orlov"), ("He urged talks.", "Ivan Orlov"),
            ("Moscow refused.", "Ivan Orlov")]  # fmt: skip
    write_corpus(tmp_path / "public" / "seesaw",
                 [{"id": f"T_DOCUMENT_0/{i}#{i}", "text": text, "holder": holder}
                  for i, (text, holder) in enumerate(rows)])  # fmt: skip
    ((document, sentences, holders),) = script.iter_stories(tmp_path)
    tally = script.Tally()
    script.measure_story(document, script.build_cast(Silent(), sentences, TABLE), holders, tally)
    right = [case for cases in tally.cases.values() for _, case in cases]
    assert right == [True, True, False, True]  # by name; pronoun, another; one actor
