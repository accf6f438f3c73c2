"""`throughline demo`: the sample community, made, run, and shown.

What belongs here: the tour. What does not: the generator (`ingestion.sample`) and the night.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.console import JsonOption, console
from orchestration.cli.run import run_and_tell


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", epilog="Example: `throughline demo --people 6000 --dir demo`")(demo)


def demo(
    people: Annotated[
        int, typer.Option(min=500, help="How many people the sample community follows.")
    ] = 6000,
    directory: Annotated[Path, typer.Option("--dir", "-d", help="Where to make it.")] = Path("demo"),
    as_json: JsonOption = False,
) -> None:
    """Make the sample community Riverbend, run its night, and say where to look.

    Every person in it is invented. A folder that already holds a community is run again, not overwritten.
    """
    from ingestion.sample import make_sample
    from warehouse.settings import CommunityPaths
    from warehouse.vault import make_key_file

    paths = CommunityPaths(directory)
    if paths.config.is_file():
        if not as_json:
            console.print(f"Using the community that is already in {paths.root}.")
    else:
        with (
            nullcontext() if as_json else console.status(f"Making a community of {people:,} invented people")
        ):
            make_sample(paths.root, people=people)
            paths.ensure()
            make_key_file(paths)
        if not as_json:
            console.print(f"Made the sample community in {paths.root}.")
    code = run_and_tell(paths.root, as_json=as_json)
    if code == 0 and not as_json:
        console.print(
            f"Later nights wait in {paths.root / 'nights'}: copy one into data/landing and run again."
        )
    raise typer.Exit(code)
