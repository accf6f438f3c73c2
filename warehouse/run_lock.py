"""One at a time: a night, a backup, a destruction and a person's request never work on a community together.

What belongs here: the lock. What does not: what is done under it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from warehouse.settings import CommunityPaths
from warehouse.temporary import sweep


class RunLockedError(RuntimeError):
    """Another run works on this community at the moment."""


_held: set[str] = set()  # locks that this process holds


@contextmanager
def run_lock(paths: CommunityPaths, wait_seconds: float = 0) -> Iterator[None]:
    """Hold the community's lock, or say that another run holds it; what killed runs left in temporary folders goes.

    Args:
        paths: the community.
        wait_seconds: how long to wait for another run to end; not at all by default.

    Raises:
        RunLockedError: another run is at work.
    """
    lock = FileLock(paths.data / "run.lock", mode=0o600)
    try:
        lock.acquire(timeout=wait_seconds, poll_interval=1.0 if wait_seconds else 0.05)
    except Timeout:
        raise RunLockedError(
            f"another run is at work on {paths.root}; wait for it to end, then run again"
        ) from None
    _held.add(str(paths.data))
    try:
        for folder in (paths.temp, *paths.temp.glob("*/"), Path(tempfile.gettempdir())):
            sweep(folder)
        yield
    finally:
        _held.discard(str(paths.data))
        lock.release()


@contextmanager
def run_lock_unless_held(paths: CommunityPaths, wait_seconds: float = 0) -> Iterator[None]:
    """The same for a step that runs under the lock when a command started it, and without when a schedule did.

    Raises:
        RunLockedError: another process is at work.
    """
    if str(paths.data) in _held:
        yield
        return
    with run_lock(paths, wait_seconds):
        yield
