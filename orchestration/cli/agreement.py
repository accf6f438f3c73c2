"""`throughline agreement`: how each partner's agreement stands, and destroying what was held under one.

What belongs here: arguments and printing. What does not: the destruction (`warehouse.agreements`).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from orchestration.cli.console import CommunityOption, JsonOption, console, open_community
from warehouse.agreements import agreement_standings, destroy_partner, read_certificates
from warehouse.ledger import Ledger
from warehouse.settings import Settings

agreement_app = typer.Typer(
    help="Data-sharing agreements: how they stand, and destroying what was held under one.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(agreement_app, name="agreement")


@agreement_app.command(
    "show", epilog="Examples: `throughline agreement show`; `throughline agreement show --json`"
)
def show(directory: CommunityOption = None, as_json: JsonOption = False) -> None:
    """Show each partner's agreement: in force or ended, what it allows, what is held too long, what to do."""
    community = open_community(directory)
    settings = Settings()
    rows = agreement_standings(community, Ledger.open(community.paths, settings), settings)
    certificates = read_certificates(community.paths)
    if as_json:
        document = {
            "agreements": [asdict(row) for row in rows],
            "destroyed": [certificate.model_dump() for certificate in certificates],
        }
        console.print_json(json.dumps(document, default=str))
        return
    table = Table("partner", "agreement", "state", "until", "feeds", "held", "overdue", "what to do")
    for row in rows:
        style = {"in force": "green", "ended": "red", "destroyed": "red"}.get(row.state, "yellow")
        table.add_row(
            row.partner_id,
            row.agreement_id,
            f"[{style}]{row.state}[/{style}]",
            str(row.expires or "-"),
            ", ".join(row.feeds) or "all configured",
            f"{row.deliveries:,}",
            f"{row.overdue:,}",
            row.advice,
        )
    console.print(table)
    for certificate in certificates:
        console.print(
            f"{certificate.destroyed_at[:10]}  {certificate.partner_id}: {len(certificate.deliveries):,} deliveries "
            f"destroyed at the request of {certificate.signer}."
        )


@agreement_app.command(
    "destroy",
    epilog="Examples: `throughline agreement destroy --partner youth_works --signer 'privacy officer'`; "
    "`throughline agreement destroy --partner youth_works --overdue --yes`",
)
def destroy(
    partner: Annotated[str, typer.Option("--partner", "-p", help="Whose data is destroyed.")],
    signer: Annotated[
        str, typer.Option(help="Role that asks for it, for the certificate.")
    ] = "privacy officer",
    overdue: Annotated[
        bool,
        typer.Option("--overdue", help="Only deliveries held longer than the agreement's retention_days."),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; it cannot be undone.")] = False,
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove a partner's data everywhere, prove by search that none is left, and write a certificate.

    Published aggregates stay. It cannot be undone; cut off, it is finished by asking again.
    """
    community = open_community(directory)
    what = "deliveries held too long" if overdue else "everything held"
    if not yes:
        typer.confirm(
            f"Destroy {what} of '{partner}' in {community.paths.root}? It cannot be undone.", abort=True
        )
    certificate, file = destroy_partner(community, Settings(), partner, signer=signer, only_overdue=overdue)
    if as_json:
        console.print_json(json.dumps({"certificate": str(file), **certificate.model_dump()}))
        return
    console.print(f"Destroyed: {what} of {partner}, {len(certificate.deliveries):,} deliveries.")
    for place, count in certificate.removed.items():
        console.print(f"  {place}  {count:,}")
    console.print(f"Searched for {certificate.keys_searched:,} source persons, and found nothing, in:")
    for place, count in certificate.searched.items():
        console.print(f"  {place}  {count:,}")
    console.print(f"Certificate: {file}", soft_wrap=True)
    console.print("Still to do by hand:")
    for sentence in certificate.elsewhere:
        console.print(f"  {sentence}", soft_wrap=True)
    console.print("Next: `throughline run` publishes without this data.")
