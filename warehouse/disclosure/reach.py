"""What a reader of one block can exclude: which doubts about withheld cells do not remain.

What belongs here: the attacker's bounds, and points that he cannot exclude. What does not: how the cells hang together
(`published`), or what must stay in doubt (`warehouse.release.doubts`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from warehouse.disclosure.linear import Programme
from warehouse.disclosure.published import Block

_NEAR = 1e-6
_ROUNDS = 60
_TRIES = 3
_SWEEPS = 12
_WORTH = 0.9
_FEW = 4  # Fewer are as quickly found one by one.
_REWEIGHTINGS = 3
_TIE = 0.01
_MOST = 1e7  # No group is larger.
_INTEGER_SECONDS = 2.0


@dataclass(frozen=True)
class Doubts:
    """What must stay possible; `counts` are independent columns of a block (met, not met, ...), a asks.

    Attributes:
        cell: cell of each, shape (a,).
        counts: whose sum is meant, shape (a, counts).
        sign: 1 where it must be possible that the sum reaches `target`, -1 that it is as low, shape (a,).
        target: shape (a,).
    """

    cell: np.ndarray
    counts: np.ndarray
    sign: np.ndarray
    target: np.ndarray

    def only(self, kept: np.ndarray) -> Doubts:
        """Some of them, by a mask or by positions."""
        return Doubts(self.cell[kept], self.counts[kept], self.sign[kept], self.target[kept])

    def met(self, least: np.ndarray, most: np.ndarray) -> np.ndarray:
        """Which are met where counts, each by itself, can be as small and as large; shapes (cells, counts)."""
        best = np.where(self.sign[:, None] > 0, most[self.cell], least[self.cell])
        total = np.where(self.counts, best, 0).sum(axis=1)
        return self.sign * (total - self.target) >= -_NEAR


def narrowed(
    matrix: sparse.csr_matrix, equal: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of whole numbers that follow relation by relation; shapes (cells, counts)."""
    table = matrix.tocoo()
    row, column, factor = table.row, table.col, table.data
    low, high = low.copy(), high.copy()
    for _ in range(_ROUNDS):
        before = (low.copy(), high.copy())
        for k in range(low.shape[1]):
            _narrow(row, column, factor, equal, low[:, k], high[:, k])
        if np.array_equal(before[0], low) and np.array_equal(before[1], high):
            break
    return low, high


