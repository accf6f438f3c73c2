"""Workbooks: the sheet with the table, titles and merged headers above it, dates as cells, stored values of formulas.

What belongs here: XLSX, XLSM, XLS and ODS through calamine. What does not: what is refused unopened (`workbook_guard`).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatch
from typing import Any

import pyarrow as pa
from python_calamine import CalamineWorkbook, SheetVisibleEnum

from ingestion.readers.cells import ColumnTexts, cell_text
from ingestion.readers.model import (
    Member,
    ReadResult,
    Request,
    UnreadableFileError,
    check_columns,
    check_records,
    fold_name,
    warning,
)
from ingestion.readers.records import Record
from ingestion.readers.scratch import load_texts
from ingestion.readers.table_layout import TableFinder
from ingestion.readers.workbook_guard import PackageLook, SheetPart, look_into
from ingestion.readers.xls_guard import check_reach

_HEAD = 300
_PROBED = 60
# Rows of data that are looked at one by one before the rest of them is taken as a run.
_RUN = 20


class _Book:
    """An opened workbook that is within the limits."""

    def __init__(self, request: Request) -> None:
        from ingestion.readers.formats import format_of

        self.kind = format_of(request.path, request.hints)
        self._last: tuple[str, Any] | None = None
        if _is_encrypted(request):
            raise UnreadableFileError(
                "encrypted_workbook", "It is protected by a password.", "Save it without a password."
            )
        self.look = PackageLook({})
        with _faults_told():
            if self.kind == "xls":
                check_reach(request.path, request.limits)
            else:
                self.look = look_into(request.path, self.kind, request.limits)
            self.book = CalamineWorkbook.from_path(str(request.path))
            self.sheets = [
                (sheet.name, sheet.visible != SheetVisibleEnum.Visible) for sheet in self.book.sheets_metadata
            ]

    def rows(self, name: str) -> list[list[Any]]:
        """Cells of a sheet, from its first row and column on."""
        with _faults_told():
            return list(self._sheet(name).to_python(skip_empty_area=False))

    def merged(self, name: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
        """Merged areas, first and last cell."""
        with _faults_told():
            return list(self._sheet(name).merged_cell_ranges or [])

    def _sheet(self, name: str) -> Any:
        # Each asking reads all of the sheet's XML anew.
        if self._last is None or self._last[0] != name:
            self._last = (name, self.book.get_sheet_by_name(name))
        return self._last[1]

    def is_filled(self, name: str) -> bool:
        """Whether a sheet has cells."""
        part = self.look.parts.get(name)
        return part.cells if part is not None else bool(self.rows(name))


def tables(request: Request) -> list[Member]:
    """The sheets that have cells, hidden ones told apart; empty when there is but one."""
    book = _Book(request)
    found = [Member(name, "sheet", hidden=hidden) for name, hidden in book.sheets if book.is_filled(name)]
    return found if len(found) > 1 else []


def read(request: Request) -> ReadResult:
    """Read one sheet of a workbook; see `ingestion.readers.read`."""
    book = _Book(request)
    chosen = _chosen(book, request)
    rows = book.rows(chosen)
    head, finder = _find_header(book, request, chosen, rows)
    names = finder.layout.names
    if not names:
        raise UnreadableFileError(
            "no_header",
            f"No header row was found on sheet '{chosen}'.",
            "Check the sheet and its header row.",
        )
    check_columns(len(names), request.limits)
    data = _data(rows, head, finder)
    texts = ColumnTexts(book.look.from_1904)
    count = _load(request, names, data, texts)
    layout = finder.layout
    layout.kinds["data"] = count
    return ReadResult(
        columns=names,
        records_read=count,
        format=book.kind,
        dialect={"sheet": chosen},
        header={"line": layout.header_line, "rows": layout.header_rows},
        labels=layout.labels,
        warnings=_warnings(book, chosen, texts, layout.set_aside),
        physical=layout.kinds,
    )


def _find_header(book: _Book, request: Request, sheet: str, rows: list[list[Any]]) -> tuple[int, TableFinder]:
    """How many rows the header was sought in, and what was found."""
    head = [[cell_text(cell) or "" for cell in row] for row in rows[:_HEAD]]
    _spread_merged(head, book.merged(sheet))
    widths = [_extent(row) for row in head if any(row)]
    width = max(set(widths), key=lambda one: (widths.count(one) * one, one)) if widths else 0
    records = [
        Record(line, 1, cells[: max(width, _extent(cells))]) for line, cells in enumerate(head, start=1)
    ]
    finder = TableFinder(records, width, request.hints, request.expected)
    return len(head), finder


def _spread_merged(head: list[list[str]], merged: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    """Repeat a heading over the columns it was merged across; a title over the whole row stays one cell."""
    several = [len({cell for cell in row if cell}) > 1 for row in head]
    for (top, left), (bottom, right) in merged:
        if top == bottom and top < len(head) and several[top] and right > left:
            head[top][left : right + 1] = [head[top][left]] * (right + 1 - left)


def _extent(row: Sequence[str]) -> int:
    return max((n for n, cell in enumerate(row, start=1) if cell.strip()), default=0)


def _data(rows: list[list[Any]], head: int, finder: TableFinder) -> list[list[Any]]:
    """The data rows: of the head as found; of the rest all but blank ones, repeated headers and notes at the end.

    What is surely data is passed over in runs: their first row stands for the rest.
    """
    repeats, sought = finder.first_texts(), finder.seeks_patterns
    runs: dict[int, int] = {}
    told: list[int] = []
    clear = 0
    for at in range(head, len(rows)):
        clear = clear + 1 if not sought and _is_data(rows[at], repeats) else 0
        if clear > _RUN:
            runs[told[-1]] += 1
        else:
            told.append(at)
            runs[at] = 1
    texts = (Record(at + 1, 1, [cell_text(cell) or "" for cell in rows[at]]) for at in told)
    data: list[list[Any]] = []
    for record in finder.data(texts):
        at = record.line - 1
        data += rows[at : at + runs.get(at, 1)]
    return data


def _is_data(row: list[Any], repeats: dict[int, set[str]]) -> bool:
    """Whether a row is neither blank nor a note, which have no second cell, nor one of the header's repeated."""
    filled = 0
    for at, cell in enumerate(row):
        if cell == "" or cell is None:
            continue
        if isinstance(cell, str) and (not cell.strip() or cell.strip() in repeats.get(at, ())):
            return False
        filled += 1
        if filled > 1:
            return True
    return False


