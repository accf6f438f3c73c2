"""The files of a release that machines read: Parquet, one DuckDB file, CSV with its data package description.

What belongs here: writing tables in a fixed order. What does not: the workbook (`workbook`), the dictionary
(`dictionary`), or which rows there are (`tables`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from warehouse.duck import quote_identifier, sql_literal
from warehouse.release.spec import RELEASE_ID, PublishedTable

DATABASE = "throughline.duckdb"
_ROW_GROUP = 122_880
_FRICTIONLESS = {
    "varchar": "string",
    "bigint": "integer",
    "double": "number",
    "boolean": "boolean",
    "date": "date",
}


def write_tables(
    con: duckdb.DuckDBPyConnection, folder: Path, tables: Sequence[PublishedTable], release_id: str
) -> dict[str, int]:
    """Write every table as Parquet and CSV and into one DuckDB file; returns the number of rows by table.

    Rows stand in order of all columns, from left to right, so the same rows give the same Parquet file.
    """
    (folder / "tables").mkdir()
    (folder / "csv").mkdir()
    con.execute("set preserve_insertion_order = true")
    con.execute(f"attach {sql_literal(str(folder / DATABASE))} as published")
    counts = {}
    for table in tables:
        stored = f"published.main.{table.name}"
        con.execute(
            f"create table {stored} as select *, {sql_literal(release_id)} as {RELEASE_ID} "
            f"from {table.name} order by all"
        )
        _comment(con, stored, table)
        parquet = sql_literal(str(folder / "tables" / f"{table.name}.parquet"))
        con.execute(
            f"copy (from {stored}) to {parquet} (format parquet, compression zstd, row_group_size {_ROW_GROUP})"
        )
        con.execute(
            f"copy (from {stored}) to {sql_literal(str(folder / 'csv' / f'{table.name}.csv'))} (format csv, header)"
        )
        row = con.execute(f"select count(*) from {stored}").fetchone()
        counts[table.name] = int(row[0]) if row else 0
    con.execute("detach published")
    return counts


def _comment(con: duckdb.DuckDBPyConnection, stored: str, table: PublishedTable) -> None:
    told = [f"comment on table {stored} is {sql_literal(table.description)}"]
    told += [
        f"comment on column {stored}.{quote_identifier(name)} is {sql_literal(column.about)}"
        for name, column in table.all_columns.items()
    ]
    con.execute(";\n".join(told))


def write_data_package(
    folder: Path, tables: Sequence[PublishedTable], manifest: Mapping[str, Any], counts: Mapping[str, int]
) -> None:
    """Describe the CSV files for open-data portals, in the form of a tabular data package."""
    package = {
        "profile": "tabular-data-package",
        "name": f"{manifest['community_id'].replace('_', '-')}-indicators",
        "title": f"{manifest['community_name']}: indicators, gaps and gateway status",
        "version": str(manifest["number"]),
        "created": manifest["created_at"],
        "description": "Published tables after disclosure control. Empty numbers in a row marked as suppressed are "
        "withheld to protect people.",
        "resources": [
            {
                "name": table.name.replace("_", "-"),
                "path": f"{table.name}.csv",
                "profile": "tabular-data-resource",
                "title": table.title,
                "description": table.description,
                "rows": counts[table.name],
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "schema": {
                    "fields": [
                        {"name": name, "type": _FRICTIONLESS[column.type], "description": column.about}
                        for name, column in table.all_columns.items()
                    ],
                    "primaryKey": list(table.keys),
                    "missingValues": [""],
                },
            }
            for table in tables
        ],
    }
    text = json.dumps(package, indent=1, ensure_ascii=False)
    (folder / "csv" / "datapackage.json").write_text(text, encoding="utf-8")
