"""One night in this process: the nightly job, run to its end, and what came of it.

What belongs here: starting the job with an instance of the community's own, one at a time. What does not:
output (`orchestration.cli`) and the steps (`orchestration.assets`).
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from orchestration import progress
from warehouse.community import Community
from warehouse.release import ReleaseInfo, list_releases
from warehouse.run_lock import run_lock

# No telemetry, and no sign-up dialog over the first screen.
_QUIET = "telemetry:\n  enabled: false\nnux:\n  enabled: false\n"
_INSTANCE = _QUIET + "event_log_storage:\n  module: orchestration.event_log\n  class: KeptEventLog\n"


@dataclass(frozen=True)
class NightResult:
    """What a night came to.

    Attributes:
        succeeded: whether every step ended well.
        published: the new release, if one was made.
        release: the release that is current now, if any.
        failures: why it failed, a sentence a failed step or check.
        run_id: the Dagster run.
    """

    succeeded: bool
    published: ReleaseInfo | None
    release: ReleaseInfo | None
    failures: list[str]
    run_id: str


def prepare_instance(community: Community) -> Path:
    """Make the community's Dagster home, and point this process at it."""
    home = community.paths.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    config = home / "dagster.yaml"
    # What an earlier version wrote is brought up to date; what a person changed stays.
    if not config.exists() or config.read_text(encoding="utf-8") == _QUIET:
        config.write_text(_INSTANCE, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home)
    os.environ["THROUGHLINE_COMMUNITY"] = str(community.paths.root)
    return home


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
    for name in ("dagster", "dagster.code_server", "alembic", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.ERROR)
    progress.say("Loading definitions")
    from orchestration.definitions import build_definitions

    before = _current(community)
    with dg.DagsterInstance.get() as instance:
        job = build_definitions().resolve_job_def("nightly")
        result = job.execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        failures = _failures(result)
    after = _current(community)
    new = after if after and (before is None or before.release_id != after.release_id) else None
    return NightResult(result.success and not failures, new, after, failures, result.run_id)


def _current(community: Community) -> ReleaseInfo | None:
    return next((release for release in list_releases(community.paths) if release.is_current), None)


def _failures(result: dg.ExecuteInProcessResult) -> list[str]:
    told: list[str] = []
    for event in result.all_events:
        if event.event_type_value == "STEP_FAILURE":
            told.append(f"{event.step_key}: {_reason(event)}")
    for evaluation in result.get_asset_check_evaluations():
        if not evaluation.passed and evaluation.severity == dg.AssetCheckSeverity.ERROR:
            told.append(
                f"{evaluation.asset_key.to_user_string()}: {evaluation.description or evaluation.check_name}"
            )
    return told


def _reason(event: dg.DagsterEvent) -> str:
    with suppress(AttributeError):
        data = event.step_failure_data
        if data.user_failure_data and data.user_failure_data.description:
            return str(data.user_failure_data.description)
        error = data.error
        while error is not None and error.cause is not None:
            error = error.cause
        if error is not None:
            return " ".join(error.message.split())[:2000]
    return event.message or "failed"