def _load(request: Request, names: list[str], data: list[list[Any]], texts: ColumnTexts) -> int:
    check_records(len(data), request.limits)
    columns = texts.of_rows(data, min(len(names), len(data[0]) if data else 0))
    columns += [pa.nulls(len(data), pa.string())] * (len(names) - len(columns))
    load_texts(request.con, request.relation, pa.table(columns, names=names))
    return len(data)


def _chosen(book: _Book, request: Request) -> str:
    """The sheet as pinned, else the visible one with the known header, else the first visible one with cells."""
    pinned, names = request.hints.sheet, [name for name, _ in book.sheets]
    shown = ", ".join(f"'{name}'" for name in names[:20])
    if isinstance(pinned, int):
        if pinned >= len(names):
            raise UnreadableFileError("no_sheet", f"It has {len(names)} sheets: {shown}.", "Mend `sheet`.")
        return names[pinned]
    if pinned is not None:
        found = [n for n in names if n == pinned] or [
            name for name in names if fnmatch(name.strip().casefold(), pinned.strip().casefold())
        ]
        if len(found) != 1:
            why = f"{len(found) or 'No'} sheets are named like '{pinned}'; sheets: {shown}."
            raise UnreadableFileError("no_sheet", why, "Name the sheet as agreed, or mend `sheet`.")
        return found[0]
    filled = [name for name, hidden in book.sheets if not hidden and book.is_filled(name)]
    if not filled:
        raise UnreadableFileError(
            "empty_file", "No visible sheet holds anything.", "Send the workbook with its table."
        )
    if len(filled) == 1 or not request.expected:
        return filled[0]
    return max(
        filled, key=lambda name: (_hits(book.rows(name)[:_PROBED], request.expected), -filled.index(name))
    )


def _hits(rows: list[list[Any]], expected: frozenset[str]) -> int:
    return max((len({fold_name(str(cell)) for cell in row} & expected) for row in rows), default=0)


def _warnings(book: _Book, chosen: str, texts: ColumnTexts, set_aside: list[int]) -> list[dict[str, str]]:
    told = []
    hidden = [
        name for name, is_hidden in book.sheets if is_hidden and name != chosen and book.is_filled(name)
    ]
    others = [
        name for name, is_hidden in book.sheets if not is_hidden and name != chosen and book.is_filled(name)
    ]
    for code, names, what in (
        ("sheets_not_read", others, "Other sheets"),
        ("hidden_sheets", hidden, "Hidden sheets"),
    ):
        if names:
            why = f"{what} with content were not read: {', '.join(names[:10])}."
            told.append(warning(code, why, "Name the sheet as `sheet` in `read`, or send it without them."))
    part = book.look.parts.get(chosen, SheetPart())
    if dict(book.sheets)[chosen]:
        told.append(warning("hidden_sheet", f"The sheet '{chosen}' is hidden; it was read.", "Look at it."))
    if part.hidden_rows:
        why = f"{part.hidden_rows:,} rows are hidden or filtered out; they were read like the others."
        told.append(warning("hidden_rows", why, "Delete them before sending if they should not count."))
    if part.error_cells:
        why = f"{part.error_cells:,} cells hold an error like #N/A; they count as empty."
        told.append(warning("error_cells", why, "Correct the formulas."))
    if part.unvalued:
        why = f"{part.unvalued:,} formulas were saved without their values; they count as empty."
        told.append(warning("formula_without_value", why, "Open it in a spreadsheet program and save it."))
    if texts.date_numbers:
        why = f"{texts.date_numbers:,} cells of date columns were plain numbers; they were read as dates."
        told.append(warning("date_numbers", why, "Format the columns as dates throughout."))
    if set_aside:
        lines = ", ".join(map(str, sorted(set_aside)[:10]))
        told.append(warning("set_aside", f"Rows that are no data were set aside: {lines}."))
    return told


def _is_encrypted(request: Request) -> bool:
    with request.path.open("rb") as stream:
        head = stream.read(1 << 20)
    return head.startswith(b"\xd0\xcf\x11\xe0") and "EncryptedPackage".encode("utf-16-le") in head


@contextmanager
def _faults_told() -> Iterator[None]:
    """Whatever goes wrong inside of the library is a refusal; its panics are no `Exception`."""
    try:
        yield
    except UnreadableFileError:
        raise
    except Exception as error:
        raise _broken(error) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise _broken(error) from None


def _broken(error: BaseException) -> UnreadableFileError:
    kind = "ZIP" if isinstance(error, zipfile.BadZipFile) else type(error).__name__
    return UnreadableFileError(
        "unreadable_workbook",
        f"It is no readable workbook ({kind}).",
        "Save it again as .xlsx and send it whole.",
    )
