from itertools import combinations

import pytest

from stance.actors import fold_name, read_table
from stance.cast import Cast
from stance.errors import InputError
from stance.reference import resolve
from stance.types import LABELS, Prediction, Span

TABLE = read_table()


def say(text: str, holder: str | None = None, source: str | None = None) -> Prediction:
    """A prediction whose spans are the last place where the words stand."""
    spans = [
        Span(text.rindex(words), text.rindex(words) + len(words), words) if words else None
        for words in (holder, source)
    ]
    label = "favor" if holder else "neutral"
    return Prediction(text, label, dict.fromkeys(LABELS, 0.25), 0.25, True, *spans, False)


def who(*predictions: Prediction, of: str = "holder") -> list[str]:
    """Whom the last statement's holder, or source, means."""
    cast = Cast([p.text for p in predictions], predictions, TABLE)
    span = getattr(predictions[-1], of)
    return [party.name for party in resolve(cast, len(predictions) - 1, span)]


@pytest.mark.parametrize(
    "spellings",
    ["Zelensky Zelenskyy Zelenskiy Selenskyj Zelenskij", "Yermak Iermak Jermak", "Lavrov Lawrow",
     "Sergey Sergei", "Erdogan Erdoğan", "Shoigu Schoigu", "Andriï Andriy"],
)  # fmt: skip
def test_spellings_of_one_name_fold_together(spellings):
    assert len(set(map(fold_name, spellings.split()))) == 1


def test_other_names_stay_apart(root):
    """Of real surnames, hardly any two fold together that are not spellings of one another."""
    names = [
        line for line in (root / "data/written/real_names.txt").read_text().split("\n") if line
    ]
    same = [(a, b) for a, b in combinations(sorted(set(names)), 2) if fold_name(a) == fold_name(b)]
    assert len(same) <= 8, same
    assert fold_name("Putin") != fold_name("Biden")


@pytest.mark.parametrize(
    ("holder", "expected"),
    [
        ("the Kremlin", ["Russia"]),
        ("Moscow", ["Russia"]),
        ("The Ukrainian leadership", ["Ukraine"]),
        ("senior Kremlin officials", ["Russia"]),
        ("a number of senior Kremlin officials", ["Russia"]),
        ("the Russian foreign ministry", ["Russia"]),
        ("The U.S. government", ["United States"]),
        ("Israel and Hamas", ["Israel", "Hamas"]),
        ("Qatar, Egypt and the United States", ["Qatar", "Egypt", "United States"]),
        ("the US and its allies", ["United States"]),
        ("Russian and Ukrainian negotiators", ["Russia", "Ukraine"]),
        ("those close to the Kremlin", ["those close to the Kremlin"]),
        ("critics of the Iran deal", ["critics of the Iran deal"]),
        ("Western military observers", ["Western military observers"]),
        ("the Atlantic Alliance", ["NATO"]),
        ("KYIV", ["Ukraine"]),
        ("THE WHITE HOUSE", ["United States"]),
        ("RUSSIAN OFFICIALS", ["Russia"]),
        ("Marit Orlo", ["Marit Orlo"]),
    ],
)
def test_names_of_sides(holder, expected):
    assert who(say(f"On Monday {holder} called for talks.", holder)) == expected


def test_surname_spelling_role_and_pronoun_are_one_person():
    before = [
        say("Vestrian Foreign Minister Sergei Orlov arrived on Monday."),
        say("The weather was good."),
    ]
    for holder in ("Orlov", "Orlow", "The foreign minister", "The minister", "He", "Sergey Orlov"):
        assert who(*before, say(f"{holder} called for talks.", holder)) == ["Sergei Orlov"]


def test_role_and_side_must_fit():
    before = [
        say("German Chancellor Ute Brandt met Russian President Ivan Petrov."),
        say("US President Ann Dole stayed at home."),
    ]
    for role, name in (
        ("The German chancellor", "Ute Brandt"),
        ("the Russian president", "Ivan Petrov"),
        ("The president", "Ann Dole"),
        ("Russia’s president", "Ivan Petrov"),
    ):
        assert who(*before, say(f"{role} urged a truce.", role)) == [name]
    assert who(*before, say("The French president urged a truce.", "The French president")) == [
        "French president"
    ]


def test_name_may_follow_its_role():
    text = "Russia wants talks, the foreign minister says."
    first = say(text, "Russia", "the foreign minister")
    later = [say("Sergey Orlov was answering reporters."), say("It rained, Orlov added.")]
    cast = Cast([p.text for p in (first, *later)], [first, *later], TABLE)
    assert [party.name for party in resolve(cast, 0, first.source)] == ["Sergey Orlov"]
    last = say("The ambassador to Peru, Jan Holt, is calm.", "The ambassador to Peru")
    assert who(last) == ["Jan Holt"]


