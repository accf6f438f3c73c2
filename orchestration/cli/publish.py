"""`throughline publish`: give the current release to the configured targets again.

What belongs here: arguments and printing. What does not: targets (`warehouse.publish`).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from orchestration.cli.console import CommunityOption, JsonOption, console, open_community


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("publish", epilog="Example: `throughline publish --target postgresql`")(publish)


def publish(
    target: Annotated[
        list[str] | None, typer.Option("--target", "-t", help="Only this target; may be given several times.")
    ] = None,
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Publish the current release to the targets of `community.yml`; what the night does after each release.

    A target that has the release already stays as it is. Exits with 1 when a target failed; it keeps what it had.
    """
    from warehouse.publish import publish_release
    from warehouse.release import find_release
    from warehouse.settings import Settings

    community = open_community(directory)
    release = find_release(community.paths)
    outcomes = publish_release(community, Settings(), release.path, target or ())
    failed = [outcome for outcome in outcomes if not outcome.published]
    if as_json:
        rows = [asdict(outcome) for outcome in outcomes]
        console.print_json(json.dumps({"release_id": release.release_id, "targets": rows}))
        raise typer.Exit(1 if failed else 0)
    for outcome in outcomes:
        word = "[green]published[/green]" if outcome.published else "[red]failed[/red]"
        console.print(f"{word} {outcome.target}: {escape(outcome.message)}", soft_wrap=True)
    if not outcomes:
        console.print(
            f"No target is configured. Add `publish:` to {community.paths.config}, or set THROUGHLINE_POSTGRES_URL.",
            soft_wrap=True,
        )
    raise typer.Exit(1 if failed else 0)
