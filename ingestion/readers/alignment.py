"""Putting a record with too many cells back under its columns, where what the others hold leaves one way only.

What belongs here: what columns usually hold, and the search for the one way. What does not: cutting (`records`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ingestion.readers.celltypes import kind_of

_LEAST_RECORDS = 4
_MOST_STEPS = 40_000
_PLAUSIBLE = 0.1
# By how much the best way must be likelier than the next, in natural logarithms.
_CLEAR = 1.5
_JOINED = -1.0
_CLASSES = {"word": "text", "odd": "text", "hidden": "text"}

_Way = tuple[float, tuple[str, ...]]


@dataclass(frozen=True)
class ColumnKinds:
    """How often each column of the regular records holds which class of text: number, date, text, empty and so on."""

    shares: list[dict[str, float]]

    @classmethod
    def of(cls, rows: Iterable[list[str]], width: int) -> ColumnKinds | None:
        """What the rows of the right width show; None when they are too few to tell."""
        regular = [cells for cells in rows if len(cells) == width]
        if width < 2 or len(regular) < _LEAST_RECORDS:
            return None
        counts = [Counter(_class(row[at]) for row in regular) for at in range(width)]
        return cls([{kind: n / len(regular) for kind, n in column.items()} for column in counts])

    def align(self, pieces: list[str], whole: list[bool], joint: str) -> list[str] | None:
        """The cells under their columns, when exactly one way to join neighbours fits all columns; else None.

        Args:
            pieces: the record's cells, more than there are columns.
            whole: for each, whether it stood in quotes and so is no part of another.
            joint: what stood between them.
        """
        width = len(self.shares)
        surplus = len(pieces) - width
        if surplus < 1 or width * (surplus + 1) ** 2 > _MOST_STEPS:
            return None
        # By how many pieces more than columns are used: the two likeliest ways so far.
        ways: dict[int, list[_Way]] = {0: [(0.0, ())]}
        for column, shares in enumerate(self.shares):
            grown: dict[int, dict[tuple[str, ...], float]] = {}
            for used, found in ways.items():
                for more in range(surplus - used + 1):
                    at = column + used
                    cell = _joined(pieces[at : at + more + 1], whole[at : at + more + 1], joint)
                    share = shares.get(_class(cell), 0.0) if cell is not None else 0.0
                    if cell is None or share < _PLAUSIBLE:
                        continue
                    score = math.log(share) + (_JOINED if more and joint in cell else 0.0)
                    kept = grown.setdefault(used + more, {})
                    for before, cells in found:
                        way = (*cells, cell)
                        kept[way] = max(kept.get(way, -math.inf), before + score)
            ways = {used: _two_best(kept) for used, kept in grown.items()}
        last = ways.get(surplus, [])
        if not last or (len(last) > 1 and last[0][0] - last[1][0] < _CLEAR):
            return None
        return list(last[0][1])


def _two_best(found: dict[tuple[str, ...], float]) -> list[_Way]:
    return sorted(((score, cells) for cells, score in found.items()), reverse=True)[:2]


def _class(cell: str) -> str:
    kind = kind_of(cell)
    return _CLASSES.get(kind, kind)


def _joined(pieces: list[str], whole: list[bool], joint: str) -> str | None:
    """One cell of neighbouring pieces; None where a quoted one would be joined to others."""
    if len(pieces) == 1:
        return pieces[0]
    filled = [at for at, piece in enumerate(pieces) if piece.strip()]
    if len(filled) < 2:
        return pieces[filled[0]] if filled else ""
    return None if any(whole) else joint.join(pieces)
