"""`throughline gaps`: disparity measures of any table, an analyst's side door to the platform's own formulas.

What belongs here: arguments and printing. What does not: measures (`warehouse.statistics`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer
from rich.table import Table

from orchestration.cli.console import JsonOption, console

if TYPE_CHECKING:
    import pandas as pd

_RATE_COLUMNS = (
    "group",
    "n",
    "rate",
    "95 %",
    "gap",
    "gap 95 %",
    "ratio",
    "vs others",
    "impact",
    "needed",
    "verdict",
)
_SCORE_COLUMNS = ("group", "n", "mean", "95 %", "sd", "gap", "gap 95 %", "standardized", "verdict")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "gaps",
        epilog="Examples: `throughline gaps students.csv --group race --group gender --outcome passed`; "
        "`throughline gaps summary.csv --group ethnicity --outcome transfers --weight students --cohort year`",
    )(gaps)


def gaps(
    file: Annotated[Path, typer.Argument(help="CSV or Parquet file, a row a student or a row a group.")],
    group: Annotated[
        list[str], typer.Option(help="Grouping column; repeat it for several and their crossings.")
    ],
    outcome: Annotated[
        str,
        typer.Option(help="Column of the outcome: yes or no, a count (with --weight), a rate, or a score."),
    ],
    weight: Annotated[str | None, typer.Option(help="Column of how many people a row stands for.")] = None,
    cohort: Annotated[str | None, typer.Option(help="Column of the cohort or year.")] = None,
    denominator: Annotated[
        str | None, typer.Option(help="Column of people measured, where the outcome column counts.")
    ] = None,
    met: Annotated[str | None, typer.Option(help="Value of the outcome that counts as met.")] = None,
    outcome_is: Annotated[
        str | None, typer.Option(help="indicator, count, rate or score: instead of what the values say.")
    ] = None,
    reference: Annotated[
        str, typer.Option(help="highest, lowest, largest, others, whole, or the name of a group.")
    ] = "highest",
    direction: Annotated[str, typer.Option(help="Which direction is better: higher or lower.")] = "higher",
    minimum_n: Annotated[int, typer.Option(help="Smaller groups get no verdict.")] = 10,
    ppg_least: Annotated[
        float, typer.Option(help="Least margin of the percentage-point-gap method; 0.03 before 2022.")
    ] = 0.02,
    ppg_at_half: Annotated[
        bool, typer.Option("--ppg-at-half", help="Take its margin at a rate of one half, as before 2022.")
    ] = False,
    to: Annotated[Path | None, typer.Option(help="Also write all measures to this CSV file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure disparity between the groups of any student-level or summarized table.

    Nothing is suppressed: the figures are for the analyst's own eyes. Exits with 1 when the table cannot be used.
    """
    from warehouse.statistics.source import AnalysisInputError, Question, read_table, understand
    from warehouse.statistics.tables import Choices, change_table, disparity_table, summary_table

    _one_of("--outcome-is", outcome_is, (None, "indicator", "count", "rate", "score"))
    _one_of("--direction", direction, ("higher", "lower"))
    kind = cast(Literal["indicator", "count", "rate", "score"] | None, outcome_is)
    question = Question(outcome, tuple(group), weight, cohort, denominator, met, kind)
    choices = Choices(reference, direction, minimum_n, ppg_least, not ppg_at_half)
    try:
        records = understand(read_table(file), question, file.name)
        table = disparity_table(records, tuple(group), choices)
    except AnalysisInputError as error:
        typer.echo(f"throughline gaps: {error}", err=True)
        raise typer.Exit(1) from None
    rates = records.kind == "rate"
    summary = summary_table(table) if rates else None
    change = change_table(table, choices) if rates and cohort else None
    if to is not None:
        table.to_csv(to, index=False)
    if as_json:
        document = {
            "file": file.name,
            "outcome": outcome,
            "read_as": records.reading,
            "reference": reference,
            "direction": direction,
            "left_out": records.left_out,
            "groups": _rows(table),
            "dimensions": _rows(summary),
            "changes": _rows(change),
        }
        typer.echo(json.dumps(document, indent=1))
        return
    _print(table, records.reading, records.left_out, rates)
    if change is not None and len(change):
        _print_changes(change)
    if to is not None:
        console.print(f"All measures: {to}")


