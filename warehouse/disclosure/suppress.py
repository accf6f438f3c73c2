"""Choosing what to withhold besides the sensitive cells, so that the fewest people are hidden.

What belongs here: the search, component by component. What does not: the exact programme for small components
(`exact`), or proving doubt (`doubtful`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from warehouse.disclosure.doubtful import Doubt, Part, make_part
from warehouse.disclosure.exact import improve_exactly
from warehouse.disclosure.linear import TOLERANCE, Programme
from warehouse.disclosure.model import System

_SMALL_PART = 400
_SOON_SOLVED = 4000
_SEARCH_SHARE = 0.5
_FEW_STALE, _MANY_STALE = 10, 200
_RUINED = (0.1, 0.3, 0.6)
_REWEIGHTINGS = 2
_INTEGER_SECONDS = 5.0


@dataclass(frozen=True)
class Suppression:
    """What is withheld.

    Attributes:
        hidden: units withheld, shape (units,).
        people: people of withheld units.
        first_people: people of units withheld for their own sake.
        bound: fewest people that any safe choice would hide, as far as proven.
        unattainable: cells whose doubt cannot be had even with everything withheld that may be.
        seconds: time taken.
    """

    hidden: np.ndarray
    people: float
    first_people: float
    bound: float
    unattainable: tuple[str, ...]
    seconds: float

    @property
    def gap(self) -> float:
        """Share by which the people hidden may exceed the fewest possible."""
        return (self.people - self.bound) / self.people if self.people else 0.0


def components(system: System) -> Iterator[tuple[np.ndarray, sparse.csr_matrix]]:
    """Cells that hang together through relations and units, with their relations; only those with a sensitive cell."""
    size = len(system.value)
    open_cells = sparse.diags((~system.known).astype(float))
    related = abs(system.matrix) @ open_cells
    has = np.flatnonzero(system.unit >= 0)
    ties = sparse.csr_matrix((np.ones(len(has)), (system.unit[has], has)), shape=(len(system.weight), size))
    stacked = sparse.vstack([related, ties]).tocsr()
    rows = stacked.shape[0]
    graph = sparse.bmat([[None, stacked], [stacked.T, None]], format="csr")
    _, label = connected_components(graph, directed=False)
    cell_label, row_label = label[rows:], label[: system.matrix.shape[0]]
    order = np.argsort(cell_label, kind="stable")
    row_order = np.argsort(row_label, kind="stable")
    sorted_cells, sorted_rows = cell_label[order], row_label[row_order]
    for wanted in np.unique(cell_label[system.sensitive]):
        cells = order[np.searchsorted(sorted_cells, wanted) : np.searchsorted(sorted_cells, wanted, "right")]
        mine = row_order[np.searchsorted(sorted_rows, wanted) : np.searchsorted(sorted_rows, wanted, "right")]
        yield cells, sparse.csr_matrix(system.matrix[mine][:, cells])


def suppress(
    system: System, *, complementary: bool = True, defend_single: bool = True, seconds: float = 60.0
) -> Suppression:
    """Choose the units to withhold.

    Args:
        system: cells and relations.
        complementary: False withholds the sensitive cells alone (to see what that gives away).
        defend_single: also against what a cell's only member knows.
        seconds: time to spend on the search for fewer people; safety never waits for it.
    """
    started = time.perf_counter()
    hidden = system.first.copy()
    first_people = float(np.floor(system.weight[hidden]).sum())
    bound = float(system.weight[hidden].sum())
    lost: list[str] = []
    if complementary:
        parts = [make_part(system, cells, matrix, defend_single) for cells, matrix in components(system)]
        work = sum(len(part.target) for part in parts) or 1
        for part in parts:
            allowed = seconds * len(part.target) / work
            chosen, least, failed = protect_part(part, allowed)
            hidden[part.units] = chosen
            bound += least - float(part.weight[part.first].sum())
            lost += [system.names[part.cells[part.target[j]]] for j in failed]
    people = float(np.floor(system.weight[hidden]).sum())
    return Suppression(
        hidden, people, first_people, min(people, float(np.ceil(bound - _tie(system, hidden)))), tuple(dict.fromkeys(lost)),
        time.perf_counter() - started,
    )  # fmt: skip


def _tie(system: System, hidden: np.ndarray) -> float:
    return float((system.weight[hidden] % 1).sum())


def protect_part(part: Part, seconds: float) -> tuple[np.ndarray, float, list[int]]:
    """Protect one component: units hidden, least weight proven, demands that nothing can meet."""
    started = time.perf_counter()
    hidden, doubt, failed = _grow(
        part, _order(part, 0), [], Doubt(part, part.first.copy()), part.first.copy()
    )
    best, points = _shrink(part, hidden, doubt, failed)
    stale = _FEW_STALE if len(part.target) * len(part.cells) < _SOON_SOLVED else _MANY_STALE
    best, points = _search(part, best, points, failed, started + _SEARCH_SHARE * seconds, stale)
    exact, least = improve_exactly(part, best, failed, started + seconds - time.perf_counter())
    if exact is not best or part.weight[best].sum() <= least + TOLERANCE:
        return exact, least, failed
    best, _ = _search(part, best, points, failed, started + seconds, _MANY_STALE)
    return best, least, failed


def _search(
    part: Part, best: np.ndarray, points: np.ndarray, failed: list[int], until: float, most_stale: int
) -> tuple[np.ndarray, np.ndarray]:
    """Give up some of what is hidden, find another cover, keep it if it hides no more people; until time is over."""
    rng = np.random.default_rng(1)
    least, stale = float(part.weight[best].sum()), 0
    while time.perf_counter() < until and stale < most_stale:
        extra = np.flatnonzero(best & ~part.first)
        if not len(extra):
            break
        barred = extra[rng.choice(len(extra), 1, p=part.weight[extra] / part.weight[extra].sum())]
        start = best.copy()
        start[extra[rng.random(len(extra)) < rng.choice(_RUINED)]] = start[barred] = False
        doubt = Doubt(part, start)
        if len(part.cells) > _SMALL_PART:  # Small ones find more when every demand looks for its way anew.
            doubt.points = points[~(np.abs(points[:, part.closed(start)]) > TOLERANCE).any(axis=1)]
        order = _order(part, int(rng.integers(1, 2**31)))
        hidden, doubt, lost = _grow(part, order, failed, doubt, start, barred)
        if len(lost) > len(failed):
            continue
        hidden, found = _shrink(part, hidden, doubt, failed)
        cost = float(part.weight[hidden].sum())
        stale = 0 if cost < least - TOLERANCE else stale + 1
        if cost < least + TOLERANCE:
            best, points, least = hidden, found, cost
    return best, points


def _order(part: Part, start: int) -> np.ndarray:
    if start == 0:
        return np.lexsort((part.value[part.target], -part.need))
    return np.random.default_rng(start).permutation(len(part.target))


def _grow(
    part: Part,
    order: np.ndarray,
    known_failed: list[int],
    doubt: Doubt,
    hidden: np.ndarray,
    barred: np.ndarray | None = None,
) -> tuple[np.ndarray, Doubt, list[int]]:
    """Add to `hidden`, demand by demand, the cheapest cells that open it; units barred are as dear as can be."""
    carrier = _Carrier(part, barred)
    failed = list(known_failed)
    met = doubt.met()
    pending: list[int] = []
    for j in order:
        if met[j] or j in known_failed:
            continue
        point = carrier.carry(int(j), hidden)
        if point is None:
            failed.append(int(j))
            continue
        _withhold(part, hidden, doubt, point)
        whole = doubt.whole(point)
        whole = doubt.try_demand(int(j), hard=False) if whole is None else whole
        if whole is None:
            pending.append(int(j))
            continue
        doubt.add_point(whole)
        met |= doubt.met(whole[None, :])
    for j in pending:
        if not met[j]:
            _settle(part, j, hidden, doubt, carrier, failed)
            met = doubt.met()
    return hidden, doubt, failed


def _withhold(part: Part, hidden: np.ndarray, doubt: Doubt, point: np.ndarray) -> None:
    units = np.unique(part.unit[np.abs(point) > TOLERANCE])
    units = units[units >= 0]
    new = units[~hidden[units]]
    if len(new):
        hidden[new] = True
        doubt.open(np.flatnonzero(np.isin(part.unit, new)))


def _settle(
    part: Part, j: int, hidden: np.ndarray, doubt: Doubt, carrier: _Carrier, failed: list[int]
) -> None:
    """A demand whose linear answer was no whole number: by what is hidden by now, else by an integer programme."""
    whole = doubt.try_demand(j)
    if whole is None:
        whole = carrier.carry_whole(j, hidden)
    if whole is None:
        failed.append(j)
        return
    _withhold(part, hidden, doubt, whole)
    doubt.add_point(whole)


def _shrink(part: Part, hidden: np.ndarray, doubt: Doubt, failed: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Publish again, largest first, whatever the doubt can do without; what stays hidden, and points that prove it."""
    hidden = hidden.copy()
    candidates = np.flatnonzero(hidden & ~part.first)
    must = np.ones(len(part.target), dtype=bool)
    must[failed] = False
    for unit in candidates[np.argsort(-part.weight[candidates], kind="stable")]:
        cells = np.flatnonzero(part.unit == unit)
        uses = (np.abs(doubt.points[:, cells]) > TOLERANCE).any(axis=1)
        kept = doubt.points[~uses]
        missing = must & ~doubt.met(kept)
        doubt.close(cells)
        fresh: list[np.ndarray] = []
        while missing.any():
            found = doubt.try_demand(int(np.flatnonzero(missing)[0]), hard=False)
            if found is None:
                break
            fresh.append(found)
            missing &= ~doubt.met(found[None, :])
        if missing.any():
            doubt.open(cells)
            continue
        hidden[unit] = False
        doubt.points = np.vstack([kept, *[point[None, :] for point in fresh]])
    return hidden, doubt.points


