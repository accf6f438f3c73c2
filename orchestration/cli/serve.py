"""`throughline serve`: Dagster's user interface, daemon and schedules, in one word.

What belongs here: starting them on this machine's loopback. What does not: authentication (see the docs).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.console import CommunityOption, console, open_community


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve", epilog="Example: `throughline serve --dir riverbend --port 3000`")(serve)


def serve(
    directory: CommunityOption = None,
    port: Annotated[int, typer.Option(help="Port of the user interface.")] = 3000,
    host: Annotated[
        str, typer.Option(help="Address to listen on; put authentication before any other.")
    ] = "127.0.0.1",
) -> None:
    """Open Dagster's user interface with the daemon that keeps schedules and sensors."""
    from orchestration.instance import prepare_instance

    community = open_community(directory)
    prepare_instance(community)
    dagster = Path(sys.executable).with_name("dagster")
    console.print(f"Dagster for {community.config.name}: http://{host}:{port} (stop with Ctrl-C)")
    command = [str(dagster), "dev", "-m", "orchestration.definitions", "-h", host, "-p", str(port)]
    completed = subprocess.run(command, env={**os.environ, "PYTHONUNBUFFERED": "1"}, check=False)  # noqa: S603
    raise typer.Exit(completed.returncode)
