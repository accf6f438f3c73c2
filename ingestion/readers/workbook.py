"""Spreadsheets: title rows above the header, dates as cells, cached values of formulas.

What belongs here: XLSX, XLSM, XLS and ODS through calamine. What does not: text files.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import pyarrow as pa
from python_calamine import CalamineWorkbook

from ingestion.readers.model import ReadResult, Request, UnreadableFileError, unique_names
from warehouse.duck import quote_identifier


def read(request: Request) -> ReadResult:
    """Read one sheet of a workbook; see `ingestion.readers.read`."""
    path, con, relation = request.path, request.con, request.relation
    hints, limits = request.hints, request.limits
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        sheet = hints.sheet if hints.sheet is not None else 0
        names = workbook.sheet_names
        if isinstance(sheet, str) and sheet not in names:
            raise UnreadableFileError(
                "no_sheet", f"No sheet of the configured name; sheets: {names}.", "Mend `sheet`."
            )
        chosen = names[sheet] if isinstance(sheet, int) else sheet
        rows = workbook.get_sheet_by_name(chosen).to_python(skip_empty_area=False)
    except UnreadableFileError:
        raise
    except Exception as error:
        raise UnreadableFileError(
            "unreadable_workbook",
            f"It is no readable workbook ({type(error).__name__}).",
            "Save it again as .xlsx.",
        ) from None
    first = hints.header_row if hints.header_row is not None else _header_row(rows)
    if first >= len(rows):
        raise UnreadableFileError(
            "no_header", "No header row was found.", "Check the sheet and its header row."
        )
    header = [_text(cell) or "" for cell in rows[first]]
    while header and not header[-1]:
        header.pop()
    columns = unique_names(header)
    if len(columns) > limits.max_columns:
        raise UnreadableFileError("too_many_columns", f"It has {len(columns):,} columns.", "Check the sheet.")
    data = [row[: len(columns)] for row in rows[first + (hints.header_rows or 1) :]]
    data = [row for row in data if any(cell not in ("", None) for cell in row)]
    arrays = {"_record": pa.array(range(1, len(data) + 1), pa.int64())}
    for index, name in enumerate(columns):
        arrays[name] = pa.array(
            [_text(row[index]) if index < len(row) else None for row in data], pa.string()
        )
    con.register("_sheet", pa.table(arrays))
    con.execute(f"create or replace table {quote_identifier(relation)} as from _sheet")
    con.unregister("_sheet")
    return ReadResult(
        columns=columns,
        records_read=len(data),
        format=path.suffix.lower().lstrip(".") or "xlsx",
        dialect={"sheet": chosen},
        header={"row": first, "rows": hints.header_rows or 1},
    )


def _header_row(rows: list[list[Any]]) -> int:
    widths = [sum(1 for cell in row if cell not in ("", None)) for row in rows[:200]]
    common = max(set(widths), key=lambda width: (widths.count(width) * width, width)) if widths else 0
    return next((index for index, width in enumerate(widths) if width >= max(1, 0.8 * common)), 0)


def _text(cell: Any) -> str | None:
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)
