import importlib.util

import pytest

from stance.errors import InputError
from stance.model import load

TEXTS = ["kyiv rejected talks , moscow said", "the weather report", None]


@pytest.fixture(scope="module")
def example(root):
    path = root / "examples" / "dataframes.py"
    spec = importlib.util.spec_from_file_location("dataframes", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def model(tiny_model):
    return load(tiny_model.folder, device="cpu")


def test_pandas_frame_in_and_out(example, model):
    import pandas as pd

    frame = pd.DataFrame({"body": TEXTS, "label": ["x", "y", "z"]}, index=[7, 3, 5])
    found = example.label_pandas(frame, model, "body")
    assert list(found.index) == [7, 3, 5]
    assert list(found.columns) == ["body", "input_label", *example.OURS]
    expected = [model.predict(text or "").to_columns() for text in TEXTS]
    assert found["label"].tolist() == [row["label"] for row in expected]
    assert found["score_favor"].tolist() == pytest.approx([row["score_favor"] for row in expected])
    assert found["holder_start"].dtype == "Int64"


def test_texts_as_categories_with_one_missing(example, model):
    import pandas as pd
    import polars as pl

    found = example.label_pandas(pd.DataFrame({"text": pd.Categorical(TEXTS)}), model)
    expected = [model.predict(text or "").label for text in TEXTS]
    assert found["label"].tolist() == expected
    frame = pl.DataFrame({"text": TEXTS}, schema={"text": pl.Categorical})
    assert example.label_polars(frame, model)["label"].to_list() == expected


def test_no_two_columns_get_one_name(example, model):
    import pandas as pd
    import polars as pl

    columns = {"text": TEXTS, "label": ["x", "y", "z"], "input_label": ["u", "v", "w"]}
    names = ["text", "input_input_label", "input_label", *example.OURS]
    pandas, polars = pd.DataFrame(columns), pl.DataFrame(columns)
    for found in (example.label_pandas(pandas, model), example.label_polars(polars, model)):
        assert list(found.columns) == names
        assert list(found["input_input_label"]) == ["x", "y", "z"]


def test_numbers_among_the_texts_are_refused(example, model):
    import pandas as pd

    with pytest.raises(InputError, match="predict item 1"):
        example.label_pandas(pd.DataFrame({"text": ["a", 3]}), model)


@pytest.mark.parametrize("index", [[0, 0, 1], [None, None, None], [("a", 1), ("a", 1), ("b", 2)]])
def test_an_index_that_repeats_multiplies_no_rows(example, model, index):
    import pandas as pd

    frame = pd.DataFrame({"text": TEXTS}, index=index)
    found = example.label_pandas(frame, model)
    assert found.index.equals(frame.index)
    assert found["text"].tolist()[:2] == TEXTS[:2]
    expected = [model.predict(text or "").label for text in TEXTS]
    assert found["label"].tolist() == expected


def test_polars_frame_in_and_out(example, model):
    import polars as pl

    frame = pl.DataFrame({"text": TEXTS, "n": [1, 2, 3]})
    found = example.label_polars(frame, model)
    assert found.columns == ["text", "n", *example.OURS]
    expected = [model.predict(text or "").to_columns() for text in TEXTS]
    assert found["label"].to_list() == [row["label"] for row in expected]
    assert found["holder"].to_list() == [row["holder"] for row in expected]
    assert found["holder_start"].dtype == pl.Int64
