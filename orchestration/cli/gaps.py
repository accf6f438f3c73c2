"""`throughline gaps`: disparity measures of any table, an analyst's side door to the platform's own formulas.

What belongs here: arguments. What does not: printing (`gaps_print`), measures (`warehouse.statistics`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from orchestration.cli.console import JsonOption, console

if TYPE_CHECKING:
    from warehouse.statistics.choices import Choices
    from warehouse.statistics.source import Question
    from warehouse.statistics.tables import Measured

_MOE_FACTOR = 1.645


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "gaps",
        epilog="Examples: `throughline gaps students.csv --group race --group gender --outcome passed`; "
        "`throughline gaps summary.csv --group ethnicity --outcome transfers --weight students --cohort year`; "
        "`throughline gaps wide.xlsx --group race --outcome 'passed_{race}' --weight 'enrolled_{race}'`",
    )(gaps)


def gaps(
    file: Annotated[
        Path, typer.Argument(help="CSV, Parquet or Excel file, a row a person or a row a group.")
    ],
    group: Annotated[
        list[str], typer.Option(help="Grouping column; repeat it for several and their crossings.")
    ],
    outcome: Annotated[
        list[str],
        typer.Option(
            help="Column of the outcome: yes or no, a count (with --weight), a rate, a score or a level; repeat it for "
            "several. In a wide table a pattern such as 'passed_{race}'."
        ),
    ],
    weight: Annotated[
        str | None, typer.Option(help="Column (or pattern) of how many people a row stands for.")
    ] = None,
    cohort: Annotated[
        str | None, typer.Option(help="Column of the cohort or year; the first and the last are compared.")
    ] = None,
    denominator: Annotated[
        str | None, typer.Option(help="Column (or pattern) of people measured, where the outcome counts.")
    ] = None,
    within: Annotated[
        list[str] | None, typer.Option(help="Column in each value of which the groups are compared apart.")
    ] = None,
    met: Annotated[
        list[str] | None, typer.Option(help="Value of the outcome that counts as met; repeat it for several.")
    ] = None,
    level: Annotated[
        list[str] | None, typer.Option(help="Value of an ordered outcome, lowest first; repeat it for all.")
    ] = None,
    outcome_is: Annotated[
        str | None, typer.Option(help="indicator, count, rate or score: instead of what the values say.")
    ] = None,
    weights_are: Annotated[
        str | None,
        typer.Option(
            help="people (whole numbers do) or sample: a survey's weights (fractions do, a row a person)."
        ),
    ] = None,
    sd: Annotated[
        str | None, typer.Option(help="Column of the standard deviation, where the outcome is a row's mean.")
    ] = None,
    standard_error: Annotated[
        str | None, typer.Option(help="Column of the standard error, where the outcome is an estimate.")
    ] = None,
    margin_of_error: Annotated[
        str | None,
        typer.Option(help="Column of the 90 % margin of error, as the Census Bureau publishes it."),
    ] = None,
    total: Annotated[
        str | None,
        typer.Option(help="Group name of the rows that stand for everybody, such as 'All Students'."),
    ] = None,
    missing: Annotated[
        list[str] | None, typer.Option(help="Value that says that nothing is known, such as -9; repeat it.")
    ] = None,
    ranges: Annotated[
        bool, typer.Option("--ranges", help="Read ranges and bounds such as 40-44 or GE95 by their middle.")
    ] = False,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook; default: the first.")] = None,
    skip_rows: Annotated[int, typer.Option(min=0, help="Rows above the row of column names.")] = 0,
    reference: Annotated[
        list[str] | None,
        typer.Option(
            help="highest (default), lowest, largest, others (everybody else), whole, a group's name, or a number; "
            "repeat it to name one group a column."
        ),
    ] = None,
    direction: Annotated[str, typer.Option(help="Which direction is better: higher or lower.")] = "higher",
    minimum_n: Annotated[int, typer.Option(help="Smaller groups get no verdict.")] = 10,
    reference_least: Annotated[
        int, typer.Option(help="People that the highest or lowest group must have to be the reference.")
    ] = 30,
    impact_minimum_n: Annotated[
        int, typer.Option(help="Smaller groups get no word on disproportionate impact.")
    ] = 11,
    index_cutoff: Annotated[
        float, typer.Option(help="Proportionality and 80 % indices below it show disproportionate impact.")
    ] = 0.8,
    ppg_least: Annotated[
        float, typer.Option(help="Least margin of the percentage-point-gap method; 0.03 before 2022.")
    ] = 0.02,
    ppg_at_half: Annotated[
        bool, typer.Option("--ppg-at-half", help="Take its margin at a rate of one half, as before 2022.")
    ] = False,
    ppg_edge_rate: Annotated[
        float | None, typer.Option(help="Rate at which its margin is taken for groups at 0 % or 100 %.")
    ] = None,
    margin: Annotated[
        float | None, typer.Option(help="Change that is still maintained; 0.02 for rates, none for scores.")
    ] = None,
    first: Annotated[str | None, typer.Option(help="Cohort that changes are counted from.")] = None,
    last: Annotated[str | None, typer.Option(help="Cohort that changes are counted to.")] = None,
    crossed: Annotated[int, typer.Option(min=1, help="Most grouping columns that are crossed.")] = 3,
    to: Annotated[Path | None, typer.Option(help="Also write all measures to this CSV file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Measure disparity between the groups of any student-level or summarized table.

    Nothing is suppressed: the figures are for the analyst's own eyes. Exits with 1 when the table cannot be used.
    """
    from warehouse.statistics.choices import Choices
    from warehouse.statistics.source import AnalysisInputError, Question

    _one_of("--outcome-is", outcome_is, (None, "indicator", "count", "rate", "score"))
    _one_of("--weights-are", weights_are, (None, "people", "sample"))
    _one_of("--direction", direction, ("higher", "lower"))
    if standard_error and margin_of_error:
        raise typer.BadParameter("name one of --standard-error and --margin-of-error, not both")
    question = Question(
        outcome[0], tuple(group), weight, cohort, denominator, tuple(met or ()),
        cast(Literal["indicator", "count", "rate", "score"] | None, outcome_is), tuple(within or ()),
        tuple(level or ()), sd, total, ranges, cast(Literal["people", "sample"] | None, weights_are),
        standard_error or margin_of_error, _MOE_FACTOR if margin_of_error else 1.0, tuple(missing or ()),
    )  # fmt: skip
    choices = Choices(
        tuple(reference or ("highest",)), direction, minimum_n, impact_minimum_n, reference_least, ppg_least,
        not ppg_at_half, ppg_edge_rate, index_cutoff, margin, most_crossed=crossed,
    )  # fmt: skip
    try:
        measured = _measured(file, (sheet, skip_rows), tuple(outcome), question, choices, (first, last))
        if to is not None:
            measured.groups.to_csv(to, index=False)
    except AnalysisInputError as error:
        typer.echo(f"throughline gaps: {error}", err=True)
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(_document(file, measured, choices), indent=1))
        return
    from orchestration.cli.gaps_print import print_measured

    print_measured(console, measured)
    if to is not None:
        console.print(f"All measures: {to}")


