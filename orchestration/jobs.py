"""The nightly job, its schedule, the landing sensor and the notices of how a night went.

What belongs here: when things run. What does not: what they do.
"""

from collections.abc import Iterator

import dagster as dg

from orchestration import names
from orchestration.alerts import tell_night
from orchestration.community_resource import CommunityResource, configured_community
from orchestration.trouble import reason
from warehouse.settings import Settings

# In process: a step of its own process costs seconds, and the steps run one after another anyway.
nightly_job = dg.define_asset_job(
    "nightly",
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    description="Everything that has arrived, from landing to release, in one run.",
)


def build_schedule() -> dg.ScheduleDefinition:
    """The nightly schedule at the community's own time; 02:30 UTC without a community."""
    community = configured_community()
    hour, minute = (community.config.nightly_at if community else "02:30").split(":")
    return dg.ScheduleDefinition(
        name="nightly_schedule",
        job=nightly_job,
        cron_schedule=f"{int(minute)} {int(hour)} * * *",
        execution_timezone=community.config.time_zone if community else "UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )


@dg.sensor(job=nightly_job, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.STOPPED)
def landing_sensor(
    context: dg.SensorEvaluationContext, community: CommunityResource
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """One run a tick for all that has arrived; what is pending is told by the landing folders, not a cursor."""
    from ingestion.landing import scan

    active = context.instance.get_run_records(
        dg.RunsFilter(
            job_name="nightly",
            statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING],
        ),
        limit=1,
    )
    if active:
        yield dg.SkipReason("A run is under way; what has arrived is taken by it or by the next.")
        return
    loaded = community.load()
    pending = scan(loaded, Settings()).pending
    if pending:
        yield dg.RunRequest(tags={"throughline/reason": f"{len(pending)} files have arrived"})
    else:
        yield dg.SkipReason("Nothing has arrived.")


@dg.run_failure_sensor(default_status=dg.DefaultSensorStatus.RUNNING)
def failed_night_notice(context: dg.RunFailureSensorContext) -> None:
    """Tell that a night failed or was stopped by the gate, and why; the community's log keeps it beside its data."""
    _tell(context, succeeded=False)


@dg.run_status_sensor(run_status=dg.DagsterRunStatus.SUCCESS, default_status=dg.DefaultSensorStatus.RUNNING)
def ended_night_notice(context: dg.RunStatusSensorContext) -> None:
    """After a night that went well: tell of late files, and that all is well again."""
    _tell(context, succeeded=True)


def _tell(context: dg.RunStatusSensorContext, *, succeeded: bool) -> None:
    run_id = context.dagster_run.run_id
    community = configured_community()
    if community is None or context.dagster_run.job_name != nightly_job.name:
        return
    if names.STARTED_BY_TAG in context.dagster_run.tags:
        return  # a night of the command line tells by itself
    community.paths.ensure()
    events = [
        record.dagster_event
        for record in context.instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
        if record.dagster_event is not None
    ]
    if not succeeded:
        told = "; ".join(f"{event.step_key}: {reason(event)}" for event in events) or "see the run"
        with (community.paths.logs / "failed_nights.log").open("a", encoding="utf-8") as log:
            log.write(f"{Settings().clock().isoformat()} {run_id} {told}\n")
    report = tell_night(community, Settings(), run_id, succeeded=succeeded, events=events)
    context.instance.add_run_tags(run_id, report.outcome)
