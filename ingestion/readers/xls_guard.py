"""A look into an XLS file before it is opened: how far its cells reach, which the program that reads it believes.

What belongs here: the positions that cell records claim. What does not: their values (`workbook`).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from ingestion.readers.model import Limits, UnreadableFileError

_END, _DIRECTORY_ENTRY, _SMALL = 0xFFFFFFFA, 128, 64
_STREAMS = ("workbook", "book")
_BOF = (0x09, 0x209, 0x409, 0x809)
# Records that begin with row and first column, as 16-bit numbers; the last two end with their last column.
_CELLS = {
    0x01,
    0x02,
    0x03,
    0x04,
    0x05,
    0x06,
    0x201,
    0x203,
    0x204,
    0x205,
    0x206,
    0x207,
    0x27E,
    0x406,
    0xD6,
    0xFD,
    0xBD,
    0xBE,
}
_SEVERAL = (0xBD, 0xBE)


def check_reach(path: Path, limits: Limits) -> None:
    """Hold the area of each sheet against the limit: the reader allots all of it at once.

    Raises:
        UnreadableFileError: a sheet spans too much, or the file is no whole compound file.
    """
    try:
        for rows, columns in _reaches(_stream(path.read_bytes())):
            if rows * columns > limits.max_cells:
                raise UnreadableFileError(
                    "workbook_bomb",
                    f"A sheet spans {rows:,} rows and {columns:,} columns, blanks included; "
                    f"the limit is {limits.max_cells:,} cells.",
                    "Delete what stands far from the table, or export it as CSV.",
                )
    except (struct.error, IndexError, ValueError, OverflowError):
        raise UnreadableFileError(
            "broken_file", "It is no whole XLS workbook.", "Save it again as .xlsx and send it whole."
        ) from None


def _reaches(stream: bytes) -> Iterator[tuple[int, int]]:
    """Rows and columns of each part of a workbook."""
    at, rows, columns = 0, 0, 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        if kind in _CELLS and size >= 4:
            row, column = struct.unpack_from("<HH", stream, at + 4)
            if kind in _SEVERAL and size >= 6 and at + 4 + size <= len(stream):
                column = max(column, struct.unpack_from("<H", stream, at + 2 + size)[0])
            rows, columns = max(rows, row + 1), max(columns, column + 1)
        elif kind in _BOF:
            yield rows, columns
            rows = columns = 0
        at += 4 + size
    yield rows, columns


def _stream(data: bytes) -> bytes:
    """The workbook's stream out of a compound file."""
    shift, small_shift = struct.unpack_from("<HH", data, 30)
    if shift not in (9, 12) or small_shift != 6:
        raise ValueError
    size = 1 << shift
    tables, directory = struct.unpack_from("<I", data, 44)[0], struct.unpack_from("<I", data, 48)[0]
    least, small_table = struct.unpack_from("<II", data, 56)
    chain = _numbers(data, _table_sectors(data, size, tables), size)
    entries = _gathered(data, directory, chain, size, size)
    root_start = struct.unpack_from("<I", entries, 116)[0]
    for at in range(0, len(entries) - _DIRECTORY_ENTRY + 1, _DIRECTORY_ENTRY):
        length = struct.unpack_from("<H", entries, at + 64)[0]
        name = entries[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
        if name.lower() in _STREAMS:
            start, long = struct.unpack_from("<II", entries, at + 116)
            if long >= least:
                return _gathered(data, start, chain, size, size)[:long]
            inner = bytes(size) + _gathered(data, root_start, chain, size, size)
            small = [n for (n,) in struct.iter_unpack("<I", _gathered(data, small_table, chain, size, size))]
            return _gathered(inner, start, small, _SMALL, size)[:long]
    raise ValueError


def _table_sectors(data: bytes, size: int, count: int) -> list[int]:
    """Which sectors hold the allocation table: those named in the header, and in the chain that goes on from there."""
    found = list(struct.unpack_from("<109I", data, 76))
    following = struct.unpack_from("<I", data, 68)[0]
    for _ in range(len(data) // size):
        if following >= _END:
            break
        numbers = struct.unpack_from(f"<{size // 4}I", data, size * (following + 1))
        found += numbers[:-1]
        following = numbers[-1]
    return [number for number in found if number < _END][: count or None]


def _numbers(data: bytes, sectors: list[int], size: int) -> list[int]:
    found: list[int] = []
    for sector in sectors:
        found += struct.unpack_from(f"<{size // 4}I", data, size * (sector + 1))
    return found


def _gathered(data: bytes, start: int, chain: list[int], size: int, header: int) -> bytes:
    """The sectors of a chain; one that goes round in a circle is longer than the file."""
    parts, total = [], 0
    while start < _END:
        at = header + start * size
        part = data[at : at + size]
        total += size
        if not part or total > len(data) + size:
            raise ValueError
        parts.append(part)
        start = chain[start]
    return b"".join(parts)
