"""`throughline metrics`: ask the semantic layer for published figures.

What belongs here: arguments and printing. What does not: definitions (`dbt_project/semantic`), answering
(`orchestration.semantic`).
"""

from __future__ import annotations

import csv
import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from orchestration.cli.console import CommunityOption, JsonOption, console, open_community

if TYPE_CHECKING:
    from orchestration.semantic import Answer, SemanticLayer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "metrics",
        epilog="Examples: `throughline metrics`; `throughline metrics --saved-query rates_by_race --json`; "
        "`throughline metrics --metrics indicator_rate,indicator_denominator --group-by indicator,rate__cohort_year`; "
        "`throughline metrics --metrics indicator_rate --group-by rate__gender_group "
        "--where \"{{ Entity('indicator') }} = 'chronic_absence'\" "
        "--where \"{{ Dimension('rate__cohort_year') }} = 2024\"`",
    )(metrics)


def metrics(
    names: Annotated[str, typer.Option("--metrics", help="Metrics, separated by commas.")] = "",
    group_by: Annotated[str, typer.Option(help="Names to group by; what is left out stands at its total.")] = "",
    where: Annotated[list[str] | None, typer.Option(help="Condition; repeat it for several.")] = None,
    saved_query: Annotated[str | None, typer.Option(help="A saved query instead of metrics and names.")] = None,
    order: Annotated[str, typer.Option(help="Names to sort by, - before one for descending.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="Most rows.")] = None,
    release: Annotated[str | None, typer.Option(help="Release by number or id; default: the present.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")] = False,
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Ask for published figures by metric and group, as `mf query` would; without a question, list what may be asked.

    A figure is one published row's: nothing is added up or averaged. It is empty where the row is withheld, and where
    several rows might be meant; `indicator_withheld` tells the two apart.
    """
    from orchestration.semantic import Question, SemanticLayer
    from warehouse.release import find_release

    layer = SemanticLayer(find_release(open_community(directory).paths, release).path)
    if not names and saved_query is None:
        _list(layer, as_json)
        return
    answer = layer.ask(
        Question(_names(names), _names(group_by), where or (), saved_query, _names(order), limit)
    )
    _print(answer, as_json, as_csv)


def _names(given: str) -> list[str]:
    return [name.strip() for name in given.split(",") if name.strip()]


def _list(layer: SemanticLayer, as_json: bool) -> None:
    found, saved = layer.metrics(), layer.saved_queries()
    grouping = {name: layer.grouping_names([name]) for name in found}
    if as_json:
        document = {"metrics": found, "grouping_names": grouping, "saved_queries": saved}
        console.print_json(json.dumps(document))
        return
    for title, entries in (("Metric", found), ("Saved query", saved)):
        table = Table(title, "What it is")
        for name, about in entries.items():
            table.add_row(name, escape(about))
        console.print(table)
    for group in sorted({tuple(each) for each in grouping.values()}):
        of = [name for name in found if tuple(grouping[name]) == group]
        console.print(f"{of[0]} and {len(of) - 1} more may be grouped by: {', '.join(group)}", soft_wrap=True)


def _print(answer: Answer, as_json: bool, as_csv: bool) -> None:
    if as_json:
        rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
        console.print_json(json.dumps(rows, default=str))
    elif as_csv:
        csv.writer(sys.stdout, lineterminator="\n").writerows([answer.columns, *answer.rows])
    else:
        table = Table(*answer.columns)
        for row in answer.rows:
            table.add_row(*(_cell(value) for value in row))
        console.print(table)


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if isinstance(value, float) else escape(str(value))
