import tomllib

import pytest

from stance.language import is_foreign


@pytest.mark.parametrize(
    "text",
    ["Lavrov met Blinken in Bali.", "Borrell met Amir-Abdollahian in Tehran.",
     "Dmytro Kuleba met Annalena Baerbock in Berlin.", "Maduro and Petro met in Caracas."],
)  # fmt: skip
def test_names_make_no_sentence_foreign(text):
    assert not is_foreign(text)


def test_short_sentences_of_other_languages_are_told(root):
    written = tomllib.loads((root / "benchmarks" / "languages.toml").read_text(encoding="utf-8"))
    assert sum(map(is_foreign, written.pop("English"))) <= 1
    assert len(written) == 9
    for language, texts in written.items():
        assert len(texts) == 10
        assert sum(map(is_foreign, texts)) >= 8, language


def test_what_nobody_sees_makes_no_sentence_foreign():
    text = "Kyiv rejects talks with Moscow until the army leaves."
    assert not is_foreign("\u00ad".join(text))
    assert is_foreign("\u200b".join("Der Kreml lehnt Verhandlungen mit der Ukraine ab."))
