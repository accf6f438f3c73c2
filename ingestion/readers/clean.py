"""Delimited text without quotes, cut in blocks on all cores: the fastest way, for files that need no judgement.

What belongs here: the proof that a file is of that kind, and its rows. What does not: any other file (`delimited`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from ingestion.readers.careful import CarefulText
from ingestion.readers.model import Request, check_records
from ingestion.readers.scratch import kept_rows

# Blocks of this size hold few enough different values for DuckDB to work on each value once instead of on each row.
_BLOCK = 1 << 22
# Rows that take more memory than this, packed, are kept on disk by the strict way.
_MOST_BYTES = 1 << 28
_TAIL = 1 << 16
_KIND = pa.dictionary(pa.int32(), pa.string())
_MARK = b"\xef\xbb\xbf"
# Columns by which a repeated header is known.
PROBED = 5


class _NotCleanError(Exception):
    """The file is not of the kind that this way can prove whole, or too large for it."""


@dataclass(frozen=True)
class _Form:
    """What every block of the file must be like."""

    names: list[str]
    delimiter: str
    quote: bytes
    line_end: bytes
    longest: int


def read_clean(request: Request, head: CarefulText, source: Path) -> int | None:
    """Keep the rows of a file as view `request.relation`, or leave it: None where it is not proven clean, or too large.

    Proven is, by bytes: no quote after the header, one kind of line end, no line beyond the limit; and by rows: as many
    as there are line ends, each of as many cells as the header, none blank, none the header again.

    Returns:
        How many rows there are.

    Raises:
        UnreadableFileError: there are too many rows.
    """
    dialect, layout = head.dialect, head.layout
    if len(dialect.delimiter.encode()) != 1:
        return None
    form = _Form(
        layout.names,
        dialect.delimiter,
        dialect.quote.encode(),
        head.form.line_end.encode(),
        request.limits.max_field_bytes,
    )
    schema = pa.schema(dict.fromkeys(form.names, _KIND))
    count = 0
    try:
        with (
            kept_rows(request.con, request.relation, schema) as keep,
            closing(
                _in_order(_blocks(source, layout.first_line - 1, form), form, _threads(request))
            ) as batches,
        ):
            for batch in batches:
                count += batch.num_rows
                check_records(count, request.limits)
                if keep(batch) > _MOST_BYTES:
                    raise _NotCleanError
    except (_NotCleanError, pa.ArrowInvalid):
        return None
    return count


def _threads(request: Request) -> int:
    found = request.con.execute("select current_setting('threads')").fetchone()
    return int(found[0]) if found else 1


def _in_order(blocks: Iterable[bytes], form: _Form, threads: int) -> Generator[pa.RecordBatch, None, None]:
    """The blocks' rows in order, a few blocks ahead of whoever takes them."""
    waiting: deque[Any] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for block in blocks:
            waiting.append(pool.submit(_rows, block, form))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _blocks(source: Path, skip: int, form: _Form) -> Iterator[bytes]:
    """The file from its first record on, in blocks of whole lines; blank lines at its end are left out."""
    end = _end_of_content(source)
    with source.open("rb") as stream:
        if not skip and stream.read(len(_MARK)) != _MARK:
            stream.seek(0)
        for _ in range(skip):
            stream.readline()
        carry = b""
        while block := stream.read(min(_BLOCK, end - stream.tell())):
            whole, feed, carry = (carry + block).rpartition(b"\n")
            if feed:
                yield whole + feed
            elif len(carry) > form.longest:
                raise _NotCleanError
        if carry:
            yield carry + form.line_end


def _end_of_content(source: Path) -> int:
    """Where the last line ends, its line end and blank lines after it left out."""
    size = source.stat().st_size
    with source.open("rb") as stream:
        stream.seek(max(0, size - _TAIL))
        tail = stream.read()
    content = len(tail.rstrip(b"\r\n"))
    if not content:
        raise _NotCleanError
    return size - len(tail) + content


def _rows(block: bytes, form: _Form) -> pa.RecordBatch:
    """The rows of a block, each distinct value of a column once."""
    lines = block.count(b"\n")
    _prove_plain(block, lines, form)
    kinds = dict.fromkeys(form.names, _KIND)
    table = csv.read_csv(
        pa.BufferReader(block),
        csv.ReadOptions(use_threads=False, block_size=len(block) + 1, column_names=form.names),
        csv.ParseOptions(delimiter=form.delimiter, quote_char=False),
        # What found the file's encoding has decoded all of it.
        csv.ConvertOptions(column_types=kinds, null_values=[""], strings_can_be_null=True, check_utf8=False),
    )
    if table.num_rows != lines:
        raise _NotCleanError
    rows = table.combine_chunks().to_batches()[0]
    _prove_data(rows, form.names)
    return rows


def _prove_plain(block: bytes, lines: int, form: _Form) -> None:
    """Hold the bytes of a block against what they must be like."""
    returns = block.count(b"\r")
    ends = returns == 0 if form.line_end == b"\n" else returns == lines == block.count(b"\r\n")
    quoted = bool(form.quote) and form.quote in block
    if not ends or quoted or block.startswith(_MARK):
        raise _NotCleanError
    at = 0
    while len(block) - at > form.longest:
        at = block.rfind(b"\n", at, at + form.longest) + 1
        if not at:
            raise _NotCleanError


def _prove_data(rows: pa.RecordBatch, names: list[str]) -> None:
    """Find no row without a cell, and none that repeats the header."""
    if all(column.null_count for column in rows.columns):
        blank = reduce(pc.and_, (column.is_null() for column in rows.columns))
        if pc.any(blank).as_py():
            raise _NotCleanError
    probed = list(zip(names, rows.columns, strict=True))[:PROBED]
    if all(pc.index(column.dictionary, name).as_py() >= 0 for name, column in probed):
        again = reduce(pc.and_, (pc.equal(column.dictionary_decode(), name) for name, column in probed))
        if pc.any(again).as_py():
            raise _NotCleanError
