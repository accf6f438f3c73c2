"""The shelf of releases: which there are, which is current, whether they are whole.

What belongs here: looking at releases, switching between them, removing old ones. What does not: making one (`build`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from warehouse.duck import sql_literal
from warehouse.release.files import DATABASE
from warehouse.release.tables import table_hash
from warehouse.settings import CommunityPaths

MANIFEST = "manifest.json"
CURRENT = "current"


class ReleaseError(RuntimeError):
    """A release is absent, damaged, or may not be removed; the message says what to do."""


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


def read_manifest(release: Path) -> dict[str, Any]:
    """The manifest in a release's folder."""
    content: dict[str, Any] = json.loads((release / MANIFEST).read_text(encoding="utf-8"))
    return content


def content_id(number: int, hashes: Mapping[str, str]) -> str:
    """Id of a release: its number and the first twelve digits of the hash over its tables' hashes."""
    digest = hashlib.sha256(json.dumps(dict(hashes), sort_keys=True).encode()).hexdigest()
    return f"{number:05d}-{digest[:12]}"


def list_releases(paths: CommunityPaths) -> list[ReleaseInfo]:
    """Every release, oldest first."""
    link = paths.releases / CURRENT
    current = link.readlink().name if link.is_symlink() else None
    found = []
    for manifest in sorted(paths.releases.glob(f"[0-9]*/{MANIFEST}")):
        data = read_manifest(manifest.parent)
        note = _note(paths, manifest.parent.name)
        fingerprint = note.read_text(encoding="utf-8") if note.is_file() else data["input_fingerprint"]
        found.append(
            ReleaseInfo(
                release_id=data["release_id"],
                number=data["number"],
                path=manifest.parent,
                created_at=data["created_at"],
                input_fingerprint=fingerprint,
                tables=data["tables"],
                is_current=manifest.parent.name == current,
            )
        )
    return found


def find_release(paths: CommunityPaths, release: str | None = None) -> ReleaseInfo:
    """A release by id or number; the current one when none is named.

    Raises:
        ReleaseError: there is no such release.
    """
    releases = list_releases(paths)
    wanted = None if release in (None, CURRENT) else str(release)
    for info in releases:
        named = wanted is not None and wanted in (info.release_id, str(info.number), f"{info.number:05d}")
        if named or (wanted is None and info.is_current):
            return info
    known = ", ".join(info.release_id for info in releases) or "none; `throughline run` makes the first"
    raise ReleaseError(f"no release '{release or CURRENT}'; there are: {known}")


def confirm(paths: CommunityPaths, info: ReleaseInfo, input_fingerprint: str) -> None:
    """Note that other inputs lead to this release too, so that the next night need not ask again."""
    _note(paths, info.path.name).write_text(input_fingerprint, encoding="utf-8")


def _note(paths: CommunityPaths, name: str) -> Path:
    return paths.releases / f".confirmed-{name}"


def verify_release(paths: CommunityPaths, release: str | None = None) -> list[str]:
    """Prove that a release is what was published; an empty list is a whole release.

    Every file has the hash of the manifest and nothing was added; the tables of the Parquet files and of the DuckDB
    file have the manifest's table hashes; and the release's id follows from these.
    """
    info = find_release(paths, release)
    manifest = read_manifest(info.path)
    wrong = _verify_files(info.path, manifest["files"])
    hashes = {name: table["hash"] for name, table in manifest["tables"].items()}
    if (
        content_id(manifest["number"], hashes) != manifest["release_id"]
        or manifest["release_id"] != info.path.name
    ):
        wrong.append(f"{MANIFEST}: the release's id does not follow from its tables")
    return wrong or _verify_tables(info.path, manifest["tables"])


def _verify_files(folder: Path, listed: Mapping[str, str]) -> list[str]:
    wrong = []
    for name, digest in sorted(listed.items()):
        file = folder / name
        if not file.is_file():
            wrong.append(f"{name}: missing")
        elif file_hash(file) != digest:
            wrong.append(f"{name}: changed since it was published")
    present = {f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file()}
    return wrong + [f"{name}: not part of the release" for name in sorted(present - set(listed) - {MANIFEST})]


def _verify_tables(folder: Path, tables: Mapping[str, Mapping[str, Any]]) -> list[str]:
    wrong = []
    with duckdb.connect() as con:
        con.execute(f"attach {sql_literal(str(folder / DATABASE))} as published (read_only)")
        for name, table in tables.items():
            parquet = f"read_parquet({sql_literal(str(folder / 'tables' / f'{name}.parquet'))})"
            for where, relation in (
                (f"tables/{name}.parquet", parquet),
                (DATABASE, f"published.main.{name}"),
            ):
                if table_hash(con, relation, dict(table["hashed_columns"])) != table["hash"]:
                    wrong.append(f"{where}: {name} does not have the rows that were published")
    return wrong


def file_hash(file: Path) -> str:
    """SHA-256 of a file's bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def switch(paths: CommunityPaths, folder: Path) -> None:
    """Point `current` at a release in one step; readers see the old one or the new one, never neither."""
    beside = paths.releases / f".{CURRENT}.{os.getpid()}"
    beside.unlink(missing_ok=True)
    beside.symlink_to(folder.name)
    beside.replace(paths.releases / CURRENT)
    sync(paths.releases)


def rollback(paths: CommunityPaths, release: str) -> ReleaseInfo:
    """Make an earlier release the current one, after proving that it is whole.

    It stays current until inputs, configuration or code change: the inputs that led to the release left behind count
    as having led to this one.

    Raises:
        ReleaseError: it does not exist or is damaged.
    """
    info = find_release(paths, release)
    wrong = verify_release(paths, release)
    if wrong:
        raise ReleaseError(f"release {info.release_id} is damaged and was not made current: {wrong[0]}")
    left = next((other for other in list_releases(paths) if other.is_current), None)
    if left is not None and left.release_id != info.release_id:
        confirm(paths, info, left.input_fingerprint)
    switch(paths, info.path)
    return find_release(paths, info.release_id)


def prune(paths: CommunityPaths, keep: int) -> list[str]:
    """Remove the oldest releases until `keep` are left, never the current or the newest; returns the ids removed.

    Readers that hold a removed release's files open read on until they close them.

    Raises:
        ReleaseError: `keep` is less than one.
    """
    if keep < 1:
        raise ReleaseError("keep at least one release")
    releases = list_releases(paths)
    free = [info for info in releases[:-1] if not info.is_current]
    removed = []
    for info in free[: max(0, len(releases) - keep)]:
        doomed = info.path.with_name(f".removing-{info.path.name}")
        info.path.rename(doomed)
        shutil.rmtree(doomed)
        _note(paths, info.path.name).unlink(missing_ok=True)
        removed.append(info.release_id)
    return removed


def sweep(paths: CommunityPaths) -> None:
    """Remove what an interrupted night or an interrupted removal left half done."""
    for pattern in (".building-*", ".removing-*"):
        for leftover in paths.releases.glob(pattern):
            shutil.rmtree(leftover)
    for link in paths.releases.glob(f".{CURRENT}.*"):
        link.unlink()


def sync(path: Path) -> None:
    """Force a file or a folder to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
