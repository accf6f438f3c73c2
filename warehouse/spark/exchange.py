"""The way of the tables: sources of the models to a folder that the cluster reads, and what it built back.

What belongs here: Parquet out of the working database and into it. What does not: what a model is.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from warehouse.community.config import SparkConfig
from warehouse.duck import quote_identifier, sql_literal
from warehouse.settings import CommunityPaths

_SOURCES = ("lake", "config")
# What Spark keeps under another type than DuckDB writes.
_FOR_SPARK = {"UBIGINT": "decimal(20, 0)", "HUGEINT": "decimal(38, 0)", "TIME": "varchar"}


class SparkTablesError(RuntimeError):
    """The cluster left no table where one must be; the message names it."""


@contextmanager
def exchange_folder(paths: CommunityPaths, config: SparkConfig) -> Iterator[Path]:
    """An empty folder for one build, that every worker reaches under this path; removed when left."""
    folder = (config.folder or paths.temp) / "spark"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_sources(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write every source of the models as `<folder>/<schema>/<table>/part.parquet`.

    Args:
        con: the working database with schemas `lake` and `config` filled.
        folder: where to.
    """
    found = con.execute(
        """select table_schema, table_name, list({'name': column_name, 'type': data_type} order by ordinal_position)
        from information_schema.columns where table_catalog = current_database() and list_contains($schemas, table_schema)
        group by all order by all""",
        {"schemas": list(_SOURCES)},
    ).fetchall()
    for schema, table, columns in found:
        target = folder / schema / table
        target.mkdir(parents=True)
        chosen = ", ".join(_for_spark(column["name"], column["type"]) for column in columns)
        con.execute(
            f"copy (select {chosen} from {quote_identifier(schema)}.{quote_identifier(table)}) "
            f"to {sql_literal(str(target / 'part.parquet'))} (format parquet)"
        )


def _for_spark(name: str, kind: str) -> str:
    quoted = quote_identifier(name)
    return f"{quoted}::{_FOR_SPARK[kind]} as {quoted}" if kind in _FOR_SPARK else quoted


def read_tables(
    con: duckdb.DuckDBPyConnection, folder: Path, declared: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """Take every table that the cluster built under `<folder>/<schema>.db/<table>` into the working database.

    Args:
        con: the working database.
        folder: the cluster's warehouse.
        declared: columns with their types of tables as `<schema>.<table>`, for those of which nothing was written.

    Returns:
        The tables as `<schema>.<table>`.

    Raises:
        SparkTablesError: a table has no file and no declared columns.
    """
    taken: list[str] = []
    for place in sorted(folder.glob("*.db/*")):
        schema, table = place.parent.stem, place.name
        name = f"{quote_identifier(schema)}.{quote_identifier(table)}"
        con.execute(f"create schema if not exists {quote_identifier(schema)}")
        taken.append(f"{schema}.{table}")
        if not any(place.glob("*.parquet")):  # a seed without rows
            columns = declared.get(taken[-1])
            if not columns:
                raise SparkTablesError(f"Spark left no file of the table {taken[-1]} in {place}.")
            told = ", ".join(f"{quote_identifier(column)} {kind}" for column, kind in columns.items())
            con.execute(f"create or replace table {name} ({told})")
            continue
        files = sql_literal(str(place / "*.parquet"))
        moments = [
            row[0]
            for row in con.execute(f"describe select * from read_parquet({files})").fetchall()
            if row[1] == "TIMESTAMP WITH TIME ZONE"
        ]
        kept = ", ".join(f"timezone('UTC', {quote_identifier(m)}) as {quote_identifier(m)}" for m in moments)
        con.execute(
            f"create or replace table {name} as "
            f"select * {f'replace ({kept})' if kept else ''} from read_parquet({files})"
        )
    return taken