def _one_of(option: str, value: str | None, allowed: tuple[str | None, ...]) -> None:
    if value not in allowed:
        listed = ", ".join(str(item) for item in allowed if item is not None)
        raise typer.BadParameter(f"'{value}' is none of {listed}", param_hint=option)


def _rows(frame: pd.DataFrame | None) -> list[dict[str, Any]]:
    if frame is None:
        return []
    return [{str(key): _plain(value) for key, value in row.items()} for row in frame.to_dict("records")]


def _plain(value: Any) -> Any:
    """A value as JSON has it: what is not a number is null, a whole count is whole."""
    if value is None or value != value:
        return None
    if hasattr(value, "item"):
        value = value.item()
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) >= 2 else value


def _print(table: pd.DataFrame, reading: str, left_out: dict[str, int], rates: bool) -> None:
    console.print(f"Outcome read as {reading}.")
    for reason, count in left_out.items():
        console.print(f"[yellow]{count:,} rows left out[/yellow]: {reason}")
    for (cohort, dimension), frame in table.groupby(["cohort", "dimension"], sort=False):
        title = f"{dimension}, {cohort}" if cohort != "all" else str(dimension)
        shown = Table(
            title=f"{title}; reference: {frame['reference'].iloc[0]}", title_justify="left", padding=(0, 0)
        )
        for column in _RATE_COLUMNS if rates else _SCORE_COLUMNS:
            shown.add_column(
                column, justify="left" if column in ("group", "verdict") else "right", overflow="fold"
            )
        for row in frame.to_dict("records"):
            shown.add_row(*(_rate_cells(row) if rates else _score_cells(row)))
        console.print(shown)


def _rate_cells(row: dict[Any, Any]) -> tuple[str, ...]:
    impact = row["impact_others"]
    return (
        str(row["group"]),
        f"{row['n']:,.0f}",
        _percent(row["rate"]),
        f"{_percent(row['rate_low'])}-{_percent(row['rate_high'])}",
        _points(row["gap"]),
        f"{_points(row['gap_low'])} to {_points(row['gap_high'])}",
        _decimal(row["ratio"]),
        _points(row["ppg_others"]),
        "-" if _absent(impact) else "yes" if impact else "no",
        "-" if _absent(row["people_needed"]) else f"{row['people_needed']:,.0f}",
        str(row["verdict"]),
    )


def _score_cells(row: dict[Any, Any]) -> tuple[str, ...]:
    return (
        str(row["group"]),
        f"{row['n']:,.0f}",
        _decimal(row["mean"]),
        f"{_decimal(row['mean_low'])}-{_decimal(row['mean_high'])}",
        _decimal(row["sd"]),
        _decimal(row["gap"]),
        f"{_decimal(row['gap_low'])} to {_decimal(row['gap_high'])}",
        _decimal(row["standardized_gap"]),
        str(row["verdict"]),
    )


def _absent(value: Any) -> bool:
    return value is None or value != value


def _percent(value: Any) -> str:
    return "-" if _absent(value) else f"{value:.1%}"


def _points(value: Any) -> str:
    return "-" if _absent(value) else f"{100 * value + 0.0:.1f}"


def _decimal(value: Any) -> str:
    return "-" if _absent(value) else f"{value:.2f}"


def _print_changes(change: pd.DataFrame) -> None:
    first, last = change["first_cohort"].iloc[0], change["last_cohort"].iloc[0]
    shown = Table(title=f"Change from {first} to {last}", title_justify="left")
    for heading in ("dimension", "group", "change", "interval", "verdict", "gap change", "gap verdict"):
        shown.add_column(heading)
    for row in change.to_dict("records"):
        note = " (the reference fell)" if row["narrowed_by_reference"] else ""
        shown.add_row(
            row["dimension"],
            row["group"],
            f"{row['change']:+.1%}",
            f"{row['change_low']:+.1%} to {row['change_high']:+.1%}",
            row["verdict"],
            f"{row['gap_change']:+.1%}",
            row["gap_verdict"] + note,
        )
    console.print(shown)
