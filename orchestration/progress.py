"""Telling whoever waits which step a run is at.

What belongs here: one callback for the process. What does not: what is shown (`orchestration.cli`).
"""

from __future__ import annotations

from collections.abc import Callable

_listener: Callable[[str], None] | None = None


def listen(callback: Callable[[str], None] | None) -> None:
    """Have `callback` told of every step from now on; None stops it."""
    global _listener
    _listener = callback


def say(step: str) -> None:
    """Tell the listener, if there is one, which step begins."""
    if _listener is not None:
        _listener(step)
