"""Where the table stands among a file's records: titles, header, data, repeated headers, notes at the end.

What belongs here: what each record is. What does not: finding the header (`header`), cutting records (`records`).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from ingestion.readers.celltypes import is_typed
from ingestion.readers.header import find_header, name_columns, typed_columns
from ingestion.readers.model import ReadHints
from ingestion.readers.records import Record

_OTHER_TABLE_ROWS = 3
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
        first, rows = find_header(kept, width, hints, expected)
        for record in kept[:first]:
            _aside(self.layout, "title", record)
        header = kept[first : first + rows]
        self._body = kept[first + rows :]
        self.layout.header_rows, self.layout.header_line = rows, header[0].line if header else 0
        if header:
            self.layout.kinds["header"] = len(header)
        self._header_texts = _repeatable(header)
        self.layout.names, self.layout.labels = name_columns(header, self._body, max(width, 1), hints)

    @property
    def seeks_patterns(self) -> bool:
        """Whether footers or comments are told by what the hints say of their text."""
        return self._footer is not None or bool(self._hints.comment)

    def first_texts(self) -> dict[int, set[str]]:
        """By position, the texts with which rows of the header begin, by which their repetition is known."""
        found: dict[int, set[str]] = {}
        for texts in self._header_texts:
            at = next((at for at, text in enumerate(texts) if text), 0)
            found.setdefault(at, set()).add(texts[at])
        return found

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
            and bool(typed_columns(following, width))
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


def _repeatable(header: list[Record]) -> list[list[str]]:
    """The texts of header rows that may be repeated further down."""
    if not header or not any(cell.strip() for cell in header[0].cells):
        return []
    return [[cell.strip() for cell in record.cells] for record in header]
