"""`throughline disclosure`: protect tables of counts, and attack published ones.

What belongs here: arguments and printing. What does not: any choice or proof (`warehouse.disclosure`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from orchestration.cli.console import JsonOption, console
from warehouse.disclosure.describe import DisclosureInputError, load_description
from warehouse.disclosure.policy import load_policy, policies

disclosure_app = typer.Typer(
    help="Tables of counts: what to withhold, and what they give away.", no_args_is_help=True
)

TablesArgument = Annotated[list[Path], typer.Argument(help="CSV tables with a header; earlier releases too.")]
DescribeOption = Annotated[
    Path, typer.Option("--describe", help="YAML: dimensions, totals, counts (see README).")
]
PolicyOption = Annotated[str, typer.Option("--policy", help="Preset (default, federal, ...) or a YAML file.")]
_SHOWN = 40


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(disclosure_app, name="disclosure")


@disclosure_app.command("policies", epilog="Example: `throughline disclosure policies`")
def policies_command(as_json: JsonOption = False) -> None:
    """Policies that ship: what each withholds, and the law or practice that it follows."""
    found = policies()
    if as_json:
        console.print_json(json.dumps([policy.model_dump() for policy in found]))
        return
    table = Table("policy", "minimum", "smallest part", "doubt down, up", "after")
    for policy in found:
        doubt = f"{policy.lower}, {policy.upper}"
        table.add_row(policy.name, str(policy.minimum_n), str(policy.smallest_part), doubt, policy.source)
    console.print(table)
    console.print(
        "Choose one with --policy, or in community.yml: `privacy: {policy: federal}`. Another is a YAML file of the same fields."
    )


@disclosure_app.command(
    "protect",
    epilog="Example: `throughline disclosure protect by_school.csv by_race.csv --describe tables.yml --out safe/`",
)
def protect_command(
    tables: TablesArgument,
    describe: DescribeOption,
    policy: PolicyOption = "default",
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the protected tables.")] = None,
    complementary: Annotated[
        bool, typer.Option(help="Withhold companions too; without them the attacker shows what leaks.")
    ] = True,
    seconds: Annotated[float, typer.Option(help="Time for the search for fewer people hidden.")] = 40.0,
    mark: Annotated[str, typer.Option(help="What stands where a value is withheld.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Choose what to withhold so that the fewest people are hidden; the attacker then tries the result.

    Exit code 1: a sensitive cell is not safe, for example because it has been published before.
    """
    from warehouse.disclosure.run import protect_files, write_protected

    try:
        result = protect_files(
            tables,
            load_description(describe),
            load_policy(policy),
            complementary=complementary,
            seconds=seconds,
        )
        written = write_protected(result, out, mark) if out else []
    except DisclosureInputError as error:
        console.print(f"throughline: {error}")
        raise typer.Exit(2) from None
    chosen = result.suppression
    told: dict[str, Any] = {
        "cells": result.audit.cells,
        "sensitive_cells": result.sensitive,
        "withheld_cells": len(result.audit.findings),
        "people_hidden": chosen.people,
        "people_hidden_by_primary": chosen.first_people,
        "people_hidden_at_least": chosen.bound,
        "gap": round(chosen.gap, 4),
        "seconds_protect": round(chosen.seconds, 2),
        "unattainable": list(chosen.unattainable),
        "written": [str(file) for file in written],
    }
    _tell(told, result.audit, as_json)
    if result.audit.unsafe or chosen.unattainable:
        raise typer.Exit(1)


@disclosure_app.command(
    "audit",
    epilog="Example: `throughline disclosure audit safe/*.csv --describe tables.yml --original by_school.csv`",
)
def audit_command(
    tables: TablesArgument,
    describe: DescribeOption,
    policy: PolicyOption = "default",
    original: Annotated[
        list[Path] | None,
        typer.Option("--original", help="True tables: judge each sensitive cell by its own interval."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Attack published tables: least and most of every withheld cell, and the cells that give one away.

    Exit code 1: a withheld cell is known exactly, or too narrowly.
    """
    from warehouse.disclosure.run import audit_files

    try:
        audit = audit_files(tables, load_description(describe), load_policy(policy), original=original or [])
    except DisclosureInputError as error:
        console.print(f"throughline: {error}")
        raise typer.Exit(2) from None
    _tell({"cells": audit.cells, "withheld_cells": len(audit.findings)}, audit, as_json)
    if audit.unsafe:
        raise typer.Exit(1)


def _tell(told: dict[str, Any], audit: Any, as_json: bool) -> None:
    told["unsafe_cells"], told["seconds_audit"] = len(audit.unsafe), round(audit.seconds, 2)
    if as_json:
        told["intervals"] = [
            {"cell": f.range.name, "low": f.range.low, "high": _finite(f.range.high), "unsafe": f.unsafe or None,
             "given_away_by": list(f.chain)}
            for f in audit.findings
        ]  # fmt: skip
        console.print_json(json.dumps(told))
        return
    for name, value in told.items():
        if value not in ([], None):
            console.print(f"{name.replace('_', ' ')}: {value}")
    ordered = sorted(audit.findings, key=lambda f: (not f.unsafe, f.range.width))
    table = Table("withheld cell", "least", "most", "", title="What the attacker knows")
    for finding in ordered[:_SHOWN]:
        table.add_row(finding.range.name, f"{finding.range.low:g}", f"{finding.range.high:g}", finding.unsafe)
    if ordered:
        console.print(table)
    if len(ordered) > _SHOWN:
        console.print(f"... and {len(ordered) - _SHOWN} wider ones; --json lists all")
    for finding in audit.unsafe[:_SHOWN]:
        console.print(f"{finding.range.name}: {finding.unsafe}; given away by: {' | '.join(finding.chain)}")


def _finite(value: float) -> float | None:
    return value if value != float("inf") else None
