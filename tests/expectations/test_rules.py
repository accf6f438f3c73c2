"""Every rule of every suite can be run and can fail."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest

from expectations.model import Rule, Suite, SuiteError, load_suites
from expectations.reports import load_report, save_report
from expectations.run import run_suites

SUITES = load_suites()
WITH_REJECTS = [(suite, rule) for suite in SUITES for rule in suite.rules if rule.rejects]


def _database(path: Path, suite: Suite, rules: list[Rule]) -> None:
    """A table that holds every row that the rules must reject, with the columns of all of them."""
    schema, table = suite.table.split(".")
    frame = pd.DataFrame([row for rule in rules for row in rule.rejects])
    for name in frame.columns:
        if frame[name].isna().all():
            frame[name] = frame[name].astype("string")
    with duckdb.connect(str(path)) as con:
        con.register("frame", frame)
        con.execute(f'create schema "{schema}"')
        con.execute(f'create table "{schema}"."{table}" as select * from frame')


@pytest.mark.parametrize("schema", sorted({suite.table.split(".")[0] for suite in SUITES}))
def test_every_rule_rejects_its_rows(schema: str, tmp_path: Path) -> None:
    """If not, a rule is decoration: bad data would pass the gate."""
    told: list[str] = []
    for suite in SUITES:
        rules = [rule for rule in suite.rules if rule.rejects]
        if not rules or suite.table.split(".")[0] != schema:
            continue
        database = tmp_path / f"check_{suite.table}.duckdb"
        _database(database, suite, rules)
        report = run_suites(
            database, "rejects", [suite.model_copy(update={"rules": rules, "optional": False})]
        )
        told += [f"{r.rule_id} ({r.error})" for r in report.results if r.success or r.error]
    assert told == []


def test_a_clean_table_passes_and_a_dirty_one_is_counted(tmp_path: Path) -> None:
    """If not, the gate either stops every night or tells wrong numbers."""
    rule = {"id": "t_a_positive", "severity": "block", "why": "w", "fix": "f", "must_hold": "a > 0"}
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
    rule = {"id": "t_a", "severity": "block", "why": "w", "fix": "f", "must_hold": "a > 0"}
    suite = Suite.model_validate({"table": "core.t", "owner": "o", "rules": [rule]})
    assert run_suites(database, "r", [suite]).blocking_failures
    assert run_suites(database, "r", [suite.model_copy(update={"optional": True})]).results == []


def test_a_rule_that_cannot_be_computed_fails_with_a_reason(tmp_path: Path) -> None:
    """If not, a typing slip in a rule would read as a pass."""
    database = tmp_path / "t.duckdb"
    with duckdb.connect(str(database)) as con:
        con.execute("create schema core")
        con.execute("create table core.t as select 1 as a")
    rule = {"id": "t_a", "severity": "block", "why": "w", "fix": "f", "must_hold": "no_such_column > 0"}
    suite = Suite.model_validate({"table": "core.t", "owner": "o", "rules": [rule]})
    (failed,) = run_suites(database, "r", [suite]).blocking_failures
    assert failed.error


def test_reports_are_kept_and_bounded(tmp_path: Path) -> None:
    """If not, history is lost or fills the disk."""
    from expectations.model import QualityReport

    for number in range(35):
        save_report(
            QualityReport(run_id=f"run{number:02d}", results=[], row_counts={"core.t": number}), tmp_path
        )
    latest = load_report(tmp_path)
    assert latest is not None and latest.row_counts == {"core.t": 34}
    assert len(list(tmp_path.glob("run*.json"))) <= 30


def test_a_rule_asks_exactly_one_question() -> None:
    """If not, half of a rule would be ignored."""
    with pytest.raises(ValueError, match="exactly one"):
        Rule.model_validate({"id": "x", "severity": "warn", "why": "w", "fix": "f"})


def test_suite_errors_are_named() -> None:
    """If not, a newcomer's first rule ends in a traceback."""
    assert issubclass(SuiteError, Exception)
    assert len({rule.id for suite in SUITES for rule in suite.rules}) == sum(
        len(suite.rules) for suite in SUITES
    )
