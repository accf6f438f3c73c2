"""Fingerprints that decide whether a night has anything to do.

What belongs here: hashes of configuration, code and the set of deliveries in force. What does not: hashes of
published tables (`warehouse.release`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_CODE_FOLDERS = ("dbt_project", "warehouse", "ingestion", "expectations", "orchestration")
_CODE_SUFFIXES = {".py", ".sql", ".yml", ".csv", ".j2", ".css"}
# The semantic layer reads releases and shapes none.
_SKIP = {"target", "logs", "dbt_packages", "__pycache__", "semantic"}


@lru_cache(maxsize=1)
def code_version() -> str:
    """SHA-256 over the code and seeds that shape a release, by relative path; the same on every machine."""
    digest = hashlib.sha256()
    for folder in _CODE_FOLDERS:
        for file in sorted((_ROOT / folder).rglob("*")):
            relative = file.relative_to(_ROOT)
            if file.suffix in _CODE_SUFFIXES and not _SKIP & set(relative.parts):
                digest.update(relative.as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def configuration_hash(root: Path) -> str:
    """SHA-256 over `community.yml` and every file below `partners/`."""
    digest = hashlib.sha256()
    files = [root / "community.yml", *sorted((root / "partners").rglob("*.y*ml"))]
    for file in files:
        if file.is_file():
            digest.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def input_fingerprint(root: Path, current: Iterable[tuple[str, str, str, str]]) -> str:
    """One hash of all that a release depends on: files in force, configuration, code.

    Args:
        root: the community's folder.
        current: (feed, partner, period, content hash) of every lake file in force.
    """
    parts = [configuration_hash(root), code_version(), *(json.dumps(item) for item in sorted(current))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
