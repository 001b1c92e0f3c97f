"""A data frame in, the same frame with the prediction's columns out: pandas and polars.

A missing text is answered as a blank one: neutral, never reliable. ``stance score`` sets such a row
apart as a bad one.

Needs one of them: pip install pandas, or polars. Run it: python examples/dataframes.py
"""

from pathlib import Path

import pandas as pd
import polars as pl

import stance
from stance.types import COLUMNS

OURS = [name for name in COLUMNS if name != "text"]  # the frame has the texts already
ARTICLES = Path(__file__).parent.parent / "data" / "articles.jsonl"
POLARS_TYPES = {str: pl.String, float: pl.Float64, bool: pl.Boolean, int: pl.Int64}


def label_pandas(frame: pd.DataFrame, model: stance.Model, column: str = "text") -> pd.DataFrame:
    """Return the frame, its index kept, with our columns; a missing text counts as blank."""
    texts = frame[column].astype(object)  # categories would refuse the blank
    predictions = model.predict(texts.where(texts.notna(), "").tolist())
    rows = [prediction.to_columns() for prediction in predictions]
    ours = pd.DataFrame(rows, index=frame.index, columns=OURS).convert_dtypes()
    kept = frame.rename(columns=rename_clashing(list(frame.columns)))
    return pd.concat([kept, ours], axis=1)  # row by row, by position


def label_polars(frame: pl.DataFrame, model: stance.Model, column: str = "text") -> pl.DataFrame:
    """Return the frame with our columns; a missing text counts as blank."""
    predictions = model.predict([text or "" for text in frame[column].to_list()])
    rows = [prediction.to_columns() for prediction in predictions]
    types = {name: POLARS_TYPES[COLUMNS[name]] for name in OURS}
    kept = frame.rename(rename_clashing(frame.columns))
    return kept.hstack(pl.DataFrame(rows, schema=types))


def rename_clashing(names: list[str]) -> dict[str, str]:
    """Return new names for columns that are called as ours, as ``stance score`` gives them."""
    renamed: dict[str, str] = {}
    for name in set(names).intersection(OURS):
        new = f"input_{name}"
        while new in names:
            new = f"input_{new}"
        renamed[name] = new
    return renamed


def main() -> None:
    """Label the five articles with both and count the stances of each article."""
    model = stance.load()
    columns = ["document", "text"]
    frame = label_pandas(pd.read_json(ARTICLES, lines=True)[columns], model)
    print(frame.groupby("document")["label"].value_counts().unstack(fill_value=0))
    table = label_polars(pl.read_ndjson(ARTICLES).select(columns), model)
    print(table.filter(pl.col("reliable")).group_by("label").len().sort("len", descending=True))


if __name__ == "__main__":
    main()
