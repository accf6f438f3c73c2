"""Importing the quality library while dbt works in a process of its own.

What belongs here: that one import, which takes seconds. What does not: using the library (`orchestration.checks`).
"""

from __future__ import annotations

import importlib
import threading
from contextlib import suppress


def start() -> None:
    """Begin to import; whoever needs the library waits for the rest of it by importing it."""
    threading.Thread(target=_import, name="import of the quality library", daemon=True).start()


def _import() -> None:
    # A failure shows where the library is used, with its reason.
    with suppress(Exception):
        importlib.import_module("expectations.run")
