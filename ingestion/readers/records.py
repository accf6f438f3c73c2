"""From physical lines to records: quoted line breaks joined, damaged records read by what their neighbours are like.

What belongs here: the exact, forgiving reader of records. What does not: headers, footers, tables.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ingestion.readers.alignment import ColumnKinds
from ingestion.readers.dialect import Cut, Dialect, split_raw, unquote
from ingestion.readers.mending import by_other_delimiter, mended, missing_delimiter, readings

_MOST_LINES = 2000
# Characters gone through in vain behind opening quotes, after which each is followed for a few lines only.
_VAIN = 5_000_000
_FEW_LINES = 5
_SURE = 3
_MANY_CELLS = 4


@dataclass(frozen=True, slots=True)
class Record:
    """One record.

    Attributes:
        line: physical line on which it starts, from 1.
        lines: how many physical lines it takes.
        cells: text of the cells.
        repair: how it was read when not by the file's dialect; empty when it was.
    """

    line: int
    lines: int
    cells: list[str]
    repair: str = ""


class _Lines:
    """Physical lines with as much look-ahead as is asked for."""

    def __init__(self, batches: Iterable[list[str]]) -> None:
        self._batches = iter(batches)
        self._ready: deque[str] = deque()
        self.number = 0
        self.vain = 0

    def peek(self, ahead: int) -> str | None:
        while len(self._ready) <= ahead:
            batch = next(self._batches, None)
            if batch is None:
                return None
            self._ready.extend(batch)
        return self._ready[ahead]

    def take(self, count: int = 1) -> None:
        for _ in range(count):
            self._ready.popleft()
        self.number += count


def records(
    batches: Iterable[list[str]],
    dialect: Dialect,
    width: int,
    most_bytes: int,
    kinds: ColumnKinds | None = None,
) -> Iterator[Record]:
    """Cut physical lines into records.

    Args:
        batches: physical lines in lists.
        dialect: the file's dialect.
        width: cells that records of this file have; 0 when not yet known.
        most_bytes: longest record that an open quote may gather.
        kinds: what the columns usually hold, by which records with too many cells are put right.

    Yields:
        Every record, blank lines too, in order.
    """
    lines = _Lines(batches)
    quote, delimiter = dialect.quote, dialect.delimiter
    while (raw := lines.peek(0)) is not None:
        number = lines.number + 1
        text = _bare(raw)
        if delimiter and (not quote or quote not in text):
            cells = text.split(delimiter)
            if (len(cells) == width or not width) and "\r" not in text:
                lines.take()
                yield Record(number, 1, cells)
                continue
        cells, is_open = split_raw(text, dialect)
        if is_open:
            count, cells, repair = _joined(lines, text, dialect, width, most_bytes)
            lines.take(count)
            if repair and len(cells) != width and (other := by_other_delimiter(text, dialect, width, kinds)):
                yield Record(number, 1, other, "other delimiter")
                continue
            yield Record(number, count, [unquote(cell, dialect) for cell in cells], repair)
            continue
        lines.take()
        if len(cells) == width and (parts := missing_delimiter(text, cells, dialect, width)):
            yield Record(number, 1, parts, "missing delimiter")
        elif len(cells) == width or not width:
            yield Record(number, 1, [unquote(cell, dialect) for cell in cells])
        else:
            yield from _damaged(number, text, cells, dialect, width, kinds)


def _bare(raw: str) -> str:
    """A line without the carriage returns around its line feed."""
    return raw.strip("\r") if raw[-1:] == "\r" or raw[:1] == "\r" else raw


def _joined(
    lines: _Lines, text: str, dialect: Dialect, width: int, most_bytes: int
) -> tuple[int, list[str], str]:
    """A record whose last cell is open: joined with the lines that close it, or read as one line after all.

    An opening quote that swallows lines which are whole records by themselves, or that nothing closes, is taken
    for a character like others.
    """
    whole, count, size, full = text, 1, len(text), 0
    most_lines = _MOST_LINES if lines.vain < _VAIN else _FEW_LINES
    cut = Cut(dialect)
    while count < most_lines and size < most_bytes:
        raw = lines.peek(count)
        if raw is None:
            break
        # The joined text keeps its line breaks as they stood; only the last one is an end.
        whole = whole if count > 1 else _kept(lines.peek(0) or "")
        whole += "\n" + raw
        size += len(raw) + 1
        count += 1
        if dialect.quote in raw:
            lines.vain += size
            if not cut.is_open_after(_bare(whole)):
                cells = cut.cells
                alone = _whole_lines(lines, count, dialect, width)
                if width and len(cells) != width and alone:
                    break
                # A cell of several lines hardly ever goes on in lines that are records of many cells.
                sure = 1 if _has_loose_quote(cells, dialect) else _sure_lines(width)
                if width and len(cells) == width and alone >= sure and alone >= count - 1:
                    break
                lines.vain -= size
                return count, cells, ""
        if width > 1 and _is_whole(_bare(raw), dialect, width):
            full += 1
            if full >= 10 * _SURE:
                break
        else:
            full = 0
    return 1, _best_of_one(text, dialect, width), "unclosed quote"


def _sure_lines(width: int) -> int:
    """How many whole records an open quote must swallow to be taken for a stray one."""
    return 1 if width >= _MANY_CELLS else _SURE


def _has_loose_quote(raws: list[str], dialect: Dialect) -> bool:
    """Whether a quoted cell holds a quote that nothing escapes: the one that seems to close it opened another cell."""
    quote, escaped = dialect.quote, dialect.escape + dialect.quote
    return any(raw.startswith(quote) and quote in raw[1:-1].replace(escaped, "") for raw in raws)


def _kept(raw: str) -> str:
    return raw.lstrip("\r")


def _is_whole(text: str, dialect: Dialect, width: int) -> bool:
    cells, is_open = split_raw(text, dialect)
    return not is_open and len(cells) == width


def _whole_lines(lines: _Lines, count: int, dialect: Dialect, width: int) -> int:
    """How many of the lines after the first are records by themselves."""
    if not width or width < 2:
        return 0
    return sum(_is_whole(_bare(lines.peek(at) or ""), dialect, width) for at in range(1, count))


def _best_of_one(text: str, dialect: Dialect, width: int) -> list[str]:
    """The cells of one line that has a quote too many or too few."""
    for cells, _ in readings(text, dialect):
        if len(cells) == width:
            return cells
    delimiter = dialect.delimiter
    return text.split(delimiter) if delimiter else [text]


def _damaged(
    number: int, text: str, raws: list[str], dialect: Dialect, width: int, kinds: ColumnKinds | None
) -> Iterator[Record]:
    """A record that has not the file's width: read in another way if exactly one gives that width."""
    if not text.strip():
        yield Record(number, 1, [""])
        return
    if "\r" in text:
        parts = [split_raw(part, dialect) for part in text.split("\r")]
        if all(len(part) == width and not is_open for part, is_open in parts):
            for part, _ in parts:
                yield Record(number, 1, [unquote(cell, dialect) for cell in part], "other line end")
            return
    cells, repair = mended(text, raws, dialect, width, kinds)
    yield Record(number, 1, cells, repair)
