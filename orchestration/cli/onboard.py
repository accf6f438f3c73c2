"""`throughline onboard`: a proposed mapping for an export never seen before.

What belongs here: printing the proposal and writing it. What does not: the guesses (`ingestion.onboarding`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from orchestration.cli.console import CommunityOption, JsonOption, console, open_community

if TYPE_CHECKING:
    from ingestion.onboarding.propose import Proposal


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("onboard", epilog="Example: `throughline onboard export.csv --partner example_district`")(
        onboard
    )


def onboard(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The export to look at.")],
    partner: Annotated[str, typer.Option("--partner", "-p", help="Partner that sends it.")],
    feed: Annotated[
        str | None, typer.Option(help="Feed, if it is known; else the best fit is proposed.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write/--dry-run", help="Write the mapping, or only show it.")
    ] = True,
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Propose feed, columns, date formats and code lists for a file, and write the mapping.

    What is uncertain is marked in the YAML. An existing mapping is never overwritten.
    """
    from ingestion.contracts import load_contracts
    from ingestion.onboarding import indicators_fed, mapping_text, profile_columns, propose
    from ingestion.readers import read
    from warehouse import duck

    community = open_community(directory)
    contracts = load_contracts()
    if feed is not None and feed not in contracts:
        console.print(f"No feed '{feed}'. Feeds are: {', '.join(sorted(contracts))}")
        raise typer.Exit(2)
    con = duck.connect()
    result = read(file, con, "onboarded")
    profiles = profile_columns(con, "onboarded", result.columns)
    ranked = propose(profiles, {feed: contracts[feed]} if feed else None)
    best = ranked[0]
    fed = indicators_fed(best)
    text = mapping_text(best, file.name)
    target = community.paths.partners / partner / "feeds" / f"{best.feed}.yml"
    if as_json:
        written = write and _save(target, text)
        document = {"proposal": asdict(best), "indicators": fed, "yaml": text}
        console.print_json(json.dumps({**document, "written_to": str(target) if written else None}))
        raise typer.Exit(1 if write and not written else 0)
    _show(file, ranked, fed)
    if write:
        _write(target, text)
        if partner not in community.partners:
            console.print(
                f"Nobody is known as '{partner}' yet: say who it is in {target.parents[1] / 'partner.yml'} "
                "(the one that `throughline init` makes is an example).",
                soft_wrap=True,
            )


def _show(file: Path, ranked: Sequence[Proposal], fed: Mapping[str, Sequence[str]]) -> None:
    best = ranked[0]
    table = Table(
        title=f"{escape(file.name)}: feed {best.feed}, {best.confidence:.0%} sure", title_justify="left"
    )
    for heading in ("canonical column", "source column", "confidence"):
        table.add_column(heading)
    for guess in best.columns:
        table.add_row(guess.canonical, escape(guess.source), f"{guess.confidence:.0%}")
    console.print(table)
    for name in best.missing:
        console.print(f"[red]required, not found:[/red] {name}")
    if len(ranked) > 1:
        console.print("Else it may be: " + ", ".join(f"{p.feed} ({p.confidence:.0%})" for p in ranked[1:3]))
    for indicator, missing in fed.items():
        verdict = "feeds it" if not missing else f"cannot, for want of {', '.join(missing)}"
        console.print(f"  {indicator}: {verdict}")


def _save(path: Path, text: str) -> bool:
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True


def _write(path: Path, text: str) -> None:
    if not _save(path, text):
        console.print(f"{path} exists and was left as it is; the proposal follows.\n", soft_wrap=True)
        console.print(text, markup=False, soft_wrap=True)
        raise typer.Exit(1)
    console.print(
        f"Wrote {path}. Settle the lines marked 'uncertain', then `throughline check`.", soft_wrap=True
    )
