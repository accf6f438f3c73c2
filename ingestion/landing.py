"""Landing: which files lie in the drop folders, which have settled, and which mappings take them.

What belongs here: looking. What does not: reading or moving files (`acceptance`).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from ingestion.mapping import FeedMapping, MappingError, load_partner_mappings
from warehouse.community import Community
from warehouse.settings import Settings

# Names under which programs write a file before it is whole.
_UNFINISHED = ("*.part", "*.partial", "*.tmp", "*.crdownload", "*.filepart", "~$*")
_ONBOARD = "Add a pattern to a mapping, or `throughline onboard FILE --partner P`."
_DEEPEST = 5


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
    code: str = "unknown_file"


@dataclass(frozen=True)
class LandingScan:
    """What a look at the landing folders found, in order of partner and file name."""

    pending: list[Pending]
    unknown: list[Unknown]
    settling: list[Path]


def scan(community: Community, settings: Settings) -> LandingScan:
    """Look into every partner's drop folder; nothing is moved or changed.

    A partner whose mapping is wrong has its files reported with the reason; the others' files are pending all the same.
    """
    found = LandingScan([], [], [])
    root = community.paths.landing
    if not root.is_dir():
        return found
    for entry in sorted(root.iterdir(), key=_order):
        if entry.name.startswith("."):
            continue
        if entry.is_symlink() or not entry.is_dir():
            found.unknown.append(
                Unknown(
                    "-", entry, "It lies beside the partners' folders.", "Move it into a partner's folder."
                )
            )
        else:
            _scan_partner(found, entry, community, settings)
    return found


def printable_name(path: Path) -> str:
    """A file's name as it can be stored and shown: control characters and broken bytes replaced, at most 200 long."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in path.name)[:200]


def _scan_partner(found: LandingScan, folder: Path, community: Community, settings: Settings) -> None:
    own: list[FeedMapping] = []
    trouble: tuple[str, str, str] | None = None
    if folder.name not in community.partners:
        known = ", ".join(sorted(community.partners)) or "none"
        why = f"There is no partner '{printable_name(folder)}'. Partners: {known}."
        trouble = ("unknown_partner", why, "Add partners/<partner>/partner.yml, or move the file.")
    else:
        try:
            own = load_partner_mappings(community, folder.name)
        except MappingError as error:
            trouble = ("wrong_mapping", f"The partner's mapping is wrong: {error}", "Mend the mapping.")
    for file in _files(folder, _DEEPEST):
        if trouble is not None:
            found.unknown.append(Unknown(folder.name, file, trouble[1], trouble[2], trouble[0]))
        else:
            _place(found, folder.name, file, own, settings)


def _files(folder: Path, depth: int) -> Iterator[Path]:
    """Everything in a folder that is no folder, without following links, in order of name."""
    try:
        entries = sorted(folder.iterdir(), key=_order)
    except OSError:
        yield folder
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir() and not entry.is_symlink():
            if depth:
                yield from _files(entry, depth - 1)
            else:
                yield entry
        else:
            yield entry


def _order(path: Path) -> bytes:
    return os.fsencode(path.name)


def _place(
    found: LandingScan, partner_id: str, file: Path, own: list[FeedMapping], settings: Settings
) -> None:
    def unknown(code: str, why: str, fix: str) -> None:
        found.unknown.append(Unknown(partner_id, file, why, fix, code))

    try:
        status = file.lstat()
    except OSError:
        return  # taken away meanwhile
    taking = tuple(mapping for mapping in own if mapping.takes(file.name))
    if not stat.S_ISREG(status.st_mode):
        unknown(
            "not_a_file", "It is a link, a folder that cannot be looked into, or a special file.",
            "Copy the file itself into the partner's folder.",
        )  # fmt: skip
    elif not os.access(file, os.R_OK):
        unknown("not_readable", "It cannot be read.", "Give the platform's user the right to read it.")
    elif _is_settling(file, status, settings):
        found.settling.append(file)
    elif not own:
        unknown("unknown_file", "No mapping is configured for this partner.", _ONBOARD)
    elif not taking:
        patterns = ", ".join(pattern for mapping in own for pattern in mapping.patterns)
        unknown("unknown_file", f"Its name fits none of the patterns: {patterns}.", _ONBOARD)
    else:
        found.pending.append(Pending(partner_id, file, taking))


def _is_settling(file: Path, status: os.stat_result, settings: Settings) -> bool:
    if any(fnmatch(file.name.lower(), pattern) for pattern in _UNFINISHED):
        return True
    # A fixed clock says nothing about a file's age, and a time in the future nothing about its being written.
    age = settings.clock().timestamp() - status.st_mtime
    return settings.now is None and 0 <= age < settings.settle_seconds
