"""Landing assets: what each configured partner drops for each feed, as the start of the graph.

What belongs here: external asset specs with their freshness. What does not: taking the files (`lake`).
"""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from ingestion.contracts import load_contracts
from ingestion.mapping import load_mappings
from orchestration import names
from warehouse.community import Community

# Days between deliveries by cadence, with a tolerance of half a period before anybody is bothered.
_PERIOD_DAYS = {"daily": 1, "weekly": 7, "monthly": 31, "quarterly": 92, "termly": 183, "yearly": 366}


def freshness_policy(cadence: str) -> dg.FreshnessPolicy:
    """Freshness expected of a feed: warn after one period, fail after one and a half."""
    days = _PERIOD_DAYS.get(cadence, 366)
    return dg.FreshnessPolicy.time_window(
        fail_window=timedelta(days=days * 1.5), warn_window=timedelta(days=days * 1.0 + 0.5)
    )


def landing_specs(community: Community | None) -> list[dg.AssetSpec]:
    """One external asset a partner and feed of the community; none without a community."""
    if community is None:
        return []
    contracts = load_contracts()
    specs: dict[dg.AssetKey, dg.AssetSpec] = {}
    for mapping in load_mappings(community):
        contract = contracts[mapping.feed]
        partner = community.partners[mapping.partner_id]
        key = names.landing_key(mapping.partner_id, mapping.feed)
        specs[key] = dg.AssetSpec(
            key,
            description=f"{contract.title} as {partner.name} drops it. {contract.description}",
            group_name=names.LANDING,
            kinds={"file"},
            owners=[names.OWNER],
            metadata={"partner": partner.name, "file pattern": ", ".join(mapping.file_pattern)},
            tags={"partner": mapping.partner_id, "feed": mapping.feed},
        )
    return list(specs.values())
