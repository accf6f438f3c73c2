"""Nested records made flat: the text at every path of a record, with dotted names.

What belongs here: what becomes of repeated parts. What does not: walking XML or JSON.
"""

from __future__ import annotations

from collections.abc import Iterable


class FlatRecord:
    """Values by dotted path.

    A part that a record repeats gives one cell with its values joined. Each value stands at its part's place, so that
    `Code.Id` and `Code.Issuer` of the third `Code` are the third values of their cells, also where others lack one.
    Where a repeated part repeats parts of its own, their values follow each other without a place.
    """

    def __init__(self, separator: str) -> None:
        self._separator = separator
        self._values: dict[str, list[str | None]] = {}

    def add(self, path: str, value: str | None, place: int | None = None) -> None:
        """Add a value; `place` is the position, from 0, of the outermost repeated part that holds it among its like."""
        values = self._values.setdefault(path, [])
        if place is not None and len(values) < place:
            values.extend([None] * (place - len(values)))
        values.append(value)

    @property
    def cells(self) -> dict[str, str | None]:
        """One text for each path."""
        return {
            path: values[0] if len(values) == 1 else self._joined(values)
            for path, values in self._values.items()
        }

    def has_hidden_separator(self) -> bool:
        """Whether a repeated value holds the separator, so that the cell cannot be taken apart."""
        return any(
            len(values) > 1 and any(value and self._separator in value for value in values)
            for values in self._values.values()
        )

    def _joined(self, values: Iterable[str | None]) -> str | None:
        texts = [value or "" for value in values]
        return self._separator.join(texts) if any(texts) else None
