"""How far the cells of an XLSX sheet claim to reach, seen from its bytes however they are written.

What belongs here: rows and columns that are claimed. What does not: limits on them (`workbook_guard`).
"""

from __future__ import annotations

import re

# As every spreadsheet program writes it: one double-quoted place in each row and cell.
_ROW = re.compile(rb'<row [^>]*?\br="(\d+)"')
_FAR = re.compile(rb'r="([A-Za-z]{2,}(?=\d)|[A-Za-z](?=\d{7}))(\d+)')
# One pass for all that is not so, or stands beyond column Z or row 999,999.
_NOTABLE = re.compile(rb"""r(?:\s|=(?:[^"]|"(?:[A-Za-z]{2}|[A-Za-z]\d{7})))""")
_UNUSUAL = re.compile(rb"""r(?:\s|=[^"])""")
_OTHER_SPELLINGS = (
    b":c",
    b":row",
    b"<c>",
    b"<c/",
    b"<c\n",
    b"<c\r",
    b"<c\t",
    b"<row>",
    b"<row/",
    b"<row\n",
    b"<row\r",
    b"<row\t",
)
# As it may be written all the same.
_ANY_ROW = re.compile(rb"""\br\s*=\s*["'](\d+)["']""")
_ANY_CELL = re.compile(rb"""\br\s*=\s*["']([A-Za-z]+)(\d+)["']""")
_CELL_START = re.compile(rb"<(?:\w+:)?c[\s/>]")
_ROW_START = re.compile(rb"<(?:\w+:)?row[\s/>]")


class Reach:
    """The area of a sheet, from its first cell on; what reads the sheet allots all of it.

    Attributes:
        rows: how many rows are claimed.
        columns: how many columns are claimed.
    """

    def __init__(self) -> None:
        self.rows = self.columns = 0
        self._starts = self._row_cells = 0

    def add(self, block: bytes) -> None:
        """Take the next block of the sheet's XML."""
        notable = _NOTABLE.search(block) is not None
        if _is_usual(block) and not (notable and _UNUSUAL.search(block)):
            self._row_cells = 0
            self._starts += block.count(b"<row")
            rows = set(_ROW.findall(block))
            cells = set(_FAR.findall(block)) if notable else set()
            self.columns = max(self.columns, 26)
        else:
            cells, rows = set(_ANY_CELL.findall(block)), set(_ANY_ROW.findall(block))
            self._count(block)
        rows |= {row for _, row in cells}
        self.rows = max(self.rows, self._starts, max(map(int, rows), default=0))
        letters = {letters for letters, _ in cells}
        self.columns = max(self.columns, max(map(_column_number, letters), default=0))

    def _count(self, block: bytes) -> None:
        """Cells and rows that do not say where they stand come one after the other."""
        counts = [len(_CELL_START.findall(piece)) for piece in _ROW_START.split(block)]
        self._starts += len(counts) - 1
        counts[0] += self._row_cells
        self._row_cells = counts[-1]
        self.columns = max(self.columns, *counts)


def _is_usual(block: bytes) -> bool:
    """Whether every row and cell of the block has its place in the usual form, and nothing else can be one."""
    return block.count(b' r="') == block.count(b"<c ") + block.count(b"<row ") and not any(
        spelling in block for spelling in _OTHER_SPELLINGS
    )


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters[:7].upper():
        number = number * 26 + letter - 64
    return number
