"""The shelf of releases: which there are, which is current, whether they are whole.

What belongs here: looking at releases and switching between them. What does not: making one (`build`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.settings import CommunityPaths

MANIFEST = "manifest.json"
CURRENT = "current"


class ReleaseError(RuntimeError):
    """A release is absent, damaged, or may not be removed."""


@dataclass(frozen=True)
class ReleaseInfo:
    """One release on the shelf; `input_fingerprint` is that of the latest inputs that led to it."""

    release_id: str
    number: int
    path: Path
    created_at: str
    input_fingerprint: str
    tables: dict[str, dict[str, Any]]
    is_current: bool


def list_releases(paths: CommunityPaths) -> list[ReleaseInfo]:
    """Every release, oldest first."""
    link = paths.releases / CURRENT
    current = link.readlink().name if link.is_symlink() else None
    found = []
    for manifest in sorted(paths.releases.glob(f"[0-9]*/{MANIFEST}")):
        data = json.loads(manifest.read_text(encoding="utf-8"))
        confirmed = paths.releases / f".confirmed-{manifest.parent.name}"
        fingerprint = (
            confirmed.read_text(encoding="utf-8") if confirmed.is_file() else data["input_fingerprint"]
        )
        found.append(
            ReleaseInfo(
                data["release_id"],
                data["number"],
                manifest.parent,
                data["created_at"],
                fingerprint,
                data["tables"],
                manifest.parent.name == current,
            )
        )
    return found


def find_release(paths: CommunityPaths, release: str | None = None) -> ReleaseInfo:
    """A release by id or number; the current one when none is named.

    Raises:
        ReleaseError: there is no such release.
    """
    releases = list_releases(paths)
    for info in releases:
        if (release is None and info.is_current) or release in (info.release_id, str(info.number)):
            return info
    known = ", ".join(info.release_id for info in releases) or "none"
    raise ReleaseError(f"no release '{release or CURRENT}'; there are: {known}")


def verify_release(paths: CommunityPaths, release: str | None = None) -> list[str]:
    """Compare every file of a release with its manifest; an empty list is a whole release."""
    info = find_release(paths, release)
    listed = json.loads((info.path / MANIFEST).read_text(encoding="utf-8"))["files"]
    wrong = []
    for name, digest in sorted(listed.items()):
        file = info.path / name
        if not file.is_file():
            wrong.append(f"{name}: missing")
        elif hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            wrong.append(f"{name}: changed since it was published")
    present = {f.relative_to(info.path).as_posix() for f in info.path.rglob("*") if f.is_file()}
    wrong += [f"{name}: not part of the release" for name in sorted(present - set(listed) - {MANIFEST})]
    return wrong


def diff_releases(paths: CommunityPaths, older: str, newer: str) -> list[str]:
    """What differs between two releases, in words: deliveries, tables, rows."""
    left, right = find_release(paths, older), find_release(paths, newer)
    a, b = (json.loads((info.path / MANIFEST).read_text(encoding="utf-8")) for info in (left, right))
    before = {d["delivery_id"]: d for d in a["deliveries"]}
    after = {d["delivery_id"]: d for d in b["deliveries"]}
    told = [
        f"new delivery of {d['partner_id']} for {d['feed_id']}: {d['rows_accepted']:,} rows accepted"
        for key, d in after.items()
        if key not in before
    ]
    told += [
        f"no longer in force: delivery of {d['partner_id']} for {d['feed_id']}"
        for k, d in before.items()
        if k not in after
    ]
    for label, key in (("configuration", "configuration_hash"), ("code", "code_version")):
        if a[key] != b[key]:
            told.append(f"the {label} changed")
    for name in sorted({*a["tables"], *b["tables"]}):
        x, y = a["tables"].get(name), b["tables"].get(name)
        if x is None or y is None:
            told.append(f"{name}: {'added' if x is None else 'no longer published'}")
        elif x["hash"] != y["hash"]:
            told.append(f"{name}: changed, {x['rows']:,} rows before, {y['rows']:,} now")
    return told


def switch(paths: CommunityPaths, folder: Path) -> None:
    """Point `current` at a release in one step; readers see the old one or the new one, never neither."""
    beside = paths.releases / f".{CURRENT}.{os.getpid()}"
    beside.unlink(missing_ok=True)
    beside.symlink_to(folder.name)
    beside.replace(paths.releases / CURRENT)


def rollback(paths: CommunityPaths, release: str) -> ReleaseInfo:
    """Make an earlier release the current one, after proving that it is whole.

    Raises:
        ReleaseError: it does not exist or is damaged.
    """
    info = find_release(paths, release)
    wrong = verify_release(paths, release)
    if wrong:
        raise ReleaseError(f"release {info.release_id} is damaged and was not made current: {wrong[0]}")
    switch(paths, info.path)
    return info


def prune(paths: CommunityPaths, keep: int) -> list[str]:
    """Remove the oldest releases but `keep`, never the current one; returns the ids removed."""
    releases = [info for info in list_releases(paths) if not info.is_current]
    removed = []
    for info in releases[: max(0, len(releases) + 1 - max(keep, 1))]:
        doomed = info.path.with_name(f".removing-{info.path.name}")
        info.path.rename(doomed)
        for folder in (doomed, *(item for item in doomed.rglob("*") if item.is_dir())):
            folder.chmod(0o755)
        shutil.rmtree(doomed)
        removed.append(info.release_id)
    return removed
