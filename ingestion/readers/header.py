"""Which records are the header, and what the columns are called.

What belongs here: the header, also of several rows, and names. What does not: the records after it (`table_layout`).
"""

from __future__ import annotations

from ingestion.readers.celltypes import is_typed
from ingestion.readers.model import ReadHints, fold_name, unique_names
from ingestion.readers.records import Record

_PROBED_ROWS = 200
_MOST_TITLES = 50
_MOST_HEADER_ROWS = 4
_FILLED = 0.6
_KNOWN = 0.3
_TYPED_COLUMN = 0.6


def find_header(
    kept: list[Record], width: int, hints: ReadHints, expected: frozenset[str]
) -> tuple[int, int]:
    """Position of the header among the records, and how many records it takes."""
    if hints.header_row is not None:
        # The hint counts physical lines from 0.
        at = next((n for n, record in enumerate(kept) if record.line > hints.header_row), 0)
        return at, 1 if hints.header_rows is None else hints.header_rows
    if hints.columns is not None:
        return 0, hints.header_rows or 0
    known = _known_header(kept, expected)
    if known is not None:
        return known[0], known[1] if hints.header_rows is None else hints.header_rows
    at = _first_of_table(kept, width)
    if hints.header_rows is not None:
        return at, hints.header_rows
    body = kept[at + 1 : at + 1 + _PROBED_ROWS]
    typed = typed_columns(body, width)
    if not typed:
        return at, 1
    if _fits(kept[at], typed):
        # A header may follow another dialect than the data; then it stands just before them.
        before = kept[at - 1] if at else None
        if before is not None and len(before.cells) == width and not _fits(before, typed):
            return at - 1, 1
        return at, 0
    return at, _stacked_rows(kept[at], body, typed)


def _stacked_rows(first: Record, body: list[Record], typed: list[int]) -> int:
    """How many rows a header has that starts with the first record: those without values, above rows with values."""
    rows = 1
    while rows < _MOST_HEADER_ROWS and len(body) > rows + 1 and len(typed) > 1:
        cells = body[rows - 1].cells
        filled = sum(1 for cell in cells if cell.strip())
        if len(cells) != len(first.cells) or filled < _FILLED * len(cells) or any(map(is_typed, cells)):
            break
        rows += 1
    return 1 if any(_blank_row(record, typed) for record in body[rows - 1 :]) else rows


def _known_header(kept: list[Record], expected: frozenset[str]) -> tuple[int, int] | None:
    """The first record, or two stacked ones, with the most expected names, if these are enough for a header."""
    best, found = 1, None
    for at in range(min(len(kept), _MOST_TITLES)):
        for rows in (1, 2):
            header = kept[at : at + rows]
            texts = {fold_name(name) for name in _stacked(header)} - {""}
            hits = len(texts & expected)
            if hits > best and hits >= _KNOWN * min(len(expected), len(texts)):
                best, found = hits, (at, rows)
    return found


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


def typed_columns(body: list[Record], width: int) -> list[int]:
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


def name_columns(
    header: list[Record], body: list[Record], width: int, hints: ReadHints
) -> tuple[list[str], dict[str, str]]:
    """Names of the columns, and their labels where one of several header rows gives the names."""
    labels: list[str] = []
    if hints.columns is not None:
        names = list(hints.columns)
    elif not header:
        names = [""] * width
    elif len(header) == 1 or hints.header_names is not None:
        at = min(hints.header_names or 0, len(header) - 1)
        names = list(header[at].cells)
        labels = _stacked(header[:at] + header[at + 1 :])
    else:
        names = _stacked(header)
    # A header with a delimiter too many has one blank name more than there are columns.
    if len(names) > width and len([name for name in names if name.strip()]) == width:
        names = [name for name in names if name.strip()]
    # A last column without a name in which nothing stands is only a delimiter at the line's end.
    while len(names) > 1 and not names[-1].strip() and not _filled(body, len(names) - 1):
        names.pop()
    # Cells beyond the names are columns when records usually have them; else only if they are to be kept.
    most = width if hints.long_records == "refuse" else max([len(r.cells) for r in body], default=width)
    most = max((n + 1 for n in range(len(names), most) if _filled(body, n)), default=len(names))
    unique = unique_names(names + [""] * (most - len(names)))
    return unique, dict(zip(unique, labels, strict=False))


def _stacked(header: list[Record]) -> list[str]:
    """The texts of header rows over each other, joined by a blank."""
    columns = max((len(record.cells) for record in header), default=0)
    parts = [[r.cells[n].strip() for r in header if n < len(r.cells)] for n in range(columns)]
    return [" ".join(part for part in column if part) for column in parts]


def _filled(body: list[Record], column: int) -> bool:
    return any(column < len(record.cells) and record.cells[column].strip() for record in body)
