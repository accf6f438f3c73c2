"""`throughline status`: what every partner and feed last delivered, when the next is due, what is published.

What belongs here: printing. What does not: summing up (`ingestion.standing`).
"""

from __future__ import annotations

import json
from dataclasses import asdict

import typer
from rich.table import Table

from orchestration.cli.console import CommunityOption, JsonOption, console, open_community
from orchestration.cli.summary import holds_of, left_lying, print_held, print_left_lying
from warehouse.ledger import Ledger
from warehouse.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "status", epilog="Examples: `throughline status --dir riverbend`; `throughline status --json`"
    )(status)


def status(directory: CommunityOption = None, as_json: JsonOption = False) -> None:
    """Show deliveries by partner and feed, lateness, acceptance, trend, files not taken, and the present release."""
    from ingestion.standing import feed_standings
    from warehouse.release import list_releases

    community = open_community(directory)
    settings = Settings()
    standings = feed_standings(community, Ledger.open(community.paths, settings), settings.clock().date())
    current = next((r for r in list_releases(community.paths) if r.is_current), None)
    if as_json:
        document = {
            "feeds": [asdict(standing) for standing in standings],
            "not_taken": left_lying(community),
            "held": [asdict(hold) for hold in holds_of(community)],
            "release": current.release_id if current else None,
        }
        console.print_json(json.dumps(document, default=str))
        return
    table = Table(title=f"{community.config.name}: deliveries", title_justify="left")
    for heading in ("partner", "feed", "last delivery", "due", "state"):
        table.add_column(heading, overflow="fold")
    for heading in ("deliveries", "rows", "accepted", "last against usual"):
        table.add_column(heading, justify="right")
    for row in standings:
        style = {"late": "red", "never delivered": "yellow"}.get(row.state, "green")
        table.add_row(
            row.partner_id,
            row.feed_id,
            str(row.last_delivery or "-"),
            str(row.due or "-"),
            f"[{style}]{row.state}[/{style}]",
            f"{row.deliveries:,}",
            f"{row.rows:,}",
            f"{row.acceptance:.1%}" if row.acceptance is not None else "-",
            f"{row.trend:+.0%} rows" if row.trend is not None else "-",
        )
    console.print(table)
    print_left_lying(left_lying(community))
    print_held([str(hold) for hold in holds_of(community)])
    console.print(
        f"Present release: {current.release_id} in {current.path}" if current else "Nothing published yet.",
        soft_wrap=True,
    )
