"""How far the cells of an XLSX sheet claim to reach, seen from its bytes however they are written.

What belongs here: rows and columns that are claimed. What does not: limits on them (`workbook_guard`).
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

# As every spreadsheet program writes it: each row and cell begins with its place.
_PLACE = b' r="'
_ROW = re.compile(rb'<row r="(\d+)"')
# Beyond column Z or row 999,999.
_FAR = re.compile(rb'<c r="([A-Za-z]{2,}(?=\d)|[A-Za-z](?=\d{7}))(\d+)')
_FAR_DIGITS = 7
_AHEAD = 16
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
        """Take the next block of the sheet's XML, from one cell's end to another's."""
        text = np.frombuffer(block + bytes(_AHEAD), np.uint8)
        opened = np.flatnonzero(text == ord("<"))
        cells_at = opened[text[opened + 1] == ord("c")]
        rows_at = opened[_holds(text, opened + 1, b"ro")]
        if _is_usual(text, cells_at, rows_at):
            self._row_cells = 0
            self._starts += len(rows_at)
            rows = set(_ROW.findall(block))
            cells = set(_FAR.findall(block)) if _is_far(text, cells_at + len(b"<c" + _PLACE)) else set()
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


def _is_usual(text: Any, cells: Any, rows: Any) -> bool:
    """Whether all that begins like a cell or a row is one that begins with its place, and nothing else can be one."""
    named = np.flatnonzero(text == ord(":")) + 1
    return bool(
        _holds(text, cells + len(b"<c"), _PLACE).all()
        and _holds(text, rows + len(b"<ro"), b"w" + _PLACE).all()
        and not ((text[named] == ord("c")) | (text[named] == ord("r"))).any()
    )


def _holds(text: Any, at: Any, wanted: bytes) -> Any:
    """For each position whether these bytes stand there."""
    found = text[at] == wanted[0]
    for offset, byte in enumerate(wanted[1:], start=1):
        found &= text[np.minimum(at + offset, len(text) - 1)] == byte
    return found


def _is_far(text: Any, places: Any) -> bool:
    """Whether a cell's place has two letters, or a row of seven digits."""
    if (text[places + 1] > ord("9")).any():
        return True
    for offset in range(1, _FAR_DIGITS + 1):
        digits = text[places + offset]
        places = places[(digits >= ord("0")) & (digits <= ord("9"))]
    return bool(len(places))


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters[:7].upper():
        number = number * 26 + letter - 64
    return number
