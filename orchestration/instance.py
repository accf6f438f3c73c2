"""Dagster's home of a community: its runs and events in files beside the data, or in PostgreSQL.

What belongs here: writing `dagster.yaml`. What does not: starting anything.
"""

from __future__ import annotations

import os
from pathlib import Path

from warehouse.community import Community
from warehouse.settings import Settings

# No telemetry, and no sign-up dialog over the first screen.
_QUIET = "telemetry:\n  enabled: false\nnux:\n  enabled: false\n"
_FILES = _QUIET + "event_log_storage:\n  module: orchestration.event_log\n  class: KeptEventLog\n"
# The URL stays in the environment: it can hold a password.
_POSTGRES = _QUIET + "storage:\n  postgres:\n    postgres_url:\n      env: THROUGHLINE_DAGSTER_POSTGRES_URL\n"


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
