"""`throughline link explain|key|crosswalk|extract|encode|encoded`: looking into links, and what is made of them.

What belongs here: arguments and printing. What does not: linkage (`warehouse.linkage`); review and truth (`link.py`).
"""

from __future__ import annotations

import csv
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import pyarrow.parquet as pq
import typer
from rich.table import Table

from orchestration.cli.console import CommunityOption, JsonOption, console, open_community
from orchestration.cli.link import open_vault
from warehouse import duck
from warehouse.linkage import encoded
from warehouse.linkage.explain import NoExplanationError, explain
from warehouse.linkage.history import (
    UnknownKeyError,
    crosswalk_as_of,
    key_history,
    sequence_of_run,
    write_extract,
)
from warehouse.settings import Settings
from warehouse.vault import derived_key, set_key_variables, source_person_key_sql, vault_key

_MINIMUM_SECRET = 16


def register(link_app: typer.Typer) -> None:
    """Add the commands to `throughline link`."""
    for name, command, example in (
        ("explain", explain_command, "explain KEY1 KEY2"),
        ("key", key, "key 00112233445566778899aabbccddeeff"),
        ("crosswalk", crosswalk, "crosswalk --as-of RUN --to crosswalk.parquet"),
        ("extract", extract, "extract students.parquet --project summer_study --to extract.parquet"),
        ("encode", encode_command, "encode people.csv --secret-file secret.txt --to encoded.csv"),
        ("encoded", encoded_command, "encoded encoded.csv --partner clinic --secret-file secret.txt"),
    ):
        link_app.command(name, epilog=f"Example: `throughline link {example}`")(command)


def _refuse(error: Exception | str) -> typer.Exit:
    console.print(f"throughline: {error}", soft_wrap=True)
    return typer.Exit(1)


