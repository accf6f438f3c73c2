"""The careful way through delimited text, record by record: for files that no single dialect explains.

What belongs here: putting encoding, dialect, records and layout together. What does not: the fast way (`delimited`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ingestion.readers.detection import detect_dialect, sep_line
from ingestion.readers.dialect import Dialect
from ingestion.readers.encoding import TextForm, detect_form, physical_lines
from ingestion.readers.model import (
    Limits,
    ReadHints,
    RefusedRecord,
    UnreadableFileError,
    check_columns,
    listed,
    warning,
)
from ingestion.readers.records import Record, records
from ingestion.readers.table_layout import TableLayout, find_table


@dataclass(frozen=True)
class CarefulTable:
    """A table of text as it stood in a delimited file.

    Attributes:
        form: encoding and line ends.
        dialect: delimiter, quote and escape that most records follow.
        layout: names, data records, and what the other records are.
        rows: cells of the data records, as many as there are names; short records filled with nothing.
        refused: records that cannot be placed.
        warnings: what was met and dealt with.
        physical_lines: how many physical lines the file has.
    """

    form: TextForm
    dialect: Dialect
    layout: TableLayout
    rows: list[list[str]]
    refused: list[RefusedRecord]
    warnings: list[dict[str, str]]
    physical_lines: int


def read_carefully(path: Path, hints: ReadHints, limits: Limits) -> CarefulTable:
    """Read delimited text in any dialect and encoding; every physical line is in exactly one record.

    Raises:
        UnreadableFileError: the file is empty, is no text, or exceeds a limit.
    """
    form = detect_form(path, hints.encoding)
    lines = [line for batch in physical_lines(path, form, limits) for line in batch]
    if not any(line.strip() for line in lines):
        raise UnreadableFileError("empty_file", "The file holds no text.", "Send the file again.")
    declared = sep_line(lines[0])
    body = lines[1:] if declared is not None else lines
    found = detect_dialect(
        [line for line in body if line.strip()], hints.delimiter or declared, hints.quote, hints.escape,
        limits.max_record_bytes,
    )  # fmt: skip
    width = len(hints.columns) if hints.columns else found.width
    cut = [
        record
        for record in records([body], found.dialect, width, limits.max_record_bytes)
        if record.cells != [""] or record.lines > 1 or found.dialect.delimiter
    ]
    layout = find_table(cut, width, hints)
    check_columns(len(layout.names), limits)
    rows, refused = _rows(layout, hints)
    return CarefulTable(
        form, found.dialect, layout, rows, refused, _warnings(layout, form, width), len(lines)
    )


def _rows(layout: TableLayout, hints: ReadHints) -> tuple[list[list[str]], list[RefusedRecord]]:
    size = len(layout.names)
    rows, refused = [], []
    for number, record in enumerate(layout.rows, start=1):
        cells = record.cells
        if len(cells) > size and any(cell.strip() for cell in cells[size:]):
            refused.append(RefusedRecord(record.line, number, "more cells than the header has columns"))
            continue
        rows.append(cells[:size] + [""] * (size - len(cells)))
    return rows, refused


def _warnings(layout: TableLayout, form: TextForm, width: int) -> list[dict[str, str]]:
    told = []
    repaired: dict[str, list[int]] = {}
    for record in layout.rows:
        if record.repair:
            repaired.setdefault(record.repair, []).append(record.line)
    for repair, lines in sorted(repaired.items()):
        told.append(
            warning(
                "repaired_record", f"Read in another way ({repair}): lines {listed(lines)}.", "Look at them."
            )
        )
    uneven = [record.line for record in layout.rows if len(record.cells) != width]
    if uneven:
        why = f"Records have more or fewer cells than most ({width}): lines {listed(uneven)}."
        told.append(warning("uneven_record", why, "Look at them; short ones were filled with empty cells."))
    if layout.set_aside:
        why = f"Lines that are no data were set aside: {listed(sorted(layout.set_aside))}."
        told.append(warning("set_aside", why))
    if form.mixed_ends:
        told.append(warning("mixed_line_ends", "The file mixes line ends."))
    if form.nul:
        told.append(warning("nul_bytes", "NUL bytes were dropped."))
    return told


__all__ = ["CarefulTable", "Record", "read_carefully"]
