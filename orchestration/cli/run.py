"""`throughline run`: one night, now.

What belongs here: showing progress and telling what came of it. What does not: the night itself.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.status import Status

from orchestration.cli.console import CommunityOption, JsonOption, console, open_community
from orchestration.cli.summary import (
    gateway_table,
    holds_of,
    left_lying,
    next_delivery,
    print_deliveries,
    print_failures,
    print_held,
    print_left_lying,
    print_release,
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("run", epilog="Example: `throughline run --dir riverbend`")(run)


class Engine(StrEnum):
    """Where tables are built and pairs of records are scored."""

    duckdb = "duckdb"
    spark = "spark"


EngineOption = Annotated[
    Engine | None,
    typer.Option(
        help="Build on this machine, or on the Spark cluster that community.yml names; default THROUGHLINE_ENGINE."
    ),
]


def run(directory: CommunityOption = None, engine: EngineOption = None, as_json: JsonOption = False) -> None:
    """Take what has arrived, build, check and publish; what the schedule does every night.

    Exits with 1 when something failed or nothing could be published.
    """
    if engine is not None:
        os.environ["THROUGHLINE_ENGINE"] = engine.value  # as every step of the night reads it
    raise typer.Exit(run_and_tell(directory, as_json=as_json))


class _Told:
    """Shows the step that a run is at, and keeps a line for each that ended."""

    def __init__(self, status: Status) -> None:
        self.status = status

    def at(self, message: str, left: float | None) -> None:
        """Show what is being done, and how long earlier nights took from here."""
        self.status.update(message + usually(left))

    def done(self, step: str, seconds: float) -> None:
        """Keep a line."""
        console.print(f"[green]done[/green] {step} ({seconds:,.1f} s)")


def usually(left: float | None) -> str:
    """How much longer it usually takes, roughly; nothing where no earlier night tells, or it is over its time."""
    if left is None or left < 1:
        return ""
    told = f"{left:.0f} s" if left < 90 else f"{left / 60:.0f} min" if left < 5400 else f"{left / 3600:.1f} h"
    return f" (as earlier nights went, {told} more)"


def run_and_tell(directory: Path | None, *, as_json: bool = False) -> int:
    """Run a night and print what it made; returns the exit code."""
    from orchestration.night import run_night

    community = open_community(directory)
    first = next_delivery(community)
    if as_json:
        result = run_night(community)
    else:
        with console.status("Starting") as status:
            result = run_night(community, _Told(status))
    if as_json:
        document = {
            "succeeded": result.succeeded,
            "published": result.published.release_id if result.published else None,
            "release": str(result.release.path) if result.release else None,
            "failures": result.failures,
            "not_taken": left_lying(community),
            "held": [asdict(hold) for hold in holds_of(community)],
            "gateways": gateway_table(result.release.path) if result.release else [],
            "receipts": str(community.paths.receipts),
            "alerts": result.told.titles,
        }
        console.print_json(json.dumps(document, default=str))
        return 0 if result.succeeded and result.release else 1
    print_deliveries(community, first, failed=bool(result.failures))
    print_left_lying(left_lying(community))
    print_held([str(hold) for hold in holds_of(community)])
    print_failures(result.failures)
    print_release(community, result)
    for report in result.told.reports:
        if not report.sent:
            console.print(
                f"[yellow]An alert was not taken by {report.target}[/yellow]; try `throughline alert test`."
            )
    return 0 if result.succeeded and result.release else 1
