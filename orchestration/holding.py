"""Setting back the deliveries that break a blocking rule of their feed, before anything is built on them.

What belongs here: bringing rules, ledger and receipts together. What does not: finding the delivery (`expectations.holding`).
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from ingestion.acceptance.held import rewrite_receipts
from orchestration.working import fill_sources
from warehouse.community import Community
from warehouse.ledger import Hold, LakeFile, Ledger
from warehouse.release import list_releases, read_manifest
from warehouse.settings import Settings


def judge_again(community: Community, settings: Settings, ledger: Ledger) -> list[Hold]:
    """Put back in force what a rule holds that is another now; returns it. The night judges it with the rest."""
    from expectations.holding import outdated

    holds = ledger.holds()
    chosen = set(outdated(holds, community.config.quality.limits))
    ledger.lift(sorted(chosen), settings.clock())
    return [hold for hold in holds if hold.delivery_id in chosen]


def hold_bad_deliveries(community: Community, settings: Settings, ledger: Ledger) -> list[Hold]:
    """Take new deliveries out of force that break a blocking rule of their feed; returns those taken out now.

    One transaction writes them all, and what is held is not asked about again: a run that is cut off before or after it
    ends as any other.
    """
    from expectations.holding import Bench, broken_by_delivery

    def fill(con: duckdb.DuckDBPyConnection, files: Sequence[LakeFile]) -> None:
        fill_sources(con, community, settings, ledger, files)

    current = [release for release in list_releases(community.paths) if release.is_current]
    released = (
        {row["delivery_id"] for row in read_manifest(current[-1].path)["deliveries"]} if current else set()
    )
    bench = Bench(
        ledger, community.paths.temp / "holding.duckdb", fill, released, community.config.quality.limits
    )
    broken = broken_by_delivery(bench)
    ledger.hold(broken, settings.clock())
    return [hold for hold in ledger.holds() if hold.delivery_id in broken]


def tell_partners(community: Community, settings: Settings, ledger: Ledger) -> None:
    """Write the receipts of all that are or were held as they stand now; a run that was cut off left some behind."""
    rewrite_receipts(community, settings, ledger)
