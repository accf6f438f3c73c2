"""What a release says of itself: where its figures come from, by which rules, and what stands in it.

What belongs here: the content of `manifest.json`. What does not: writing and sealing it (`build`), or reading it
(`shelf`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from warehouse.community import Community
from warehouse.fingerprint import configuration_hash
from warehouse.release.protect import Policy
from warehouse.release.tables import PublishedSet, hashed_columns
from warehouse.settings import CommunityPaths, Settings

_MANIFEST_VERSION = 1


@dataclass(frozen=True)
class Night:
    """Where the figures come from, as the manifest tells it."""

    paths: CommunityPaths
    settings: Settings
    community: Community
    run_id: str
    deliveries: Sequence[Mapping[str, Any]]
    input_fingerprint: str
    code_version: str


def manifest_of(
    night: Night, number: int, release_id: str, policy: Policy, published: PublishedSet
) -> dict[str, Any]:
    """The manifest but for its tables, audits and files.

    Args:
        night: where the figures come from.
        number: of the release.
        release_id: its name.
        policy: what was protected.
        published: its tables.
    """
    config = night.community.config
    return {
        "manifest_version": _MANIFEST_VERSION,
        "release_id": release_id,
        "number": number,
        "created_at": night.settings.clock().isoformat(),
        "run_id": night.run_id,
        "community_id": config.community_id,
        "community_name": config.name,
        "geography_id": config.geography_id,
        "geography_name": config.geography_name,
        "configuration_hash": configuration_hash(night.paths.root),
        "code_version": night.code_version,
        "input_fingerprint": night.input_fingerprint,
        "minimum_n": policy.minimum_n,
        "minimum_coverage": config.privacy.minimum_coverage,
        "warnings": list(published.warnings),
        "deliveries": [_public_delivery(delivery, policy.minimum_n) for delivery in night.deliveries],
    }


def _public_delivery(delivery: Mapping[str, Any], minimum_n: int) -> dict[str, Any]:
    """A delivery as the public manifest names it; a file of a handful of people does not tell how many."""
    told = dict(delivery)
    small = 0 < int(told.get("rows_in") or 0) < minimum_n
    for name in ("rows_in", "rows_accepted", "rows_quarantined"):
        if small and name in told:
            told[name] = None
    return told


def tables_told(
    published: PublishedSet, counts: Mapping[str, int], hashes: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Tables by name: rows, hash and the columns that it covers, keys, title, rows withheld."""
    return {
        t.name: {
            "rows": counts[t.name],
            "hash": hashes[t.name],
            "hashed_columns": [list(pair) for pair in hashed_columns(t).items()],
            "keys": list(t.keys),
            "title": t.title,
            "suppressed_rows": published.suppressed_rows[t.name],
        }
        for t in published.tables
    }
