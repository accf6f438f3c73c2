"""Processes that a run starts beside itself: they end with it, however it ends.

What belongs here: how they are started and how they end. What does not: their work.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process

_LOOKS = 0.5  # seconds between looks at whether the parent still lives


def pool(processes: int) -> ProcessPoolExecutor:
    """A pool whose processes end within a second of this one, even where it is killed.

    Left alone they would wait for work for ever, with all that they hold in memory: each holds the end of the pipe at
    whose other end they wait. Spawned, not forked: this process may hold threads of DuckDB or Arrow.
    """
    return ProcessPoolExecutor(processes, get_context("spawn"), initializer=_end_with_pool)


def end_with_parent(parent: int | None = None) -> None:
    """End this process, as if killed, soon after its parent's end.

    Args:
        parent: its process id; whichever it is now when None.
    """
    expected = os.getppid() if parent is None else parent
    threading.Thread(target=_watch, args=(expected,), name="end with parent", daemon=True).start()


def _end_with_pool() -> None:
    started_by = parent_process()
    end_with_parent(started_by.pid if started_by else None)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOKS)
    os._exit(1)
