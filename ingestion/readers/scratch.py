"""A private place for what has to be unpacked or decrypted before it can be read.

What belongs here: making and clearing it. What does not: unpacking.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingestion.readers.model import Request


@contextmanager
def scratch_folder(request: Request) -> Iterator[Path]:
    """A folder that only this user can read, gone afterwards; where the connection keeps its own temporary files."""
    found = request.con.execute("select current_setting('temp_directory')").fetchone()
    beside = Path(str(found[0])) if found and found[0] else None
    root = beside if beside is not None and beside.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="throughline-", dir=root) as folder:
        yield Path(folder)
