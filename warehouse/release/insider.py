"""What somebody tells who is the only one of a withheld row: he knows its group, how he fared, and that he is alone.

What belongs here: what he knows, and which doubts about the others do not stand up to it. What does not: what a
stranger tells (`doubts`), or what is withheld for it (`protect`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from warehouse.disclosure.published import Block
from warehouse.disclosure.reach import Doubts, Reach
from warehouse.release.joint import Reading

NOBODY = -1
_DEAR = 10.0  # A way that moves nobody's own row may be so much longer.


def people_alone(block: Block, real: np.ndarray, dark: np.ndarray) -> np.ndarray:
    """Whose row each cell is, by a number for each person; `NOBODY` where it is withheld from none, or holds more.

    A group of one within a group of one is the same person, under whatever race scheme.

    Args:
        block: cells and relations.
        real: true counts, shape (cells, counts).
        dark: which cells are withheld and one row's alone, shape (cells,).
    """
    alone = dark & (real.sum(axis=1) == 1)
    person = np.full(block.cells, NOBODY)
    if not alone.any():
        return person
    # Whoever is counted with a minus is among those with a plus: where that is one person, it is he.
    size, up = real.sum(axis=1), block.factor > 0
    count = np.bincount(block.relation[up], weights=size[block.entry[up]], minlength=len(block.equal))
    tied = (count == 1)[block.relation] & alone[block.entry]
    shape = (len(block.equal), block.cells)
    ties = sparse.csr_matrix((np.ones(tied.sum()), (block.relation[tied], block.entry[tied])), shape=shape)
    _, label = connected_components(ties.T @ ties, directed=False)
    person[alone] = np.unique(label[alone], return_inverse=True)[1]
    return person


def lost_to_insiders(reading: Reading, person: np.ndarray, gone: np.ndarray) -> dict[int, np.ndarray]:
    """Doubts that one of them excludes, by person, shape (doubts,) each; persons who exclude none are left out.

    No other row may be known to him: of each it must be possible that there is one more. First all are taken together:
    what not even they can exclude, none of them can. Only the rest is tried one by one.

    Args:
        reading: what a stranger reads.
        person: whose row each cell is (see `people_alone`), shape (cells,).
        gone: doubts that a stranger excludes already, shape (doubts,).
    """
    reading = replace(reading, doubts=_eased(reading))
    doubts, own = reading.doubts, person[reading.doubts.cell]
    asked = np.flatnonzero(_asked(reading, person) & ~gone)
    others = own[asked] < 0
    suspects = np.concatenate([_lost(reading, person >= 0, asked[others]), asked[~others]])
    stranger = Reach(reading.block, reading.block.equal, reading.seen, reading.real)
    tried: dict[int, list[int]] = {}
    for j in suspects:
        for one in _threats(stranger, doubts, int(j), person):
            tried.setdefault(one, []).append(int(j))
    found = {}
    for one, mine in tried.items():
        lost = _lost(reading, person == one, np.array(mine))
        if len(lost):
            found[one] = np.isin(np.arange(len(own)), lost)
    return found


def _threats(stranger: Reach, doubts: Doubts, j: int, person: np.ndarray) -> list[int]:
    """Whom a doubt may not stand up to: whoever stays where he is on one way to its target, it does stand up to."""
    price, own = np.where(person >= 0, _DEAR, 1.0), person[doubts.cell[j]]

    def moved(still: np.ndarray) -> np.ndarray | None:
        way = stranger.way(doubts, j, price, still)
        whose = None if way is None else np.unique(person[way])
        return None if whose is None else whose[(whose >= 0) & (whose != own)]

    first = moved(np.zeros(len(person), dtype=bool))
    if first is None:
        return [int(one) for one in np.unique(person) if one not in (NOBODY, own)]
    if not len(first) or moved(np.isin(person, first)) is not None:
        return []
    return [int(one) for one in first if moved(person == one) is None]


def _lost(reading: Reading, known: np.ndarray, mine: np.ndarray) -> np.ndarray:
    """Which of the doubts at some positions whoever knows these cells besides excludes."""
    if not len(mine):
        return mine
    seen = np.where(known[:, None], reading.real, reading.seen)
    reach = Reach(reading.block, reading.block.equal, seen, reading.real)
    return mine[reach.unmet(reading.doubts.only(mine))]


def _eased(reading: Reading) -> Doubts:
    doubts = reading.doubts
    more = np.where(doubts.counts, reading.real[doubts.cell], 0).sum(axis=1) + 1
    return replace(doubts, target=np.where(doubts.sign > 0, np.minimum(doubts.target, more), doubts.target))


def _asked(reading: Reading, person: np.ndarray) -> np.ndarray:
    """Doubts whether there may be more, but for those that follow from others, shape (doubts,)."""
    doubts = reading.doubts
    asked = (doubts.sign > 0) & ~_within_own(reading.block, person)[doubts.cell]
    # One more who was measured is one more.
    kind = doubts.counts.sum(axis=1)
    measured = doubts.cell[(kind == 2) & asked]  # met, and not met
    asked &= ~((kind > 2) & np.isin(doubts.cell, measured))
    return asked


def _within_own(block: Block, person: np.ndarray) -> np.ndarray:
    """Which rows of one person hold a smaller row of the same: if that may be more, so may they, shape (cells,)."""
    table = sparse.csr_matrix(
        (block.factor, (block.relation, block.entry)), shape=(len(block.equal), block.cells)
    ).tocoo()
    part = (table.data < 0) & (person[table.col] >= 0)
    whose = np.full(len(block.equal), NOBODY)
    whose[table.row[part]] = person[table.col[part]]
    up = (table.data > 0) & (person[table.col] >= 0)
    found = np.zeros(block.cells, dtype=bool)
    found[table.col[up & (whose[table.row] == person[table.col])]] = True
    return found
