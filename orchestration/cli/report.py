"""`throughline report`: the report card for a web server, and the partners' data room.

What belongs here: arguments and messages. What does not: the pages (`warehouse.report_card`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.console import CommunityOption, JsonOption, console, open_community

report_app = typer.Typer(help="The public report card and the partners' data room.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(report_app, name="report")


@report_app.command("card", epilog="Example: `throughline report card --out /srv/www/riverbend`")
def card(
    release: Annotated[str | None, typer.Option(help="Release by id or number; default the current.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="New folder for a web server: the public files, with pages in today's words."),
    ] = None,
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell where a release's report card is, or write it anew with its downloads into a folder of its own."""
    from warehouse.release.shelf import ReleaseError, find_release
    from warehouse.report_card import export_report_card

    community = open_community(directory)
    try:
        info = find_release(community.paths, release)
        page = info.path / "report" / "index.html"
        if out is not None:
            page = export_report_card(info.path, community, out)
    except (ReleaseError, FileExistsError) as error:
        console.print(f"throughline: {error}", soft_wrap=True)
        raise typer.Exit(1) from None
    _tell({"release_id": info.release_id, "page": str(page)}, f"{page}", as_json)


@report_app.command("data-room", epilog="Example: `throughline report data-room --dir riverbend`")
def data_room(directory: CommunityOption = None, as_json: JsonOption = False) -> None:
    """Write the partners' data room anew from the last night: one folder a partner, never public."""
    from orchestration.data_room import write_data_room
    from warehouse.ledger import Ledger
    from warehouse.settings import Settings

    community = open_community(directory)
    if not community.paths.warehouse.is_file():
        console.print("throughline: no night has run yet; `throughline run` makes the first.")
        raise typer.Exit(1)
    settings = Settings()
    page = write_data_room(community, settings, Ledger.open(community.paths, settings))
    _tell({"page": str(page)}, f"{page}", as_json)


def _tell(content: dict[str, str], text: str, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(content))
    else:
        console.print(text, soft_wrap=True)
