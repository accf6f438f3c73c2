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
from warehouse.release.insider import NOBODY, lost_to_insiders, people_alone
from warehouse.release.joint import KINDS, Reading, with_sizes
from warehouse.release.protect import Policy
from warehouse.release.public import PEOPLE

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
        before: where there is none near, those of the lost rows that earlier releases give away, and no shown row
            helps to, as positions in the block, shape (before,).
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
            release, so that to withhold it now would help nothing; or `people`: how many anybody can look up. What
            stands in a withheld row is not looked at.
        truth: true counts of the same rows (see `counted`), for the auditor alone, shape (rows, 4).
        parents: organization -> the organization that it is part of, or nothing.
        policy: what must remain in doubt.
        said: what earlier releases say of sums over these rows; none by default.
    """
    said = said or nothing_said()
    hidden = rows["is_suppressed"].to_numpy(dtype=bool)
    public = _public(rows, truth, hidden)
    nothing = np.array([], dtype=np.int64)
    if not np.isfinite(_asked(truth, hidden, policy, public)[1]).any():
        return Verdict(0, nothing, nothing, nothing)
    # A place of which something is said is not like the others of which nothing is shown.
    dark = hidden & ~np.isin(np.arange(len(rows)), said.row) & np.isnan(public)
    reading, row, members = read_block(rows, truth, parents, policy, dark)
    block = reading.block
    person = np.full(block.cells, NOBODY)
    if policy.singletons:
        unread = np.isnan(reading.seen).any(axis=1) & (members == 1)
        person = people_alone(block, reading.real, unread)
    size = np.full(block.cells, np.nan)
    size[block.cell[~np.isnan(public)]] = public[~np.isnan(public)]
    if len(said.equal):
        reading = _with_statements(reading, said)
        size = np.concatenate([size, np.full(len(said.equal), np.nan)])
        person = np.concatenate([person, np.full(len(said.equal), NOBODY)])
    before_joint = reading.block.cells
    if not np.isnan(size).all():
        reading, person = with_sizes(reading, size), np.tile(person, KINDS)
    gone, near, before = _attacked(reading, person)
    near = np.flatnonzero(np.isin(block.cell, near % before_joint) & ~hidden)
    given = np.setdiff1d(row[before], row[gone & ~before])
    return Verdict(len(gone), np.unique(row[gone]), near, given)


def read_block(
    rows: pd.DataFrame, truth: np.ndarray, parents: Mapping[str, str], policy: Policy, dark: np.ndarray
) -> tuple[Reading, np.ndarray, np.ndarray]:
    """Rows of one indicator and cohort year as cells, relations and doubts.

    Args:
        rows: see `attack_block`.
        truth: see there.
        parents: see there.
        policy: what must remain in doubt.
        dark: rows whose places may be read as one where all of them are, shape (rows,).

    Returns:
        The reading; the row that each doubt stands for, shape (doubts,); the number of rows in each cell.
    """
    hidden = rows["is_suppressed"].to_numpy(dtype=bool)
    read = np.where(hidden[:, None], np.nan, counted(rows))
    place, org, race, gender, economic = (
        rows[name].to_numpy(dtype=str)
        for name in ("geography_id", "organization_key", "race", "gender_group", "economic_group")
    )
    orgs, places, known = merged_places(org, place, dark, parents, policy.geography_id)
    block = make_block([places, orgs, race, gender, economic], known, policy.geography_id)
    cells = _Cells(block, np.stack([org, place], axis=1))
    doubts, row = cells.doubts(*_asked(truth, hidden, policy, _public(rows, truth, hidden)))
    real = cells.values(truth)
    reading = Reading(
        _relations(block, real), real, cells.values(read), np.zeros(block.cells, dtype=bool), doubts
    )
    if "fixed" in rows:
        reading.fixed[block.cell[rows["fixed"].to_numpy(dtype=bool)]] = True
    return reading, row, cells.members


def _attacked(reading: Reading, person: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which doubts are lost, shown cells that help to lose them, and which nothing shown now helps to lose.

    First to a stranger; where no shown row helps him any more, to each who knows a withheld row because it is his.
    """
    block, doubts, fixed = reading.block, reading.doubts, reading.fixed
    reach = Reach(block, block.equal, reading.seen, reading.real)
    shown, size = ~np.isnan(reading.seen).any(axis=1), reading.real.sum(axis=1)
    gone = reach.unmet(doubts)
    near = _cover(reach, doubts, gone, shown, fixed, size)
    # Where no shown cell helps to lose a doubt, withholding more would not bring it back.
    before = gone & (fixed.any() and not len(near))
    if len(near) or (person == NOBODY).all():
        return gone, near, before
    told = lost_to_insiders(reading, person, gone)
    for one, lost in list(told.items())[:_AT_ONCE]:
        near = np.union1d(near, _cover(reach, doubts, lost, shown, fixed | (person == one), size))
    by_them = np.any([*told.values(), np.zeros_like(gone)], axis=0)
    return gone | by_them, near, before | (by_them & (fixed.any() and not len(near)))


