"""`throughline quality explain` says what failed, since when, and whom to ask."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

import orchestration.cli as cli
from expectations.model import QualityReport, RuleResult, load_suites
from expectations.reports import save_report
from orchestration.definitions import build_definitions

cli._register()


def test_every_suite_is_a_check_of_its_table_in_the_graph() -> None:
    """If not, Dagster shows a table as unquestioned though the gate asks about it."""
    graph = build_definitions().resolve_asset_graph()
    shown = {key.name for key in graph.asset_check_keys}
    suites = {(suite.table, rule.severity) for suite in load_suites() for rule in suite.rules}
    assert {f"{table.replace('.', '__')}__{severity}" for table, severity in suites} - shown == set()


def _report(day: int, failing: tuple[str, ...]) -> QualityReport:
    shape = {"table": "core.t", "severity": "block", "why": "Wrong.", "fix": "Mend.", "owner": "the steward"}
    results = [
        RuleResult.model_validate({**shape, "rule_id": rule, "success": rule not in failing})
        for rule in ("t_a", "t_b")
    ]
    return QualityReport(run_id=f"run{day}", made_on=date(2024, 3, day), results=results, row_counts={})


@pytest.fixture
def community(tmp_path: Path) -> Path:
    """A new community with three nights behind it: one rule fails since the second, the other failed once."""
    root = tmp_path / "springfield"
    assert CliRunner().invoke(cli.app, ["init", str(root)]).exit_code == 0
    for day, failing in ((1, ("t_b",)), (2, ("t_a",)), (3, ("t_a",))):
        path = save_report(_report(day, failing), root / "data" / "quality")
        os.utime(path, (day, day))
    return root


def test_it_says_since_when(community: Path) -> None:
    """If not, whoever is asked looks into the wrong delivery."""
    done = CliRunner().invoke(cli.app, ["quality", "explain", "--dir", str(community)])
    assert done.exit_code == 1
    assert "since  2024-03-02 (run run2)" in done.stdout
    assert "ask    the steward" in done.stdout
    assert "t_b" not in done.stdout


def test_an_earlier_run_knows_nothing_of_later_ones(community: Path) -> None:
    """If not, explaining an old night tells what nobody could know then."""
    done = CliRunner().invoke(cli.app, ["quality", "explain", "run1", "--dir", str(community)])
    assert "since  2024-03-01 (run run1)" in done.stdout


def test_json_says_so_too(community: Path) -> None:
    """If not, an alert built on it cannot tell new trouble from old."""
    done = CliRunner().invoke(cli.app, ["quality", "explain", "--json", "--dir", str(community)])
    since = {result["rule_id"]: result["since"] for result in json.loads(done.stdout)["results"]}
    assert since == {"t_a": {"run_id": "run2", "on": "2024-03-02"}, "t_b": None}