def _narrow(
    row: np.ndarray,
    column: np.ndarray,
    factor: np.ndarray,
    equal: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> None:
    """One round over all relations, in place."""
    up = factor > 0
    least = np.where(up, factor * low[column], factor * high[column])
    most = np.where(up, factor * high[column], factor * low[column])
    rest_low, rest_high = _others(row, least, len(equal)), _others(row, most, len(equal))
    # sum >= 0 always: factor * y >= -most of the others. sum <= 0 where equal: factor * y <= -least of the others.
    floor, ceiling = -rest_high, np.where(equal[row], -rest_low, np.inf)
    new_low, new_high = np.where(up, floor, -ceiling), np.where(up, ceiling, -floor)
    np.maximum.at(low, column, np.ceil(new_low - _NEAR))
    np.minimum.at(high, column, np.floor(new_high + _NEAR))


def _others(row: np.ndarray, amount: np.ndarray, rows: int) -> np.ndarray:
    """For each entry the sum of the others of its relation, infinite where one of them is."""
    endless = np.isinf(amount)
    finite = np.where(endless, 0, amount)
    total = np.bincount(row, weights=finite, minlength=rows)[row] - finite
    count = np.bincount(row, weights=endless, minlength=rows)[row] - endless
    return np.where(count > 0, np.where(_positive(amount, row, rows), np.inf, -np.inf), total)


def _positive(amount: np.ndarray, row: np.ndarray, rows: int) -> np.ndarray:
    """Whether the infinite amounts of an entry's relation are positive."""
    positive = np.bincount(row, weights=np.isposinf(amount), minlength=rows)
    return positive[row] > 0


class Reach:
    """A block as it is read.

    Args:
        block: its relations.
        equal: which of them are equations, shape (relations,).
        shown: a number where one is printed, else not a number, shape (cells, counts).
        truth: the auditor's own: a point that no reader can exclude, shape (cells, counts).
    """

    def __init__(self, block: Block, equal: np.ndarray, shown: np.ndarray, truth: np.ndarray) -> None:
        matrix, hidden = block.matrix(), np.isnan(shown)
        self._low, self._high = narrowed(
            matrix, equal, np.where(hidden, 0, shown), np.where(hidden, _MOST, shown)
        )
        self._truth, self._matrix, self._equal = truth, matrix, equal
        self._single: dict[int, _Count] = {}

    def unmet(self, doubts: Doubts) -> np.ndarray:
        """Which doubts a reader can exclude, shape (asks,)."""
        lost = ~doubts.met(self._low, self._high)
        least, most = self._truth.copy(), self._truth.copy()
        counts = []
        for k in range(self._truth.shape[1]):
            at = self._low[:, k], self._high[:, k]
            counts.append(_Count(self._matrix, self._equal, *at, self._truth[:, k], least[:, k], most[:, k]))
        waiting = ~lost & ~doubts.met(least, most)
        for sweep in range(_SWEEPS):
            before = waiting.sum()
            _swept(doubts, waiting, counts, least, most, sweep)
            waiting &= ~doubts.met(least, most)
            if waiting.sum() > _WORTH * before:
                break
        for j in np.flatnonzero(waiting):
            lost[j] = not _reached(doubts, int(j), counts, least, most)
        return lost

    def opened(self, doubts: Doubts, j: int, cost: np.ndarray, fixed: np.ndarray) -> np.ndarray:
        """Cells that move on the cheapest way from the truth to a doubt's target, everything not fixed being free to move.

        Args:
            doubts: all doubts.
            j: the one.
            cost: of letting a cell move, nought for one that is withheld, shape (cells,).
            fixed: what would still be known of a cell if it were withheld, shape (cells,).

        Returns:
            Whether each cell moves, shape (cells,); none where there is no way.
        """
        cell, sign = int(doubts.cell[j]), float(doubts.sign[j])
        mine = np.flatnonzero(doubts.counts[j])
        short = sign * (doubts.target[j] - self._truth[cell, mine].sum())
        moved = np.zeros(len(cost), dtype=bool)
        # The count of which there is most has most room.
        for k in mine[np.argsort(-self._truth[:, mine].sum(axis=0), kind="stable")]:
            step = min(short, self._truth[cell, k]) if sign < 0 else short
            if step > _NEAR:
                moved |= self._way(cell, sign * step, k, cost, fixed)
                short -= step
        return moved

    def way(self, doubts: Doubts, j: int, price: np.ndarray, still: np.ndarray) -> np.ndarray | None:
        """Cells that move on a cheap way, in whole numbers and in one count, from the truth to a doubt's target.

        Args:
            doubts: all doubts.
            j: the one.
            price: of each person by whom a cell moves, shape (cells,).
            still: cells that may not move, shape (cells,).

        Returns:
            Whether each cell moves, shape (cells,); None where no such way was found.
        """
        cell, mine = int(doubts.cell[j]), np.flatnonzero(doubts.counts[j])
        step = float(doubts.target[j] - self._truth[cell, mine].sum())
        if doubts.sign[j] * step <= _NEAR:
            return np.zeros(len(price), dtype=bool)
        for k in mine[np.argsort(-self._truth[:, mine].sum(axis=0), kind="stable")]:
            if k not in self._single:
                truth = self._truth[:, k]
                self._single[k] = _Count(
                    self._matrix,
                    self._equal,
                    self._low[:, k],
                    self._high[:, k],
                    truth,
                    truth.copy(),
                    truth.copy(),
                )
            moved = self._single[k].way(cell, step, price, still)
            if moved is not None:
                return moved
        return None

    def _way(self, cell: int, step: float, k: int, cost: np.ndarray, fixed: np.ndarray) -> np.ndarray:
        truth, count = self._truth[:, k], len(cost)
        rest = self._matrix @ truth
        both = sparse.hstack([self._matrix, -self._matrix]).tocsr()
        low, high = np.zeros(2 * count), np.concatenate([np.full(count, _MOST), truth])
        high[np.tile(fixed, 2)] = 0
        at = cell if step > 0 else cell + count
        low[at] = high[at] = abs(step)
        high[cell if step < 0 else cell + count] = 0
        programme = Programme(both, -rest, np.where(self._equal, -rest, np.inf), low, high)
        price, best, least = cost + _TIE, np.zeros(count, dtype=bool), np.inf
        for _ in range(_REWEIGHTINGS):
            programme.price(np.arange(2 * count), np.tile(price, 2))
            flow = programme.minimise()
            if flow is None:
                return best
            size = np.abs(flow[:count] - flow[count:])
            spent = cost[size > _NEAR].sum()
            if spent < least:
                best, least = size > _NEAR, spent
            # A cell that moves is paid for once, however far: the less one moved, the dearer it becomes.
            price = (cost + _TIE) / (np.minimum(size, abs(step)) + 0.05 * abs(step))
        return best


def _swept(
    doubts: Doubts, waiting: np.ndarray, counts: list[_Count], least: np.ndarray, most: np.ndarray, sweep: int
) -> None:
    """Look for points at which many of the waiting doubts are met at once: a few solves spare most of the single ones."""
    for sign, attained in ((1.0, most), (-1.0, least)):
        for k, count in enumerate(counts):
            mine = np.flatnonzero(waiting & (doubts.sign == sign) & doubts.counts[:, k])
            cell = doubts.cell[mine]
            total = np.where(doubts.counts[mine], attained[cell], 0).sum(axis=1)
            short = doubts.target[mine] - total
            open_ = sign * short > _NEAR
            count.extend_many(cell[open_], sign, (attained[cell, k] + short)[open_], sweep)


def _reached(doubts: Doubts, j: int, counts: list[_Count], least: np.ndarray, most: np.ndarray) -> bool:
    """Whether a doubt is met, by points of one count after the other."""
    cell, sign = int(doubts.cell[j]), float(doubts.sign[j])
    attained = most if sign > 0 else least
    mine = np.flatnonzero(doubts.counts[j])
    for k in mine:
        short = float(doubts.target[j] - attained[cell, mine].sum())
        if sign * short > _NEAR:
            counts[k].extend(cell, sign, float(attained[cell, k] + short))
    return bool(sign * (attained[cell, mine].sum() - doubts.target[j]) >= -_NEAR)


class _Count:
    """One count of a block over its open cells; keeps what points found so far attain."""

    def __init__(
        self, matrix: sparse.csr_matrix, equal: np.ndarray, low: np.ndarray, high: np.ndarray, truth: np.ndarray,
        least: np.ndarray, most: np.ndarray,
    ) -> None:  # fmt: skip
        self._free = np.flatnonzero(high > low)
        self._place = np.full(len(low), -1)
        self._place[self._free] = np.arange(len(self._free))
        part = matrix[:, self._free]
        used = np.flatnonzero(np.diff(part.indptr))
        rest = (matrix @ np.where(high > low, 0, low))[used]
        self._matrix, self._floor = part[used], -rest
        self._ceiling = np.where(equal[used], -rest, np.inf)
        self._low, self._high, self._truth = low[self._free], high[self._free], truth[self._free]
        self._least, self._most = least, most
        self._many: Programme | None = None
        self._far: Programme | None = None
        self._near: Programme | None = None
        self._whole: Programme | None = None

    def extend(self, cell: int, sign: float, target: float) -> None:
        """Find a whole point with the cell at the target, or as near to it as can be."""
        at = int(self._place[cell])
        if at < 0:
            return
        if self._far is None:
            self._far = Programme(self._matrix, self._floor, self._ceiling, self._low, self._high)
            # Only the aim changes from solve to solve, so the last corner stays feasible.
            self._far.solver.setOptionValue("simplex_strategy", 4)
        self._far.price(np.array([at]), np.array([-sign]))
        point = self._far.minimise()
        if point is None or self._learn(point):
            return
        edge = np.floor(point[at] + _NEAR) if sign > 0 else np.ceil(point[at] - _NEAR)
        value = min(edge, target) if sign > 0 else max(edge, target)
        if not self._stepped(at, value):
            self._programmed(at, sign)

    def extend_many(self, cells: np.ndarray, sign: float, targets: np.ndarray, sweep: int) -> None:
        """Find one point with the cells, all together, as near to their targets as can be."""
        at = self._place[cells]
        at, targets = at[at >= 0], targets[at >= 0]
        if len(at) < _FEW:
            return
        if self._many is None:
            self._many = Programme(self._matrix, self._floor, self._ceiling, self._low, self._high)
        low, high = self._low.copy(), self._high.copy()
        if sign > 0:
            np.minimum.at(high, at, np.maximum(targets, self._truth[at]))
        else:
            np.maximum.at(low, at, np.minimum(targets, self._truth[at]))
        once = np.unique(at)
        self._many.bound_columns(once, low[once], high[once])
        # Other weights each time, so that what one point gave up for the rest comes first in another.
        weight = 1 + sweep * np.random.default_rng(sweep).random(len(once))
        self._many.price(once, -sign * weight)
        self._learn(self._many.minimise())
        self._many.bound_columns(once, self._low[once], self._high[once])

    def _learn(self, point: np.ndarray | None) -> bool:
        """Keep what a point attains; False where it is not whole."""
        if point is None:
            return False
        whole = np.round(point)
        if np.abs(point - whole).max(initial=0) > _NEAR and not self._holds(whole):
            return False
        self._least[self._free] = np.minimum(self._least[self._free], whole)
        self._most[self._free] = np.maximum(self._most[self._free], whole)
        return True

    def _holds(self, point: np.ndarray) -> bool:
        total = self._matrix @ point
        inside = (total >= self._floor - _NEAR).all() and (total <= self._ceiling + _NEAR).all()
        return bool(inside and (point >= self._low).all() and (point <= self._high).all())

    def _stepped(self, at: int, value: float) -> bool:
        """Whether a whole point with the cell at this value is few steps from the truth.

        The shortest way (least sum of steps up and down) mostly is a cycle of whole steps.
        """
        count, near = len(self._low), self._steps()
        up, down = self._high - self._truth, self._truth - self._low
        step = value - self._truth[at]
        fixed = np.array([max(step, 0.0), max(-step, 0.0)])
        near.bound_columns(np.array([at, at + count]), fixed, fixed)
        found = False
        for seed in range(_TRIES):
            near.price(np.arange(2 * count), 1 + np.random.default_rng(seed).random(2 * count))
            flow = near.minimise()
            if flow is None:
                break
            for times in (1, 2):
                point = self._truth + np.round(times * (flow[:count] - flow[count:]))
                found = found or (self._holds(point) and self._learn(point))
            if found:
                break
        near.bound_columns(np.array([at, at + count]), np.zeros(2), np.array([up[at], down[at]]))
        return found

    def _steps(self) -> Programme:
        """The programme over steps up and steps down from the truth, made once."""
        if self._near is None:
            rest, count = self._matrix @ self._truth, len(self._low)
            room = np.concatenate([self._high - self._truth, self._truth - self._low])
            both = sparse.hstack([self._matrix, -self._matrix]).tocsr()
            self._near = Programme(both, self._floor - rest, self._ceiling - rest, np.zeros(2 * count), room)
        return self._near

    def way(self, cell: int, step: float, price: np.ndarray, still: np.ndarray) -> np.ndarray | None:
        """Cells that move where a cell moves by a step, at the least price; None where there is no whole way."""
        at, near, every = int(self._place[cell]), self._steps(), np.arange(2 * len(self._low))
        room = np.concatenate([self._high - self._truth, self._truth - self._low])
        room[np.tile(still[self._free], 2)] = 0
        least, most = np.zeros(len(every)), room.copy()
        there, back = (at, at + len(self._low)) if step > 0 else (at + len(self._low), at)
        if at < 0 or room[there] < abs(step):
            return None
        least[there] = most[there] = abs(step)
        most[back] = 0
        near.bound_columns(every, least, most)
        near.price(every, np.tile(price[self._free], 2))
        flow = near.minimise()
        near.bound_columns(
            every, np.zeros(len(every)), np.concatenate([self._high - self._truth, self._truth - self._low])
        )
        if flow is None:
            return None
        steps = flow[: len(self._low)] - flow[len(self._low) :]
        whole = np.round(steps)
        if np.abs(steps - whole).max() > _NEAR or not self._holds(self._truth + whole):
            return None
        moved = np.zeros(len(still), dtype=bool)
        moved[self._free[whole != 0]] = True
        return moved

    def _programmed(self, at: int, sign: float) -> None:
        if self._whole is None:
            kinds = np.ones(len(self._low), dtype=bool)
            self._whole = Programme(
                self._matrix, self._floor, self._ceiling, self._low, self._high, integer=kinds
            )
        self._whole.price(np.array([at]), np.array([-sign]))
        self._learn(self._whole.minimise(_INTEGER_SECONDS))
