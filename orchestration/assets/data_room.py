"""The partners' data room: part of every night, also of one that publishes nothing, and never part of a release.

What belongs here: the asset. What does not: gathering (`orchestration.data_room`) and pages (`warehouse.report_card`).
"""

import dagster as dg

from orchestration import names, progress
from orchestration.community_resource import CommunityResource
from orchestration.data_room import write_data_room


@dg.asset(
    key=names.DATA_ROOM,
    # Not the marts that the gate may block: on a night without a release partners need to know even more.
    deps=[dg.AssetKey(["marts", "mart_data_health"]), dg.AssetKey(["marts", "mart_linkage_quality"])],
    group_name=names.RELEASE,
    kinds={"html"},
    owners=[names.OWNER],
    description=(
        "Pages for each partner and for staff: deliveries, acceptance, lateness, match rates, and what missing data does "
        "to the indicators. Not public; outside every release."
    ),
)
def partners_data_room(
    context: dg.AssetExecutionContext, community: CommunityResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Write the data room from tonight's tables."""
    loaded = community.load()
    with progress.step("Partners' data room written"):
        page = write_data_room(loaded, community.settings(), community.ledger(loaded))
    context.log.info(f"Data room: {page}")
    return dg.MaterializeResult(
        metadata={
            "page": dg.MetadataValue.url(page.as_uri()),
            "partners": sum(1 for item in page.parent.iterdir() if item.is_dir()),
        }
    )
