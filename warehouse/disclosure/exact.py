"""The exact programme: withhold the fewest people such that every demand is met, for components small enough.

What belongs here: the mixed-integer programme, with demands added as they turn out to be needed. What does not: the
search that gives it its first answer (`suppress`).
"""

from __future__ import annotations

import time

import numpy as np
from scipy import sparse

from warehouse.disclosure.doubtful import Doubt, Part
from warehouse.disclosure.linear import TOLERANCE, Programme

_MOST_COLUMNS = 40_000
_MOST_LAZY = 400_000
_MOST_ROUNDS = 12
_LEAST_SECONDS = 0.2


def improve_exactly(
    part: Part, best: np.ndarray, failed: list[int], seconds: float, larger: float = 1.0
) -> tuple[np.ndarray, float]:
    """A better choice than `best` if there is one within the time, and the least weight that is proven.

    Demands are added lazily: the programme holds those that its own answers would break.

    Args:
        part: the component.
        best: units hidden so far, shape (units,).
        failed: demands that nothing can meet.
        seconds: time for it.
        larger: how many times larger than usual a component may be, where only the proof is waited for.
    """
    least = float(part.weight[part.first].sum())
    cost = float(part.weight[best].sum())
    if cost <= least + TOLERANCE:
        return best, cost
    if len(part.target) * len(part.cells) > larger * _MOST_LAZY:
        return best, least
    until = time.perf_counter() + seconds
    must = np.ones(len(part.target), dtype=bool)
    must[failed] = False
    held: list[int] = []
    hidden = part.first.copy()
    for _ in range(_MOST_ROUNDS):
        broken = _broken(part, hidden, must, until)
        if broken is None:
            return best, least
        if not broken:
            return (hidden, least) if part.weight[hidden].sum() < cost - TOLERANCE else (best, max(least, 0))
        held = sorted({*held, *broken})
        left = until - time.perf_counter()
        if len(held) * len(part.cells) > larger * _MOST_COLUMNS or left < _LEAST_SECONDS:
            return best, least
        answer, bound, optimal = _solve(part, held, left)
        least = max(least, bound)
        if answer is None or least >= cost - TOLERANCE:
            return best, min(least, cost)
        if not optimal:
            return (answer, least) if _is_better(part, answer, must, cost, until) else (best, least)
        hidden = answer
    return best, least


def _is_better(part: Part, answer: np.ndarray, must: np.ndarray, cost: float, until: float) -> bool:
    return part.weight[answer].sum() < cost - TOLERANCE and _broken(part, answer, must, until + 5) == []


def _broken(part: Part, hidden: np.ndarray, must: np.ndarray, until: float) -> list[int] | None:
    """Demands that this choice does not meet; None when time ran out."""
    doubt = Doubt(part, hidden)
    met = ~must
    broken: list[int] = []
    for j in np.argsort(-part.need, kind="stable"):
        if met[j]:
            continue
        if time.perf_counter() > until:
            return None
        point = doubt.try_demand(int(j))
        if point is None:
            broken.append(int(j))
        else:
            met |= doubt.met(point[None, :])
    return broken


def _solve(part: Part, held: list[int], seconds: float) -> tuple[np.ndarray | None, float, bool]:
    """Fewest people with these demands: extended formulation, one flow a demand."""
    count, units, rows = len(part.cells), len(part.units), part.matrix.shape[0]
    flows, links, lower, upper = [], [], [], []
    tied = np.flatnonzero(part.unit >= 0)
    pick = sparse.csr_matrix((np.ones(len(tied)), (np.arange(len(tied)), tied)), shape=(len(tied), count))
    for j in held:
        need = part.need[j]
        low = np.where(part.known, 0, -np.minimum(part.down, need))
        high = np.where(part.known, 0, np.minimum(part.up, need))
        k, own = part.target[j], part.own[j]
        if own >= 0:
            low[own] = high[own] = 0.0
        sign = part.sign[j] if part.sign[j] < 0 or part.up[k] >= need else -1.0
        low[k] = high[k] = sign * need
        flows.append(part.matrix)
        lower.append(low)
        upper.append(high)
        at = (np.arange(len(tied)), part.unit[tied])
        links.append(
            (_column(-np.maximum(high[tied], 0), at, units), _column(np.minimum(low[tied], 0), at, units))
        )
    size = len(held) * count
    balance = sparse.hstack([sparse.csr_matrix((rows * len(held), units)), sparse.block_diag(flows)])
    picks = sparse.block_diag([pick] * len(held))
    above = sparse.hstack([sparse.vstack([link[0] for link in links]), picks])
    below = sparse.hstack([sparse.vstack([link[1] for link in links]), -picks])
    matrix = sparse.vstack([balance, above, below]).tocsr()
    zero = np.zeros(balance.shape[0])
    free = np.full(above.shape[0] * 2, -np.inf)
    programme = Programme(
        matrix,
        np.concatenate([zero, free]),
        np.concatenate([zero, np.zeros(len(free))]),
        np.concatenate([part.first.astype(float), *lower]),
        np.concatenate([np.ones(units), *upper]),
        integer=np.concatenate([np.ones(units, dtype=bool), np.zeros(size, dtype=bool)]),
    )
    programme.price(np.arange(units), part.weight)
    point = programme.minimise(seconds)
    bound = programme.bound if np.isfinite(programme.bound) else 0.0
    return (None if point is None else point[:units] > 0.5), bound, programme.optimal


def _column(data: np.ndarray, at: tuple[np.ndarray, np.ndarray], units: int) -> sparse.csr_matrix:
    return sparse.csr_matrix((data, at), shape=(len(data), units))
