"""Workbooks of the sample: title rows above the header, real date cells.

What belongs here: writing them. What does not: what they say (`files`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd
import xlsxwriter


@dataclass(frozen=True)
class Workbook:
    """A sheet to write: where (partner/file), its title, and its rows."""

    place: str
    title: str
    frame: pd.DataFrame


def write_workbook(landing: Path, book: Workbook) -> None:
    """Write one workbook into the landing folder; the same rows give the same bytes."""
    path = landing / book.place
    path.parent.mkdir(parents=True, exist_ok=True)
    file = xlsxwriter.Workbook(str(path), {"constant_memory": True, "default_date_format": "mm/dd/yyyy"})
    file.set_properties({"created": datetime(2024, 9, 1)})  # noqa: DTZ001
    sheet = file.add_worksheet("Export")
    sheet.write_row(0, 0, [book.title])
    sheet.write_row(1, 0, ["Exported for the partnership. Do not edit."])
    sheet.write_row(3, 0, list(book.frame.columns))
    columns = [
        column.dt.to_pydatetime() if column.dtype.kind == "M" else column.tolist()
        for _, column in book.frame.items()
    ]
    for index, row in enumerate(zip(*columns, strict=True), start=4):
        sheet.write_row(index, 0, [None if value != value else value for value in row])
    file.close()
