"""Records of which the columns become known only while they are read, gathered into a table of text.

What belongs here: columns, batches, refusals. What does not: where the records come from.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from ingestion.readers.model import (
    KEPT_REFUSALS,
    RefusedRecord,
    Request,
    UnreadableFileError,
    check_columns,
    check_records,
)
from warehouse.duck import quote_identifier

_BATCH_CELLS = 2_000_000
_BATCH_ROWS = 20_000


class RecordSink:
    """Takes records one by one and loads them in batches into `request.relation`, with `_record` from 1.

    Attributes:
        count: records met, refused ones included.
        refused: the first refused records.
        refused_count: how many there were.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._names: dict[str, str] = {}
        self._used = {"_record"}
        self._rows: list[tuple[int, Mapping[str, str | None]]] = []
        self._loaded: list[str] | None = None
        self.count = 0
        self.refused: list[RefusedRecord] = []
        self.refused_count = 0

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order of their first appearance."""
        return list(self._names.values())

    def declare(self, paths: list[str]) -> None:
        """Make columns known that may stand in no record."""
        for path in paths:
            self._name(path)

    def add(self, cells: Mapping[str, str | None], line: int, number: int = 0) -> None:
        """Take a record, under its count unless a number is given; one with a cell beyond the limit is refused.

        Raises:
            UnreadableFileError: there are too many columns or records.
        """
        limits = self._request.limits
        if any(cell is not None and len(cell) > limits.max_field_bytes for cell in cells.values()):
            self.refuse(line, f"a cell of more than {limits.max_field_bytes:,} characters")
            return
        self._count_one()
        for path in cells:
            if path not in self._names:
                self._name(path)
        self._rows.append((number or self.count, cells))
        if len(self._rows) >= _BATCH_ROWS or len(self._rows) * len(self._names) >= _BATCH_CELLS:
            self._flush()

    def refuse(self, line: int, reason: str) -> None:
        """Count a record that cannot be taken."""
        self._count_one()
        self.refused_count += 1
        if len(self.refused) < KEPT_REFUSALS:
            self.refused.append(RefusedRecord(line, self.count, reason))

    def finish(self) -> None:
        """Load what is left; the table exists afterwards even without records.

        Raises:
            UnreadableFileError: no record has a column.
        """
        if not self._names:
            raise UnreadableFileError(
                "no_columns", "No record holds a value.", "Export the file again, with its content."
            )
        self._flush()

    def _count_one(self) -> None:
        self.count += 1
        check_records(self.count, self._request.limits)

    def _name(self, path: str) -> None:
        """Give a path a column name; SQL does not tell names apart that differ only by case."""
        if path in self._names:
            return
        check_columns(len(self._names) + 1, self._request.limits)
        base = " ".join(path.split()) or f"column_{len(self._names) + 1}"
        name, count = base, 1
        while name.lower() in self._used:
            count += 1
            name = f"{base}_{count}"
        self._used.add(name.lower())
        self._names[path] = name

    def _flush(self) -> None:
        con, relation = self._request.con, quote_identifier(self._request.relation)
        if self._loaded is None:
            columns = ", ".join(f"{quote_identifier(name)} varchar" for name in self.columns)
            con.execute(f"create or replace table {relation} (_record bigint, {columns})")
            self._loaded = self.columns
        for name in self.columns[len(self._loaded) :]:
            con.execute(f"alter table {relation} add column {quote_identifier(name)} varchar")
        self._loaded = self.columns
        if not self._rows:
            return
        arrays: dict[str, pa.Array] = {"_record": pa.array([number for number, _ in self._rows], pa.int64())}
        for path, name in self._names.items():
            arrays[name] = pa.array([cells.get(path) for _, cells in self._rows], pa.string())
        self._rows = []
        con.register("_batch", pa.table(arrays))
        try:
            con.execute(f"insert into {relation} from _batch")
        finally:
            con.unregister("_batch")
