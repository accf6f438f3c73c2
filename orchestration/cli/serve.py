"""`throughline serve`: Dagster's user interface, daemon and schedules, in one word.

What belongs here: starting them on this machine's loopback. What does not: authentication (`deploy/nginx`).
"""

from __future__ import annotations

import ipaddress
import os
import socket
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.console import CommunityOption, console, open_community

_DEFINITIONS = ("-m", "orchestration.definitions")


class Part(StrEnum):
    """What to start: everything on a person's machine, each part as a service of its own in production."""

    ALL = "all"
    WEB = "web"
    DAEMON = "daemon"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "serve",
        epilog="Example: `throughline serve --dir riverbend --port 3000`. "
        "As services: `throughline serve --part web` and `throughline serve --part daemon`",
    )(serve)


def serve(
    directory: CommunityOption = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the user interface.")] = 3000,
    host: Annotated[
        str, typer.Option(help="Address to listen on; put authentication before any other.")
    ] = "127.0.0.1",
    part: Annotated[
        Part, typer.Option(help="Start all, or the user interface or the daemon alone, as services do.")
    ] = Part.ALL,
) -> None:
    """Open Dagster's user interface with the daemon that keeps schedules and sensors."""
    from orchestration.instance import prepare_instance

    community = open_community(directory)
    if part is not Part.DAEMON and not _is_free(host, port):
        console.print(
            f"throughline: port {port} on {host} is taken. Choose another with --port, "
            "or stop what listens there.",
            soft_wrap=True,
        )
        raise typer.Exit(1)
    prepare_instance(community)
    if part is Part.DAEMON:
        console.print(
            f"Daemon for {community.config.name}: schedules, sensors and notices (stop with Ctrl-C)"
        )
    else:
        console.print(f"Dagster for {community.config.name}: http://{host}:{port} (stop with Ctrl-C)")
        if not _is_loopback(host):
            console.print(
                f"Whoever reaches {host} can start and stop nights, without a password. Let only a proxy with a "
                "sign-in reach it: docs/runbook.md, Before the user interface.",
                soft_wrap=True,
            )
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if part is Part.ALL:
        raise typer.Exit(subprocess.run(_command(part, host, port), env=environment, check=False).returncode)  # noqa: S603
    # A service is the process that its supervisor started, so that signals reach it.
    command = _command(part, host, port)
    os.execve(command[0], command, environment)  # noqa: S606


def _command(part: Part, host: str, port: int) -> list[str]:
    folder, address = Path(sys.executable).parent, ("-h", host, "-p", str(port))
    if part is Part.WEB:
        return [str(folder / "dagster-webserver"), *_DEFINITIONS, *address]
    if part is Part.DAEMON:
        return [str(folder / "dagster-daemon"), "run", *_DEFINITIONS]
    return [str(folder / "dagster"), "dev", *_DEFINITIONS, *address]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
