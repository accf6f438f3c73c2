"""Whether the doubt about sensitive cells stays wide enough with a given set withheld, proven by whole-number points.

What belongs here: the protector's re-audit of one component. What does not: choosing what to withhold (`suppress`),
or the attacker who knows no true value (`attacker`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from warehouse.disclosure.linear import TOLERANCE, Programme
from warehouse.disclosure.model import System

_INTEGER_SECONDS = 1.0
# Corners of such systems are halves and thirds: a multiple of one is as good a witness, where there is room.
_MULTIPLES = (1, 2, 3, 4, 6)


@dataclass(frozen=True)
class Part:
    """One connected component, in its own numbering: cells 0..n-1, units 0..u-1."""

    cells: np.ndarray
    units: np.ndarray
    value: np.ndarray
    down: np.ndarray
    up: np.ndarray
    known: np.ndarray
    unit: np.ndarray
    weight: np.ndarray
    first: np.ndarray
    matrix: sparse.csr_matrix
    target: np.ndarray
    sign: np.ndarray
    need: np.ndarray
    own: np.ndarray

    def closed(self, hidden: np.ndarray) -> np.ndarray:
        """Cells that an attacker reads off when these units are hidden."""
        has = self.unit >= 0
        read = self.known.copy()
        read[has] |= ~hidden[self.unit[has]]
        return read


def make_part(system: System, cells: np.ndarray, matrix: sparse.csr_matrix, defend_single: bool) -> Part:
    """Cut one component out of a system; `matrix` holds its relations over its cells alone.

    Demands are (cell, direction, distance, insider's cell): of every sensitive cell one down and one up; and
    with `defend_single`, of every sensitive cell related to a cell of one person, that it stays in doubt for him.
    """
    unit = system.unit[cells]
    units, local = np.unique(unit[unit >= 0], return_inverse=True)
    own_unit = np.full(len(cells), -1)
    own_unit[unit >= 0] = local
    value = system.value[cells]
    room_down, room_up = value - system.lower[cells], system.upper[cells] - value
    sensitive = np.flatnonzero(system.sensitive[cells])
    down = np.minimum(system.down[cells], room_down)[sensitive]
    up = np.minimum(system.up[cells], room_up)[sensitive]
    target, sign = np.tile(sensitive, 2), np.repeat([-1.0, 1.0], len(sensitive))
    need, own = np.concatenate([down, up]), np.full(2 * len(sensitive), -1)
    if defend_single:
        ones = np.flatnonzero((value == 1) & ~system.known[cells])
        near = (abs(matrix).T @ abs(matrix))[sensitive][:, ones].tocoo() if len(ones) else None
        if near is not None:
            keep = sensitive[near.row] != ones[near.col]
            pair_k, pair_s = sensitive[near.row[keep]], ones[near.col[keep]]
            target, own = np.concatenate([target, pair_k]), np.concatenate([own, pair_s])
            sign = np.concatenate([sign, np.ones(len(pair_k))])
            need = np.concatenate([need, np.minimum(1.0, room_up[pair_k])])
    real = need > 0
    return Part(
        cells, units, value, room_down, room_up, system.known[cells], own_unit, system.weight[units],
        system.first[units], matrix, target[real], sign[real], need[real], own[real],
    )  # fmt: skip


class Doubt:
    """Points that an attacker cannot exclude, and which demands they meet.

    Attributes:
        points: deviations from the truth, one point a row, whole numbers.
    """

    def __init__(self, part: Part, hidden: np.ndarray) -> None:
        self.part = part
        closed = part.closed(hidden)
        self._lower = np.where(part.known, 0.0, -part.down)
        self._upper = np.where(part.known, 0.0, part.up)
        self._closed = closed
        self._lp = self._programme(integer=False)
        self._mip: Programme | None = None
        self.points = np.zeros((0, len(part.cells)))
        self.integral = bool(np.all(part.value == np.round(part.value)))

    def add_point(self, point: np.ndarray) -> None:
        """Keep a point; a whole one only, checked exactly."""
        self.points = np.vstack([self.points, point])

    def whole(self, point: np.ndarray) -> np.ndarray | None:
        """The point rounded, if that fulfils every relation and bound exactly; else None."""
        if not self.integral:
            return point
        for times in _MULTIPLES:
            rounded = np.round(times * point)
            if np.abs(rounded - times * point).max(initial=0) < 0.01 and self._holds(rounded):
                return rounded
        return None

    def _holds(self, point: np.ndarray) -> bool:
        part = self.part
        inside = (point >= -part.down - TOLERANCE).all() and (point <= part.up + TOLERANCE).all()
        return bool(inside and not (part.matrix @ point).any())

    def met(self, points: np.ndarray | None = None) -> np.ndarray:
        """Which demands are met by kept points, shape (demands,)."""
        part, points = self.part, self.points if points is None else points
        found = np.zeros(len(part.target), dtype=bool)
        if not len(points):
            return found
        best = {1.0: points.max(axis=0), -1.0: -points.min(axis=0)}
        for sign in (1.0, -1.0):
            mine = (part.sign == sign) & (part.own < 0)
            found[mine] = best[sign][part.target[mine]] >= part.need[mine] - TOLERANCE
        for j in np.flatnonzero(part.own >= 0):
            moved = np.abs(points[:, part.target[j]]) >= part.need[j] - TOLERANCE
            found[j] = bool((moved & (points[:, part.own[j]] == 0)).any())
        return found

    def _programme(self, *, integer: bool) -> Programme:
        """Deviations up and down apart, each at a price: its corners are few cells and mostly whole numbers."""
        matrix, count = self.part.matrix, len(self.part.cells)
        zero = np.zeros(matrix.shape[0])
        high = np.concatenate([self._upper, -self._lower])
        high[np.tile(self._closed, 2)] = 0
        both = sparse.hstack([matrix, -matrix]).tocsr()
        kinds = np.ones(2 * count, dtype=bool) if integer else None
        programme = Programme(both, zero, zero, np.zeros(2 * count), high, integer=kinds)
        programme.price(np.arange(2 * count), 1 + np.random.default_rng(1).random(2 * count) / 100)
        return programme

    def close(self, cells: np.ndarray) -> None:
        """The attacker reads these cells off."""
        none = np.zeros(2 * len(cells))
        self._lp.bound_columns(np.concatenate([cells, cells + len(self._lower)]), none, none)
        self._closed[cells] = True
        self._mip = None

    def open(self, cells: np.ndarray) -> None:
        """These cells are withheld."""
        cells = cells[~self.part.known[cells]]
        high = np.concatenate([self._upper[cells], -self._lower[cells]])
        self._lp.bound_columns(np.concatenate([cells, cells + len(self._lower)]), np.zeros(len(high)), high)
        self._closed[cells] = False
        self._mip = None

    def try_demand(self, j: int, *, hard: bool = True) -> np.ndarray | None:
        """A point that meets demand j with what is withheld now, or None.

        Args:
            j: the demand.
            hard: whether an integer programme is worth its time where the linear one gives no whole numbers.
        """
        part = self.part
        if part.own[j] >= 0:
            found = self._try(j, 1.0, hard)
            return found if found is not None else self._try(j, -1.0, hard)
        return self._try(j, part.sign[j], hard)

    def _try(self, j: int, sign: float, hard: bool) -> np.ndarray | None:
        k, own = int(self.part.target[j]), int(self.part.own[j])
        room = self._upper[k] if sign > 0 else -self._lower[k]
        if self._closed[k] or room < self.part.need[j] - TOLERANCE:
            return None
        point = self._solve(self._lp, k, own, sign, self.part.need[j], None)
        if point is None:
            return None
        whole = self.whole(point)
        if whole is not None or not hard:
            return whole
        if self._mip is None:
            self._mip = self._programme(integer=True)
        point = self._solve(self._mip, k, own, sign, self.part.need[j], _INTEGER_SECONDS)
        return None if point is None else self.whole(point)

    def _solve(
        self, programme: Programme, k: int, own: int, sign: float, need: float, seconds: float | None
    ) -> np.ndarray | None:
        count = len(self._lower)
        cells = np.array([k, k + count] + ([] if own < 0 or self._closed[own] else [own, own + count]))
        room = np.concatenate([self._upper, -self._lower])[cells]
        low, high = np.zeros(len(cells)), np.zeros(len(cells))
        at = 0 if sign > 0 else 1
        low[at] = need
        high[at] = room[at]
        programme.bound_columns(cells, low, high)
        flow = programme.minimise(seconds)
        programme.bound_columns(cells, np.zeros(len(cells)), room)
        return None if flow is None else flow[:count] - flow[count:]
