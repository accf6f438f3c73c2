"""`throughline gateway`: where the community stands, stood, and would stand.

What belongs here: arguments and printing. What does not: judging (`dbt_project`, `warehouse.gateways`).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from orchestration.cli.console import CommunityOption, JsonOption, console, open_community
from warehouse.community import Community

gateway_app = typer.Typer(
    help="Gateways: where the community stands, stood, and would stand.", no_args_is_help=True
)
_STYLE = {"met": "green", "not_met": "red", "cannot_tell": "yellow"}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(gateway_app, name="gateway")


@gateway_app.command(
    "status", epilog="Examples: `throughline gateway status`; `throughline gateway status --as-of 2024-06-30`"
)
def status(
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="As it was released on that day.")
    ] = None,
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show each gateway's status as released, since when, why, and the smallest set of changes that would meet it."""
    from warehouse.gateways import status_on

    community = open_community(directory)
    rows = status_on(community.paths, as_of.date()) if as_of else _present(community)
    if as_json:
        console.print_json(json.dumps(rows, default=str))
        return
    if not rows:
        console.print(
            "Nothing was released by then." if as_of else "Nothing is released yet: `throughline run`."
        )
        return
    table = Table("gateway", "status", "since", "why", "smallest change")
    for row in rows:
        table.add_row(
            escape(str(row.get("gateway_title") or row["gateway_id"])),
            _styled(row["status"]),
            str(row.get("as_of_date") or row.get("since_date") or "-"),
            escape(row["reason"] or ""),
            escape(row.get("smallest_change") or "-"),
        )
    console.print(table)


@gateway_app.command("history", epilog="Example: `throughline gateway history --json`")
def history(directory: CommunityOption = None, as_json: JsonOption = False) -> None:
    """List every change of a gateway's status as released, oldest first."""
    from warehouse.gateways import gateway_history

    rows = gateway_history(open_community(directory).paths)
    if as_json:
        console.print_json(json.dumps(rows, default=str))
        return
    table = Table("from", "gateway", "status", "release", "why")
    for row in rows:
        table.add_row(
            str(row["as_of_date"]),
            row["gateway_id"],
            _styled(row["status"]),
            row["release_id"],
            escape(row["reason"]),
        )
    console.print(table)


@gateway_app.command(
    "what-if",
    epilog="Examples: `throughline gateway what-if --set benchmark:EME-EDM-1=met`; "
    "`throughline gateway what-if --set outcomes_required=3 --set outcome:employment=improved`",
)
def what_if_command(
    changes: Annotated[
        list[str],
        typer.Option(
            "--set",
            help="benchmark:ID=met, measured:ID=met, outcome:ID=improved, gap:UNIT=reduced, adjacent:ID=improved, or a "
            "reading of community.yml such as pillar_reading=any_four; repeat it for several.",
        ),
    ],
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge the gateways as if something were otherwise; changes no data."""
    from warehouse.gateways import what_if

    rows = what_if(open_community(directory).paths, changes)
    if as_json:
        console.print_json(json.dumps([asdict(row) for row in rows]))
        return
    table = Table("gateway", "now", "then", "why", "smallest change")
    for row in rows:
        changed = "" if row.now == row.then else "  (changed)"
        table.add_row(
            escape(row.title),
            _styled(row.now),
            _styled(row.then) + changed,
            escape(row.reason),
            escape(row.smallest_change or "-"),
        )
    console.print(table)
    console.print("Nothing was changed.")


def _present(community: Community) -> list[dict[str, Any]]:
    import duckdb

    file = community.paths.releases / "current" / "tables" / "pub_gateway_status_v1.parquet"
    if not file.exists():
        return []
    with duckdb.connect() as con:
        answer = con.execute("select * from read_parquet($file) order by gateway_order", {"file": str(file)})
        names = [column[0] for column in answer.description or []]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def _styled(value: str) -> str:
    return f"[{_STYLE.get(value, 'default')}]{value.replace('_', ' ')}[/]"
