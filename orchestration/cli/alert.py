"""`throughline alert`: who is told when something needs a person, and whether the message arrives.

What belongs here: arguments and printing. What does not: alerts (`warehouse.alerts`).
"""

from __future__ import annotations

import json
from dataclasses import asdict

import typer

from orchestration.cli.console import CommunityOption, JsonOption, console, open_community

alert_app = typer.Typer(
    help="Alerts by e-mail and webhook: a night failed, was stopped, a file is late, all is well again.",
    no_args_is_help=True,
)
_NONE = (
    "No target is configured. Set `owner_email` in {config} and THROUGHLINE_SMTP_URL in the environment for e-mail, "
    "or `alerts: {{urls: [...]}}` or THROUGHLINE_ALERT_URLS for webhooks."
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(alert_app, name="alert")


@alert_app.command("show", epilog="Example: `throughline alert show --dir riverbend`")
def show(directory: CommunityOption = None, as_json: JsonOption = False) -> None:
    """Tell where alerts go, of which kinds, and what was told last; secrets are left out."""
    from warehouse.alerts import load_state, masked, targets
    from warehouse.settings import Settings

    community = open_community(directory)
    urls = [masked(url) for url in targets(community, Settings())]
    state = load_state(community.paths)
    kinds = community.config.alerts.kinds
    if as_json:
        document = {"kinds": kinds, "targets": urls, "last_night": state.last, "late": state.late}
        console.print_json(json.dumps(document))
        return
    console.print(f"Told: {', '.join(kinds)}. Last night: {state.last}. Known as late: {len(state.late)}.")
    for url in urls:
        console.print(f"  {url}")
    if not urls:
        console.print(_NONE.format(config=community.paths.config), soft_wrap=True)


@alert_app.command("test", epilog="Example: `throughline alert test --dir riverbend`")
def test(directory: CommunityOption = None, as_json: JsonOption = False) -> None:
    """Send a message to every target. Exits with 1 if there is none, or one did not take it."""
    from warehouse.alerts import Alert, send_alert, targets
    from warehouse.settings import Settings

    community = open_community(directory)
    urls = targets(community, Settings())
    message = Alert(
        "recovery", f"{community.config.name}: a test", "This is a test of the alerts. Nothing happened."
    )
    reports = send_alert(message, urls)
    if as_json:
        console.print_json(json.dumps([asdict(report) for report in reports]))
    for report in () if as_json else reports:
        mark = "[green]taken[/green] " if report.sent else "[red]failed[/red]"
        fix = "" if report.sent else ": check host, port, password and whether this machine may connect there"
        console.print(f"{mark} {report.target}{fix}", soft_wrap=True)
    if not urls and not as_json:
        console.print(_NONE.format(config=community.paths.config), soft_wrap=True)
    raise typer.Exit(0 if reports and all(report.sent for report in reports) else 1)
