"""A block in which the counts of a row hang together: how many people it has is known, though not how they fared.

What belongs here: rewriting a block so that its four counts, who was measured and how many there are become cells of
their own. What does not: where the numbers of people come from (`public`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.disclosure.published import Block
from warehouse.disclosure.reach import Doubts

_COUNTS = 4
_MEASURED, _SIZE = 4, 5
KINDS = 6


@dataclass(frozen=True)
class Reading:
    """A block as somebody reads it.

    Attributes:
        block: its cells and relations.
        real: the auditor's true counts, shape (cells, counts).
        seen: what the reader knows of them, else not a number, shape (cells, counts).
        fixed: of which cells he would know it even if they were withheld, shape (cells,).
        doubts: what must stay possible.
    """

    block: Block
    real: np.ndarray
    seen: np.ndarray
    fixed: np.ndarray
    doubts: Doubts


def with_sizes(reading: Reading, size: np.ndarray) -> Reading:
    """The same block, with the number of people known of some cells.

    Cell c of count k becomes cell `k * cells + c`, so that the remainder by `cells` is the cell as it was.

    Args:
        reading: four counts (see `counted`), independent of each other.
        size: number of people of each cell that is known, else not a number, shape (cells,).
    """
    block, cells = reading.block, reading.block.cells
    real, seen = _column(reading.real), _column(reading.seen)
    known = ~np.isnan(size)
    seen[_SIZE * cells :][known] = size[known, None]
    fixed = np.tile(reading.fixed, KINDS)
    fixed[_SIZE * cells :] |= known
    doubts = reading.doubts
    asked = doubts.counts.sum(axis=1)
    kind = np.where(asked == _COUNTS, _SIZE, np.where(asked == 1, doubts.counts.argmax(axis=1), _MEASURED))
    alone = np.ones((len(kind), 1), dtype=bool)
    new = Doubts(kind * cells + doubts.cell, alone, doubts.sign, doubts.target)
    return Reading(_joined(block), real, seen, fixed, new)


def _column(counts: np.ndarray) -> np.ndarray:
    """The four counts, who was measured and all people, one below the other, shape (cells * 6, 1)."""
    measured = counts[:, 0] + counts[:, 1]
    return np.concatenate([*counts.T, measured, counts.sum(axis=1)])[:, None]


def _joined(block: Block) -> Block:
    """The relations of a block for each count, and for each cell what makes up its measured and all its people."""
    cells, relations = block.cells, len(block.equal)
    each, every = np.arange(_COUNTS), np.arange(cells)
    relation = [block.relation + k * relations for k in each]
    entry = [block.entry + k * cells for k in each]
    factor = [np.tile(block.factor, _COUNTS)]
    at = _COUNTS * relations
    for whole, parts in ((_MEASURED, (0, 1)), (_SIZE, (_MEASURED, 2, 3))):
        relation += [at + every] * (1 + len(parts))
        entry += [kind * cells + every for kind in (*parts, whole)]
        factor += [np.repeat([*(1.0 for _ in parts), -1.0], cells)]
        at += cells
    return Block(
        block.cell, KINDS * cells, np.concatenate(relation), np.concatenate(entry), np.concatenate(factor),
        np.concatenate([np.tile(block.equal, _COUNTS), np.ones(2 * cells, dtype=bool)]),
        np.concatenate([np.tile(block.kind, _COUNTS), np.zeros(2 * cells, dtype=block.kind.dtype)]),
    )  # fmt: skip
