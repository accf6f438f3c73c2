"""`throughline quality`: what the quality gate found, in plain words.

What belongs here: telling reports. What does not: running suites outside a night.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from expectations.drift import load_drift_rules
from expectations.model import QualityReport, RuleResult, Since, load_suites
from expectations.reports import DATA_DOCS, failing_since, load_report
from orchestration.cli.console import CommunityOption, JsonOption, console, open_community
from orchestration.cli.summary import holds_of, print_held

quality_app = typer.Typer(help="What the quality gate asks, and what it found.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(quality_app, name="quality")


@quality_app.command("explain", epilog="Example: `throughline quality explain`")
def explain(
    run: Annotated[str | None, typer.Argument(help="Run to explain; the latest when absent.")] = None,
    directory: CommunityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what failed or is held, since when, how to mend it, and whom to ask. Exits with 1 if the release was blocked."""
    community = open_community(directory)
    report = load_report(community.paths.quality, run)
    if run is None:  # a night that brought nothing but what is held has no report of its own
        now = [str(hold) for hold in holds_of(community)]
        report = report.model_copy(update={"held": now}) if report else None
    if report is None:
        console.print("No quality report yet; it is made by `throughline run`.")
        raise typer.Exit(1)
    since = failing_since(community.paths.quality, report.run_id)
    if as_json:
        console.print_json(json.dumps(_told(report, since)))
        raise typer.Exit(1 if report.blocking_failures else 0)
    print_held(report.held)
    for result in (*report.blocking_failures, *report.warnings):
        _tell(result, since.get(result.rule_id))
    console.print(
        f"{len(report.results):,} rules on {len(report.row_counts)} tables: "
        f"{len(report.blocking_failures)} blocking, {len(report.warnings)} warnings."
    )
    docs = community.paths.quality / DATA_DOCS / "index.html"
    if docs.is_file():
        console.print(f"Every rule of the last nights: {docs}", soft_wrap=True)
    raise typer.Exit(1 if report.blocking_failures else 0)


@quality_app.command("rules", epilog="Example: `throughline quality rules`")
def rules(as_json: JsonOption = False) -> None:
    """List every rule with its severity, reason, owner and the figures that a community may set otherwise."""
    rows: list[dict[str, Any]] = [
        {
            "table": suite.table,
            "rule": rule.id,
            "severity": rule.severity,
            "why": rule.why,
            "owner": rule.owner or suite.owner,
            "limits": rule.limits,
        }
        for suite in load_suites()
        for rule in suite.rules
    ]
    rows += [
        {
            "table": f"lake.{feed}",
            "rule": rule.id,
            "severity": "hold",
            "why": rule.why,
            "owner": rule.owner,
            "limits": rule.limits,
        }
        for rule in load_drift_rules()
        for feed in rule.feeds
    ]
    if as_json:
        console.print_json(json.dumps(rows))
        return
    for row in rows:
        figures = f" ({_figures(row['limits'])})" if row["limits"] else ""
        console.print(
            f"{row['severity']:5}  {row['table']:35} {row['rule']}: {row['why']}{figures}", soft_wrap=True
        )


def _figures(limits: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in limits.items())


def _told(report: QualityReport, since: dict[str, Since]) -> dict[str, Any]:
    """The report as it is kept, and of each failed rule since when it fails."""
    told: dict[str, Any] = report.model_dump(mode="json")
    for result in told["results"]:
        begun = since.get(result["rule_id"])
        result["since"] = begun.model_dump(mode="json") if begun and not result["success"] else None
    return told


def _tell(result: RuleResult, since: Since | None) -> None:
    colour = "red" if result.severity == "block" else "yellow"
    rows = f", {result.unexpected_n:,} rows" if result.unexpected_n else ""
    console.print(f"[{colour}]{result.severity}[/{colour}] {result.table}: {result.rule_id}{rows}")
    console.print(f"    why    {result.error or result.why}", soft_wrap=True)
    console.print(f"    fix    {result.fix}", soft_wrap=True)
    if result.limits:
        set_in = f"set otherwise in community.yml, quality.limits.{result.rule_id}"
        console.print(f"    limit  {_figures(result.limits)}; {set_in}", soft_wrap=True)
    console.print(f"    ask    {result.owner}", soft_wrap=True)
    console.print(f"    since  {since or 'this run'}", soft_wrap=True)
