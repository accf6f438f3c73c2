"""A dialect of delimited text, and how one record is cut by it.

What belongs here: the dialect and cutting one record. What does not: choosing the dialect (`detection`) or files.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """How records are cut into cells.

    Attributes:
        delimiter: one or more characters; empty when a record is one cell.
        quote: one character, or empty.
        escape: what stands before a quote inside a quoted cell; the quote itself when quotes are doubled.
        spaced: blanks may stand between a delimiter and a quote.
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    spaced: bool = False


def split_raw(text: str, dialect: Dialect, eager: bool = False) -> tuple[list[str], bool]:
    """Cut a record into raw cells, quotes included.

    A quote opens a cell only at its start, and closes it only before a delimiter or the end; any other quote is
    a character like others.

    Args:
        text: the record, without its line end.
        dialect: how to cut.
        eager: a quote before a delimiter closes even when it could be half of a doubled one.

    Returns:
        The raw cells, and whether the last one is still open.
    """
    delimiter, quote = dialect.delimiter, dialect.quote
    if not quote or quote not in text:
        return (text.split(delimiter) if delimiter else [text]), False
    cut = Cut(dialect, eager)
    if cut.is_open_after(text):
        return [*cut.cells, text[cut.start :]], True
    return cut.cells, False


class Cut:
    """A record cut as far as it goes, and further when a line is added while its last cell is open.

    Each character is looked at once, however many lines are added.

    Attributes:
        cells: the raw cells that are closed.
        start: where the open one begins.
    """

    def __init__(self, dialect: Dialect, eager: bool = False) -> None:
        self.cells: list[str] = []
        self.start = 0
        self._dialect, self._eager = dialect, eager
        self._seen = 0

    def is_open_after(self, text: str) -> bool:
        """Cut `text`, which begins with the text of the last call; whether its last cell is open."""
        dialect, delimiter, quote = self._dialect, self._dialect.delimiter, self._dialect.quote
        end, step = len(text), len(delimiter)
        while True:
            # Whatever stands before `seen` closes nothing, for then the cell would not have been open.
            at = max(self.start, self._seen - 1)
            if not self._seen and dialect.spaced:
                while at < end and text[at] == " ":
                    at += 1
            if self._seen or text.startswith(quote, at):
                stop = _closing(text, at + 1, dialect, self._eager)
                if stop < 0:
                    self._seen = end
                    return True
            else:
                stop = text.find(delimiter, self.start) if delimiter else -1
                if stop < 0:
                    stop = end
            self.cells.append(text[self.start : stop])
            if stop >= end:
                return False
            self.start, self._seen = stop + step, 0


def _closing(text: str, at: int, dialect: Dialect, eager: bool) -> int:
    """Where a quoted cell that opened before `at` ends (its delimiter, or the end of the text); -1 if open."""
    delimiter, quote, escape = dialect.delimiter, dialect.quote, dialect.escape
    doubling, end = escape == quote, len(text)
    while True:
        at = text.find(quote, at)
        if at < 0:
            return -1
        if not doubling and _escaped(text, at, escape):
            at += 1
            continue
        after = at + 1
        if doubling and text.startswith(quote, after):
            beyond = after + 1
            if not (eager and (beyond == end or (delimiter and text.startswith(delimiter, beyond)))):
                at = beyond
                continue
            return beyond
        blank = after
        while blank < end and text[blank] in " \r":
            blank += 1
        for stop in (after, blank):
            if stop == end or (delimiter and text.startswith(delimiter, stop)):
                return stop
        at = after


def _escaped(text: str, at: int, escape: str) -> bool:
    count = 0
    while at - count - 1 >= 0 and text[at - count - 1] == escape:
        count += 1
    return count % 2 == 1


def unquote(raw: str, dialect: Dialect) -> str:
    """The text of a raw cell: its quotes removed and what they protected restored; else as it stood."""
    quote = dialect.quote
    if not quote or quote not in raw:
        return raw
    text = raw.strip(" \r") if raw[:1] != quote or raw[-1:] != quote else raw
    if len(text) < 2 or text[0] != quote or text[-1] != quote:
        return raw
    inner = text[1:-1]
    if quote not in inner and dialect.escape not in inner:
        return inner
    if dialect.escape == quote:
        return inner.replace(quote + quote, quote)
    return inner.replace(dialect.escape + quote, quote).replace(dialect.escape * 2, dialect.escape)


def is_quoted(raw: str, quote: str) -> bool:
    """Whether a raw cell is a whole quoted one."""
    text = raw.strip(" \r")
    return bool(quote) and len(text) >= 2 and text[0] == quote and text[-1] == quote