def _public(rows: pd.DataFrame, truth: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """How many people a withheld row has, where everybody can look it up, else not a number, shape (rows,).

    A public number that is not the row's leads its reader astray, and gives nothing away.
    """
    if PEOPLE not in rows:
        return np.full(len(rows), np.nan)
    people = rows[PEOPLE].to_numpy(dtype=float)
    return np.where(hidden & (people == truth.sum(axis=1)), people, np.nan)


def _cover(
    reach: Reach, doubts: Doubts, gone: np.ndarray, shown: np.ndarray, fixed: np.ndarray, size: np.ndarray
) -> np.ndarray:
    """Shown cells that, withheld, would widen lost doubts: those with the fewest people, a few doubts at a time."""
    shown = shown & ~fixed & (size > 0)
    found = np.zeros(len(size), dtype=bool)
    helped = 0
    for cell in np.unique(doubts.cell[gone]):
        helps = False
        for j in np.flatnonzero(gone & (doubts.cell == cell)):
            way = reach.opened(doubts, int(j), np.where(shown & ~found, size, 0.0), fixed) & shown
            helps, found = helps or bool(way.any()), found | way
        # One that nothing shown helps to lose does not stand in the way of the others.
        helped += helps
        if helped == _AT_ONCE:
            break
    return np.flatnonzero(found)


def _asked(
    truth: np.ndarray, hidden: np.ndarray, policy: Policy, public: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How low and how high each sum of each withheld row must be able to be; infinite where nothing is asked.

    Of a row whose number of people is public it is not asked, nor how many were measured where all were. Shapes
    (rows, 4), in the order of `_SUMS`.
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
    known = ~np.isnan(public)
    down[known, 0], up[known, 0] = np.inf, -np.inf
    up[known, 1] = np.minimum(up[known, 1], public[known])
    everybody = known & (measured == public)
    down[everybody, 1], up[everybody, 1] = np.inf, -np.inf
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


def _with_statements(reading: Reading, said: Statements) -> Reading:
    """The block with a further cell for the value of each statement, which is known whatever is withheld."""
    block, count = reading.block, len(said.equal)
    summed = ~said.shown
    cell, new = block.cell[said.row[summed]], block.cells + np.arange(count)
    number = len(block.equal) + np.arange(count)
    joined = Block(
        block.cell, block.cells + count, np.concatenate([block.relation, number[said.statement[summed]], number]),
        np.concatenate([block.entry, cell, new]), np.concatenate([block.factor, said.factor[summed], -np.ones(count)]),
        np.concatenate([block.equal, said.equal]), np.concatenate([block.kind, np.zeros(count, dtype=block.kind.dtype)]),
    )  # fmt: skip
    real, seen = (np.concatenate([counts, said.value]) for counts in (reading.real, reading.seen))
    fixed = np.concatenate([reading.fixed, np.ones(count, dtype=bool)])
    return Reading(joined, real, seen, fixed, reading.doubts)


def _relations(block: Block, real: np.ndarray) -> Block:
    """The block with the relations that the true figures keep.

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
    return Block(
        block.cell, block.cells, place[block.relation[entry]], block.entry[entry], block.factor[entry],
        equal[kept], block.kind[kept],
    )  # fmt: skip
