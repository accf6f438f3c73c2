"""Parquet: every value as text, nested structures as dotted columns.

What belongs here: types to text. What does not: other formats.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.readers.model import (
    Limits,
    ReadResult,
    Request,
    UnreadableFileError,
    check_columns,
    check_records,
    unique_names,
)
from warehouse.duck import quote_identifier, sql_literal

_EXACT_FLOAT = 2**53


def read(request: Request) -> ReadResult:
    """Read a Parquet file; see `ingestion.readers.read`."""
    try:
        with pq.ParquetFile(request.path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
            size = sum(
                file.metadata.row_group(n).total_byte_size for n in range(file.metadata.num_row_groups)
            )
    except (pa.ArrowException, OSError, ValueError, RuntimeError) as error:
        raise _broken(error) from None
    _check(rows, size, request.limits)
    columns = [
        pair for field in schema for pair in _texts(field, quote_identifier(field.name), field.name, request)
    ]
    check_columns(len(columns), request.limits)
    names = unique_names([name for name, _ in columns])
    listed = ", ".join(
        f"{sql} as {quote_identifier(name)}" for name, (_, sql) in zip(names, columns, strict=True)
    )
    con = request.con
    con.execute("set preserve_insertion_order = true")
    try:
        con.execute(
            f"create or replace table {quote_identifier(request.relation)} as "
            f"select file_row_number + 1 as _record, {listed} "
            f"from read_parquet({sql_literal(str(request.path))}, file_row_number = true)"
        )
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise _broken(error) from None
    finally:
        con.execute("set preserve_insertion_order = false")
    count = con.execute(f"select count(*) from {quote_identifier(request.relation)}").fetchone()
    if not count or count[0] != rows:
        raise _broken(ValueError())
    return ReadResult(columns=names, records_read=rows, format="parquet", physical={"data": rows})


def _check(rows: int, size: int, limits: Limits) -> None:
    check_records(rows, limits)
    if size > limits.max_bytes:
        why = f"It would unpack to {size:,} bytes; the limit is {limits.max_bytes:,}."
        raise UnreadableFileError("too_large", why, "Split the file, or raise the limit.")


def _broken(error: Exception) -> UnreadableFileError:
    return UnreadableFileError(
        "broken_file",
        f"It is no whole Parquet file ({type(error).__name__}).",
        "Export and send the whole file again.",
    )


def _texts(
    field: pa.Field, sql: str, name: str, request: Request, depth: int = 0
) -> Iterator[tuple[str, str]]:
    """Name and SQL of the text of a column, or of each part of a nested one."""
    kind = field.type
    if depth > request.limits.max_depth:
        raise UnreadableFileError("too_deep", "Its columns are nested too deep.", "Send a flatter table.")
    if pa.types.is_struct(kind):
        for number in range(kind.num_fields):
            part = kind.field(number)
            inner = f"struct_extract({sql}, {sql_literal(part.name)})"
            yield from _texts(part, inner, f"{name}.{part.name}", request, depth + 1)
    elif pa.types.is_floating(kind):
        # A whole number that another program kept as a float because of gaps is a whole number.
        whole = f"{sql} = trunc({sql}) and abs({sql}) < {_EXACT_FLOAT}"
        yield name, f"case when {whole} then {sql}::bigint::varchar else {sql}::varchar end"
    elif pa.types.is_timestamp(kind):
        # In UTC whatever the machine's zone; a moment at midnight is a date to most exports.
        moment = f"make_timestamp(epoch_us({sql}))" if kind.tz else f"{sql}::timestamp"
        day = f"{moment} = date_trunc('day', {moment})"
        yield name, f"case when {day} then ({moment})::date::varchar else ({moment})::varchar end"
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        yield name, f"coalesce(try(decode({sql}::blob)), hex({sql}::blob))"
    elif _is_plain_list(kind):
        yield (
            name,
            f"nullif(array_to_string({sql}::varchar[], {sql_literal(request.hints.repeat_separator)}), '')",
        )
    elif pa.types.is_nested(kind):
        yield name, f"to_json({sql})::varchar"
    else:
        yield name, f"{sql}::varchar"


def _is_plain_list(kind: pa.DataType) -> bool:
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return is_list and not pa.types.is_nested(kind.value_type)
