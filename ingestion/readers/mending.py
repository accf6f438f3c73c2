"""Reading one damaged line by what the others are like: stray quotes, other dialects, missing and surplus delimiters.

What belongs here: the ways to read one line. What does not: lines that belong together (`records`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ingestion.readers.alignment import ColumnKinds
from ingestion.readers.dialect import Dialect, is_quoted, split_raw, unquote

_OTHER_DELIMITERS = (",", ";", "\t", "|", ", ", " ")


def readings(text: str, dialect: Dialect) -> Iterator[tuple[list[str], str]]:
    """Other ways to cut a record by the same delimiter, likeliest first."""
    cells, is_open = split_raw(text, dialect, eager=True)
    if not is_open:
        yield cells, "stray quote"
    other = "'" if dialect.quote == '"' else '"'
    for changed, name in (
        (replace(dialect, escape="\\"), "other escape"),
        (replace(dialect, escape=dialect.quote), "other escape"),
        (replace(dialect, quote=other, escape=other), "other quote"),
        (replace(dialect, spaced=True), "blanks before a quote"),
    ):
        if changed != dialect and changed.quote in text:
            cells, is_open = split_raw(text, changed)
            if not is_open:
                yield [unquote(cell, changed) for cell in cells], name
    if dialect.delimiter:
        yield _rejoined(text, dialect), "stray quote"
        yield text.split(dialect.delimiter), "stray quote"


def _rejoined(text: str, dialect: Dialect) -> list[str]:
    """Cells cut at every delimiter, those between an opening and the next closing quote put together again."""
    delimiter, quote = dialect.delimiter, dialect.quote
    cells: list[str] = []
    pieces = text.split(delimiter)
    at = 0
    while at < len(pieces):
        piece = pieces[at]
        if piece.startswith(quote) and not (len(piece) > 1 and piece.endswith(quote)):
            stop = next((n for n in range(at + 1, len(pieces)) if pieces[n].endswith(quote)), None)
            opened = next((n for n in range(at + 1, len(pieces)) if pieces[n].startswith(quote)), len(pieces))
            if stop is not None and stop < opened:
                cells.append(delimiter.join(pieces[at : stop + 1]))
                at = stop + 1
                continue
        cells.append(piece)
        at += 1
    return cells


def mended(
    text: str, raws: list[str], dialect: Dialect, width: int, kinds: ColumnKinds | None
) -> tuple[list[str], str]:
    """The cells of one damaged line, and how they were found; as they stood where nothing better is."""
    if dialect.quote and dialect.quote in text:
        if len(raws) == width - 1 and (other := _parted(raws, dialect)):
            return other, "missing delimiter"
        # Where all quotes are in their places, a record is short or long, and its quoted cells stay whole.
        if not all(_is_sound(raw, dialect) for raw in raws):
            for other, name in readings(text, dialect):
                if len(other) == width:
                    return [unquote(cell, dialect) for cell in other], name
            if other := missing_delimiter(text, raws, dialect, width):
                return other, "missing delimiter"
    elif len(raws) > width and (other := _by_other_quote(text, dialect, width)):
        return other, "other quote"
    found = _aligned(raws, dialect, kinds) if len(raws) > width else None
    if found:
        return found, "cells put under their columns"
    if len(raws) * 2 <= width + 1 and (found := by_other_delimiter(text, dialect, width, kinds)):
        return found, "other delimiter"
    return [unquote(raw, dialect) for raw in raws], ""


def _by_other_quote(text: str, dialect: Dialect, width: int) -> list[str] | None:
    """The cells of a line whose delimiters inside of cells another quote protects."""
    for mark in ('"', "'"):
        if mark == dialect.quote or mark not in text:
            continue
        changed = replace(dialect, quote=mark, escape=mark)
        raws, is_open = split_raw(text, changed)
        if not is_open and len(raws) == width and all(_is_sound(raw, changed) for raw in raws):
            return [unquote(raw, changed) for raw in raws]
    return None


def _is_sound(raw: str, dialect: Dialect) -> bool:
    """Whether a raw cell has no quote, or is a quoted one in which every quote is escaped."""
    quote = dialect.quote
    if quote not in raw:
        return True
    return is_quoted(raw, quote) and quote not in raw.strip(" \r")[1:-1].replace(dialect.escape + quote, "")


def _parted(raws: list[str], dialect: Dialect) -> list[str] | None:
    """The cells of a record one short, when in one place only two quoted cells stand without delimiter."""
    pair = dialect.quote * 2
    places = [
        (at, found)
        for at, raw in enumerate(raws)
        if is_quoted(raw, dialect.quote) and _is_sound(raw, dialect)
        for found in range(1, len(raw) - 2)
        if raw.startswith(pair, found)
        and raw[found - 1] != dialect.quote
        and raw[found + 2 : found + 3] != dialect.quote
    ]
    if len(places) != 1 or dialect.escape != dialect.quote:
        return None
    at, cut = places[0]
    parts = [*raws[:at], raws[at][: cut + 1], raws[at][cut + 1 :], *raws[at + 1 :]]
    return [unquote(part, dialect) for part in parts]


def missing_delimiter(text: str, raws: list[str], dialect: Dialect, width: int) -> list[str] | None:
    """The cells of a line in which a quote opens in the middle of a cell, if a delimiter before it makes it whole."""
    if not dialect.quote or dialect.quote not in text:
        return None
    broken = [raw for raw in raws if not _is_sound(raw, dialect)]
    if not broken or any(raw.startswith(dialect.quote) for raw in broken):
        return None
    parts = next(_parts(text, dialect, width), None)
    return [unquote(part, dialect) for part in parts] if parts else None


def _parts(text: str, dialect: Dialect, width: int) -> Iterator[list[str]]:
    """The raw cells of a line with a delimiter put in before a quote that opens in the middle of a cell."""
    delimiter, quote = dialect.delimiter, dialect.quote
    at = text.find(quote)
    while at > 0:
        if not text.endswith((delimiter, quote), 0, at):
            raws, is_open = split_raw(text[:at] + delimiter + text[at:], dialect)
            if not is_open and len(raws) == width and all(_is_sound(raw, dialect) for raw in raws):
                yield raws
        at = text.find(quote, at + 1)


def _aligned(raws: list[str], dialect: Dialect, kinds: ColumnKinds | None) -> list[str] | None:
    """A record with too many cells, those joined that an unquoted delimiter parted, where it is plain which."""
    if kinds is None:
        return None
    cells = [unquote(raw, dialect) for raw in raws]
    return kinds.align(cells, [is_quoted(raw, dialect.quote) for raw in raws], dialect.delimiter)


def by_other_delimiter(
    text: str, dialect: Dialect, width: int, kinds: ColumnKinds | None
) -> list[str] | None:
    """The cells of a line that another delimiter cuts into as many as the others have."""
    for delimiter in _OTHER_DELIMITERS:
        if delimiter == dialect.delimiter or delimiter not in text:
            continue
        changed = replace(dialect, delimiter=delimiter)
        raws, is_open = split_raw(text, changed)
        if is_open:
            continue
        if len(raws) == width:
            return [unquote(raw, changed) for raw in raws]
        if len(raws) > width and (found := _aligned(raws, changed, kinds)):
            return found
    return None
