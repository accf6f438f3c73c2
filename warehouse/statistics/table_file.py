"""A CSV, Parquet or Excel file, read as a table of text.

What belongs here: opening files. What does not: what their columns mean (`source`, `wide`).
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import re
import tempfile
from pathlib import Path

import duckdb
import pandas as pd

from warehouse import duck
from warehouse.statistics.source import AnalysisInputError

_PARQUET = (".parquet", ".pq")
_EXCEL = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
_DELIMITERS = (",", ";", "\t", "|")
_READABLE = "CSV, Parquet or Excel"


def read_table(path: Path, sheet: str | None = None, skip_rows: int = 0) -> pd.DataFrame:
    """Read a file as text, row order kept.

    Args:
        path: the file; what it is follows from its suffix, and is CSV where that says nothing else.
        sheet: sheet of a workbook; the first by default.
        skip_rows: rows above the row of column names.

    Raises:
        AnalysisInputError: the file is missing, is none of them, or is empty.
    """
    if not path.is_file():
        raise AnalysisInputError(f"{path}: no such file")
    suffix = path.suffix.lower()
    if suffix in _EXCEL:
        frame = _excel(path, sheet, skip_rows)
    elif sheet is not None:
        raise AnalysisInputError(f"{path}: is no workbook and has no sheet '{sheet}'; leave --sheet away")
    elif suffix in _PARQUET:
        frame = _queried(path, "read_parquet($file)")
    else:
        frame = _csv(path, skip_rows)
    # The index stays that of the file, so that messages can name its rows.
    frame = frame.dropna(how="all")
    if frame.empty:
        raise AnalysisInputError(f"{path}: has no rows below its row of column names")
    frame.columns = frame.columns.astype(str).str.strip().str.removeprefix("\ufeff")
    return frame


def _queried(path: Path, how: str, shown: Path | None = None, **options: str) -> pd.DataFrame:
    try:
        with duckdb.connect() as con:
            return con.execute(f"select columns(*)::varchar from {how}", {"file": str(path), **options}).df()
    except duckdb.Error as error:
        lines = str(error).replace(str(path), path.name).splitlines()
        # The line of the file and what is wrong with it; never the line itself.
        reason = "; ".join(
            line.strip() for line in lines if line.startswith(("Invalid", "Expected", "IO", "Binder"))
        )
        raise AnalysisInputError(
            f"{shown or path}: cannot be read as {_READABLE} ({reason or type(error).__name__}); save it as UTF-8 CSV with "
            "one row of column names and as many cells in every row"
        ) from None


def _csv(path: Path, skip_rows: int) -> pd.DataFrame:
    head = path.open("rb").read(4)
    packed = head[:2] == b"\x1f\x8b"
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else _encoding(path)
    if packed or encoding == "utf-8":
        return _plain_csv(path, path, skip_rows, packed)
    # Exports of desktop programs: Western Windows text is what is left where UTF-8 is ruled out.
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy.write_text(path.read_text(encoding=encoding, errors="replace"), encoding="utf-8")
        return _plain_csv(copy, path, skip_rows, packed)


def _plain_csv(path: Path, shown: Path, skip_rows: int, packed: bool) -> pd.DataFrame:
    """Read UTF-8 text; what parts its columns is what parts their names, so that a broken row cannot hide it."""
    names, delimiter, above = _names(path, skip_rows, packed)
    if not names:
        return pd.DataFrame()
    columns = ", ".join(f"{duck.sql_literal(name)}: 'VARCHAR'" for name in names)
    how = (
        f"read_csv($file, auto_detect = false, columns = {{{columns}}}, header = true, skip = {above}, "
        "delim = $delimiter, quote = '\"', escape = '\"')"
    )
    return _queried(path, how, shown, delimiter=delimiter)


def _names(path: Path, skip_rows: int, packed: bool) -> tuple[list[str], str, int]:
    """Names of the columns, each once, what parts them, and the lines above them, blank ones included."""
    with path.open("rb") as raw:
        text = io.TextIOWrapper(
            gzip.GzipFile(fileobj=raw) if packed else raw,  # type: ignore[arg-type]
            encoding="utf-8-sig", errors="replace", newline="",
        )  # fmt: skip
        numbered = enumerate(text)
        above, first = next(
            ((at, line) for at, line in numbered if at >= skip_rows and line.strip()), (0, "")
        )
        below = (line for _, line in numbered)
        delimiter = max(_DELIMITERS, key=re.sub(r'"[^"]*"', "", first).count)
        record = next(csv.reader(itertools.chain([first], below), delimiter=delimiter), [])
    taken: dict[str, int] = {}
    names = []
    for at, name in enumerate(record, 1):
        plain = name.strip() or f"column {at}"
        taken[plain] = taken.get(plain, 0) + 1
        names.append(plain if taken[plain] == 1 else f"{plain}_{taken[plain]}")
    return names, delimiter, above


def _encoding(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as text:
            while text.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _excel(path: Path, sheet: str | None, skip_rows: int) -> pd.DataFrame:
    import fastexcel  # heavy, and only for workbooks

    try:
        book = fastexcel.read_excel(str(path))
        names = book.sheet_names
        if sheet is not None and sheet not in names:
            listed = ", ".join(f"'{name}'" for name in names)
            raise AnalysisInputError(f"{path}: has no sheet '{sheet}'. Sheets: {listed}")
        table = book.load_sheet(sheet or 0, header_row=skip_rows, dtypes="string").to_pandas()
    except fastexcel.FastExcelError as error:
        raise AnalysisInputError(
            f"{path}: cannot be read as a workbook ({str(error).splitlines()[0]}); save it as .xlsx or as CSV"
        ) from None
    return table.astype("object")
