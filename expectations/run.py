"""The one way to run the suites: as SQL on the working database, table by table.

What belongs here: running, collecting, keeping results. What does not: what a failure means for a release
(orchestration) and the rules themselves (`suites/`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from expectations.adapter import close, expectation, open_context
from expectations.limits import Limits
from expectations.model import LinkageFigure, QualityReport, Rule, RuleResult, Suite, load_suites
from expectations.reports import DATA_DOCS, failing_since, save_report

LINKAGE = "marts.mart_linkage_quality"
_RESULT_FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": 0}


def run_gate(
    database: Path,
    run_id: str,
    made_on: date,
    folder: Path,
    held: Sequence[str] = (),
    limits: Limits | None = None,
) -> QualityReport:
    """Run all suites in a night: collect the results, keep the report, and write the pages that show it.

    Args:
        database: the working database; opened read-only.
        run_id: identifies the run in the report.
        made_on: the day that the report is to bear.
        folder: where the reports are kept; the pages lie in `docs` below it.
        held: the deliveries without which the tables were built, each in a sentence.
        limits: figures of the community, in place of the rules' own.
    """
    ran = _run(database, run_id, load_suites(limits), made_on)
    ran = ran._replace(report=ran.report.model_copy(update={"held": list(held)}))
    save_report(ran.report, folder)
    try:
        from expectations.data_docs import write_data_docs

        write_data_docs(
            ran.context, ran.outcomes, ran.report, failing_since(folder, run_id), folder / DATA_DOCS
        )
    except Exception as error:
        # The night does not hang on its pages: the report is kept, and decides.
        logging.getLogger(__name__).warning("Data Docs were not written below %s: %r", folder, error)
    return ran.report


def run_suites(database: Path, run_id: str, suites: Iterable[Suite] | None = None) -> QualityReport:
    """Run suites on a DuckDB file and collect one result a rule.

    Args:
        database: the working database; opened read-only.
        run_id: identifies the run in the report.
        suites: the suites to run; all when absent. Those of absent optional tables are passed over.
    """
    return _run(database, run_id, list(load_suites() if suites is None else suites)).report


class _Ran(NamedTuple):
    report: QualityReport
    context: Any
    outcomes: dict[str, Any]


def _run(database: Path, run_id: str, suites: Sequence[Suite], made_on: date | None = None) -> _Ran:
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    counts = _row_counts(database, suites)
    context, source = open_context(database)
    results: list[RuleResult] = []
    outcomes: dict[str, Any] = {}
    try:
        for suite in suites:
            if suite.table not in counts:
                results += [] if suite.optional else [_absent(rule, suite) for rule in suite.rules]
            else:
                outcomes[suite.table] = _run_suite(context, source, suite)
                results += _results(suite, outcomes[suite.table])
    finally:
        close(source)
    linkage = _linkage(database) if LINKAGE in counts else []
    report = QualityReport(
        run_id=run_id, made_on=made_on, results=results, row_counts=counts, linkage=linkage
    )
    return _Ran(report, context, outcomes)


def _row_counts(database: Path, suites: Sequence[Suite]) -> dict[str, int]:
    with duckdb.connect(str(database), read_only=True) as con:
        present = {
            f"{schema}.{table}"
            for schema, table in con.execute(
                "select table_schema, table_name from information_schema.tables"
            ).fetchall()
        }
        wanted = [suite.table for suite in suites if suite.table in present]
        return {table: _count(con, table) for table in wanted}


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    row = con.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0


def _linkage(database: Path) -> list[LinkageFigure]:
    """What the mart tells of linkage; what a broken row lacks is the rules' to say."""
    names = list(LinkageFigure.model_fields)
    told = " and ".join(
        f"{name} is not null" for name, field in LinkageFigure.model_fields.items() if field.is_required()
    )
    with duckdb.connect(str(database), read_only=True) as con:
        rows = con.execute(f"select {', '.join(names)} from {LINKAGE} where {told} order by all").fetchall()
    return [LinkageFigure.model_validate(dict(zip(names, row, strict=True))) for row in rows]


def _run_suite(context: Any, source: Any, suite: Suite) -> Any:
    import great_expectations as gx

    schema, table = suite.table.split(".")
    asset = source.add_table_asset(suite.table, table_name=table, schema_name=schema)
    built = gx.ExpectationSuite(
        name=suite.table, expectations=[expectation(rule, suite) for rule in suite.rules]
    )
    batch = asset.add_batch_definition_whole_table("whole").get_batch()
    return batch.validate(built, result_format=_RESULT_FORMAT)


def _results(suite: Suite, outcome: Any) -> list[RuleResult]:
    by_id = {item.expectation_config.meta["rule_id"]: item for item in outcome.results}
    return [_result(rule, suite, by_id.get(rule.id)) for rule in suite.rules]


def _result(rule: Rule, suite: Suite, item: Any) -> RuleResult:
    error = None if item is not None else "the rule gave no result"
    unexpected, observed = None, None
    if item is not None:
        details = item.result or {}
        raised = (item.exception_info or {}).get("raised_exception") or any(
            isinstance(info, dict) and info.get("raised_exception")
            for info in (item.exception_info or {}).values()
        )
        error = "the rule could not be computed; check its columns and SQL" if raised else None
        value = details.get("observed_value")
        unexpected = details.get("unexpected_count", value if rule.expect is None else None)
        observed = str(value) if isinstance(value, int | float) else None
    return RuleResult(
        rule_id=rule.id,
        table=suite.table,
        severity=rule.severity,
        success=bool(item is not None and item.success and error is None),
        unexpected_n=unexpected if isinstance(unexpected, int) else None,
        observed=observed,
        error=error,
        why=rule.why,
        fix=rule.fix,
        owner=rule.owner or suite.owner,
        limits=rule.limits,
    )


def _absent(rule: Rule, suite: Suite) -> RuleResult:
    return RuleResult(
        rule_id=rule.id,
        table=suite.table,
        severity=rule.severity,
        success=False,
        error=f"table {suite.table} does not exist",
        why=rule.why,
        fix=rule.fix,
        owner=rule.owner or suite.owner,
        limits=rule.limits,
    )
