"""Dagster's home of a community: its runs and events in files beside the data, or in PostgreSQL.

What belongs here: writing `dagster.yaml`. What does not: starting anything.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

import dagster as dg
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from warehouse.community import Community
from warehouse.settings import Settings

# No telemetry, and no sign-up dialog over the first screen.
_QUIET = "telemetry:\n  enabled: false\nnux:\n  enabled: false\n"
_FILES = _QUIET + "event_log_storage:\n  module: orchestration.event_log\n  class: KeptEventLog\n"
# The URL stays in the environment: it can hold a password.
_POSTGRES = _QUIET + "storage:\n  postgres:\n    postgres_url:\n      env: THROUGHLINE_DAGSTER_POSTGRES_URL\n"


# The module that `throughline serve` has Dagster load, and the name that Dagster gives to it.
LOCATION = "orchestration.definitions"


def prepare_instance(community: Community) -> Path:
    """Make the community's Dagster home, and point this process at it."""
    home = community.paths.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    config = home / "dagster.yaml"
    # What we wrote is brought up to date; what a person changed stays.
    if not config.exists() or config.read_text(encoding="utf-8") in (_QUIET, _FILES, _POSTGRES):
        config.write_text(_POSTGRES if Settings().dagster_postgres_url else _FILES, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home)
    os.environ["THROUGHLINE_COMMUNITY"] = str(community.paths.root)
    return home


def belong_to_location(instance: dg.DagsterInstance, job_name: str) -> None:
    """Have runs that this process makes belong to the code location that `throughline serve` loads.

    Dagster gives an origin only to runs that its daemon or its pages launch. Without one, the timeline on the first
    page leaves a night of the command line out, and its run has no way to be started again.
    """
    target = LoadableTargetOrigin(executable_path=sys.executable, module_name=LOCATION)
    location = ManagedGrpcPythonEnvCodeLocationOrigin(target, LOCATION)
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(location, "__repository__"), job_name)
    create = partial(instance.create_run_for_job, remote_job_origin=origin)
    instance.create_run_for_job = create  # type: ignore[method-assign]
