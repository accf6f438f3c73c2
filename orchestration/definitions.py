"""The Dagster code location; it loads with an empty environment.

What belongs here: putting assets, checks, jobs, schedules and sensors together. What does not: any of them.
"""

from __future__ import annotations

import dagster as dg

from orchestration import names
from orchestration.assets.data_room import partners_data_room
from orchestration.assets.lake import build_lake_asset
from orchestration.assets.landing import landing_specs
from orchestration.assets.linkage import person_crosswalk
from orchestration.assets.models import dbt_build
from orchestration.assets.release import build_release_asset, publish_to_targets
from orchestration.checks import build_quality_checks
from orchestration.community_resource import CommunityResource, NightLock, configured_community
from orchestration.dbt_command import dbt_resource
from orchestration.jobs import (
    build_schedule,
    ended_night_notice,
    failed_night_notice,
    landing_sensor,
    nightly_job,
)


def build_definitions() -> dg.Definitions:
    """All definitions, for the community of the environment if there is one."""
    landing = landing_specs(configured_community())
    lake = build_lake_asset(landing)
    marts = [key for key in dbt_build.keys if key.path[0] == "marts"]
    known = {*lake.keys, *dbt_build.keys, names.CROSSWALK}
    community = CommunityResource()
    return dg.Definitions(
        assets=[
            *landing,
            lake,
            person_crosswalk,
            dbt_build,
            build_release_asset(marts),
            publish_to_targets,
            partners_data_room,
        ],
        asset_checks=[build_quality_checks(known)],
        jobs=[nightly_job],
        schedules=[build_schedule()],
        sensors=[landing_sensor, failed_night_notice, ended_night_notice],
        resources={
            "community": community,
            "night_lock": NightLock(community=community),
            "dbt": dbt_resource(),
        },
    )


defs = build_definitions()
