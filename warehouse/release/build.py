"""Making a release: published tables, disclosure control, files beside, one rename, one switch.

What belongs here: the order of the steps. What does not: each step (`tables`, `protect`, `files`, `audits`), or what
happens to a release later (`shelf`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from warehouse import duck
from warehouse.community import Community
from warehouse.disclosure.policy import load_policy
from warehouse.duck import sql_literal
from warehouse.release.attack import Attacker
from warehouse.release.audits import attack_audit, disclosure_audit, lineage, quality_audit, write_audits
from warehouse.release.dictionary import write_dictionary
from warehouse.release.files import write_data_package, write_tables
from warehouse.release.manifest import Night, manifest_of, tables_told
from warehouse.release.protect import Policy
from warehouse.release.public import PublicCountsError, read_public_counts
from warehouse.release.shelf import (
    MANIFEST,
    ReleaseError,
    ReleaseInfo,
    confirm,
    content_id,
    file_hash,
    list_releases,
    read_manifest,
    sweep,
    switch,
    sync,
    verify_release,
)
from warehouse.release.spec import RATE, published_tables
from warehouse.release.tables import WORKING, PublishedSet, hashed_columns, make_tables, table_hash
from warehouse.release.workbook import write_workbook
from warehouse.report_card import write_report_card
from warehouse.settings import CommunityPaths, Settings


@dataclass(frozen=True)
class ReleaseReport:
    """What came of building a release.

    Attributes:
        created: whether there is a new current release.
        release_id: the current release.
        path: its folder.
        message: what happened, in a sentence.
        row_counts: rows by published table.
        suppressed_cells: cells of the rate table that are withheld.
        warnings: tables and columns that the working database did not have.
    """

    created: bool
    release_id: str
    path: Path
    message: str
    row_counts: dict[str, int] = field(default_factory=dict)
    suppressed_cells: int = 0
    warnings: tuple[str, ...] = ()


def build_release(
    paths: CommunityPaths,
    settings: Settings,
    community: Community,
    *,
    warehouse_db: Path,
    run_id: str,
    deliveries: Sequence[Mapping[str, Any]],
    input_fingerprint: str,
    code_version: str,
) -> ReleaseReport:
    """Publish the marts of a working database as the next release, unless nothing in them changed.

    Nothing partial is ever visible: the folder is made beside, forced to disk, renamed, and then `current` is
    switched in one step. A night killed in between starts again from nothing, or takes up the whole release that
    was not switched to yet.

    Args:
        paths: the community's folders.
        settings: clock, memory, where to publish.
        community: configuration as loaded.
        warehouse_db: the working database; opened read-only.
        run_id: of the night, for audits and the manifest.
        deliveries: the deliveries in force, one mapping each.
        input_fingerprint: of files in force, configuration and code.
        code_version: hash of the code.
    """
    night = Night(paths, settings, community, run_id, deliveries, input_fingerprint, code_version)
    sweep(paths)
    policy = release_policy(community)
    con = duck.connect(
        memory_limit=settings.memory_limit, threads=settings.threads, temp_directory=paths.temp
    )
    try:
        con.execute(f"attach {sql_literal(str(warehouse_db))} as {WORKING} (read_only)")
        earlier = [info.path for info in list_releases(paths)]
        attacker = Attacker(
            policy, earlier, paths.attacks, settings.threads, _public_counts(paths, community)
        )
        published = make_tables(con, published_tables(), policy, attacker)
        hashes = {t.name: table_hash(con, t.name, hashed_columns(t)) for t in published.tables}
        standing = _standing(night, hashes)
        if standing is not None:
            return standing
        return _publish(con, night, published, policy, hashes, attacker)
    finally:
        con.close()


def release_policy(community: Community) -> Policy:
    """What is protected: the preset, with the strictest minimum of it, the community and every partner's agreement.

    Raises:
        DisclosureInputError: `privacy.policy` names no preset and no file.
    """
    asked = [p.agreement.minimum_n for p in community.partners.values() if p.agreement.minimum_n]
    preset = load_policy(community.config.privacy.policy)
    return Policy(
        minimum_n=max([community.config.privacy.minimum_n, preset.minimum_n, *asked]),
        complementary=community.config.privacy.complementary,
        geography_id=community.config.geography_id,
        smallest_part=preset.smallest_part,
        lower=preset.lower,
        upper=preset.upper,
        name=preset.name,
        singletons=preset.singletons,
    )


def _public_counts(paths: CommunityPaths, community: Community) -> list[tuple[str, ...]]:
    """Rows of the community's file of public counts, if it names one.

    Raises:
        ReleaseError: the file cannot be read; nothing is published.
    """
    name = community.config.privacy.public_counts
    try:
        return read_public_counts(paths.root / name, community.config.geography_id) if name else []
    except PublicCountsError as error:
        raise ReleaseError(f"{error} Nothing is published; the last release stays.") from None


def _standing(night: Night, hashes: Mapping[str, str]) -> ReleaseReport | None:
    """A release that already has these very tables: the current one, or a whole one not switched to yet."""
    releases = list_releases(night.paths)
    current = next((info for info in releases if info.is_current), None)
    if current is not None and _hashes(current) == dict(hashes):
        confirm(night.paths, current, night.input_fingerprint)
        message = f"No published figure changed: release {current.release_id} stays."
        return ReleaseReport(False, current.release_id, current.path, message)
    latest = releases[-1] if releases else None
    if (
        latest is None
        or (current is not None and latest.number < current.number)
        or _hashes(latest) != dict(hashes)
        or latest.input_fingerprint != night.input_fingerprint
        or verify_release(night.paths, latest.release_id)
    ):
        return None
    switch(night.paths, latest.path)
    return ReleaseReport(True, latest.release_id, latest.path, f"Published release {latest.release_id}.")


def _hashes(info: ReleaseInfo) -> dict[str, str]:
    return {name: table["hash"] for name, table in info.tables.items()}


def _publish(
    con: duckdb.DuckDBPyConnection,
    night: Night,
    published: PublishedSet,
    policy: Policy,
    hashes: Mapping[str, str],
    attacker: Attacker,
) -> ReleaseReport:
    paths = night.paths
    number = max((info.number for info in list_releases(paths)), default=0) + 1
    release_id = content_id(number, hashes)
    folder = paths.releases / f".building-{night.run_id}"
    folder.mkdir(parents=True)
    counts = write_tables(con, folder, published.tables, release_id)
    audit = disclosure_audit(published, policy) | _attacked(con, folder, policy, published, attacker)
    manifest = manifest_of(night, number, release_id, policy, published) | {
        "tables": tables_told(published, counts, hashes),
        "suppressed_cells": audit["suppressed_cells"],
    }
    _write_beside(con, night, folder, published, manifest, audit)
    _seal(folder, manifest)
    final = paths.releases / release_id
    folder.rename(final)
    sync(paths.releases)
    switch(paths, final)
    return ReleaseReport(
        True,
        release_id,
        final,
        f"Published release {release_id}.",
        counts,
        audit["suppressed_cells"],
        published.warnings,
    )


def _write_beside(
    con: duckdb.DuckDBPyConnection,
    night: Night,
    folder: Path,
    published: PublishedSet,
    manifest: dict[str, Any],
    audit: dict[str, Any],
) -> None:
    """Everything for people beside the tables; the manifest learns which audits there are."""
    counts = {name: table["rows"] for name, table in manifest["tables"].items()}
    write_data_package(folder, published.tables, manifest, counts)
    write_dictionary(
        folder, published.tables, community=manifest["community_name"], release_id=manifest["release_id"]
    )
    write_workbook(con, folder, published.tables, manifest)
    audits = {
        "disclosure": audit,
        "quality": quality_audit(night.paths, night.run_id),
        "lineage": lineage(night.paths, published.tables),
    }
    write_audits(folder, audits)
    manifest["audits"] = [f"audits/{name}.json" for name, content in audits.items() if content is not None]
    write_report_card(folder, night.community, manifest)


def _attacked(
    con: duckdb.DuckDBPyConnection, folder: Path, policy: Policy, published: PublishedSet, attacker: Attacker
) -> dict[str, Any]:
    """The attacker's findings on the files that were just written.

    Raises:
        ReleaseError: he can tell what must be in doubt; nothing is published.
    """
    source = next((table.source for table in published.tables if table.name == RATE), None)
    if source is None:
        return {}
    alone, with_earlier, near = attacker.audit(con, folder, f"{WORKING}.{source}")
    attacker.remember()
    told = np.union1d(alone.added, with_earlier.added)
    if len(told) and policy.complementary:
        shown = "\n".join(f"  {row}" for row in near) or "  (no published row is near them)"
        beside = "" if len(alone.added) else " together with earlier releases"
        raise ReleaseError(
            f"{len(told)} withheld rows of {RATE} can be told from what would be published{beside}, so nothing is; the "
            f"last release stays. Published rows that help to tell them:\n{shown}\n"
            "Raise privacy.minimum_n in community.yml, or publish fewer combinations of groups."
        )
    return {"attack": attack_audit(alone, with_earlier)}


def _seal(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest with every file's hash, let all read and nobody write, and force all to disk."""
    files = sorted(item for item in folder.rglob("*") if item.is_file())
    manifest["files"] = {file.relative_to(folder).as_posix(): file_hash(file) for file in files}
    text = json.dumps(manifest, indent=1, sort_keys=True, default=str, ensure_ascii=False)
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    for file in [*files, folder / MANIFEST]:
        file.chmod(0o444)
        sync(file)
    for inner in [*(item for item in folder.rglob("*") if item.is_dir()), folder]:
        inner.chmod(0o755)  # whatever the umask: a release is there to be read
        sync(inner)


__all__ = ["ReleaseReport", "build_release", "read_manifest", "release_policy"]