def explain_command(
    left: Annotated[str, typer.Argument(help="Source person key.")],
    right: Annotated[str, typer.Argument(help="The other source person key.")],
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Why two records link or do not: the weight of every comparison, and what was decided."""
    with open_vault(open_community(directory), "explanation of a pair", read_only=True) as con:
        try:
            found = explain(con, left, right)
        except NoExplanationError as error:
            raise _refuse(error) from None
    if as_json:
        console.print_json(json.dumps(asdict(found)))
        return
    table = Table("comparison", "finding", "weight (log2)", "", title=f"model {found.model_version}")
    for step in found.steps:
        bar, style = "█" * min(round(abs(step.weight)), 30), "green" if step.weight >= 0 else "red"
        table.add_row(step.comparison, step.finding, f"{step.weight:+.1f}", f"[{style}]{bar}[/]")
    table.add_row("sum", f"probability {found.probability:.4f}", f"{found.weight:+.1f}", "")
    console.print(table)
    console.print("One person key." if found.same_person else "Two person keys.")
    if found.waits:
        console.print(f"Waits for review: {found.waits}.")
    for decision, reviewer, at in found.decisions:
        console.print(f"{at[:19]}  {reviewer}: {decision}")


def key(
    person_key: Annotated[str, typer.Argument(help="A person key, in use or not.")],
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """What became of a person key: where its records are now, and each change."""
    with open_vault(open_community(directory), "history of a person key", read_only=True) as con:
        try:
            found = key_history(con, person_key)
        except UnknownKeyError as error:
            raise _refuse(error) from None
    if as_json:
        console.print_json(json.dumps(asdict(found)))
        return
    console.print(f"{found.status}; its records are now under: {', '.join(found.present_keys) or 'no key'}")
    for run_id, kind, reason in found.events:
        console.print(f"  {run_id}  {kind}: {reason}", soft_wrap=True)


def crosswalk(
    as_of: Annotated[str, typer.Option("--as-of", help="Run whose linkage is wanted; see `link report`.")],
    target: Annotated[Path, typer.Option("--to", help="Parquet file to write.")],
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the crosswalk as a past linkage left it, to rebuild a past release."""
    with open_vault(open_community(directory), "past crosswalk", read_only=True) as con:
        try:
            table = crosswalk_as_of(con, sequence_of_run(con, as_of))
        except UnknownKeyError as error:
            raise _refuse(error) from None
    pq.write_table(table, target, compression="zstd")
    _say({"file": str(target), "rows": table.num_rows}, as_json)


def extract(
    table: Annotated[Path, typer.Argument(help="Parquet or CSV with person keys.")],
    project: Annotated[str, typer.Option(help="Project that gets the extract; its hashes are its own.")],
    target: Annotated[Path, typer.Option("--to", help="Parquet or CSV to write.")],
    directory: CommunityOption = None,
    column: Annotated[str, typer.Option(help="Column of the person key.")] = "person_key",
    as_json: JsonOption = False,
) -> None:
    """Copy a table with the project's own keyed hash in place of the person key, so that projects cannot be joined."""
    community, settings = open_community(directory), Settings()
    secret = derived_key(vault_key(settings, community.paths), f"project:{project}")
    con = duck.connect(temp_directory=community.paths.temp / "linkage")
    try:
        rows = write_extract(con, table, target, secret, column)
    except UnknownKeyError as error:
        raise _refuse(error) from None
    finally:
        con.close()
    _say({"file": str(target), "rows": rows}, as_json)


def encode_command(
    file: Annotated[Path, typer.Argument(help="CSV with id and identifiers; never leaves the partner.")],
    secret_file: Annotated[Path, typer.Option(help="File with the secret shared with the partnership.")],
    target: Annotated[Path, typer.Option("--to", help="CSV to write: id and encoding.")],
    as_json: JsonOption = False,
) -> None:
    """At a partner that may not disclose identifiers: turn them into encodings that can be linked, not read.

    The CSV has `id` and any of first_name, last_name, birth_date (YYYY-MM-DD), sex, postal_code, street_address.
    """
    secret = _secret(secret_file)
    with file.open(newline="", encoding="utf-8-sig") as source:
        rows = list(csv.DictReader(source))
    if not rows or "id" not in rows[0] or not set(rows[0]) & set(encoded.FIELDS):
        raise _refuse(f"{file}: needs a header with id and at least one of {', '.join(encoded.FIELDS)}.")
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", newline="", encoding="ascii") as out:
        writer = csv.writer(out)
        writer.writerow(["id", "encoding"])
        writer.writerows([row["id"], encoded.encode(row, secret)] for row in rows)
    _say({"file": str(target), "rows": len(rows)}, as_json)


def encoded_command(
    file: Annotated[Path, typer.Argument(help="CSV from the partner: id and encoding.")],
    partner: Annotated[str, typer.Option(help="Partner whose ids these are.")],
    secret_file: Annotated[Path, typer.Option(help="File with the secret shared with the partner.")],
    directory: CommunityOption = None,
    threshold: Annotated[float, typer.Option(help="Smallest likeness (Dice) of a link, 0 to 1.")] = 0.8,
    as_json: JsonOption = False,
) -> None:
    """Link a partner's encodings with the people of the others; the links are kept as decisions and obeyed by each run.

    Only ids of which the partner has delivered records link; the next `throughline run` takes the links over.
    """
    community, settings, secret = open_community(directory), Settings(), _secret(secret_file)
    if partner not in community.partners:
        raise _refuse(f"No partner {partner}; there are: {', '.join(sorted(community.partners))}.")
    with open_vault(community, f"encoded identifiers of {partner}", read_only=False) as con:
        set_key_variables(con, derived_key(vault_key(settings, community.paths), "source_person_key"))
        con.execute(
            f"""create temp table sent as select {source_person_key_sql(duck.sql_literal(partner), "id")} as node, encoding
            from read_csv({duck.sql_literal(str(file))}, header = true, all_varchar = true)"""
        )
        sent = dict(con.execute("select node, encoding from sent where node is not null").fetchall())
        known = "select source_person_key from vault.identifier_record"
        there = dict(con.execute(f"select node, encoding from sent where node in ({known})").fetchall())
        links = encoded.link_encoded(there, encoded.vault_encodings(con, partner, secret), threshold)
        new = encoded.keep_encoded_links(con, links, settings.clock())
    _say({"sent": len(sent), "delivered": len(there), "linked": len(links), "new_links": new}, as_json)


def _secret(file: Path) -> bytes:
    secret = file.read_bytes().strip()
    if len(secret) < _MINIMUM_SECRET:
        raise _refuse(f"{file}: the secret has at least {_MINIMUM_SECRET} characters.")
    return secret


def _say(told: dict[str, object], as_json: bool) -> None:
    if as_json:
        console.print_json(json.dumps(told))
    else:
        console.print(
            ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in told.items()), soft_wrap=True
        )
