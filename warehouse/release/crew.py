"""Blocks attacked side by side, in processes of their own.

What belongs here: sharing the work out. What does not: the work (`doubts`).
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pandas as pd

from warehouse.processes import pool
from warehouse.release.doubts import Verdict, attack_block
from warehouse.release.earlier import Statements
from warehouse.release.protect import Policy

Task = tuple[pd.DataFrame, np.ndarray, dict[str, str], Policy, Statements | None]
# Rows below which starting a process takes longer than it spares.
_FEW_ROWS = 20_000


class Crew:
    """Attacks blocks; its processes start with the first great task and end with it.

    Args:
        processes: how many; the machine's cores when None.
    """

    def __init__(self, processes: int | None = None) -> None:
        self._processes = processes or os.cpu_count() or 1
        self._pool: ProcessPoolExecutor | None = None

    def verdicts(self, tasks: Sequence[Task]) -> list[Verdict]:
        """The verdict on each block, in the order of the tasks (arguments of `attack_block`)."""
        rows = sum(len(task[0]) for task in tasks)
        if self._processes > 1 and len(tasks) > 1 and rows >= _FEW_ROWS:
            try:
                return self._shared(tasks)
            except BrokenProcessPool:
                # Killed for want of memory, say: alone it takes longer, and needs less.
                self._processes = 1
        return [attack_block(*task) for task in tasks]

    def _shared(self, tasks: Sequence[Task]) -> list[Verdict]:
        if self._pool is None:
            self._pool = pool(self._processes)
            weakref.finalize(self, self._pool.shutdown)
        # The largest first, so that none is left for the end.
        order = sorted(range(len(tasks)), key=lambda at: -len(tasks[at][0]))
        found = dict(zip(order, self._pool.map(_attacked, [tasks[at] for at in order]), strict=True))
        return [found[at] for at in range(len(tasks))]


def _attacked(task: Task) -> Verdict:
    return attack_block(*task)
