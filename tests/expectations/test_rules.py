"""Every rule of every suite can be run and can fail."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from expectations.adapter import RowsThatBreakTheRule, expectation
from expectations.model import QualityReport, Rule, RuleResult, Suite, SuiteError, load_suites
from expectations.reports import failing_since, load_report, save_report
from expectations.run import run_suites
from ingestion.contracts import load_contracts
from orchestration.assets.release import _refuse_if_failed
from tests.expectations.rejected import fill, models

SUITES = load_suites()
SCHEMAS = sorted({suite.table.split(".")[0] for suite in SUITES})
RULES = {rule.id: rule for suite in SUITES for rule in suite.rules}


@pytest.fixture(scope="module", params=SCHEMAS)
def rejections(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[RuleResult]:
    """What the gate says of tables that hold everything that the rules of one schema must reject."""
    folder = tmp_path_factory.mktemp("rejected")
    results: list[RuleResult] = []
    for suite in (suite for suite in SUITES if suite.table.startswith(f"{request.param}.")):
        database = folder / f"check_{suite.table}.duckdb"
        with duckdb.connect(str(database)) as con:
            fill(con, suite.table, suite.rules)
        results += run_suites(database, "rejects", [suite]).results
    return results


def test_every_rule_rejects_its_rows(rejections: list[RuleResult]) -> None:
    """If not, a rule is decoration: bad data would pass the gate."""
    assert [f"{r.rule_id} ({r.error})" for r in rejections if r.success or r.error] == []


def test_every_blocking_rule_stops_the_release(rejections: list[RuleResult]) -> None:
    """If not, something wrong is published; and if a warning does, one odd row stops everyone."""
    for result in rejections:
        report = QualityReport(run_id="r", results=[result], row_counts={})
        if result.severity == "block":
            with pytest.raises(dg.Failure, match=f"{result.table} {result.rule_id}: "):
                _refuse_if_failed(report)
        else:
            _refuse_if_failed(report)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_rule_rejects_its_rows_alone(schema: str) -> None:
    """If not, a rule passes for strict only because of the bad rows of another."""
    passed = []
    con = duckdb.connect()
    for suite in (suite for suite in SUITES if suite.table.startswith(f"{schema}.")):
        for rule in suite.rules:
            asked = expectation(rule, suite)
            if not isinstance(asked, RowsThatBreakTheRule):
                continue  # the library's own expectations look at one column of each row
            made = fill(con, suite.table, [rule])
            if con.execute(asked.unexpected_rows_query.format(batch=suite.table)).fetchone() is None:
                passed.append(rule.id)
            con.execute("; ".join(f"drop table {table}" for table in made))
    assert passed == []


def test_every_feed_core_table_and_mart_has_a_suite() -> None:
    """If not, a table goes to the public that nobody ever looks at as a whole."""
    # The indicators' own tables are judged as one, in their union.
    built = {table for schema in ("core", "marts") for table in models(schema) if ".ind_" not in table}
    assert "marts.fct_indicator_status" in built
    wanted = built | {f"lake.{feed}" for feed in load_contracts()}
    assert wanted - {suite.table for suite in SUITES} == set()
    assert {suite.table for suite in SUITES} - wanted == set()


def test_a_table_emptied_since_the_last_release_is_looked_at(tmp_path: Path) -> None:
    """If not, a feed that vanished whole passes where one that lost a part is told."""
    rule = RULES["k12_course_volume_against_last_release"]
    suite = next(suite for suite in SUITES if rule in suite.rules).model_copy(update={"rules": [rule]})
    database = tmp_path / "t.duckdb"
    with duckdb.connect(str(database)) as con:
        con.execute(
            "create schema lake; create schema config; create table lake.k12_course (partner_id varchar)"
        )
        con.execute("create table config.table_history as select 'lake.k12_course' as table_name, 0 as row_n")
    assert run_suites(database, "r", [suite]).warnings == []
    with duckdb.connect(str(database)) as con:
        con.execute("update config.table_history set row_n = 100")
    assert run_suites(database, "r", [suite]).warnings


def test_a_clean_table_passes_and_a_dirty_one_is_counted(tmp_path: Path) -> None:
    """If not, the gate either stops every night or tells wrong numbers."""
    rule = {
        "id": "t_a_positive",
        "severity": "block",
        "why": "w",
        "fix": "f",
        "must_hold": "a > 0",
        "rejects": [{"a": 0}],
    }
    suite = Suite.model_validate({"table": "core.t", "owner": "o", "rules": [rule]})
    for values, expected in (([1, 2, None], 0), ([1, -2, -3], 2)):
        database = tmp_path / f"{expected}.duckdb"
        with duckdb.connect(str(database)) as con:
            con.execute("create schema core")
            con.execute("create table core.t as select unnest(?)::bigint as a", [values])
        result = run_suites(database, "r", [suite]).results[0]
        assert result.success is (expected == 0)
        assert (result.unexpected_n or 0) == expected


def test_an_absent_table_fails_unless_optional(tmp_path: Path) -> None:
    """If not, a model that vanished would go unnoticed."""
    database = tmp_path / "empty.duckdb"
    duckdb.connect(str(database)).close()
    rule = {
        "id": "t_a",
        "severity": "block",
        "why": "w",
        "fix": "f",
        "must_hold": "a > 0",
        "rejects": [{"a": 0}],
    }
    suite = Suite.model_validate({"table": "core.t", "owner": "o", "rules": [rule]})
    assert run_suites(database, "r", [suite]).blocking_failures
    assert run_suites(database, "r", [suite.model_copy(update={"optional": True})]).results == []


def test_a_rule_that_cannot_be_computed_fails_with_a_reason(tmp_path: Path) -> None:
    """If not, a typing slip in a rule would read as a pass."""
    database = tmp_path / "t.duckdb"
    with duckdb.connect(str(database)) as con:
        con.execute("create schema core")
        con.execute("create table core.t as select 1 as a")
    rule = {
        "id": "t_a",
        "severity": "block",
        "why": "w",
        "fix": "f",
        "must_hold": "no_such_column > 0",
        "rejects": [{"a": 0}],
    }
    suite = Suite.model_validate({"table": "core.t", "owner": "o", "rules": [rule]})
    (failed,) = run_suites(database, "r", [suite]).blocking_failures
    assert failed.error


def test_reports_are_kept_and_bounded(tmp_path: Path) -> None:
    """If not, history is lost or fills the disk."""
    for number in range(35):
        save_report(
            QualityReport(run_id=f"run{number:02d}", results=[], row_counts={"core.t": number}), tmp_path
        )
    latest = load_report(tmp_path)
    assert latest is not None and latest.row_counts == {"core.t": 34}
    assert len(list(tmp_path.glob("run*.json"))) <= 30


def test_since_when_a_rule_fails_is_the_first_run_of_the_unbroken_series(tmp_path: Path) -> None:
    """If not, whoever is asked looks into the wrong delivery."""
    shape = {"rule_id": "t_a", "table": "core.t", "severity": "warn", "why": "w", "fix": "f", "owner": "o"}
    for day, success in enumerate((False, True, False, False, True), start=1):
        result = RuleResult.model_validate({**shape, "success": success})
        report = QualityReport(
            run_id=f"run{day}", made_on=date(2024, 3, day), results=[result], row_counts={}
        )
        path = save_report(report, tmp_path)
        os.utime(path, (day, day))
    assert str(failing_since(tmp_path, "run4")["t_a"]) == "2024-03-03 (run run3)"
    assert str(failing_since(tmp_path, "run1")["t_a"]) == "2024-03-01 (run run1)"
    assert failing_since(tmp_path, "run5") == {}


def test_a_rule_asks_exactly_one_question() -> None:
    """If not, half of a rule would be ignored."""
    with pytest.raises(ValueError, match="exactly one"):
        Rule.model_validate({"id": "x", "severity": "warn", "why": "w", "fix": "f", "rejects": [{"a": 1}]})


def test_suite_errors_are_named() -> None:
    """If not, a newcomer's first rule ends in a traceback."""
    assert issubclass(SuiteError, Exception)
    assert len({rule.id for suite in SUITES for rule in suite.rules}) == sum(
        len(suite.rules) for suite in SUITES
    )
