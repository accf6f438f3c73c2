"""`throughline explain`: the way back from a published figure to definition, models, deliveries and people counted.

What belongs here: arguments and printing. What does not: finding it (`warehouse.release.explain`).
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from orchestration.cli.console import CommunityOption, JsonOption, console, open_community
from warehouse.settings import Settings

_MOST_DELIVERIES = 25


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "explain",
        epilog="Examples: `throughline explain early_grade_reading --year 2024`; "
        "`throughline explain chronic_absence --race hispanic --json`",
    )(explain)


def explain(
    indicator: Annotated[str, typer.Argument(help="Indicator of the figure.")],
    year: Annotated[int | None, typer.Option(help="Cohort year; default: the latest that is shown.")] = None,
    organization: Annotated[str, typer.Option(help="Organization's key, or all.")] = "all",
    geography: Annotated[
        str | None, typer.Option(help="Geography, such as zip:45201; default: the community's own.")
    ] = None,
    race: Annotated[str, typer.Option(help="Race group, or all.")] = "all",
    gender: Annotated[str, typer.Option(help="Gender group, or all.")] = "all",
    economic: Annotated[str, typer.Option(help="Economic group, or all.")] = "all",
    scheme: Annotated[str, typer.Option(help="How race is rolled up.")] = "federal7",
    release: Annotated[str | None, typer.Option(help="Release by number or id; default: the present.")] = None,
    restricted: Annotated[
        bool, typer.Option("--restricted", help="Also what lies behind a withheld figure; not to be passed on.")
    ] = False,
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Explain a published figure: definition, models, people by partner and delivery, exclusions, linkage, suppression.

    The counts are for staff: they are not protected for publication.
    """
    from warehouse.release.explain import as_json as document
    from warehouse.release.explain import explain_figure
    from warehouse.release.figure import Figure

    community = open_community(directory)
    figure = Figure(indicator, year, geography, organization, scheme, race, gender, economic)
    told = explain_figure(community, Settings(), figure, release=release, restricted=restricted)
    if as_json:
        console.print_json(document(told))
        return
    _figure(told)
    _definition(told)
    if told.get("people") is not None:
        _people(told)
        _deliveries(told["deliveries"])
        console.print("These counts are for staff: they are not protected for publication.")


def _figure(told: dict[str, Any]) -> None:
    key, shown = told["figure"], told["published"]
    groups = [key[name] for name in ("race_group", "gender_group", "economic_group") if key[name] != "all"]
    place = key["organization_key"] if key["organization_key"] != "all" else key["geography_id"]
    console.print(
        f"[bold]{escape(told['definition']['title'])}[/bold], {key['cohort_year']}, {escape(place)}, "
        f"{escape(' / '.join(groups)) or 'everybody'} ({escape(key['race_scheme'])})"
    )
    if told["is_withheld"]:
        console.print(f"  [yellow]withheld[/yellow]: {escape(told['suppression']['rule'])}")
        for reason in told["suppression"]["reasons"] or []:
            console.print(f"  restricted: {escape(reason)}")
    elif shown["rate"] is None:
        console.print("  no rate: nobody was measured")
    else:
        console.print(
            f"  {shown['numerator_n']:,} of {shown['denominator_n']:,} = {shown['rate']:.1%} "
            f"(95 % interval {shown['rate_low']:.1%} to {shown['rate_high']:.1%}); coverage {shown['coverage_rate']:.1%}"
            + ("" if shown["is_enough_data"] else " - not enough data")
        )
    release = told["release"]
    console.print(f"  release {release['release_id']} of {release['created_at']}, run {release['run_id']}")
    if not told["working_tables_agree"]:
        console.print(
            "  [yellow]The working tables have moved on since this release[/yellow]: what follows tells of the next one."
        )


def _definition(told: dict[str, Any]) -> None:
    definition, models = told["definition"], told["models"]
    console.print(f"\nDefinition, version {escape(str(definition['version']))}")
    for name in ("population", "numerator", "denominator", "exclusions", "timing", "direction", "source"):
        console.print(f"  {name}: {escape(str(definition[name]))}", soft_wrap=True)
    if models:
        console.print(f"Models: {models['model']} ({models['file']}, sha256 {models['sha256'][:12]}), from")
        console.print(f"  models: {', '.join(models['models'])}", soft_wrap=True)
        console.print(f"  seeds: {', '.join(models['seeds'])}; feeds: {', '.join(models['feeds'])}", soft_wrap=True)  # fmt: skip


def _people(told: dict[str, Any]) -> None:
    console.print()
    statuses = ", ".join(f"{row['people_n']:,} {row['status'].replace('_', ' ')}" for row in told["people"])
    console.print(f"People: {statuses or 'none'}")
    for row in told["exclusions"]:
        console.print(f"  {row['status'].replace('_', ' ')}: {escape(row['reason'])}: {row['people_n']:,}")
    table = Table("partner whose evidence decided", title="By partner")
    for name in ("people", "met", "not met", "excluded", "not measured"):
        table.add_column(name, justify="right")
    for row in told["partners"]:
        numbers = (row[n] for n in ("people_n", "met_n", "not_met_n", "excluded_n", "not_measured_n"))
        table.add_row(escape(row["partner_id"]), *(f"{number:,}" for number in numbers))
    console.print(table)
    linkage = told["linkage"]
    if linkage["people_n"]:
        console.print(
            f"Linkage: {linkage['linked_share']:.1%} of {linkage['people_n']:,} people joined from several partners' records, "
            f"{linkage['probabilistic_share']:.1%} with a probabilistic link; mean confidence {linkage['mean_confidence']:.3f}, "
            f"least {linkage['least_confidence']:.3f}",
            soft_wrap=True,
        )


def _deliveries(rows: list[dict[str, Any]]) -> None:
    table = Table("partner", "feed", "delivery", title="By delivery in force: rows about these people")
    for name in ("people", "rows", "of the year"):
        table.add_column(name, justify="right")
    for name in ("file", "sha256", "receipt"):
        table.add_column(name, overflow="fold")
    for row in rows[:_MOST_DELIVERIES]:
        of_year = "" if row["rows_of_the_year_n"] is None else f"{row['rows_of_the_year_n']:,}"
        table.add_row(
            escape(row["partner_id"]), row["feed_id"], row["delivery_id"], f"{row['people_n']:,}", f"{row['rows_n']:,}",
            of_year, escape(row["file_name"] or "?"), (row["sha256"] or "?")[:12], escape(row["receipt"] or "-"),
        )  # fmt: skip
    console.print(table)
    if len(rows) > _MOST_DELIVERIES:
        console.print(f"... and {len(rows) - _MOST_DELIVERIES} with fewer people; --json lists all")
