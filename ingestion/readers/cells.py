"""Cells of a workbook as text: whole numbers without a point, dates in ISO form, a whole column at once.

What belongs here: values to text. What does not: which cells (`workbook`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_EXACT = 2**53
_ROWS = 1000
_LAST_DAY = 2_958_465
# Excel counts days from here once its 29 February 1900 has passed.
_EPOCH, _EPOCH_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001
_MOSTLY = 0.5


class ColumnTexts:
    """Turns columns into text.

    Attributes:
        date_numbers: how many plain numbers stood in columns of dates and were read as dates.
    """

    def __init__(self, from_1904: bool = False) -> None:
        self.date_numbers = 0
        self._epoch = _EPOCH_1904 if from_1904 else _EPOCH

    def of_rows(self, rows: Sequence[Sequence[Any]], width: int) -> list[Any]:
        """The texts of the first columns of rows of one length; empty cells are null.

        Columns that hold nothing but text are made a few rows at a time, while their cells are near each other in
        memory: that takes a quarter of the time.
        """
        texts: dict[int, list[Any]] = {at: [] for at in range(width)}
        for start in range(0, len(rows), _ROWS):
            for at, cells in enumerate(zip(*rows[start : start + _ROWS], strict=True)):
                if at in texts and set(map(type, cells)) != {str}:
                    del texts[at]
                elif at in texts:
                    array = pa.array(cells, pa.string())
                    texts[at].append(pc.if_else(pc.not_equal(array, ""), array, None))
        return [
            pa.chunked_array(texts[at], pa.string()).combine_chunks()
            if at in texts
            else self.of([row[at] for row in rows])
            for at in range(width)
        ]

    def of(self, values: Sequence[Any]) -> Any:
        """The texts of one column; empty cells are null."""
        filled = [None if value == "" else value for value in values]
        kinds = set(map(type, filled)) - {type(None)}
        if kinds <= {str}:
            return pa.array(filled, pa.string())
        if kinds == {float}:
            return _numbers(pa.array(filled, pa.float64()))
        if kinds == {date}:
            return pa.array(filled, pa.date32()).cast(pa.string())
        if float in kinds and kinds & {date, datetime}:
            filled = self._dates(filled)
        return pa.array([cell_text(value) for value in filled], pa.string())

    def _dates(self, values: list[Any]) -> list[Any]:
        """Numbers among dates are dates that lost their format."""
        dates = sum(1 for value in values if isinstance(value, date))
        if dates < _MOSTLY * sum(1 for value in values if value is not None):
            return values
        return [self._as_date(value) for value in values]

    def _as_date(self, value: Any) -> Any:
        if not isinstance(value, float) or not 1 <= value <= _LAST_DAY:
            return value
        self.date_numbers += 1
        return self._epoch + timedelta(seconds=round(value * 86_400))


def cell_text(cell: Any) -> str | None:
    """The text of one cell, None when it is empty."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        minutes, seconds = divmod(int(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return str(cell)


def _numbers(numbers: Any) -> Any:
    whole = pc.and_(pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), _EXACT))
    integers = pc.if_else(whole, numbers, None).cast(pa.int64()).cast(pa.string())
    return pc.if_else(whole, integers, numbers.cast(pa.string()))