class _Carrier:
    """The programme that finds the cheapest cells to withhold for one demand: p up, q down, paid by the person."""

    def __init__(self, part: Part, barred: np.ndarray | None = None) -> None:
        self._part = part
        self._weight = part.weight.copy()
        if barred is not None:
            self._weight[barred] += part.weight.sum()
        count = len(part.cells)
        zero = np.zeros(part.matrix.shape[0])
        upper = np.concatenate([np.where(part.known, 0, part.up), np.where(part.known, 0, part.down)])
        self._matrix = sparse.hstack([part.matrix, -part.matrix]).tocsr()
        self._upper, self._zero, self._count = upper, zero, count
        self._lp = Programme(self._matrix, zero, zero, np.zeros(2 * count), upper)
        self._mip: Programme | None = None
        self._all = np.arange(2 * count)

    def _cost(self, hidden: np.ndarray, need: float) -> tuple[np.ndarray, np.ndarray]:
        part = self._part
        paid = np.zeros(self._count)
        has = part.unit >= 0
        paid[has] = np.where(hidden[part.unit[has]], 0.0, self._weight[part.unit[has]])
        room = np.minimum(need, np.concatenate([part.up, part.down]))
        return np.tile(paid, 2), np.maximum(room, TOLERANCE)

    def carry(self, j: int, hidden: np.ndarray) -> np.ndarray | None:
        """Deviations that meet demand j, most cheaply as a linear programme tells; reweighted to use few cells."""
        paid, room = self._cost(hidden, self._part.need[j])
        cost, best, least = paid / room, None, np.inf
        for _ in range(_REWEIGHTINGS + 1):
            flow = self._solve(self._lp, j, cost)
            if flow is None:
                return best
            spent = paid[flow > TOLERANCE].sum()
            if spent < least - TOLERANCE:
                best, least = flow[: self._count] - flow[self._count :], spent
            if spent <= TOLERANCE:
                break
            cost = paid / (np.minimum(flow, room) + 0.05 * room)
        return best

    def carry_whole(self, j: int, hidden: np.ndarray) -> np.ndarray | None:
        """The same in whole numbers."""
        if self._mip is None:
            every = np.ones(2 * self._count, dtype=bool)
            self._mip = Programme(
                self._matrix, self._zero, self._zero, np.zeros(2 * self._count), self._upper, integer=every
            )
        paid, room = self._cost(hidden, self._part.need[j])
        flow = self._solve(self._mip, j, paid / room, _INTEGER_SECONDS)
        return None if flow is None else np.round(flow[: self._count] - flow[self._count :])

    def _solve(
        self, programme: Programme, j: int, cost: np.ndarray, seconds: float | None = None
    ) -> np.ndarray | None:
        part, count = self._part, self._count
        k, own, need = int(part.target[j]), int(part.own[j]), part.need[j]
        signs = (1.0, -1.0) if own >= 0 else (part.sign[j],)
        programme.price(self._all, cost)
        for sign in signs:
            if (self._upper[k] if sign > 0 else self._upper[count + k]) < need - TOLERANCE:
                continue
            cells = np.array([k, count + k] + ([own, count + own] if own >= 0 else []))
            high = np.zeros(len(cells))
            low = np.zeros(len(cells))
            at = 0 if sign > 0 else 1
            low[at], high[at] = need, self._upper[cells[at]]
            programme.bound_columns(cells, low, high)
            flow = programme.minimise(seconds)
            programme.bound_columns(cells, np.zeros(len(cells)), self._upper[cells])
            if flow is not None:
                return flow
        return None
