"""`throughline vault`: state of the vault, its access log, a change of its key.

What belongs here: arguments and printing. What does not: the vault (`warehouse.vault`).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from orchestration.cli.console import CommunityOption, JsonOption, console, open_community
from warehouse import duck
from warehouse.settings import Settings
from warehouse.vault import access_log, attach_vault, derived_key, rotate_key, vault_key

vault_app = typer.Typer(help="The encrypted store of identifiers.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(vault_app, name="vault")


@vault_app.command("status", epilog="Example: `throughline vault status`")
def status(directory: CommunityOption = None, as_json: JsonOption = False) -> None:
    """Open the vault, prove its encryption, and count what it holds."""
    community = open_community(directory)
    con = duck.connect()
    try:
        attach_vault(con, community.paths, Settings(), purpose="vault status", read_only=True)
        row = con.execute(
            """select count(*) as identifier_records, count(distinct source_person_key) as source_persons,
                count(distinct delivery_id) as deliveries,
                (select count(*) from vault.person where status = 'active') as persons,
                (select count(*) from vault.link_decision) as decisions
            from vault.identifier_record"""
        ).fetchone()
    finally:
        con.close()
    assert row is not None  # noqa: S101 - an aggregate has a row
    names = ("identifier_records", "source_persons", "deliveries", "persons", "decisions")
    counts = dict(zip(names, row, strict=True))
    if as_json:
        console.print_json(json.dumps({"file": str(community.paths.vault), "encrypted": True, **counts}))
        return
    console.print(
        f"{community.paths.vault}: encrypted (database, log and spill files proved)", soft_wrap=True
    )
    for name, count in counts.items():
        console.print(f"  {name.replace('_', ' ')}  {count:,}")


@vault_app.command("log", epilog="Example: `throughline vault log --last 20`")
def log(
    directory: CommunityOption = None,
    last: Annotated[int, typer.Option(help="Entries to show.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Who opened the vault, when and what for; exits with 1 if the log was tampered with."""
    community = open_community(directory)
    key = derived_key(vault_key(Settings(), community.paths), "access_log")
    try:
        entries = access_log.verify(community.paths, key)
    except access_log.AccessLogError as error:
        console.print(f"throughline: {error}")
        raise typer.Exit(1) from None
    if as_json:
        console.print_json(json.dumps([asdict(entry) for entry in entries[-last:]]))
        return
    table = Table("no.", "at (UTC)", "who", "what for", "source persons")
    for entry in entries[-last:]:
        table.add_row(str(entry.number), entry.at, entry.who, entry.purpose, f"{entry.people:,}")
    console.print(table)
    console.print(f"{len(entries):,} openings, chain unbroken.")


@vault_app.command("rotate-key", epilog="Example: `throughline vault rotate-key`")
def rotate(directory: CommunityOption = None, as_json: JsonOption = False) -> None:
    """Give vault, archive and quarantine a new random key; completes an interrupted change of key."""
    community = open_community(directory)
    settings = Settings()
    target = rotate_key(community.paths, settings)
    if as_json:
        console.print_json(json.dumps({"key_file": str(target)}))
        return
    console.print(
        f"New key in {target}. Keep a copy apart: without it the vault cannot be opened.", soft_wrap=True
    )
    if settings.vault_key is not None:
        console.print("Set THROUGHLINE_VAULT_KEY to its content, then delete that file.")
