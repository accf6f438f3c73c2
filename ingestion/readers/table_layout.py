"""Where the table stands among a file's records: titles, header, data, repeated headers, notes at the end.

What belongs here: what each record is. What does not: cutting records (`records`).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from ingestion.readers.celltypes import is_typed
from ingestion.readers.model import ReadHints, fold_name, unique_names
from ingestion.readers.records import Record

_PROBED_ROWS = 200
_MOST_TITLES = 50
_MOST_HEADER_ROWS = 4
_OTHER_TABLE_ROWS = 3
_FILLED = 0.6
_KNOWN = 0.3
_TYPED_COLUMN = 0.6
_NOTE = re.compile(r"(?i)\s*(total|sum|source|note|notes|generated|exported|end of|rows?:|records?:|#|\*|--)")


@dataclass
class TableLayout:
    """What the records of a file are.

    Attributes:
        names: names of the columns, unique.
        width: number of cells that most records have.
        header_line: physical line of the header from 1, 0 where there is none.
        header_rows: how many records the header takes.
        first_line: physical line of the first data record, 0 where there is none.
        labels: by column, the text of the header rows that do not name the columns, where one of several does.
        kinds: how many records are title, header, data, blank, comment, repeated header, footer.
        set_aside: physical lines of what is neither header nor data nor blank.
        other_table: physical line from which on another table follows, 0 where none does.
    """

    names: list[str]
    width: int
    header_line: int = 0
    header_rows: int = 0
    first_line: int = 0
    labels: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    set_aside: list[int] = field(default_factory=list)
    other_table: int = 0


class _Ahead:
    """Records, and a look at those that follow."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._records, self._seen = iter(records), deque[Record]()

    def __iter__(self) -> Iterator[Record]:
        return self

    def __next__(self) -> Record:
        return self._seen.popleft() if self._seen else next(self._records)

    def next(self, count: int) -> list[Record]:
        self._seen.extend(islice(self._records, max(0, count - len(self._seen))))
        return list(islice(self._seen, count))


class TableFinder:
    """Tells header, data and the rest apart: the header from the first records, then record by record.

    Attributes:
        layout: what was found so far; complete once `data` is exhausted.
    """

    def __init__(
        self, head: Sequence[Record], width: int, hints: ReadHints, expected: frozenset[str] = frozenset()
    ) -> None:
        """Find the header.

        Args:
            head: the first records of the file, or all of them.
            width: number of cells that most records have.
            hints: what is known beforehand.
            expected: folded names of columns that the file may have.
        """
        self._hints, self._width = hints, width
        self._footer = re.compile(hints.skip_footer_pattern) if hints.skip_footer_pattern else None
        self.layout = TableLayout([], width)
        kept = [record for record in head if self._is_content(record)]
        if not kept:
            self._body, self._header_texts = [], []
            return
        first, rows = _header(kept, width, hints, expected)
        for record in kept[:first]:
            _aside(self.layout, "title", record)
        header = kept[first : first + rows]
        self._body = kept[first + rows :]
        self.layout.header_rows, self.layout.header_line = rows, header[0].line if header else 0
        if header:
            self.layout.kinds["header"] = len(header)
        self._header_texts = _repeatable(header)
        self.layout.names, self.layout.labels = _names(header, self._body, max(width, 1), hints)

    def data(self, more: Iterable[Record] = ()) -> Iterator[Record]:
        """The data records: those of the head, then of what follows it; notes at the very end are set aside."""
        # Records that look like notes are held back until it is known whether data follow.
        held: list[Record] = []
        records = _Ahead(chain(self._body, filter(self._is_content, more)))
        for record in records:
            if self.layout.other_table or self._starts_other_table(record, records):
                self.layout.other_table = self.layout.other_table or record.line
                _aside(self.layout, "other table", record)
            elif self._is_header_again(record):
                _aside(self.layout, "repeated header", record)
            elif self._footer is not None and self._footer.search(",".join(record.cells)):
                _aside(self.layout, "footer", record)
            elif self._is_note(record):
                held.append(record)
            else:
                yield from map(self._counted, held)
                held = []
                yield self._counted(record)
        for record in held:
            if not self.layout.kinds.get("data"):
                yield self._counted(record)
            else:
                _aside(self.layout, "footer", record)

    def _counted(self, record: Record) -> Record:
        _count(self.layout, "data")
        self.layout.first_line = self.layout.first_line or record.line
        return record

    def _is_content(self, record: Record) -> bool:
        if not any(cell.strip() for cell in record.cells):
            _count(self.layout, "blank")
            return False
        if self._hints.comment and record.cells[0].lstrip().startswith(self._hints.comment):
            _aside(self.layout, "comment", record)
            return False
        return True

    def _is_header_again(self, record: Record) -> bool:
        """Whether a record repeats the header, as those of reports of several pages do."""
        return bool(
            self._header_texts
            and len(record.cells) > 1
            and [cell.strip() for cell in record.cells] in self._header_texts
        )

    def _starts_other_table(self, record: Record, records: _Ahead) -> bool:
        """Whether a record of another width names the columns of the records that follow it: then those are not ours."""
        width = len(record.cells)
        if width == self._width or width < 2 or self._width < 2 or not self._header_texts:
            return False
        names = [cell.strip() for cell in record.cells]
        if record.repair or not all(names) or len(set(names)) < width or any(map(is_typed, names)):
            return False
        following = records.next(_OTHER_TABLE_ROWS)
        return (
            len(following) > 1
            and all(len(row.cells) == width for row in following)
            and bool(_typed_columns(following, width))
        )

    def _is_note(self, record: Record) -> bool:
        """Whether a record is a note or a total, if it stands at the end."""
        if self._width < 3 or self._footer is not None:
            return False
        filled = [cell for cell in record.cells if cell.strip()]
        return len(filled) == 1 and _NOTE.match(filled[0]) is not None


def _count(layout: TableLayout, kind: str) -> None:
    layout.kinds[kind] = layout.kinds.get(kind, 0) + 1


def _aside(layout: TableLayout, kind: str, record: Record) -> None:
    _count(layout, kind)
    layout.set_aside.append(record.line)


def _header(kept: list[Record], width: int, hints: ReadHints, expected: frozenset[str]) -> tuple[int, int]:
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
    typed = _typed_columns(body, width)
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


def _repeatable(header: list[Record]) -> list[list[str]]:
    """The texts of header rows that may be repeated further down."""
    if not header or not any(cell.strip() for cell in header[0].cells):
        return []
    return [[cell.strip() for cell in record.cells] for record in header]


def _names(
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
