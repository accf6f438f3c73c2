"""The careful way through delimited text, record by record: for files that no single dialect explains.

What belongs here: putting encoding, dialect, records and layout together. What does not: the fast way (`delimited`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from ingestion.readers.alignment import ColumnKinds
from ingestion.readers.detection import delimiter_by_header, detect_dialect, sep_line
from ingestion.readers.dialect import Dialect
from ingestion.readers.encoding import TextForm, detect_form, physical_lines
from ingestion.readers.model import (
    KEPT_REFUSALS,
    Limits,
    ReadHints,
    RefusedRecord,
    UnreadableFileError,
    check_columns,
    listed,
    warning,
)
from ingestion.readers.records import Record, records
from ingestion.readers.table_layout import TableFinder, TableLayout

# Records and lines by which dialect and header are found; the rest of the file only passes through.
_HEAD_RECORDS = 20_000
HEAD_LINES = 2_000


@dataclass
class CarefulText:
    """A delimited file on its way through; everything but form and dialect is complete once `rows` is exhausted.

    Attributes:
        form: encoding and line ends.
        dialect: delimiter, quote and escape that most records follow.
        layout: names, and what the records are.
        refused: the first records that cannot be placed.
        refused_count: how many there were.
        physical_lines: how many physical lines the file has.
    """

    form: TextForm
    dialect: Dialect
    layout: TableLayout
    refused: list[RefusedRecord] = field(default_factory=list)
    refused_count: int = 0
    physical_lines: int = 0
    _repaired: dict[str, list[int]] = field(default_factory=dict)
    _uneven: list[int] = field(default_factory=list)
    _data: Iterable[Record] = ()

    def rows(self) -> Iterator[tuple[int, Record, list[str]]]:
        """Number from 1, record, and cells as many as there are names; longer records are refused or kept whole."""
        size = len(self.layout.names)
        for number, record in enumerate(self._data, start=1):
            cells = record.cells
            if record.repair:
                self._repaired.setdefault(record.repair, []).append(record.line)
            if len(cells) != self.layout.width:
                self._uneven.append(record.line)
            if len(cells) > size and any(cell.strip() for cell in cells[size:]):
                self.refuse(record.line, number, "more cells than the header has columns")
                continue
            yield number, record, cells[:size] + [""] * (size - len(cells))

    def refuse(self, line: int, number: int, reason: str) -> None:
        """Count a record that cannot be placed."""
        self.refused_count += 1
        if len(self.refused) < KEPT_REFUSALS:
            self.refused.append(RefusedRecord(line, number, reason))

    def irregular(self) -> int:
        """How many records had another form than most."""
        return max(len(self._uneven), sum(map(len, self._repaired.values())))

    def warnings(self) -> list[dict[str, str]]:
        """What was met and dealt with."""
        layout, form, told = self.layout, self.form, []
        for repair, lines in sorted(self._repaired.items()):
            why = f"Read in another way ({repair}): lines {listed(lines)}."
            told.append(warning("repaired_record", why, "Look at them."))
        if self._uneven:
            why = (
                f"Records have more or fewer cells than most ({layout.width}): lines {listed(self._uneven)}."
            )
            told.append(
                warning("uneven_record", why, "Look at them; short ones were filled with empty cells.")
            )
        if layout.set_aside:
            why = f"Lines that are no data were set aside: {listed(sorted(layout.set_aside))}."
            told.append(warning("set_aside", why))
        if layout.other_table:
            count = layout.kinds["other table"]
            why = f"Another table with other columns starts on line {layout.other_table:,}; its {count:,} records were set aside."
            told.append(warning("other_table", why, "Send each table as a file of its own."))
        if form.mixed_ends:
            told.append(warning("mixed_line_ends", "The file mixes line ends."))
        if form.nul:
            told.append(warning("nul_bytes", "NUL bytes were dropped."))
        return told


@dataclass(frozen=True)
class CarefulTable:
    """A table of text as it stood in a delimited file.

    Attributes:
        form: encoding and line ends.
        dialect: delimiter, quote and escape that most records follow.
        layout: names, and what the records are.
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
    """Read delimited text in any dialect and encoding into memory; every physical line is in exactly one record.

    Raises:
        UnreadableFileError: the file is empty, is no text, or exceeds a limit.
    """
    found = open_carefully(path, hints, limits)
    rows = [cells for _, _, cells in found.rows()]
    return CarefulTable(
        found.form, found.dialect, found.layout, rows, found.refused, found.warnings(), found.physical_lines
    )


def open_carefully(
    path: Path,
    hints: ReadHints,
    limits: Limits,
    expected: frozenset[str] = frozenset(),
    form: TextForm | None = None,
    head_only: bool = False,
) -> CarefulText:
    """Find dialect and header of delimited text, and make its records ready to be gone through.

    Args:
        path: the file.
        hints: what is known beforehand.
        limits: beyond which it is refused.
        expected: folded names of columns that the file may have.
        form: encoding and line ends, if they are known already.
        head_only: go no further than the first lines.

    Raises:
        UnreadableFileError: the file is empty, is no text, or exceeds a limit.
    """
    form = form or detect_form(path, hints.encoding, hints.line_end)
    text = CarefulText(form, Dialect(), TableLayout([], 0))
    batches = _counted(physical_lines(path, form, limits), text)
    head: list[str] = []
    for batch in batches:
        head += batch
        if sum(1 for line in head[hints.skip_lines :] if line.strip()) >= HEAD_LINES:
            break
    # Lines passed over are emptied, not removed, so that the others keep their numbers.
    skipped = min(hints.skip_lines, len(head))
    head[:skipped] = [""] * skipped
    if not any(line.strip() for line in head):
        raise UnreadableFileError("empty_file", "The file holds no text.", "Send the file again.")
    declared = None if skipped else sep_line(head[0])
    if declared is not None:
        head[0] = ""
    delimiter = hints.delimiter or declared or delimiter_by_header(head, expected)
    found = detect_dialect(
        [line for line in head if line.strip()], delimiter, hints.quote, hints.escape, limits.max_record_bytes
    )
    width = len(hints.columns) if hints.columns else hints.width or found.width
    text.dialect = found.dialect
    kinds = ColumnKinds.of((record.cells for record in found.sample if not record.repair), width)
    lines = [head[: HEAD_LINES + skipped]] if head_only else chain([head], batches)
    cut = (
        record
        for record in records(lines, found.dialect, width, limits.max_record_bytes, kinds)
        if record.line > skipped and (record.cells != [""] or record.lines > 1 or found.dialect.delimiter)
    )
    finder = TableFinder(list(islice(cut, _HEAD_RECORDS)), width, hints, expected)
    text.layout, text._data = finder.layout, finder.data(cut)
    if skipped:
        text.layout.kinds["skipped"] = skipped
        text.layout.set_aside.extend(range(1, skipped + 1))
    check_columns(len(text.layout.names), limits)
    return text


def _counted(batches: Iterable[list[str]], text: CarefulText) -> Iterator[list[str]]:
    for batch in batches:
        text.physical_lines += len(batch)
        yield batch


__all__ = ["HEAD_LINES", "CarefulTable", "CarefulText", "Record", "open_carefully", "read_carefully"]
