"""One at a time: a night, a backup, a destruction and a person's request never work on a community together.

What belongs here: the lock. What does not: what is done under it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from warehouse.settings import CommunityPaths


class RunLockedError(RuntimeError):
    """Another run works on this community at the moment."""


@contextmanager
def run_lock(paths: CommunityPaths) -> Iterator[None]:
    """Hold the community's lock, or say at once that another run holds it.

    Raises:
        RunLockedError: another run is at work.
    """
    lock = FileLock(paths.data / "run.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RunLockedError(
            f"another run is at work on {paths.root}; wait for it to end, then run again"
        ) from None
    try:
        yield
    finally:
        lock.release()
