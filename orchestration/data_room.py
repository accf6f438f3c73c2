"""Writing the partners' data room with what the ledger knows today; the asset and the command share it.

What belongs here: gathering. What does not: its pages (`warehouse.report_card`).
"""

from __future__ import annotations

from pathlib import Path

from ingestion.standing import feed_standings
from warehouse.community import Community
from warehouse.ledger import Ledger
from warehouse.report_card import build_data_room
from warehouse.settings import Settings


def write_data_room(community: Community, settings: Settings, ledger: Ledger) -> Path:
    """Write the data room anew, with lateness as of today whatever the age of the working database."""
    standings = {
        (row.partner_id, row.feed_id): (row.state, row.due)
        for row in feed_standings(community, ledger, settings.clock().date())
    }
    return build_data_room(
        community, settings, warehouse_db=community.paths.warehouse, ledger=ledger, standings=standings
    )
