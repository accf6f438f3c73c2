"""What an operator sees of a night in Dagster: that it ran, and why nothing was published, without a search."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from typer.testing import CliRunner

import orchestration.cli as cli
from expectations.model import QualityReport, RuleResult, load_suites
from orchestration import jobs, names
from orchestration.alerts import tell_night
from orchestration.checks import build_quality_checks
from orchestration.cli import serve
from orchestration.community_resource import CommunityResource
from orchestration.definitions import build_definitions
from orchestration.instance import LOCATION, belong_to_location
from warehouse.community import load_community
from warehouse.settings import Settings

cli._register()


@pytest.fixture
def town(tmp_path: Path) -> Path:
    root = tmp_path / "town"
    assert CliRunner().invoke(cli.app, ["init", str(root)]).exit_code == 0
    return root


def _report(run_id: str) -> QualityReport:
    """A night in which one blocking rule of a mart was broken."""
    broken = RuleResult(
        table="marts.mart_gateway_rule", rule_id="mart_gateway_rule_says_why", severity="block", success=False,
        why="Nobody is told why.", fix="Look at the reason.", owner="backbone staff",
    )  # fmt: skip
    return QualityReport(run_id=run_id, made_on=date(2024, 3, 1), results=[broken], row_counts={})


def test_a_night_of_the_command_line_belongs_to_the_location_that_is_served() -> None:
    """If not, the timeline on Dagster's first page says that no night ran."""

    @dg.op
    def work() -> None:
        pass

    @dg.job
    def nightly() -> None:
        work()

    with dg.DagsterInstance.ephemeral() as instance:
        belong_to_location(instance, "nightly")
        run_id = nightly.execute_in_process(instance=instance).run_id
        run = instance.get_run_by_id(run_id)
        assert run is not None and run.remote_job_origin is not None
        origin = run.remote_job_origin.repository_origin
        assert origin.repository_name == build_definitions().get_repository_def().name
        assert origin.code_location_origin.location_name == serve._DEFINITIONS[1] == LOCATION
        assert instance.get_runs_count(dg.RunsFilter(tags={".dagster/repository": origin.get_label()})) == 1


def test_the_gates_step_fails_with_the_rules_and_what_to_do(
    town: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If not, the run's page names a check, and the operator has to look for the reason."""
    suites = ModuleType("expectations.run")  # the real one imports its library for seconds
    suites.run_gate = lambda warehouse, run_id, *_, **__: _report(run_id)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "expectations.run", suites)
    known = {dg.AssetKey(s.table.split(".")) for s in load_suites() if s.table.startswith("marts.")}
    gate = build_quality_checks(known)
    definitions = dg.Definitions(
        asset_checks=[gate],
        jobs=[dg.define_asset_job("gate", selection=dg.AssetSelection.checks(*gate.check_keys))],
        resources={"community": CommunityResource(folder=str(town))},
    )
    done = definitions.resolve_job_def("gate").execute_in_process(raise_on_error=False)
    (failure,) = done.filter_events(lambda event: event.is_step_failure)
    assert failure.step_failure_data.user_failure_data is not None
    told = str(failure.step_failure_data.user_failure_data.description)
    assert "mart_gateway_rule_says_why: Nobody is told why. Fix: Look at the reason." in told
    assert {c.check_name for c in done.get_asset_check_evaluations() if not c.passed} == {
        "marts__mart_gateway_rule__block"
    }


def test_the_list_of_runs_says_why_nothing_was_published(town: Path) -> None:
    """If not, the operator opens run after run to find the night that matters."""
    community, settings = load_community(town), Settings()
    community.paths.ensure()
    told = tell_night(community, settings, "good", succeeded=True, events=[])
    assert told.outcome == {}  # no release yet
    file = community.paths.quality / "bad.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_report("bad").model_dump_json(), encoding="utf-8")
    told = tell_night(community, settings, "bad", succeeded=False, events=[])
    assert told.outcome[names.WHY_TAG].startswith(
        "marts.mart_gateway_rule mart_gateway_rule_says_why: Nobody"
    )


def test_the_daemon_leaves_a_night_of_the_command_line_alone(
    town: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If not, everybody is told twice of one night."""
    told: list[str] = []

    def tell(community: object, settings: object, run_id: str, **_: Any) -> SimpleNamespace:
        told.append(run_id)
        return SimpleNamespace(outcome={})

    monkeypatch.setattr(jobs, "configured_community", lambda: load_community(town))
    monkeypatch.setattr(jobs, "tell_night", tell)
    instance = SimpleNamespace(all_logs=lambda *_, **__: [], add_run_tags=lambda *_: None)
    for run_id, tags in (("own", {}), ("command", {names.STARTED_BY_TAG: "throughline run"})):
        run = SimpleNamespace(run_id=run_id, job_name="nightly", tags=tags)
        jobs._tell(SimpleNamespace(dagster_run=run, instance=instance), succeeded=True)  # type: ignore[arg-type]
    assert told == ["own"]
