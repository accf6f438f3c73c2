"""Landing: which files lie in the drop folders, which have settled, and which mappings take them.

What belongs here: looking. What does not: reading or moving files (`acceptance`).
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from ingestion.mapping import FeedMapping, load_mappings
from warehouse.community import Community
from warehouse.settings import Settings


@dataclass(frozen=True)
class Pending:
    """A settled file and the mappings that take it."""

    partner_id: str
    path: Path
    mappings: tuple[FeedMapping, ...]


@dataclass(frozen=True)
class Unknown:
    """A file that is not taken, with why and what to do; it stays where it is."""

    partner_id: str
    path: Path
    why: str
    fix: str


@dataclass(frozen=True)
class LandingScan:
    """What a look at the landing folders found, in order of partner and file name."""

    pending: list[Pending]
    unknown: list[Unknown]
    settling: list[Path]


def scan(community: Community, settings: Settings) -> LandingScan:
    """Look into every partner's drop folder; nothing is moved or changed."""
    mappings = load_mappings(community)
    found = LandingScan([], [], [])
    root = community.paths.landing
    if not root.is_dir():
        return found
    for folder in sorted(path for path in root.iterdir() if path.is_dir() and not path.is_symlink()):
        own = [mapping for mapping in mappings if mapping.partner_id == folder.name]
        for file in sorted(folder.rglob("*")):
            if not file.name.startswith(".") and (file.is_symlink() or not file.is_dir()):
                _place(found, folder.name, file, own, settings)
    return found


def _place(
    found: LandingScan, partner_id: str, file: Path, own: list[FeedMapping], settings: Settings
) -> None:
    def unknown(why: str, fix: str) -> None:
        found.unknown.append(Unknown(partner_id, file, why, fix))

    status = file.lstat()
    if not stat.S_ISREG(status.st_mode):
        unknown(
            "It is a link or a special file, not a file of its own.", "Copy the file itself into the folder."
        )
    elif not os.access(file, os.R_OK):
        unknown("It cannot be read.", "Give the platform's user the right to read it.")
    elif settings.clock().timestamp() - status.st_mtime < settings.settle_seconds and not settings.now:
        found.settling.append(file)
    elif not own:
        unknown(
            "No mapping is configured for this partner.",
            "Add partners/<partner>/feeds/<feed>.yml, or `throughline onboard FILE --partner P`.",
        )
    elif not (taking := tuple(mapping for mapping in own if mapping.takes(file.name))):
        patterns = ", ".join(pattern for mapping in own for pattern in mapping.patterns)
        unknown(
            f"Its name fits none of the patterns: {patterns}.",
            "Add a pattern to a mapping, or `throughline onboard FILE --partner P`.",
        )
    else:
        found.pending.append(Pending(partner_id, file, taking))
