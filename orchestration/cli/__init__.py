"""The command line `throughline`: one small module an area, registered here.

What belongs here: registration and the way errors are told. What does not: any command's work.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "yes")
os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")

import typer

app = typer.Typer(
    name="throughline",
    help="Throughline: from files that partners drop to indicators, gaps and gateway status, published safely.",
    epilog="Start with `throughline demo`, or `throughline init FOLDER`. Exit codes: 0 done; 1 something needs "
    "mending; 2 wrong options or input. The output says what, and what to do.",
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
    "alert",
    "check",
    "inspect",
    "onboard",
    "deliveries",
    "quality",
    "release",
    "publish",
    "report",
    "explain",
    "metrics",
    "gaps",
    "gateway",
    "disclosure",
    "link",
    "vault",
    "agreement",
    "subject",
    "backup",
)


# Commands whose area has another name; all others stand in the area of their own name.
_AREA_OF = {"delivery": "deliveries", "restore": "backup"}


def _register(arguments: Sequence[str] = ()) -> None:
    """Let every area add its commands; only the area of the command that was given, for a quick start."""
    from importlib.util import find_spec

    command = next((argument for argument in arguments if not argument.startswith("-")), "")
    area = _AREA_OF.get(command, command)
    for wanted in (area,) if area in _AREAS else _AREAS:
        if find_spec(f"orchestration.cli.{wanted}") is not None:
            import_module(f"orchestration.cli.{wanted}").register(app)
    if area in _AREAS:
        # An application of one command would take the command's name for its first argument.
        app.callback()(_one_of_many)


def _one_of_many() -> None:
    """Throughline: from files that partners drop to indicators, gaps and gateway status, published safely."""


def main() -> None:
    """Run the command line; a known error is one message, never a traceback."""
    from orchestration.cli.console import fail_message

    _register(sys.argv[1:])
    try:
        app()
    except Exception as error:
        message = fail_message(error)
        if message is None:
            raise
        sys.stderr.write(message + "\n")
        sys.exit(1)
