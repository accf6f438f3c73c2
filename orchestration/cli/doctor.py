"""`throughline doctor`: is this machine and this community fit for a night, and how to mend what is not.

What belongs here: arguments and printing. What does not: the checks (`orchestration.health`).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from orchestration.cli.console import CommunityOption, JsonOption, community_folder, console


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor", epilog="Example: `throughline doctor --dir riverbend`")(doctor)


def doctor(
    directory: CommunityOption = None,
    port: Annotated[int, typer.Option(help="Port that `throughline serve` would use.")] = 3000,
    as_json: JsonOption = False,
) -> None:
    """Check machine, configuration, keys, folders, databases, alerts, disk and port, and say how to mend each.

    Changes nothing. Exits with 1 if something needs mending.
    """
    from orchestration.health import examine

    findings = examine(community_folder(directory), port)
    wrong = [finding for finding in findings if not finding.ok]
    if as_json:
        console.print_json(json.dumps([asdict(finding) for finding in findings]))
        raise typer.Exit(1 if wrong else 0)
    for finding in findings:
        mark = "[green]ok  [/green]" if finding.ok else "[red]mend[/red]"
        console.print(f"{mark} {finding.check}: {escape(finding.seen)}", soft_wrap=True)
        if not finding.ok:
            console.print(f"       {escape(finding.fix)}", soft_wrap=True)
    console.print("All is well." if not wrong else f"{len(wrong)} to mend.")
    raise typer.Exit(1 if wrong else 0)
