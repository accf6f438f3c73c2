"""One linear or integer programme kept in HiGHS, solved again and again with other bounds and aims.

What belongs here: the solver. What does not: what a variable means.
"""

from __future__ import annotations

import ctypes
import os
from functools import lru_cache

import highspy
import numpy as np
from scipy import sparse

TOLERANCE = 1e-6
INFINITY = highspy.kHighsInf


@lru_cache(maxsize=1)
def _hush() -> None:
    """The first solver of a process prints a banner from C, whatever its options say: let it, into nothing."""
    flush = ctypes.CDLL(None).fflush
    flush(None)
    kept, nothing = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 1)
        highspy.Highs()
        flush(None)
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nothing)


class Programme:
    """`row_lower <= matrix @ y <= row_upper`, `lower <= y <= upper`; solved warm from the last basis."""

    def __init__(
        self,
        matrix: sparse.csr_matrix,
        row_lower: np.ndarray,
        row_upper: np.ndarray,
        lower: np.ndarray,
        upper: np.ndarray,
        *,
        integer: np.ndarray | None = None,
        threads: int = 1,
    ) -> None:
        by_column = sparse.csc_matrix(matrix)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = int(matrix.shape[1]), int(matrix.shape[0])
        lp.col_cost_ = np.zeros(matrix.shape[1])
        lp.col_lower_, lp.col_upper_ = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
        lp.row_lower_, lp.row_upper_ = np.asarray(row_lower, dtype=float), np.asarray(row_upper, dtype=float)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = by_column.indptr.astype(np.int32)
        lp.a_matrix_.index_ = by_column.indices.astype(np.int32)
        lp.a_matrix_.value_ = by_column.data.astype(float)
        if integer is not None:
            kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
            lp.integrality_ = [kinds[int(flag)] for flag in integer]
        self.columns = int(matrix.shape[1])
        _hush()
        self.solver = highspy.Highs()
        self.solver.setOptionValue("output_flag", False)
        self.solver.setOptionValue("threads", threads)
        self.solver.setOptionValue("random_seed", 0)
        self.solver.passModel(lp)
        self._priced = np.array([], dtype=np.int32)
        self._row_lower, self._row_upper = np.asarray(row_lower, float), np.asarray(row_upper, float)
        self.bound = -np.inf
        self.optimal = False

    def price(self, columns: np.ndarray, cost: np.ndarray) -> None:
        """Set the costs of some columns; all others cost nothing."""
        if len(self._priced):
            self.solver.changeColsCost(len(self._priced), self._priced, np.zeros(len(self._priced)))
        self._priced = np.asarray(columns, dtype=np.int32)
        if len(self._priced):
            self.solver.changeColsCost(len(self._priced), self._priced, np.asarray(cost, dtype=float))

    def bound_columns(self, columns: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> None:
        """Set the bounds of some columns."""
        if len(columns):
            self.solver.changeColsBounds(
                len(columns),
                np.asarray(columns, dtype=np.int32),
                np.asarray(lower, float),
                np.asarray(upper, float),
            )

    def bound_rows(self, lower: np.ndarray, upper: np.ndarray) -> None:
        """Set the bounds of all relations."""
        for row in np.flatnonzero((lower != self._row_lower) | (upper != self._row_upper)):
            self.solver.changeRowBounds(int(row), float(lower[row]), float(upper[row]))
        self._row_lower, self._row_upper = lower, upper

    def minimise(self, time_limit: float | None = None) -> np.ndarray | None:
        """Solve; the point, shape (columns,), or None where there is none. `bound` holds the proven least cost."""
        if time_limit is not None:
            self.solver.setOptionValue("time_limit", self.solver.getRunTime() + float(time_limit))
        self.solver.run()
        status = self.solver.getModelStatus()
        self.optimal = status == highspy.HighsModelStatus.kOptimal
        info = self.solver.getInfo()
        has_point = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
        self.bound = info.mip_dual_bound if not self.optimal else info.objective_function_value
        if not self.optimal and not (has_point and time_limit is not None):
            return None
        return np.asarray(self.solver.getSolution().col_value)

    def row_prices(self) -> np.ndarray:
        """Dual value of each relation after a linear programme was solved, shape (rows,)."""
        return np.asarray(self.solver.getSolution().row_dual)

    def column_prices(self) -> np.ndarray:
        """Reduced cost of each column after a linear programme was solved, shape (columns,)."""
        return np.asarray(self.solver.getSolution().col_dual)

    @property
    def value(self) -> float:
        """Cost of the last point."""
        return float(self.solver.getInfo().objective_function_value)
