"""Readers: from a partner's file to a relation of text, one module a format.

What belongs here: reading, and accounting for every physical record. What does not: typing or meaning.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from ingestion.readers.model import (
    FixedField,
    Limits,
    ReadHints,
    ReadResult,
    RefusedRecord,
    UnreadableFileError,
)

_WORKBOOKS = {".xlsx": "xlsx", ".xlsm": "xlsx", ".xls": "xls", ".ods": "ods"}


def format_of(path: Path, hints: ReadHints) -> str:
    """Name of the format in which a file will be read: as configured, else by its name."""
    return hints.format or _WORKBOOKS.get(path.suffix.lower(), "delimited")


def read(
    path: Path,
    con: duckdb.DuckDBPyConnection,
    relation: str,
    hints: ReadHints | None = None,
    limits: Limits | None = None,
) -> ReadResult:
    """Read a file into `relation`: every column as text, and `_record`, the number of the data record from 1.

    Raises:
        UnreadableFileError: the file is refused as a whole.
    """
    hints, limits = hints or ReadHints(), limits or Limits()
    size = path.stat().st_size
    if size == 0:
        raise UnreadableFileError("empty_file", "The file is empty.", "Send the file again.")
    if size > limits.max_bytes:
        raise UnreadableFileError(
            "too_large", "The file is larger than allowed.", "Split it, or raise the limit."
        )
    kind = format_of(path, hints)
    if kind in ("xlsx", "xls", "ods"):
        from ingestion.readers.workbook import read_workbook

        return read_workbook(path, con, relation, hints, limits)
    from ingestion.readers.delimited import read_delimited

    return read_delimited(path, con, relation, hints, limits)


__all__ = [
    "FixedField",
    "Limits",
    "ReadHints",
    "ReadResult",
    "RefusedRecord",
    "UnreadableFileError",
    "format_of",
    "read",
]
