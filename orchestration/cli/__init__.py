"""The command line `throughline`: one small module an area, registered here.

What belongs here: registration and the way errors are told. What does not: any command's work.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

import typer

app = typer.Typer(
    name="throughline",
    help="Throughline: from files that partners drop to indicators, gaps and gateway status, published safely.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

# Command modules are imported in the order in which the help shows them.
_AREAS = (
    "init",
    "demo",
    "run",
    "status",
    "serve",
    "doctor",
    "check",
    "inspect",
    "onboard",
    "deliveries",
    "quality",
    "release",
    "explain",
    "gaps",
    "gateway",
    "disclosure",
    "link",
    "vault",
    "backup",
)


def _register() -> None:
    """Let every area add its commands to the application."""
    from importlib.util import find_spec

    for area in _AREAS:
        if find_spec(f"orchestration.cli.{area}") is not None:
            import_module(f"orchestration.cli.{area}").register(app)


def main() -> None:
    """Run the command line; a known error is one message, never a traceback."""
    from orchestration.cli.console import fail_message

    _register()
    try:
        app()
    except Exception as error:
        message = fail_message(error)
        if message is None:
            raise
        sys.stderr.write(message + "\n")
        sys.exit(1)
