"""What must stay in doubt about the rows of the rate table, and whether it does for whoever reads them.

What belongs here: the rate table as the attacker of `warehouse.disclosure` reads it, block by block. What does not:
his reasoning, or choosing what to withhold (`protect`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from warehouse.disclosure.published import Block, make_block, merged_places
from warehouse.disclosure.reach import Doubts, Reach
from warehouse.release.earlier import Statements, counted, nothing_said
from warehouse.release.protect import Policy

# Counts that are printed apart: met, not met, excluded, not measured. What is asked of: the group, who was measured,
# who met it, who did not.
_AT_ONCE = 4
_SUMS = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0]], dtype=bool)


@dataclass(frozen=True)
class Verdict:
    """What the attacker found in one block.

    Attributes:
        doubts: number of doubts that must remain.
        lost: rows about which one does not, as positions in the block, shape (lost,).
        near: shown rows that give some of these away, chosen with the fewest people, as positions in the block; there is
            none where nothing that could be withheld would help.
        before: where there is none near, those of the lost rows that earlier releases give away whatever is withheld
            now, as positions in the block, shape (before,).
    """

    doubts: int
    lost: np.ndarray
    near: np.ndarray
    before: np.ndarray


def attack_block(
    rows: pd.DataFrame,
    truth: np.ndarray,
    parents: Mapping[str, str],
    policy: Policy,
    said: Statements | None = None,
) -> Verdict:
    """Attack the rows of one indicator and cohort year.

    Args:
        rows: as they are read, with `is_suppressed`, `race` (see `race_of`) and perhaps `fixed`: shown by an earlier
            release, so that to withhold it now would help nothing. What stands in a withheld row is not looked at.
        truth: true counts of the same rows (see `counted`), for the auditor alone, shape (rows, 4).
        parents: organization -> the organization that it is part of, or nothing.
        policy: what must remain in doubt.
        said: what earlier releases say of sums over these rows; none by default.
    """
    said = said or nothing_said()
    hidden = rows["is_suppressed"].to_numpy(dtype=bool)
    read = np.where(hidden[:, None], np.nan, counted(rows))
    down, up = _asked(truth, hidden, policy)
    nothing = np.array([], dtype=np.int64)
    if not np.isfinite(up).any():
        return Verdict(0, nothing, nothing, nothing)
    place, org, race, gender, economic = (
        rows[name].to_numpy(dtype=str)
        for name in ("geography_id", "organization_key", "race", "gender_group", "economic_group")
    )
    # A place of which something is said is not like the others of which nothing is shown.
    dark = hidden & ~np.isin(np.arange(len(rows)), said.row)
    orgs, places, known = merged_places(org, place, dark, parents, policy.geography_id)
    block = make_block([places, orgs, race, gender, economic], known, policy.geography_id)
    cells = _Cells(block, np.stack([org, place], axis=1))
    doubts, row = cells.doubts(down, up)
    real, seen = cells.values(truth), cells.values(read)
    kept, equal = _relations(block, real)
    fixed = np.zeros(block.cells, dtype=bool)
    if "fixed" in rows:
        fixed[block.cell[rows["fixed"].to_numpy(dtype=bool)]] = True
    if len(said.equal):
        kept = _with_statements(kept, said)
        equal, fixed = kept.equal, np.concatenate([fixed, np.ones(len(said.equal), dtype=bool)])
        real, seen = np.concatenate([real, said.value]), np.concatenate([seen, said.value])
    reach = Reach(kept, equal, seen, real)
    gone = reach.unmet(doubts)
    near = _cover(reach, doubts, gone, ~np.isnan(seen).any(axis=1), fixed, real.sum(axis=1))
    near = np.flatnonzero(np.isin(block.cell, near) & ~hidden)
    before = np.zeros(len(gone), dtype=bool)
    if gone.any() and fixed.any() and not len(near):
        bare = Reach(kept, equal, np.where(fixed[:, None], seen, np.nan), real)
        before[gone] = bare.unmet(doubts.only(gone))
    given = np.setdiff1d(row[before], row[gone & ~before])
    return Verdict(len(gone), np.unique(row[gone]), near, given)


def _cover(
    reach: Reach, doubts: Doubts, gone: np.ndarray, shown: np.ndarray, fixed: np.ndarray, size: np.ndarray
) -> np.ndarray:
    """Shown cells that, withheld, would widen lost doubts: those with the fewest people, a few doubts at a time."""
    shown = shown & ~fixed & (size > 0)
    found = np.zeros(len(size), dtype=bool)
    at_once = 0
    for cell in np.unique(doubts.cell[gone]):
        more = False
        for j in np.flatnonzero(gone & (doubts.cell == cell)):
            way = reach.opened(doubts, int(j), np.where(shown & ~found, size, 0.0), fixed) & shown & ~found
            more, found = more or way.any(), found | way
        at_once += more
        if at_once == _AT_ONCE:
            break
    return np.flatnonzero(found)


def _asked(truth: np.ndarray, hidden: np.ndarray, policy: Policy) -> tuple[np.ndarray, np.ndarray]:
    """How low and how high each sum of each withheld row must be able to be; infinite where nothing is asked.

    Shapes (rows, 4), in the order of `_SUMS`.
    """
    total = truth @ _SUMS.T
    down, up = np.full(total.shape, np.inf), np.full(total.shape, -np.inf)
    size, measured = total[:, 0], total[:, 1]
    for k, value in ((0, size), (1, measured)):
        small = hidden & (value > 0) & (value < policy.minimum_n)
        down[small, k] = value[small] - np.minimum(policy.lower, value[small])
        up[small, k] = np.maximum(value[small] + policy.upper, policy.minimum_n)
    for k in (2, 3):
        few = hidden & (measured > 0) & (total[:, k] < policy.smallest_part)
        down[few, k] = 0
        up[few, k] = np.minimum(policy.smallest_part, measured[few])
    return down, up


class _Cells:
    """Rows of a block gathered to its cells: places read as one add up, two names of one group do not."""

    def __init__(self, block: Block, own: np.ndarray) -> None:
        self.block = block
        named = pd.DataFrame({"organization": own[:, 0], "place": own[:, 1], "cell": block.cell})
        self._first = first = np.flatnonzero(~named.duplicated().to_numpy())
        self.members = np.bincount(block.cell[first], minlength=block.cells)

    def values(self, counts: np.ndarray) -> np.ndarray:
        """Counts of the cells, shape (cells, counts); not a number where a row is withheld and no other name shows it."""
        result = np.zeros((self.block.cells, counts.shape[1]))
        np.add.at(result, self.block.cell[self._first], counts[self._first])
        there = ~np.isnan(counts).any(axis=1) & (self.members[self.block.cell] == 1)
        result[self.block.cell[there]] = counts[there]
        return result

    def doubts(self, down: np.ndarray, up: np.ndarray) -> tuple[Doubts, np.ndarray]:
        """The doubts about cells, and a row that each stands for."""
        found = []
        cell = self.block.cell
        for k in range(len(_SUMS)):
            for sign, targets in ((1, up[:, k]), (-1, down[:, k])):
                asked = np.isfinite(targets)
                if sign < 0:
                    asked &= self.members[cell] == 1
                rows = np.flatnonzero(asked)
                rows = rows[np.argsort(-sign * targets[rows], kind="stable")]
                _, first = np.unique(cell[rows], return_index=True)
                rows = rows[first]
                found.append(
                    (cell[rows], np.full(len(rows), k), np.full(len(rows), sign), targets[rows], rows)
                )
        cells, sums, signs, targets, rows = (np.concatenate(part) for part in zip(*found, strict=True))
        return Doubts(cells, _SUMS[sums], signs.astype(float), targets), rows


def _with_statements(block: Block, said: Statements) -> Block:
    """The block with a further cell for the value of each statement."""
    summed = ~said.shown
    cell, count = block.cell[said.row[summed]], len(said.equal)
    new = block.cells + np.arange(count)
    return Block(
        block.cell, block.cells + count,
        np.concatenate([block.relation, len(block.equal) + said.statement[summed], len(block.equal) + np.arange(count)]),
        np.concatenate([block.entry, cell, new]), np.concatenate([block.factor, said.factor[summed], -np.ones(count)]),
        np.concatenate([block.equal, said.equal]), np.concatenate([block.kind, np.zeros(count, dtype=block.kind.dtype)]),
    )  # fmt: skip


def _relations(block: Block, real: np.ndarray) -> tuple[Block, np.ndarray]:
    """The relations that the true figures keep, and which of them are equations.

    Who reads a relation that does not hold is led astray by it, so it gives nothing away. Where the places within one together hold everybody, whoever knows that reads an equation.
    """
    rest = block.matrix() @ real
    equal = block.equal.copy()
    for kind in np.unique(block.kind[block.kind > 0]):
        mine = block.kind == kind
        if (rest[mine] == 0).all():
            equal |= mine
    holds = (rest >= 0).all(axis=1) & (~equal | (rest == 0).all(axis=1))
    kept = np.flatnonzero(holds)
    entry = holds[block.relation]
    place = np.cumsum(holds) - 1
    fitting = Block(
        block.cell, block.cells, place[block.relation[entry]], block.entry[entry], block.factor[entry],
        equal[kept], block.kind[kept],
    )  # fmt: skip
    return fitting, equal[kept]
