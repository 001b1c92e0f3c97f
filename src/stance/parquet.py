"""Parquet in and out. The only user of pyarrow, which comes with the extra ``corpus``."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
from pyarrow import parquet as pq

from stance import files, tables
from stance.errors import InputError, StanceError
from stance.files import Record
from stance.stream import cut, measure_row

BATCH_ROWS = 16  # few: of cells that repeat, the footer does not tell the size
BATCH_BYTES = 8_000_000
BUFFER_BYTES = 2**20
GROUP_ROWS = 10_000
GROUP_CHARACTERS = 8_000_000
ARROW_TYPES = {
    str: pa.string(), float: pa.float64(), int: pa.int64(), bool: pa.bool_(),
    "text": pa.string(), "nested": pa.string(), "huge": pa.string(), "bool": pa.bool_(),
    "int": pa.int64(), "wide": pa.int64(), "float": pa.float64(),
}  # fmt: skip
"""By Python type, and by kind of JSON value as ``survey.name_kind`` gives it."""

CELL_FAULTS = (ValueError, OverflowError)
"""What a cell raises that Python cannot hold: a year above 9999, bytes that are not UTF-8."""


def open_parquet(path: Path) -> pq.ParquetFile:
    """Open a Parquet file for reading in pieces.

    Raises:
        InputError: it is not readable, or not Parquet.
    """
    files.open_input(path).close()
    try:
        return pq.ParquetFile(path, buffer_size=BUFFER_BYTES, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise damaged(path, error) from None


def damaged(path: Path, error: Exception) -> InputError:
    """Return the error of a file that pyarrow cannot read."""
    return InputError(
        str(path),
        expected="a Parquet file",
        found=str(error).splitlines()[0].rstrip("."),
        remedy="Get the file again.",
    )


def read_types(path: Path) -> dict[str, pa.DataType]:
    """Return the type of each column of a file.

    Raises:
        InputError: two columns have one name, or no value of a column could be read.
    """
    with open_parquet(path) as file:
        schema = file.schema_arrow
    for name, kind in zip(schema.names, schema.types, strict=True):
        if schema.names.count(name) > 1:
            raise InputError(
                str(path), expected="columns with different names", found=f"'{name}' twice",
                remedy="Rename one.",
            )  # fmt: skip
        if fault := find_fault(kind):
            raise InputError(
                f"{path} column '{name}'", expected="a column whose values Python can hold",
                found=fault, remedy="Leave the column out, or give it another type.",
            )  # fmt: skip
    return {
        field.name: field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        for field in schema
    }


def find_fault(kind: pa.DataType) -> str | None:
    """Return why Python can hold no value of a type, or None where it can."""
    types = pa.types
    if types.is_timestamp(kind) and kind.tz is not None:
        try:
            pa.scalar(0, kind).as_py()
        except (LookupError, ValueError):
            return f"the unknown time zone '{kind.tz}'"
    inner: list[pa.DataType] = []
    if types.is_struct(kind):
        names = [field.name for field in kind]
        for name in names:
            if names.count(name) > 1:
                return f"objects with '{name}' twice"
        inner = [field.type for field in kind]
    elif types.is_map(kind):
        inner = [kind.key_type, kind.item_type]
    elif types.is_nested(kind) or types.is_dictionary(kind):
        inner = [kind.value_type]
    return next(filter(None, map(find_fault, inner)), None)


def is_text(kind: pa.DataType) -> bool:
    """Say whether a column of this type holds text."""
    types = pa.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def count_rows(path: Path) -> int:
    """Return a file's number of rows, which its footer tells."""
    with open_parquet(path) as file:
        return int(file.metadata.num_rows)


def iter_parquet(path: Path, start: int = 0) -> Iterator[Record]:
    """Yield the rows of a file as objects, their number from 1 in the place of a line.

    A row with a cell that Python cannot hold is that fault instead.

    Args:
        path: the file.
        start: number of rows to leave out at its beginning.

    Raises:
        InputError: the file is damaged.
    """
    with open_parquet(path) as file:
        groups = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        first = number = 0
        while first < len(groups) and number + groups[first] <= start:
            number += groups[first]
            first += 1
        try:
            for batch in iter_batches(file, first):
                names = batch.schema.names
                columns = [to_values(*pair) for pair in zip(names, batch.columns, strict=True)]
                for row in zip(*columns, strict=True):
                    number += 1
                    if number > start:
                        fault = next((cell for cell in row if isinstance(cell, InputError)), None)
                        yield Record(number, 0, fault or dict(zip(names, row, strict=True)))
        except (pa.ArrowException, OSError, ValueError) as error:
            raise damaged(path, error) from None


