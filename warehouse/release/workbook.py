"""The workbook of a release, for people who open figures in a spreadsheet: the rows that they look for first.

What belongs here: one sheet a table, with headings that stay. What does not: the whole of large tables (see `files`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import xlsxwriter

from warehouse.release.spec import PublishedTable

_MOST_ROWS = 50_000
_WIDTHS = {"varchar": 24, "bigint": 12, "double": 12, "boolean": 12, "date": 12}


def write_workbook(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    tables: Sequence[PublishedTable],
    manifest: Mapping[str, Any],
) -> Path:
    """Write `workbook.xlsx`: a sheet that explains, then a sheet for each table meant for people.

    Of a table with very many rows the first fifty thousand are in it, and the sheet says so.
    """
    target = folder / "workbook.xlsx"
    book = xlsxwriter.Workbook(str(target), {"constant_memory": True, "strings_to_formulas": False})
    # A workbook carries its moment; the release's own, so that making it again gives the same bytes.
    created = datetime.fromisoformat(str(manifest["created_at"])).replace(tzinfo=None)
    book.set_properties(
        {"title": f"{manifest['community_name']}: release {manifest['release_id']}", "created": created}
    )
    bold = book.add_format({"bold": True, "bottom": 1})
    share = book.add_format({"num_format": "0.000"})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    _read_me(book, bold, tables, manifest)
    for table in tables:
        if table.workbook:
            _sheet(book, con, table, {"head": bold, "double": share, "date": day})
    book.close()
    return target


def _read_me(
    book: xlsxwriter.Workbook, bold: Any, tables: Sequence[PublishedTable], manifest: Mapping[str, Any]
) -> None:
    sheet = book.add_worksheet("read me")
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 1, 110)
    lines = [
        ("Community", manifest["community_name"]),
        ("Release", manifest["release_id"]),
        (
            "Withheld",
            "Rows marked is_suppressed have empty numbers: they protect small groups, and sometimes a larger one beside them.",
        ),
        ("Rates", "Shares from 0 to 1, with the limits of a 95 % interval."),
        (
            "Rows",
            "The whole community by one kind of group at a time; everything else is in the Parquet, CSV and DuckDB files.",
        ),
    ]
    for number, (name, text) in enumerate(lines):
        sheet.write_string(number, 0, name, bold)
        sheet.write_string(number, 1, str(text))
    first = len(lines) + 1
    for number, table in enumerate(table for table in tables if table.workbook):
        sheet.write_string(first + number, 0, _sheet_name(table), bold)
        sheet.write_string(first + number, 1, table.description)


def _sheet_name(table: PublishedTable) -> str:
    return table.title.replace(":", "")[:31]


def _sheet(
    book: xlsxwriter.Workbook,
    con: duckdb.DuckDBPyConnection,
    table: PublishedTable,
    formats: Mapping[str, Any],
) -> None:
    sheet = book.add_worksheet(_sheet_name(table))
    sheet.freeze_panes(1, 0)
    relation = con.execute(
        f"select * from {table.name} where {table.workbook} order by all limit {_MOST_ROWS + 1}"
    )
    columns = [column[0] for column in relation.description or []]
    rows = relation.fetchall()
    kinds = [table.all_columns[name].type for name in columns]
    for index, (name, kind) in enumerate(zip(columns, kinds, strict=True)):
        sheet.set_column(index, index, _WIDTHS[kind], formats.get(kind))
        sheet.write_string(0, index, name, formats["head"])
    for number, row in enumerate(rows[:_MOST_ROWS], start=1):  # xlsxwriter writes cell by cell
        for index, value in enumerate(row):
            if value is not None:
                _cell(sheet, number, index, value, formats)
    if len(rows) > _MOST_ROWS:
        sheet.write_string(_MOST_ROWS + 1, 0, "More rows are in the Parquet, CSV and DuckDB files.")
    sheet.autofilter(0, 0, max(len(rows[:_MOST_ROWS]), 1), len(columns) - 1)


def _cell(sheet: Any, row: int, column: int, value: Any, formats: Mapping[str, Any]) -> None:
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value, formats["double"] if isinstance(value, float) else None)
    elif isinstance(value, str):
        sheet.write_string(row, column, value)
    else:
        sheet.write_datetime(row, column, datetime(value.year, value.month, value.day), formats["date"])  # noqa: DTZ001