def _measured(
    file: Path,
    place: tuple[str | None, int],
    outcomes: tuple[str, ...],
    question: Question,
    choices: Choices,
    ends: tuple[str | None, str | None],
) -> Measured:
    """Read the file, put each outcome into records, and measure them together."""
    from dataclasses import replace

    from warehouse.statistics.outcome import understand
    from warehouse.statistics.table_file import read_table
    from warehouse.statistics.tables import measure
    from warehouse.statistics.wide import lengthened

    frame = read_table(file, *place)
    records = []
    for outcome in outcomes:
        long, asked = lengthened(frame, replace(question, outcome=outcome), file.name)
        records.append(understand(long, asked, file.name))
    return measure(records, choices, ends)


def _one_of(option: str, value: str | None, allowed: tuple[str | None, ...]) -> None:
    if value not in allowed:
        listed = ", ".join(str(item) for item in allowed if item is not None)
        raise typer.BadParameter(f"'{value}' is none of {listed}", param_hint=option)


def _document(file: Path, measured: Measured, choices: Choices) -> dict[str, Any]:
    from dataclasses import asdict

    from warehouse.statistics.fields import described

    first = measured.records[0]
    tables = {"groups": measured.groups, "dimensions": measured.summary, "changes": measured.changes}
    columns = dict.fromkeys(column for table in tables.values() for column in table.columns)
    return {
        "file": file.name,
        "outcome": first.outcome,
        "read_as": first.reading,
        "outcomes": [
            {"outcome": r.outcome, "read_as": r.reading, "left_out": r.left_out, "notes": r.notes}
            for r in measured.records
        ],
        "left_out": first.left_out,
        "reference": choices.wanted,
        "direction": choices.direction,
        "choices": asdict(choices),
        **{name: _rows(table) for name, table in tables.items()},
        "fields": described(columns),
    }


def _rows(frame: Any) -> list[dict[str, Any]]:
    return [
        {str(key): _plain(value, _is_count(str(key))) for key, value in row.items()}
        for row in frame.to_dict("records")
    ]


def _is_count(column: str) -> bool:
    return (
        column in ("n", "successes", "people_needed", "groups") or column.endswith("_n") or "needed" in column
    )


def _plain(value: Any, is_count: bool) -> Any:
    """A value as JSON has it: what is not a number is null, a whole count is whole."""
    if value is None or value != value:
        return None
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and abs(value) == float("inf"):
        return None
    return int(value) if is_count and isinstance(value, float) and value.is_integer() else value
