"""Near-duplicates: all of them and nothing else."""

import random
from itertools import combinations

import pytest

from stance.training.duplicates import cluster, find_near_duplicates, is_near_duplicate, shingle


def search_all(texts, threshold):
    """Compare every text with every other."""
    pieces = [shingle(text) for text in texts]
    long = [i for i, text in enumerate(texts) if len(text.split()) >= 6]
    found = [
        (i, j)
        for i, j in combinations(long, 2)
        if is_near_duplicate(pieces[i], pieces[j], threshold)
    ]
    return sorted(found, key=lambda pair: (pair[1], pair[0]))


def make_texts(seed, size):
    """Make random texts and mangled copies of earlier ones: cut, joined, a word changed."""
    draw = random.Random(seed)
    words = [f"w{i}" for i in range(40)]
    texts = []
    for _ in range(size):
        text = draw.choices(words, k=draw.randint(1, 30))
        if texts and draw.random() < 0.8:
            text = draw.choice(texts[-30:]).split()
            text = text[draw.randint(0, 2) : len(text) - draw.randint(0, 2)] or ["w0"]
            text += draw.choices(words, k=draw.choice((0, 0, 2, 8)))
            if draw.random() < 0.5:
                text[draw.randrange(len(text))] = draw.choice(words)
        texts.append(" ".join(text))
    return texts


@pytest.mark.parametrize("threshold", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_missed_and_nothing_is_added(seed, threshold):
    texts = make_texts(seed, 150)
    pairs = search_all(texts, threshold)
    assert len(pairs) > 20
    assert find_near_duplicates(texts, threshold=threshold) == pairs


def test_near_duplicates_are_found():
    texts = [
        "Kyiv said on Monday that it would not return to the talks.",
        "Kyiv said on Monday that it would not return to the talks, again.",
        "Something else was said by somebody else about the weather.",
    ]
    assert find_near_duplicates(texts) == [(0, 1)]
    assert cluster("abc", [("a", "b")])["a"] == cluster("abc", [("a", "b")])["b"]


def test_a_text_within_a_much_longer_one_is_found():
    short = "the delegation left Doha before the second round of talks had begun"
    long = f"{' '.join(f'before{i}' for i in range(60))} {short} {' '.join('abcdefghijklm')}"
    assert find_near_duplicates([long, "nothing of the kind was ever said here", short]) == [(0, 2)]


def test_few_words_within_a_longer_text_prove_nothing():
    short = "he said that he would not go"  # seven words: five pieces
    long = f"{short} {' '.join(f'after{i}' for i in range(30))}"
    assert find_near_duplicates([short, long]) == []
    assert find_near_duplicates([short, short]) == [(0, 1)]


def test_texts_under_six_words_are_in_no_pair():
    assert find_near_duplicates(["Read more on this here", "Read more on this here", "", "?"]) == []


def test_case_and_punctuation_make_no_difference():
    assert find_near_duplicates(
        ["The talks, he said, were over by noon.", "the talks he said WERE OVER by noon"]
    ) == [(0, 1)]
