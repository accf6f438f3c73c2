"""`throughline status`: what every partner and feed last delivered, when the next is due, what is published.

What belongs here: printing the ledger's own summary. What does not: its computation.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import typer
from rich.table import Table

from orchestration.cli.console import CommunityOption, JsonOption, console, open_community
from warehouse.community import Community
from warehouse.ledger import Ledger
from warehouse.settings import Settings

_PERIOD_DAYS = {"daily": 1, "weekly": 7, "monthly": 31, "quarterly": 92, "termly": 183, "yearly": 366}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("status", epilog="Example: `throughline status --dir riverbend`")(status)


def status(directory: CommunityOption = None, as_json: JsonOption = False) -> None:
    """Show deliveries by partner and feed, lateness, acceptance, and the present release."""
    from warehouse.release import list_releases

    community = open_community(directory)
    rows = feed_rows(community)
    current = next((r for r in list_releases(community.paths) if r.is_current), None)
    if as_json:
        document = {"feeds": rows, "release": current.release_id if current else None}
        console.print_json(json.dumps(document, default=str))
        return
    table = Table(title=f"{community.config.name}: deliveries", title_justify="left")
    for heading in ("partner", "feed", "last delivery", "due", "state"):
        table.add_column(heading, overflow="fold")
    for heading in ("deliveries", "rows", "accepted"):
        table.add_column(heading, justify="right")
    for row in rows:
        style = {"late": "red", "never delivered": "yellow"}.get(row["state"], "green")
        table.add_row(
            row["partner_id"],
            row["feed_id"],
            str(row["last_delivery"] or "-"),
            str(row["due"] or "-"),
            f"[{style}]{row['state']}[/{style}]",
            f"{row['deliveries']:,}",
            f"{row['rows']:,}",
            f"{row['acceptance']:.1%}" if row["acceptance"] is not None else "-",
        )
    console.print(table)
    console.print(
        f"Present release: {current.release_id} in {current.path}" if current else "Nothing published yet.",
        soft_wrap=True,
    )


def feed_rows(community: Community) -> list[dict[str, Any]]:
    """One row a configured partner and feed: last delivery, due date, lateness, acceptance rate."""
    from ingestion.contracts import load_contracts
    from ingestion.mapping import load_mappings

    contracts = load_contracts()
    settings = Settings()
    today = settings.clock().date()
    deliveries: dict[tuple[str, str], list[Any]] = {}
    for delivery in Ledger.open(community.paths, settings).latest_deliveries(limit=100_000):
        deliveries.setdefault((delivery.partner_id, delivery.feed_id), []).append(delivery)
    rows = []
    for key in sorted({(m.partner_id, m.feed) for m in load_mappings(community)}):
        mapping = next(m for m in load_mappings(community) if (m.partner_id, m.feed) == key)
        taken = [d for d in deliveries.get(key, []) if d.status == "accepted"]
        last = max((_as_date(d.received_at) for d in taken), default=None)
        cadence = mapping.cadence or contracts[mapping.feed].cadence
        due = last + timedelta(days=_PERIOD_DAYS.get(cadence, 366)) if last else None
        rows_in = sum(d.rows_in for d in taken)
        rows.append(
            {
                "partner_id": key[0],
                "feed_id": key[1],
                "last_delivery": last,
                "due": due,
                "state": "never delivered" if last is None else "late" if due and due < today else "on time",
                "deliveries": len(taken),
                "rows": rows_in,
                "acceptance": sum(d.rows_accepted for d in taken) / rows_in if rows_in else None,
            }
        )
    return rows


def _as_date(moment: datetime | str) -> date:
    value = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).date()
