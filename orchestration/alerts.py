"""Telling people how a night went: from the run's events and the quality report to alerts.

What belongs here: finding out and handing on. What does not: words and sending (`warehouse.alerts`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg

from expectations.model import QualityReport
from ingestion.standing import feed_standings
from orchestration import names
from orchestration.trouble import failed_steps
from warehouse.alerts import (
    AlertReport,
    NightOutcome,
    Result,
    due_alerts,
    load_state,
    save_state,
    send_alert,
    targets,
)
from warehouse.community import Community
from warehouse.ledger import Ledger
from warehouse.release import list_releases
from warehouse.settings import Settings

log = logging.getLogger("throughline")
RELEASE_STEP = "publish_release"


@dataclass(frozen=True)
class Told:
    """What was sent, and of what.

    Attributes:
        titles: a title for each alert.
        reports: how each target took it.
        outcome: tags for the run, so that the list of runs says why a night failed or which release stands after it.
    """

    titles: list[str]
    reports: list[AlertReport]
    outcome: dict[str, str]


def tell_night(
    community: Community,
    settings: Settings,
    run_id: str,
    *,
    succeeded: bool,
    events: Sequence[dg.DagsterEvent],
) -> Told:
    """Send the alerts that a run calls for, once for each run; a target that fails is logged, and fails no night."""
    result, reasons = _result(community, run_id, succeeded, events)
    current = next((release for release in list_releases(community.paths) if release.is_current), None)
    night = NightOutcome(
        run_id,
        result,
        reasons,
        _late(community, settings),
        current.release_id if current else None,
        {hold.delivery_id: str(hold) for hold in Ledger.open(community.paths, settings).missed_holds()},
    )
    state = load_state(community.paths)
    alerts, after = due_alerts(community.config.name, state, night, community.config.alerts.kinds)
    told = Told([alert.title for alert in alerts], [], _outcome(night))
    if alerts:
        urls = targets(community, settings)
        for alert in alerts:
            told.reports.extend(send_alert(alert, urls))
        for report in told.reports:
            if not report.sent:
                log.error("Alert not taken by %s; see `throughline alert test`.", report.target)
    save_state(community.paths, after)
    return told


def _result(
    community: Community, run_id: str, succeeded: bool, events: Sequence[dg.DagsterEvent]
) -> tuple[Result, list[str]]:
    blocking = _blocking(community, run_id)
    if blocking:
        return "block", blocking
    failed = failed_steps(events)
    if not failed and succeeded:
        return "ok", []
    blocked = any(step == RELEASE_STEP for step, _ in failed)
    reasons = [f"{step}: {reason}" for step, reason in failed] or ["the run ended without a failed step"]
    return "block" if blocked else "failure", reasons


def _outcome(night: NightOutcome) -> dict[str, str]:
    if night.result == "ok":
        return {names.RELEASE_TAG: night.release_id} if night.release_id else {}
    first, *more = night.reasons
    return {names.WHY_TAG: first + (f" (and {len(more)} more)" if more else "")}


def _blocking(community: Community, run_id: str) -> list[str]:
    """Blocking rules that failed: their names and words come from the suites, not from the data."""
    file = community.paths.quality / f"{run_id}.json"
    if not file.is_file():
        return []
    report = QualityReport.model_validate_json(file.read_text(encoding="utf-8"))
    return [f"{r.table} {r.rule_id}: {r.why} Fix: {r.fix}" for r in report.blocking_failures]


def _late(community: Community, settings: Settings) -> list[str]:
    ledger = Ledger.open(community.paths, settings)
    standings = feed_standings(community, ledger, settings.clock().date())
    return [f"{row.partner_id}/{row.feed_id}" for row in standings if row.state == "late"]