def test_pronoun_takes_the_subject_of_the_nearest_statement():
    before = [say("President Ann Dole met President Ivan Petrov on Monday.")]
    assert who(*before, say("He is ready for talks.", "He")) == ["Ann Dole"]
    assert who(say("Envoy Jan Holt said he was ready.", "he")) == ["Jan Holt"]
    assert who(say("Iran and Turkey held talks."), say("They made a plan.", "They")) == [
        "Iran", "Turkey",
    ]  # fmt: skip
    assert who(say("According to US officials, it rained."), say("They want peace.", "They")) == [
        "United States"
    ]
    assert who(say("Hamas met Israel."), say("The group wants a truce.", "The group")) == ["Hamas"]
    assert who(say("Hamas met Israel."), say("The country wants a truce.", "The country")) == [
        "Israel"
    ]


def test_we_means_the_speaker():
    quoted = [
        say("Envoy Jan Holt met reporters."),
        say("“We never asked for talks.", "We"),
        say("But we listen,” he stressed.", "we"),
    ]
    for n in (2, 3):
        predictions = quoted[:n]
        cast = Cast([p.text for p in quoted], quoted, TABLE)
        assert [p.name for p in resolve(cast, n - 1, predictions[-1].holder)] == ["Jan Holt"]
    assert who(say("“We want talks,” Envoy Jan Holt said.", "We", "Jan Holt")) == ["Jan Holt"]


def test_his_administration_is_the_side_of_the_person():
    before = say("US President Ann Dole spoke.")
    assert who(before, say("She said her administration wants talks.", "her administration")) == [
        "United States"
    ]
    assert who(
        say("US President Ann Dole’s administration wants talks.", "Ann Dole’s administration")
    ) == ["United States"]


def test_pronoun_without_antecedent_means_nobody():
    assert who(say("He wants talks.", "He")) == []
    assert who(say("We want talks.", "We")) == []


def test_an_employer_before_a_name_is_not_of_the_name():
    first, second = say("Talks failed, CNN Anna Marsh said."), say("Marsh wants talks.", "Marsh")
    assert who(first, second) == ["Anna Marsh"]


@pytest.mark.parametrize(
    ("holder", "named"),
    [("The military bloc", ["NATO"]), ("A rebel group", ["rebel group"]),
     ("The rebels", ["rebels"])],
)  # fmt: skip
def test_a_bloc_that_the_text_has_named_is_meant(holder, named):
    assert who(say("Russia warned NATO."), say(f"{holder} wants talks.", holder)) == named


@pytest.mark.parametrize("headline", ["KYIV REJECTS TALKS WITH MOSCOW", "Kyiv Rejects Talks"])
def test_a_side_in_a_headline_is_meant(headline):
    assert who(say(headline, headline.split()[0])) == ["Ukraine"]


@pytest.mark.parametrize(
    ("text", "source"),
    [("Russia refuses to negotiate, we and President Zelensky said.", "we and President Zelensky"),
     ("Talks must begin, according to us and our allies.", "us and our allies"),
     ("According to both him and us, Kyiv wants talks.", "both him and us")],
)  # fmt: skip
def test_we_in_a_source_is_not_resolved_through_it(text, source):
    assert not {"Russia", "Ukraine"} & set(who(say(text, source=source), of="source"))


def test_users_table_extends_ours(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        '[sides.Kestria]\nnames = ["Kestrians"]\ncapital = ["Kest"]\n'
        '[sides.Russia]\ngovernment = ["Lubyanka"]\n'
    )
    table = read_table(path)
    assert table.names["Kest"] == "Kestria"
    assert table.names["Lubyanka"] == "Russia"
    assert table.names["Moscow"] == "Russia"
    assert "Kestria" in table.states


def test_table_written_by_an_editor_with_a_mark_at_its_start_is_read(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_bytes('\ufeff[sides.Kestria]\r\ncapital = ["Kest"]\r\n'.encode())
    assert read_table(path).names["Kest"] == "Kestria"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"# mine\n\n[sides.X]\nnames = [X]\n", 4),
        (b"[sides.X]\nnames = ['X'\n", 2),
        (b"[sides.X]\n[sides.X]\n", 2),
        (b"[sides.X]\n# \xff\n", 2),
        (b"\xff\xfe[\x00", 1),
    ],
)
def test_broken_table_is_refused_with_its_line(tmp_path, content, line):
    path = tmp_path / "bad.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"bad.toml line {line}: expected"):
        read_table(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("not toml", "TOML"),
        ("[side.X]\nnames = []", "tables sides, words or fits"),
        ("[sides.X]\nname = []", "fields state, names"),
        ("[sides.X]\nnames = 'X'", "a list of strings"),
        ("[sides.X]\nstate = 1", "true or false"),
        ("sides = 3", "a table"),
        ("[words]\nverbs = []", "lists institutions"),
    ],
)
def test_bad_tables_are_refused(tmp_path, content, words):
    path = tmp_path / "bad.toml"
    path.write_text(content)
    with pytest.raises(InputError, match=words):
        read_table(path)


def test_every_form_of_the_table_names_one_actor():
    assert len(TABLE.names) > 300
    assert all(name in TABLE.states or name in TABLE.names for name in TABLE.names.values())
    assert not {form for form in TABLE.names if form != form.strip()}
