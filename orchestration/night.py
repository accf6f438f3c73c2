"""One night in this process: the nightly job, run to its end, and what came of it.

What belongs here: starting the job with an instance of the community's own, one at a time. What does not:
output (`orchestration.cli`) and the steps (`orchestration.assets`).
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass

import dagster as dg

from orchestration import names, progress
from orchestration.alerts import Told, tell_night
from orchestration.checks import BLOCKING, GATE_STEP
from orchestration.instance import belong_to_location, prepare_instance
from orchestration.pace import Pace
from orchestration.trouble import reason
from warehouse.community import Community
from warehouse.release import ReleaseInfo, list_releases
from warehouse.run_lock import run_lock
from warehouse.settings import Settings

# The last one warns of each check that a step need not make; dbt's tests of unchanged models are such.
_WORDY_LOGGERS = (
    "dagster",
    "dagster.code_server",
    "alembic",
    "sqlalchemy",
    "dagster._core.execution.plan.active",
)


@dataclass(frozen=True)
class NightResult:
    """What a night came to.

    Attributes:
        succeeded: whether every step ended well.
        published: the new release, if one was made.
        release: the release that is current now, if any.
        failures: why it failed, a sentence a failed step or check.
        run_id: the Dagster run.
        told: the alerts that were sent.
    """

    succeeded: bool
    published: ReleaseInfo | None
    release: ReleaseInfo | None
    failures: list[str]
    run_id: str
    told: Told


def run_night(community: Community, listener: progress.Listener | None = None) -> NightResult:
    """Run the nightly job in this process.

    Raises:
        RunLockedError: another run is under way for this community.
    """
    with run_lock(community.paths):
        try:
            progress.listen(listener)
            with progress.quiet():
                return _execute(community)
        finally:
            progress.listen(None)


def _execute(community: Community) -> NightResult:
    prepare_instance(community)
    for name in _WORDY_LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    progress.say("Loading definitions")
    from orchestration.definitions import build_definitions

    before = _current(community)
    with dg.DagsterInstance.get() as instance:
        belong_to_location(instance, "nightly")
        job = build_definitions().resolve_job_def("nightly")
        run_id = str(uuid.uuid4())
        progress.expect(Pace(instance, job.name, run_id).left)
        result = job.execute_in_process(
            instance=instance,
            run_id=run_id,
            raise_on_error=False,
            tags={names.STARTED_BY_TAG: "throughline run"},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        failures = _failures(result)
        progress.say("Telling who asked to be told")
        told = tell_night(
            community, Settings(), result.run_id, succeeded=result.success, events=result.all_events
        )
        instance.add_run_tags(result.run_id, told.outcome)
    after = _current(community)
    new = after if after and (before is None or before.release_id != after.release_id) else None
    return NightResult(result.success and not failures, new, after, failures, result.run_id, told)


def _current(community: Community) -> ReleaseInfo | None:
    return next((release for release in list_releases(community.paths) if release.is_current), None)


def _failures(result: dg.ExecuteInProcessResult) -> list[str]:
    told: list[str] = []
    for event in result.all_events:
        if event.event_type_value == "STEP_FAILURE":
            told.append(f"{event.step_key}: {reason(event)}")
    gate_told = any(event.step_key == GATE_STEP for event in result.all_events if event.is_step_failure)
    for evaluation in result.get_asset_check_evaluations():
        if gate_told and evaluation.check_name.endswith(BLOCKING):
            continue  # the step's own failure names every broken rule
        if not evaluation.passed and evaluation.severity == dg.AssetCheckSeverity.ERROR:
            told.append(
                f"{evaluation.asset_key.to_user_string()}: {evaluation.description or evaluation.check_name}"
            )
    return told
