"""A data frame in, the same frame with the prediction's columns out: pandas and polars.

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
    predictions = model.predict(frame[column].fillna("").tolist())
    rows = [prediction.to_columns() for prediction in predictions]
    ours = pd.DataFrame(rows, index=frame.index, columns=OURS).convert_dtypes()
    clashing = {name: f"input_{name}" for name in frame.columns if name in OURS}
    return pd.concat([frame.rename(columns=clashing), ours], axis=1)  # row by row, by position


def label_polars(frame: pl.DataFrame, model: stance.Model, column: str = "text") -> pl.DataFrame:
    """Return the frame with our columns; a missing text counts as blank."""
    predictions = model.predict(frame[column].fill_null("").to_list())
    rows = [prediction.to_columns() for prediction in predictions]
    types = {name: POLARS_TYPES[COLUMNS[name]] for name in OURS}
    clashing = {name: f"input_{name}" for name in frame.columns if name in OURS}
    return frame.rename(clashing).hstack(pl.DataFrame(rows, schema=types))


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
