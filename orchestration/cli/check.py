"""`throughline check`: how a file would be judged, before it is dropped.

What belongs here: printing outcomes. What does not: judging.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from orchestration.cli.console import CommunityOption, JsonOption, console, open_community

if TYPE_CHECKING:
    from ingestion.acceptance import DeliveryOutcome


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check", epilog="Example: `throughline check enrollment.csv --partner example_district`")(
        check
    )


def check(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="File to judge.")],
    partner: Annotated[str, typer.Option("--partner", "-p", help="Partner that would drop it.")],
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge a file exactly as a delivery would be judged, and store nothing.

    Exits with 1 when it would be refused or is not recognized.
    """
    from ingestion.acceptance import check_file
    from warehouse.settings import Settings

    community = open_community(directory)
    if partner not in community.partners:
        known = ", ".join(sorted(community.partners)) or "none yet"
        console.print(
            f"No partner '{partner}'. Partners: {known}. "
            f"Say who it is in {community.paths.partners / partner / 'partner.yml'}.",
            soft_wrap=True,
        )
        raise typer.Exit(2)
    outcomes = check_file(file, partner, community, Settings())
    if as_json:
        console.print_json(json.dumps([_document(outcome) for outcome in outcomes]))
    else:
        for outcome in outcomes:
            tell(outcome)
    raise typer.Exit(0 if any(outcome.status == "accepted" for outcome in outcomes) else 1)


def tell(outcome: DeliveryOutcome) -> None:
    """Print one outcome with all findings."""
    j = outcome.judgement
    console.print(f"[bold]{escape(outcome.file_name)}[/bold] as {outcome.feed_id}: would be {outcome.status}")
    console.print(
        f"  {j.rows_in:,} rows: {j.accepted:,} accepted, {j.quarantined:,} put aside, "
        f"{j.refused:,} unreadable, {j.not_applicable:,} out of scope"
    )
    for finding in outcome.findings:
        place = f" in {finding.column}" if finding.column else ""
        rows = f", rows {', '.join(map(str, finding.rows[:10]))}" if finding.rows else ""
        console.print(f"  {finding.severity}: {finding.code}{place}: {finding.count:,}{rows}", soft_wrap=True)
        console.print(f"      {escape(finding.why)} {escape(finding.fix)}", soft_wrap=True)


def _document(outcome: DeliveryOutcome) -> dict[str, object]:
    j = outcome.judgement
    return {
        "partner_id": outcome.partner_id,
        "feed_id": outcome.feed_id,
        "file": outcome.file_name,
        "status": outcome.status,
        "rows_in": j.rows_in,
        "accepted": j.accepted,
        "quarantined": j.quarantined,
        "unreadable": j.refused,
        "not_applicable": j.not_applicable,
        "findings": [finding.model_dump() for finding in outcome.findings],
    }
