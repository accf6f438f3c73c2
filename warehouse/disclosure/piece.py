"""The attacker's reasoning on one component: least and most of each open cell, in whole numbers where they are.

What belongs here: programmes and the points they find. What does not: what is public (`attacker`).
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from warehouse.disclosure.linear import Programme

_NEAR = 1e-6
_INTEGER_SECONDS = 2.0
_NARROW = 12
_TRIES = 4
_BASES = 3


class Piece:
    """`row_low <= matrix @ y <= row_high`, `low <= y <= high`, all over the open cells of one component."""

    def __init__(
        self, matrix: sparse.csr_matrix, row_low: np.ndarray, row_high: np.ndarray,
        low: np.ndarray, high: np.ndarray, integral: bool,
    ) -> None:  # fmt: skip
        self._all = (matrix, row_low, row_high, low, high)
        self._lp = Programme(*self._all)
        # Only the aim changes from solve to solve, so the last corner stays feasible: primal simplex goes on from it.
        self._lp.solver.setOptionValue("simplex_strategy", 4)
        self._mip: Programme | None = None
        self._near: Programme | None = None
        self._integral = integral
        # What points found so far attain: every point speaks for every cell.
        self._least = np.full(len(low), np.inf)
        self._most = np.full(len(low), -np.inf)
        self._bases: list[np.ndarray] = []

    def ranges(self, targets: np.ndarray) -> list[tuple[float, float]]:
        """Least and most of each of the targets."""
        spans = [(self._extreme(int(k), 1.0), -self._extreme(int(k), -1.0)) for k in targets]
        if not self._integral:
            return spans
        return [self._settled(int(k), *span) for k, span in zip(targets, spans, strict=True)]

    def _extreme(self, k: int, sign: float) -> float:
        """Least of sign times the cell."""
        edge, attained = (self._all[3][k], self._least[k]) if sign > 0 else (self._all[4][k], self._most[k])
        if attained == edge:
            return float(sign * edge)
        self._lp.price(np.array([k]), np.array([sign]))
        point = self._lp.minimise()
        if point is None:
            return -np.inf
        self._learn(point)
        return float(sign * point[k])

    def _learn(self, point: np.ndarray) -> bool:
        """Keep what a point attains; a whole one only where cells are whole. Whether it was kept."""
        if self._integral:
            rounded = np.round(point)
            if np.abs(point - rounded).max(initial=0) > _NEAR:
                return False
            point = rounded
            self._bases = [*self._bases[-(_BASES - 1) :], point]
        np.minimum(self._least, point, out=self._least)
        np.maximum(self._most, point, out=self._most)
        return True

    def _settled(self, k: int, low: float, high: float) -> tuple[float, float]:
        """The range in whole numbers: wide ones lose at most one at each end, narrow ones are proven."""
        low, high = float(np.ceil(low - _NEAR)), float(np.floor(high + _NEAR))
        if high - low >= _NARROW:
            return low, high
        return self._whole(k, 1.0, low), -self._whole(k, -1.0, -high)

    def _whole(self, k: int, sign: float, edge: float) -> float:
        """Least of sign times the cell over whole points; `edge` is known to be no more than that."""
        attained = self._least[k] if sign > 0 else -self._most[k]
        if attained <= edge or self._stepped(k, sign * edge):
            return edge
        if self._mip is None:
            self._mip = Programme(*self._all, integer=np.ones(self._all[0].shape[1], dtype=bool))
        self._mip.price(np.array([k]), np.array([sign]))
        point = self._mip.minimise(_INTEGER_SECONDS)
        if point is not None:
            self._learn(np.round(point))
        # Out of time, the proven bound still holds what the attacker cannot exclude.
        best = self._mip.value if self._mip.optimal else max(edge, self._mip.bound)
        return float(np.ceil(best - _NEAR))

    def _stepped(self, k: int, value: float) -> bool:
        """Whether a whole point with the cell at this value is few steps from one found before.

        The shortest way (least sum of steps up and down) mostly is a cycle of whole steps.
        """
        matrix, _, _, low, high = self._all
        count, at = len(low), np.array([k, k + len(low)])
        if self._near is None and self._bases:
            both = sparse.hstack([matrix, -matrix]).tocsr()
            none = np.zeros(both.shape[0])
            self._near = Programme(both, none, none, np.zeros(2 * count), np.zeros(2 * count))
        for number, base in enumerate(self._bases[::-1]):
            assert self._near is not None  # noqa: S101 - made above where there are bases
            near, used = self._near, matrix @ base
            near.bound_rows(self._all[1] - used, self._all[2] - used)
            up, down = np.maximum(high - base, 0), np.maximum(base - low, 0)
            near.bound_columns(np.arange(2 * count), np.zeros(2 * count), np.concatenate([up, down]))
            step = value - base[k]
            fixed = np.array([max(step, 0.0), max(-step, 0.0)])
            near.bound_columns(at, fixed, fixed)
            for seed in range(_TRIES):
                near.price(np.arange(2 * count), 1 + np.random.default_rng([number, seed]).random(2 * count))
                flow = near.minimise()
                if flow is None:
                    return False
                if self._learn(base + flow[:count] - flow[count:]):
                    return True
        return False
