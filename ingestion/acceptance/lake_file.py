"""One Parquet file of the lake: rows from a query, and columns that hold one value written once instead of a row each.

What belongs here: the file. What does not: which rows and columns it has (`store`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
from pyarrow import parquet

from warehouse.duck import quote_identifier

_GROUP = 1 << 17


def write_lake_file(
    con: duckdb.DuckDBPyConnection, rows: str, names: list[str], constants: Mapping[str, str], path: Path
) -> int:
    """Write a lake file.

    Args:
        con: where the query runs.
        rows: what the rows are selected from, with its conditions: what follows `from`.
        names: the file's columns, in order.
        constants: SQL of those that hold one value.
        path: the file; whoever asked puts it in its place.

    Returns:
        How many rows it has.
    """
    fixed = [name for name in names if name in constants]
    values = con.execute(
        f"select {', '.join(f'{constants[name]} as {quote_identifier(name)}' for name in fixed)}"
    ).to_arrow_table()
    varying = [name for name in names if name not in constants]
    listed = ", ".join(map(quote_identifier, varying))
    reader = con.execute(f"select {listed} from {rows}").to_arrow_reader(_GROUP)
    kinds = {**_kinds(reader.schema), **{name: _constant(values, name, 0).type for name in fixed}}
    schema = pa.schema([(name, kinds[name]) for name in names])
    # Readers look for numbers and dates in ranges; what text has least and greatest helps none of them.
    ranged = [name for name in varying if not pa.types.is_string(kinds[name])]
    count = 0
    with parquet.ParquetWriter(
        path, schema, compression="zstd", write_statistics=ranged, store_schema=False
    ) as out:
        for batch in reader:
            size = batch.num_rows
            columns = [
                _constant(values, name, size) if name in constants else batch.column(name) for name in names
            ]
            out.write_batch(pa.record_batch(columns, schema=schema), row_group_size=_GROUP)
            count += size
    return count


def _kinds(schema: pa.Schema) -> dict[str, pa.DataType]:
    return dict(zip(schema.names, schema.types, strict=True))


def _constant(values: pa.Table, name: str, size: int) -> pa.Array:
    """A column of one value; text stands once in it."""
    value = values.column(name).combine_chunks()
    if value.null_count:
        return pa.nulls(size, value.type)
    if not pa.types.is_string(value.type):
        return pa.repeat(value[0], size)
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), size), value)
