"""Filling the working database of a night from ledger, lake and configuration.

What belongs here: gathering what `warehouse.working` and `warehouse.lake` need. What does not: their work.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import duckdb

from expectations.reports import load_report
from ingestion.contracts import load_contracts
from ingestion.mapping import load_mappings
from warehouse import built, lake, working
from warehouse.community import Community
from warehouse.configured import write_configuration
from warehouse.gateways import gateway_history
from warehouse.ledger import LakeFile, Ledger
from warehouse.release import list_releases, read_manifest
from warehouse.settings import Settings


def prepare_working(community: Community, settings: Settings, ledger: Ledger, code: str) -> list[str] | None:
    """Start the next working database: schema `lake` over the files in force, schema `config`.

    Args:
        community: configuration as loaded.
        settings: clock and memory.
        ledger: for the files in force.
        code: fingerprint of the code; another one than last time makes everything be built.

    Returns:
        The sources that changed since the present database was built, as `lake.<feed>` or `config.<table>`; None when
        everything has to be built.
    """
    con = working.open_building(community.paths, settings.memory_limit, keep=True)
    before = built.read_prints(con)
    try:
        changed = _fill(con, community, settings, ledger, code, before)
        if changed is not None or not before:
            return changed
    finally:
        con.close()
    # Nothing of the copy can be used: an empty file is smaller and is built faster.
    con = working.open_building(community.paths, settings.memory_limit)
    try:
        return _fill(con, community, settings, ledger, code, {})
    finally:
        con.close()


def _fill(
    con: duckdb.DuckDBPyConnection,
    community: Community,
    settings: Settings,
    ledger: Ledger,
    code: str,
    before: dict[str, str],
) -> list[str] | None:
    files = ledger.current_files()
    fill_sources(con, community, settings, ledger, files)
    now = built.source_prints(con, sorted(load_contracts()), files, code)
    built.write_prints(con, now)
    changed = built.changed_sources(before, now)
    built.write_changed(con, changed)
    return changed


def fill_sources(
    con: duckdb.DuckDBPyConnection,
    community: Community,
    settings: Settings,
    ledger: Ledger,
    files: Sequence[LakeFile],
) -> None:
    """Write schema `lake` over some files, and schema `config`: what rules and models read."""
    contracts = load_contracts()
    lake.register(con, community.paths, files, _feed_specs(), ledger=ledger)
    write_configuration(
        con,
        community,
        as_of=settings.clock().replace(tzinfo=None),
        feed=[
            {"feed_id": f, "stage": c.stage, "cadence": c.cadence, "title": c.title}
            for f, c in sorted(contracts.items())
        ],
        partner_feed=_partner_feeds(community),
        release_history=_release_history(community),
        gateway_release=gateway_history(community.paths),
        **_last_released(community),
    )


def _feed_specs() -> list[Any]:
    return [contract.lake_spec() for _, contract in sorted(load_contracts().items())]


def _partner_feeds(community: Community) -> list[dict[str, Any]]:
    contracts = load_contracts()
    rows = {
        (m.partner_id, m.feed): {
            "partner_id": m.partner_id,
            "feed_id": m.feed,
            "cadence": m.cadence or contracts[m.feed].cadence,
            "due": m.due,
        }
        for m in load_mappings(community)
    }
    return [rows[key] for key in sorted(rows)]


def _release_history(community: Community) -> list[dict[str, Any]]:
    return [
        {
            "release_id": release.release_id,
            "released_at": datetime.fromisoformat(release.created_at).replace(tzinfo=None),
            "is_public": True,
            "has_disaggregated_baseline": "pub_indicator_rate_v1" in release.tables,
        }
        for release in list_releases(community.paths)
    ]


def _last_released(community: Community) -> dict[str, list[dict[str, Any]]]:
    """How large each table was and how well people were linked in the night that made the present release."""
    current = [release for release in list_releases(community.paths) if release.is_current]
    report = (
        load_report(community.paths.quality, read_manifest(current[-1].path)["run_id"]) if current else None
    )
    if report is None:
        return {"table_history": [], "linkage_history": []}
    return {
        "table_history": [{"table_name": name, "row_n": n} for name, n in sorted(report.row_counts.items())],
        "linkage_history": [figure.model_dump() for figure in report.linkage],
    }