def iter_batches(file: pq.ParquetFile, first: int = 0) -> Iterator[pa.RecordBatch]:
    """Yield a file's rows from a row group on in pieces that are small, whatever the cells hold.

    Raises:
        pa.ArrowException: the file is damaged.
    """
    for i in range(first, file.num_row_groups):
        group = file.metadata.row_group(i)
        fitting = BATCH_BYTES * group.num_rows // max(group.total_byte_size, 1)
        rows = max(1, min(BATCH_ROWS, fitting))
        yield from file.iter_batches(rows, row_groups=[i], use_threads=False)


def to_values(name: str, column: pa.Array) -> list[Any]:
    """Return a column's values, or the faults of those that Python cannot hold.

    Of times, what is below a microsecond is dropped.
    """
    kind = column.type
    if pa.types.is_temporal(kind) and getattr(kind, "unit", None) == "ns":
        coarse = {
            "timestamp": pa.timestamp("us", getattr(kind, "tz", None)),
            "duration": pa.duration("us"),
            "time64": pa.time64("us"),
        }
        column = column.cast(coarse[str(kind).split("[")[0]], safe=False)
    try:
        return list(column.to_pylist())
    except CELL_FAULTS:
        return [to_value(name, cell) for cell in column]


def to_value(name: str, cell: pa.Scalar) -> Any:
    """Return a cell's value, or its fault."""
    try:
        return cell.as_py()
    except CELL_FAULTS as error:
        return InputError(
            f"column '{name}'",
            expected=f"in column '{name}' a {cell.type} that Python can hold",
            found=str(error),
            remedy="Mend the value.",
        )


def choose_type(kinds: Iterable[Any]) -> pa.DataType:
    """Return the type that holds all values of a column; text where no other does.

    Args:
        kinds: types of Parquet columns and kinds of JSON values.
    """
    kinds = set(kinds) - {"null"}
    found = {kind if isinstance(kind, pa.DataType) else ARROW_TYPES[kind] for kind in kinds}
    if not found or {"wide", "float"} <= kinds:  # a float has no room for a wide integer
        return pa.string()
    try:
        fields = [pa.schema([("column", kind)]) for kind in sorted(found, key=str)]
        return pa.unify_schemas(fields, promote_options="permissive").field(0).type
    except pa.ArrowException:
        return pa.string()


def build_schema(columns: dict[str, set[Any]]) -> pa.Schema:
    """Return the schema of a table, given the kinds of each column's values."""
    return pa.schema([(name, choose_type(kinds)) for name, kinds in columns.items()])


def write_parquet(
    stream: IO[bytes], rows: Iterable[dict[str, Any]], columns: dict[str, set[Any]]
) -> None:
    """Write rows; a column that a row lacks is null there.

    Args:
        stream: where to.
        rows: values by column.
        columns: of each column the kinds of its values, as ``choose_type`` takes them.
    """
    schema = build_schema(columns)
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        for group in cut(rows, measure_row, GROUP_ROWS, GROUP_CHARACTERS):
            arrays = [build_array(field.name, field.type, group) for field in schema]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def build_array(name: str, kind: pa.DataType, rows: list[dict[str, Any]]) -> pa.Array:
    """Return a column of the rows."""
    values = [row.get(name) for row in rows]
    if is_text(kind):
        texts = [tables.to_text(value) for value in values]
        values = [text and text.encode("utf-8", "replace").decode() for text in texts]
    try:
        return pa.array(values, type=kind)
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise StanceError(
            f"column '{name}'",
            expected=f"values of the type {kind}",
            found=str(error),
            remedy="Write jsonl, or give the column one type.",
        ) from None


def join_parquet(stream: IO[bytes], parts: Sequence[Path], columns: dict[str, set[Any]]) -> None:
    """Write the rows of several files with the same columns as one."""
    schema = build_schema(columns)
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        for part in parts:
            with open_parquet(part) as file:
                for i in range(file.num_row_groups):
                    writer.write_table(file.read_row_group(i))
