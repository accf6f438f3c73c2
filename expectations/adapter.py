"""The one place that knows how Great Expectations and DuckDB get along.

What belongs here: the engine adapter and the building of expectations. What does not: reading suites or
judging results.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import great_expectations as gx
import great_expectations.expectations as gxe
from great_expectations.execution_engine import sqlalchemy_execution_engine as engine
from great_expectations.render import LegacyRendererType, RenderedStringTemplateContent
from great_expectations.render.renderer.renderer import renderer

from expectations.model import Rule, Suite


class _Dialect(str):
    """A dialect's name that also answers to `.value`, as the library's own enumeration does."""

    @property
    def value(self) -> str:
        return str(self)


class RowsThatBreakTheRule(gxe.UnexpectedRowsExpectation):
    """Counts the rows that a query finds, and passes when there are none.

    The library's own class fetches the rows as well as counting them: a second query a rule, for values that no
    result may hold.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.row_count",)

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> dict[str, Any]:
        found = metrics["unexpected_rows_query.row_count"]
        return {"success": found == 0, "result": {"observed_value": found}}

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    def _prescriptive_renderer(
        cls,
        configuration: Any = None,
        result: Any = None,
        runtime_configuration: Any = None,
        **kwargs: Any,
    ) -> list[Any]:
        """In Data Docs: what is wrong when it fails, where the library would print the query."""
        told = {"template": "$told", "params": {"told": configuration.meta["told"]}}
        return [RenderedStringTemplateContent(content_block_type="string_template", string_template=told)]


def keep_connection_open() -> None:
    """Have Great Expectations keep a DuckDB connection open while it fetches.

    It closes the connection before fetching unless the dialect is in its private list; DuckDB's cursors then
    return nothing ("list index out of range").
    """
    if "duckdb" not in engine._PERSISTED_CONNECTION_DIALECTS:
        dialects: Any = (*engine._PERSISTED_CONNECTION_DIALECTS, _Dialect("duckdb"))
        engine._PERSISTED_CONNECTION_DIALECTS = dialects


def open_context(database: Path) -> tuple[Any, Any]:
    """Open an in-memory context and a data source on a DuckDB file, read-only."""
    keep_connection_open()
    context = gx.get_context(mode="ephemeral")
    bars: Any = {"globally": False, "metric_calculations": False}
    context.variables.progress_bars = bars
    source = context.data_sources.add_sql(
        "working", connection_string=f"duckdb:///{database}?access_mode=READ_ONLY", create_temp_table=False
    )
    return context, source


def close(source: Any) -> None:
    """Let go of the file: DuckDB allows no other opening while a connection lives."""
    runner = source.get_execution_engine()
    runner.close()
    runner.engine.dispose()
    source.get_engine().dispose()


def expectation(rule: Rule, suite: Suite) -> Any:
    """Build the library's expectation for a rule.

    Row conditions and violation queries select the number one for each bad row, so that no value of the
    table ever reaches a result.
    """
    meta = {"rule_id": rule.id, "told": f"{rule.id} ({rule.severity}): {rule.why}"}
    if rule.expect is not None:
        return getattr(gxe, rule.expect)(**rule.with_, meta=meta)
    if rule.must_hold is not None:
        query = f"select 1 as unexpected from {{batch}} where not ({_braces(rule.asked(rule.must_hold))})"
    else:
        inner = rule.asked(str(rule.violations)).replace("{table}", "\0").strip().rstrip(";")
        inner = _braces(inner).replace("\0", suite.table)
        query = f"select 1 as unexpected from ({inner}) as violating where 1 = 1 or exists (select 1 from {{batch}})"
    return RowsThatBreakTheRule(unexpected_rows_query=query, meta=meta)


def _braces(sql: str) -> str:
    return sql.replace("{", "{{").replace("}", "}}")
