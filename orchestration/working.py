"""Filling the working database of a night from ledger, lake and configuration.

What belongs here: gathering what `warehouse.working` and `warehouse.lake` need. What does not: their work.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ingestion.contracts import load_contracts
from ingestion.mapping import load_mappings
from warehouse import lake, working
from warehouse.community import Community
from warehouse.gateways import gateway_history
from warehouse.ledger import Ledger
from warehouse.release import list_releases
from warehouse.settings import Settings


def prepare_working(community: Community, settings: Settings, ledger: Ledger) -> None:
    """Start the next working database: schema `lake` over the files in force, schema `config`."""
    contracts = load_contracts()
    con = working.open_building(community.paths, settings.memory_limit)
    try:
        lake.register(con, community.paths, ledger.current_files(), _feed_specs(), ledger=ledger)
        working.write_configuration(
            con,
            community,
            as_of=settings.clock().replace(tzinfo=None),
            feeds=[
                {"feed_id": f, "stage": c.stage, "cadence": c.cadence, "title": c.title}
                for f, c in sorted(contracts.items())
            ],
            partner_feeds=_partner_feeds(community),
            releases=_release_history(community),
            gateway_release=gateway_history(community.paths),
        )
    finally:
        con.close()


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
