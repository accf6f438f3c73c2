"""Temporary folders whose names tell whose they are, so that the next run removes what a killed one left.

What belongs here: naming and sweeping. What does not: what lies in them (unpacked and decrypted files, DuckDB's spill).
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

# Nothing works for a day on one temporary folder; whether a process of another machine lives cannot be asked.
_FOREIGN_SECONDS = 86_400
_NAMED = re.compile(r"throughline-(?P<host>.+)-(?P<pid>\d+)-[a-z0-9_]+")
_number = count()


def _prefix() -> str:
    return f"throughline-{socket.gethostname()}-{os.getpid()}-"


def spill_folder(beside: Path | None) -> Path:
    """A folder of its own for one DuckDB connection, which makes it when it spills and removes it when it closes.

    Connections that share a folder give their files the same names, and read each other's.

    Args:
        beside: the folder in which it is to lie; the machine's own for temporary files when absent.
    """
    return (beside or Path(tempfile.gettempdir())) / f"{_prefix()}spill{next(_number)}"


def beside_spill(spill: Path) -> Path | None:
    """The folder in which a connection's spill folder lies; None where it is not one of `spill_folder`, or is gone."""
    return spill.parent if _NAMED.fullmatch(spill.name) and spill.parent.is_dir() else None


@contextmanager
def private_folder(beside: Path | None) -> Iterator[Path]:
    """A folder that only this user can read, gone afterwards.

    Args:
        beside: the folder in which it is to lie; the machine's own for temporary files when absent.
    """
    with tempfile.TemporaryDirectory(prefix=_prefix(), dir=beside) as folder:
        yield Path(folder)


def lasting_folder(beside: Path | None) -> tempfile.TemporaryDirectory[str]:
    """The same, until its `cleanup` is called."""
    return tempfile.TemporaryDirectory(prefix=_prefix(), dir=beside)


def sweep(folder: Path) -> int:
    """Remove what processes that are no more left in a folder; returns how many folders that were."""
    left = [path for path in folder.glob("throughline-*") if path.is_dir() and _is_left(path)]
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
    return len(left)


def _is_left(path: Path) -> bool:
    named = _NAMED.fullmatch(path.name)
    if named is None:
        return False
    try:
        if named["host"] != socket.gethostname():
            return path.stat().st_mtime < time.time() - _FOREIGN_SECONDS
        os.kill(int(named["pid"]), 0)
    except (ProcessLookupError, OverflowError):  # whoever made a name with such a number, no process has it
        return True
    except (PermissionError, FileNotFoundError):  # another user's, or swept by somebody else just now
        return False
    return False
