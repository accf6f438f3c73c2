"""`throughline release`: list, verify, compare, roll back, prune.

What belongs here: arguments and printing. What does not: releases (`warehouse.release`).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from orchestration.cli.console import CommunityOption, JsonOption, console, open_community, tell

release_app = typer.Typer(help="What is published: list, verify, compare, roll back.", no_args_is_help=True)
_Release = Annotated[str | None, typer.Argument(help="Release by number or id; the present one when absent.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(release_app, name="release")


@release_app.command("list", epilog="Example: `throughline release list`")
def list_command(directory: CommunityOption = None, as_json: JsonOption = False) -> None:
    """List every release on the shelf, oldest first."""
    from warehouse.release import list_releases

    releases = list_releases(open_community(directory).paths)
    if as_json:
        rows = [
            {
                "release_id": r.release_id,
                "number": r.number,
                "created_at": r.created_at,
                "is_current": r.is_current,
                "path": str(r.path),
            }
            for r in releases
        ]
        console.print_json(json.dumps(rows))
        return
    if not releases:
        console.print("Nothing is published yet; `throughline run` makes the first release.")
        return
    table = Table()
    for heading in ("release", "made", "tables", "rows", ""):
        table.add_column(heading, justify="right" if heading in ("tables", "rows") else "left")
    for info in releases:
        rows_n = sum(int(t.get("rows", 0)) for t in info.tables.values())
        mark = "[green]current[/green]" if info.is_current else ""
        table.add_row(info.release_id, info.created_at, f"{len(info.tables):,}", f"{rows_n:,}", mark)
    console.print(table)


@release_app.command("verify", epilog="Example: `throughline release verify 3`")
def verify_command(
    release: _Release = None, directory: CommunityOption = None, as_json: JsonOption = False
) -> None:
    """Prove by hashes that a release is what was published. Exits with 1 if it is not."""
    from warehouse.release import find_release, verify_release

    paths = open_community(directory).paths
    info = find_release(paths, release)
    wrong = verify_release(paths, release)
    if as_json:
        console.print_json(json.dumps({"release_id": info.release_id, "whole": not wrong, "wrong": wrong}))
    elif wrong:
        console.print(f"[red]Release {info.release_id} is not what was published:[/red]")
        for line in wrong:
            console.print(f"  {line}")
        console.print("Go back to a whole one with `throughline release rollback N`, then run again.")
    else:
        console.print(f"Release {info.release_id} is whole: every file and every table has its hash.")
    raise typer.Exit(1 if wrong else 0)


@release_app.command("diff", epilog="Example: `throughline release diff 1 2`")
def diff_command(
    older: Annotated[str, typer.Argument(help="Older release, by number or id.")],
    newer: Annotated[str, typer.Argument(help="Newer release, by number or id.")] = "current",
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say in words what changed between two releases, and because of which deliveries."""
    from warehouse.release import diff_releases

    found = diff_releases(open_community(directory).paths, older, newer)
    if as_json:
        console.print_json(json.dumps({**asdict(found), "sentences": found.sentences()}, default=str))
        return
    for sentence in found.sentences():
        console.print(sentence, markup=False)


@release_app.command("rollback", epilog="Example: `throughline release rollback 2`")
def rollback_command(
    release: Annotated[str, typer.Argument(help="Release to make current, by number or id.")],
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an earlier release the current one, after proving that it is whole."""
    from warehouse.release import rollback

    info = rollback(open_community(directory).paths, release)
    tell(
        as_json,
        {"release_id": info.release_id, "path": info.path},
        f"Release {info.release_id} is current. The next change of inputs makes a new one.",
        "Targets such as PostgreSQL follow with the next night, or now with `throughline publish`.",
    )


@release_app.command("prune", epilog="Example: `throughline release prune --keep 30`")
def prune_command(
    keep: Annotated[int, typer.Option(min=1, help="How many of the newest to keep.")],
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove the oldest releases, never the current or the newest."""
    from warehouse.release import prune

    removed = prune(open_community(directory).paths, keep)
    told = f"Removed {len(removed)}: {', '.join(removed)}" if removed else "Nothing to remove."
    tell(as_json, {"removed": removed}, told)
