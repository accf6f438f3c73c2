"""`throughline delivery`: list, withdraw and reinstate deliveries.

What belongs here: arguments and messages. What does not: the ledger.
"""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.markup import escape

from orchestration.cli.console import CommunityOption, JsonOption, console, open_community, tell
from warehouse.ledger import Ledger
from warehouse.settings import Settings

delivery_app = typer.Typer(help="Deliveries: what came, and taking one out of force.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(delivery_app, name="delivery")


@delivery_app.command("list", epilog="Example: `throughline delivery list --partner riverbend_schools`")
def list_deliveries(
    partner: Annotated[str | None, typer.Option("--partner", "-p", help="Only this partner's.")] = None,
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """List every delivery, latest first."""
    community = open_community(directory)
    ledger = Ledger.open(community.paths, Settings())
    held = {hold.delivery_id for hold in ledger.holds()}
    rows = ledger.latest_deliveries(limit=100_000)
    rows = [row for row in rows if partner in (None, row.partner_id)]
    if as_json:
        names = (
            "delivery_id",
            "partner_id",
            "feed_id",
            "file_name",
            "status",
            "rows_in",
            "rows_accepted",
            "rows_quarantined",
        )
        document = [
            {name: getattr(row, name) for name in names}
            | {"withdrawn": bool(row.withdrawn_at), "held": row.delivery_id in held}
            for row in rows
        ]
        console.print_json(json.dumps(document))
        return
    for row in rows:
        state = "held" if row.delivery_id in held else "withdrawn" if row.withdrawn_at else row.status
        console.print(
            f"{row.delivery_id}  {row.received_at:%Y-%m-%d}  {state:9}  {row.partner_id}  {row.feed_id}  "
            f"{escape(row.file_name)}  {row.rows_accepted:,}/{row.rows_in:,}",
            soft_wrap=True,
        )


@delivery_app.command("withdraw", epilog="Example: `throughline delivery withdraw 3f2a…`")
def withdraw(
    delivery_id: Annotated[str, typer.Argument(help="Delivery, from the list.")],
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a delivery out of force; what it had replaced is in force again from the next run."""
    _change(delivery_id, directory, withdraw=True, as_json=as_json)


@delivery_app.command("reinstate", epilog="Example: `throughline delivery reinstate 3f2a…`")
def reinstate(
    delivery_id: Annotated[str, typer.Argument(help="Delivery, from the list.")],
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a withdrawn or held delivery back in force from the next run; what held it does not hold it again."""
    _change(delivery_id, directory, withdraw=False, as_json=as_json)


def _change(delivery_id: str, directory: CommunityOption, *, withdraw: bool, as_json: bool) -> None:
    community = open_community(directory)
    settings = Settings()
    ledger = Ledger.open(community.paths, settings)
    try:
        if withdraw:
            ledger.withdraw(delivery_id, settings.clock())
        else:
            ledger.reinstate(delivery_id, settings.clock())
    except (KeyError, ValueError) as error:
        console.print(f"throughline: {error.args[0]}")
        raise typer.Exit(1) from None
    tell(
        as_json,
        {"delivery_id": delivery_id, "withdrawn": withdraw},
        f"Delivery {delivery_id} is {'withdrawn' if withdraw else 'back in force'}; `throughline run` publishes that.",
    )
