"""`python -m tests.faults`: the fault table, by one command."""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table as Grid

from tests.faults.faults import FAULTS, Bench, Table
from tests.faults.scenes import PEOPLE, prepare
from tests.faults.trial import Outcome, Tally


def main() -> int:
    """Prepare, try, print; 1 when any cell but the number of trials is not nought."""
    asked = _arguments()
    console = Console(width=150)
    if asked.show:
        return _end(console, _added(asked.show))
    work = Path(tempfile.mkdtemp(prefix="throughline-faults-", dir=asked.work))
    began = time.monotonic()
    table: Table = {}
    try:
        console.print(f"Preparing communities of {asked.people} invented people in {work}")
        scenes = prepare(work, asked.parts, asked.people)
        console.print(f"Ready after {time.monotonic() - began:,.0f} s. Seed {asked.seed}.")
        bench = Bench(
            scenes, work, asked.times, random.Random(asked.seed), _watch(console, table, asked.json)
        )
        for name in asked.only:
            FAULTS[name](bench, table)
    finally:
        if not asked.keep:
            shutil.rmtree(work, ignore_errors=True)
    console.print(f"{(time.monotonic() - began) / 60:,.0f} minutes.")
    return _end(console, table)


def _end(console: Console, table: Table) -> int:
    console.print(_grid(table))
    console.print(f"{sum(tally.times for tally in table.values()):,} trials.")
    return int(any(tally.notes for tally in table.values()))


def _added(files: list[Path]) -> Table:
    """The tables of several runs as one."""
    table: Table = {}
    for file in files:
        for name, kept in json.loads(file.read_text(encoding="utf-8")).items():
            table.setdefault(name, Tally()).join(Tally(**kept))
    return table


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument(
        "--times", type=int, default=20, help="trials of each fault in each part of the night"
    )
    parser.add_argument("--only", nargs="+", choices=list(FAULTS), default=list(FAULTS))
    parser.add_argument("--parts", nargs="+", default=["receive", "link", "connect", "release", "night"])
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, help="folder for the communities; the system's own by default")
    parser.add_argument("--json", type=Path, help="also write the table here, anew after each trial")
    parser.add_argument(
        "--show",
        type=Path,
        nargs="+",
        metavar="JSON",
        help="try nothing, and add up such tables of earlier runs",
    )
    parser.add_argument("--keep", action="store_true", help="leave the communities where they are")
    return parser.parse_args()


def _watch(console: Console, table: Table, kept: Path | None) -> Callable[[str, Outcome], None]:
    def told(name: str, outcome: Outcome) -> None:
        if kept:
            kept.write_text(json.dumps({row: asdict(tally) for row, tally in table.items()}, indent=1))
        if not outcome.well:
            console.print(f"[red]{name}[/red] {outcome}")
        elif console.is_terminal:
            console.print(f"{name}: {outcome.what}", style="dim")

    return told


def _grid(table: Table) -> Grid:
    grid = Grid("fault", *("times", "lost", "doubled", "half visible", "not healed"), title="Faults")
    for column in grid.columns[1:]:
        column.justify = "right"
    for name, tally in table.items():
        cells = (tally.times, tally.lost, tally.doubled, tally.half_visible, tally.not_healed)
        grid.add_row(name, *(f"{cell:,}" for cell in cells))
    return grid


if __name__ == "__main__":
    sys.exit(main())
