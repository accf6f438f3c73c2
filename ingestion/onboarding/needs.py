"""Which indicators a file feeds, and for want of what it cannot feed others.

What belongs here: holding judged rows against `indicator_needs.yml`. What does not: computing indicators (dbt).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from ingestion.acceptance.judging import JUDGED, Plan
from warehouse.duck import quote_identifier, sql_literal

# What stands in a cell of options where nothing is known.
_NOT_KNOWN = ("NotCollected", "Unknown")
_EITHER = frozenset({"score", "performance_level_code"})


@dataclass(frozen=True)
class Need:
    """What one indicator needs of one feed: columns, and rows that count by their options."""

    columns: tuple[str, ...]
    rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    but_not: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """Whether a file feeds an indicator.

    Attributes:
        missing: columns of the feed that it would have to fill.
        no_rows: what rows it would have to hold, in words; empty where it holds some.
        also: further feeds that the indicator needs, from other files.
    """

    indicator: str
    missing: tuple[str, ...] = ()
    no_rows: str = ""
    also: tuple[str, ...] = ()

    @property
    def is_fed(self) -> bool:
        """Whether the file does its part."""
        return not self.missing and not self.no_rows


@lru_cache(maxsize=1)
def indicator_needs() -> Mapping[str, Mapping[str, Need]]:
    """Needs by indicator and feed."""
    text = Path(__file__).with_name("indicator_needs.yml").read_text(encoding="utf-8")
    data: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return {i: {feed: _need(entry) for feed, entry in feeds.items()} for i, feeds in data.items()}


def _need(entry: Any) -> Need:
    if isinstance(entry, list):
        return Need(tuple(entry))
    options = {key: {c: tuple(v) for c, v in entry.get(key, {}).items()} for key in ("rows", "but_not")}
    return Need(tuple(entry["columns"]), options["rows"], options["but_not"])


def filled_columns(con: duckdb.DuckDBPyConnection, plan: Plan) -> frozenset[str]:
    """Canonical columns that at least one accepted row of `judged` fills with something known."""
    counts = {}
    for column in plan.contract.columns:
        name, known = quote_identifier(column.name), ""
        if column.options:
            known = f" and {name}::varchar not in ({', '.join(map(sql_literal, _NOT_KNOWN))})"
        counts[column.name] = f"count(*) filter (where {name} is not null{known})"
    row = con.execute(f"select {', '.join(counts.values())} from {JUDGED} where {plan.good}").fetchone()
    return frozenset(name for name, count in zip(counts, row or [0] * len(counts), strict=True) if count)


def verdicts_of_rows(con: duckdb.DuckDBPyConnection, plan: Plan) -> list[Verdict]:
    """What the accepted rows of `judged` feed, and what they cannot."""
    filled = filled_columns(con, plan)
    verdicts = []
    for verdict, need in _by_columns(plan.contract.feed, filled):
        lacking = "" if verdict.missing else _lacking(con, plan, need)
        verdicts.append(Verdict(verdict.indicator, verdict.missing, lacking, verdict.also))
    return verdicts


def verdicts_of_columns(feed: str, columns: frozenset[str]) -> list[Verdict]:
    """What a file with these canonical columns can feed, whatever its rows hold."""
    return [verdict for verdict, _ in _by_columns(feed, columns)]


def _by_columns(feed: str, have: frozenset[str]) -> list[tuple[Verdict, Need]]:
    found = []
    for indicator, feeds in indicator_needs().items():
        if feed in feeds:
            wanted = feeds[feed].columns
            missing = tuple(c for c in wanted if c not in have and not (c in _EITHER and have & _EITHER))
            found.append(
                (Verdict(indicator, missing, also=tuple(f for f in feeds if f != feed)), feeds[feed])
            )
    return found


def _lacking(con: duckdb.DuckDBPyConnection, plan: Plan, need: Need) -> str:
    """What no accepted row has of what the indicator needs, in words; empty where some row has all."""
    wanted = [_condition(column, "in", values) for column, values in need.rows.items()]
    barred = [_condition(column, "not in", values) for column, values in need.but_not.items()]
    if not _any(con, plan, wanted):
        return " and ".join(f"{column} {' or '.join(values)}" for column, values in need.rows.items())
    if not _any(con, plan, [*wanted, *barred]):
        return " and ".join(f"{column} other than {', '.join(v)}" for column, v in need.but_not.items())
    return ""


def _condition(column: str, words: str, values: tuple[str, ...]) -> str:
    listed = ", ".join(sql_literal(value.upper()) for value in values)
    return f"upper({quote_identifier(column)}::varchar) {words} ({listed})"


def _any(con: duckdb.DuckDBPyConnection, plan: Plan, conditions: list[str]) -> bool:
    where = " and ".join([plan.good, *conditions])
    row = con.execute(f"select count(*) from {JUDGED} where {where}").fetchone()
    return bool(row and row[0])
