"""Telling whoever waits which step a run is at, how far it is, and how long each took.

What belongs here: one listener for the process, and quiet standard output. What does not: what is shown
(`orchestration.cli`).
"""

from __future__ import annotations

import io
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Protocol

_DBT_STEP = re.compile(r"^\s*(?:\d\d:\d\d:\d\d\s+)?(\d+) of (\d+) (?:OK|PASS|WARN|FAIL|ERROR|SKIP|NO-OP)\b")


class Listener(Protocol):
    """Whoever is told of the steps of a run."""

    def at(self, message: str, left: float | None) -> None:
        """What is being done now, and the seconds that usually remain; None where no earlier night tells."""

    def done(self, step: str, seconds: float) -> None:
        """A step ended."""


_listener: Listener | None = None
_left: Callable[[], float | None] | None = None


def listen(listener: Listener | None) -> None:
    """Have `listener` told of every step from now on; None stops it."""
    global _listener, _left
    _listener, _left = listener, None


def expect(left: Callable[[], float | None]) -> None:
    """Ask `left` for the seconds that usually remain, whenever a listener is told something."""
    global _left
    _left = left


def say(message: str) -> None:
    """Tell the listener, if there is one, what is being done."""
    if _listener is not None:
        _listener.at(message, _left() if _left else None)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Tell the listener of a step's beginning, and of its end with the time it took."""
    say(name)
    began = time.monotonic()
    yield
    if _listener is not None:
        _listener.done(name, time.monotonic() - began)


class _Quiet(io.TextIOBase):
    """Standard output of the libraries of a run: kept off the terminal, read for how far dbt is."""

    def __init__(self, behind: object) -> None:
        # rich looks for this name to write past a redirection.
        self.rich_proxied_file = getattr(behind, "rich_proxied_file", behind)

    def writable(self) -> bool:
        """Text may be written."""
        return True

    def write(self, text: str) -> int:
        """Take text; a line of dbt's becomes progress."""
        found = _DBT_STEP.match(text)
        if found:
            say(f"Building and testing tables: {found[1]} of {found[2]}")
        return len(text)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what libraries print off the terminal; dbt keeps its own log in the community's data."""
    with redirect_stdout(_Quiet(sys.stdout)):  # type: ignore[type-var]
        yield
