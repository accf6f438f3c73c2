"""Each rule on drift holds what it must, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import duckdb
import pytest

from expectations.drift import BEFORE, NEW, DriftRule, drifted, load_drift_rules
from ingestion.contracts import load_contracts
from warehouse.lake import META_COLUMNS

RULES = {rule.id: rule for rule in load_drift_rules()}


def _fill(con: duckdb.DuckDBPyConnection, schema: str, feed: str, rows: Mapping[str, Any] | None) -> None:
    """The feed's table with so many rows as `times` says, `{n}` in a text being the row's number."""
    columns = {
        **dict(META_COLUMNS),
        "source_person_key": "varchar",
        **dict(load_contracts()[feed].lake_columns),
    }
    listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    con.execute(f"create or replace table {schema}.{feed} ({listed})")
    if not rows:
        return
    given = {name: value for name, value in rows.items() if name != "times"}
    for n in range(1, int(rows["times"]) + 1):
        values = [
            value.replace("{n}", str(n)) if isinstance(value, str) else value for value in given.values()
        ]
        marks = ", ".join("?" for _ in values)
        con.execute(f"insert into {schema}.{feed} ({', '.join(given)}) values ({marks})", values)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute(f"attach ':memory:' as earlier; create schema {NEW}; create schema {BEFORE}")
        yield opened


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_holds_its_rejects_for_every_feed_and_nothing_without_them(
    rule: DriftRule, con: duckdb.DuckDBPyConnection
) -> None:
    """If not, a file of another town replaces the right one, or a first delivery never counts."""
    broken, good = rule.rejects["new"], rule.rejects["before"]
    for feed in rule.feeds:
        _fill(con, NEW, feed, broken)
        _fill(con, BEFORE, feed, good)
        assert [r.id for r in drifted(con, [feed]).get("b", [])].count(rule.id) == 1
        _fill(con, NEW, feed, {**good, "delivery_id": "b"})
        assert drifted(con, [feed]) == {}
        _fill(con, NEW, feed, broken)
        _fill(con, BEFORE, feed, None)
        assert drifted(con, [feed]) == {}


def test_rules_name_feeds_that_there_are() -> None:
    """If not, a rule is asked of nothing."""
    assert {feed for rule in RULES.values() for feed in rule.feeds} <= set(load_contracts())
