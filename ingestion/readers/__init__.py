"""Readers: from a partner's file to a relation of text, one module a format.

What belongs here: reading, and accounting for every physical record. What does not: typing or meaning.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from ingestion.readers.formats import format_of, list_tables, read_request
from ingestion.readers.model import (
    Earlier,
    FixedField,
    Keys,
    Limits,
    Member,
    ReadHints,
    ReadResult,
    RefusedRecord,
    Request,
    UnreadableFileError,
)


def read(
    path: Path,
    con: duckdb.DuckDBPyConnection,
    relation: str,
    hints: ReadHints | None = None,
    limits: Limits | None = None,
    keys: Keys | None = None,
    careful: bool = False,
    expected: frozenset[str] = frozenset(),
    earlier: Earlier | None = None,
) -> ReadResult:
    """Read a file into `relation`: every column as text, and `_record`, the number of the data record from 1.

    Args:
        path: the file, in any supported format, packed or not.
        con: where the table is made.
        relation: its name.
        hints: what is known of the file's form.
        limits: beyond which it is refused.
        keys: what opens it when it is encrypted.
        careful: go through text record by record even where a faster way would do.
        expected: folded names of columns that the file may have, by which header, delimiter and sheet are known.
        earlier: the drops before this one, the latest first, for a file that may hold changes only.

    Raises:
        UnreadableFileError: the file is refused as a whole.
    """
    return read_request(
        Request(
            path,
            con,
            relation,
            hints or ReadHints(),
            limits or Limits(),
            keys or Keys(),
            careful,
            expected,
            earlier=earlier,
        )
    )


def tables(
    path: Path,
    con: duckdb.DuckDBPyConnection,
    hints: ReadHints | None = None,
    limits: Limits | None = None,
    keys: Keys | None = None,
) -> list[Member]:
    """The members, sheets or elements of a file that are tables by themselves; empty for a file that is one table.

    Raises:
        UnreadableFileError: the file is refused as a whole.
    """
    return list_tables(Request(path, con, "", hints or ReadHints(), limits or Limits(), keys or Keys()))


__all__ = [
    "Earlier",
    "FixedField",
    "Keys",
    "Limits",
    "Member",
    "ReadHints",
    "ReadResult",
    "RefusedRecord",
    "UnreadableFileError",
    "format_of",
    "read",
    "tables",
]
