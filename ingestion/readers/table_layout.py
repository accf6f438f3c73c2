"""Where the table stands among a file's records: titles, header, data, repeated headers, notes at the end.

What belongs here: what each record is. What does not: cutting records (`records`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingestion.readers.celltypes import is_typed
from ingestion.readers.model import ReadHints, unique_names
from ingestion.readers.records import Record

_PROBED_ROWS = 200
_MOST_TITLES = 50
_FILLED = 0.6
_TYPED_COLUMN = 0.6
_NOTE = re.compile(r"(?i)\s*(total|sum|source|note|notes|generated|exported|end of|rows?:|records?:|#|\*|--)")


@dataclass
class TableLayout:
    """What the records of a file are.

    Attributes:
        names: names of the columns, unique.
        rows: data records.
        header_line: physical line of the header from 1, 0 where there is none.
        header_rows: how many records the header takes.
        kinds: how many records are title, header, data, blank, comment, repeated header, footer.
        set_aside: physical lines of what is neither header nor data nor blank.
    """

    names: list[str]
    rows: list[Record]
    header_line: int
    header_rows: int
    kinds: dict[str, int] = field(default_factory=dict)
    set_aside: list[int] = field(default_factory=list)


def find_table(records: Sequence[Record], width: int, hints: ReadHints) -> TableLayout:
    """Tell header, data and the rest apart.

    Args:
        records: every record of the file.
        width: number of cells that most records have.
        hints: what is known beforehand.
    """
    layout = TableLayout([], [], 0, 0)
    kept: list[Record] = []
    for record in records:
        if not any(cell.strip() for cell in record.cells):
            _count(layout, "blank")
        elif hints.comment and record.cells[0].lstrip().startswith(hints.comment):
            _aside(layout, "comment", record)
        else:
            kept.append(record)
    if not kept:
        return layout
    first, rows = _header(kept, width, hints)
    for record in kept[:first]:
        _aside(layout, "title", record)
    header = kept[first : first + rows]
    body = kept[first + rows :]
    layout.header_rows, layout.header_line = rows, header[0].line if header else 0
    if header:
        layout.kinds["header"] = len(header)
    body = _without_footer(layout, _without_repeated(layout, body, header), width, hints)
    widest = max([len(record.cells) for record in body], default=width)
    layout.names = _names(header, body, max(width, 1), widest, hints)
    layout.rows = body
    layout.kinds["data"] = len(body)
    return layout


def _count(layout: TableLayout, kind: str) -> None:
    layout.kinds[kind] = layout.kinds.get(kind, 0) + 1


def _aside(layout: TableLayout, kind: str, record: Record) -> None:
    _count(layout, kind)
    layout.set_aside.append(record.line)


def _header(kept: list[Record], width: int, hints: ReadHints) -> tuple[int, int]:
    """Position of the header among the records, and how many records it takes."""
    if hints.header_row is not None:
        # The hint counts physical lines from 0.
        at = next((n for n, record in enumerate(kept) if record.line > hints.header_row), 0)
        return at, 1 if hints.header_rows is None else hints.header_rows
    if hints.columns is not None:
        return 0, hints.header_rows or 0
    at = _first_of_table(kept, width)
    if hints.header_rows is not None:
        return at, hints.header_rows
    body = kept[at + 1 : at + 1 + _PROBED_ROWS]
    typed = _typed_columns(body, width)
    if not typed:
        return at, 1
    if _fits(kept[at], typed):
        # A header may follow another dialect than the data; then it stands just before them.
        before = kept[at - 1] if at else None
        if before is not None and len(before.cells) == width and not _fits(before, typed):
            return at - 1, 1
        return at, 0
    second = kept[at + 1]
    is_second_header = (
        len(body) > 2
        and len(typed) > 1
        and len(second.cells) == len(kept[at].cells)
        and not any(is_typed(cell) for cell in second.cells)
        and not any(_blank_row(record, typed) for record in body[1:])
    )
    return at, 2 if is_second_header else 1


def _first_of_table(kept: list[Record], width: int) -> int:
    """The first record as wide as the table, with text in most of its cells; titles stand before it."""
    for by_dialect in (True, False):
        for at, record in enumerate(kept[:_MOST_TITLES]):
            filled = sum(1 for cell in record.cells if cell.strip())
            is_wide = len(record.cells) >= width and filled >= max(1, _FILLED * width)
            if is_wide and not (by_dialect and record.repair == "other delimiter"):
                return at
    for at, record in enumerate(kept[:_MOST_TITLES]):
        if len(record.cells) > 1:
            return at
    return 0


def _typed_columns(body: list[Record], width: int) -> list[int]:
    """Columns most of whose filled cells are numbers, dates or the like."""
    found = []
    for column in range(width):
        filled = [r.cells[column] for r in body if column < len(r.cells) and r.cells[column].strip()]
        if filled and sum(map(is_typed, filled)) >= _TYPED_COLUMN * len(filled):
            found.append(column)
    return found


def _fits(record: Record, typed: list[int]) -> bool:
    """Whether a record's cells are of the columns' kinds: then it is data, and there is no header."""
    cells = [record.cells[column] for column in typed if column < len(record.cells)]
    return bool(cells) and sum(map(is_typed, cells)) > 0.5 * len(cells)


def _blank_row(record: Record, typed: list[int]) -> bool:
    cells = [record.cells[column] for column in typed if column < len(record.cells)]
    return bool(cells) and not any(is_typed(cell) for cell in cells)


def _without_repeated(layout: TableLayout, body: list[Record], header: list[Record]) -> list[Record]:
    """The data without records that repeat the header, as reports of several pages have."""
    if not header or not any(cell.strip() for cell in header[0].cells):
        return body
    texts = [[cell.strip() for cell in record.cells] for record in header]
    kept = []
    for record in body:
        if len(record.cells) > 1 and [cell.strip() for cell in record.cells] in texts:
            _aside(layout, "repeated header", record)
        else:
            kept.append(record)
    return kept


def _without_footer(layout: TableLayout, body: list[Record], width: int, hints: ReadHints) -> list[Record]:
    """The data without the notes that stand under it."""
    pattern = re.compile(hints.skip_footer_pattern) if hints.skip_footer_pattern else None
    if pattern is not None:
        kept = []
        for record in body:
            if pattern.search(",".join(record.cells)):
                _aside(layout, "footer", record)
            else:
                kept.append(record)
        return kept
    if width < 3:
        return body
    last = len(body)
    while last > 1:
        filled = [cell for cell in body[last - 1].cells if cell.strip()]
        if len(filled) == 1 and _NOTE.match(filled[0]):
            last -= 1
        else:
            break
    for record in body[last:]:
        _aside(layout, "footer", record)
    return body[:last]


def _names(header: list[Record], body: list[Record], width: int, widest: int, hints: ReadHints) -> list[str]:
    if hints.columns is not None:
        names = list(hints.columns)
    elif not header:
        names = [""] * width
    elif len(header) == 1 or hints.header_names is not None:
        names = list(header[hints.header_names or 0].cells)
    else:
        columns = max(len(record.cells) for record in header)
        stacked = [[r.cells[n].strip() for r in header if n < len(r.cells)] for n in range(columns)]
        names = [" ".join(part for part in parts if part) for parts in stacked]
    # A last column without a name in which nothing stands is only a delimiter at the line's end.
    while len(names) > 1 and not names[-1].strip() and not _filled(body, len(names) - 1):
        names.pop()
    widest = max((n + 1 for n in range(len(names), widest) if _filled(body, n)), default=len(names))
    return unique_names(names + [""] * (widest - len(names)))


def _filled(body: list[Record], column: int) -> bool:
    return any(column < len(record.cells) and record.cells[column].strip() for record in body)
