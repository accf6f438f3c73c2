"""Asset keys, groups, kinds and owners: one grammar for the whole graph.

What belongs here: names. What does not: anything that runs.
"""

from __future__ import annotations

import dagster as dg

OWNER = "team:data-engineering"
# Tags of a run. The list of runs cuts a tag off after some thirty characters, so their names are short.
WHY_TAG, RELEASE_TAG, STARTED_BY_TAG = "why", "release", "started_by"

# Group names sort as the data flows, so the graph reads from left to right.
LANDING, LAKE, VAULT = "a_landing", "b_lake", "c_vault"
LAYER_GROUPS = {
    "seeds": "d_seeds",
    "staging": "e_staging",
    "intermediate": "f_intermediate",
    "core": "g_core",
    "indicators": "h_indicators",
    "marts": "i_marts",
}
RELEASE = "j_release"

CROSSWALK = dg.AssetKey(["vault", "person_crosswalk"])
RELEASE_KEY = dg.AssetKey(["release", "current"])
REPORT_CARD = dg.AssetKey(["release", "report_card"])
TARGETS = dg.AssetKey(["release", "targets"])
DATA_ROOM = dg.AssetKey(["data_room", "partners"])


def landing_key(partner_id: str, feed_id: str) -> dg.AssetKey:
    """Key of what one partner drops for one feed."""
    return dg.AssetKey(["landing", partner_id, feed_id])


def lake_key(feed_id: str) -> dg.AssetKey:
    """Key of a feed's accepted rows of all partners."""
    return dg.AssetKey(["lake", feed_id])
