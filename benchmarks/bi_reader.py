"""A BI reader that asks a published release again and again, and counts errors and answers of two releases at once.

What belongs here: reading as a dashboard does, from DuckDB or PostgreSQL, in a process of its own. What does not: what
is published meanwhile (`load`).

Run: python -m benchmarks.bi_reader duckdb RELEASE_FILE STOP_FILE REPORT, or postgresql URL STOP_FILE REPORT.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import psycopg

# Think time between two questions of one reader.
PAUSE = 1.0
_TABLES = (
    "pub_indicator_rate_v1",
    "pub_disparity_gap_v1",
    "pub_gateway_benchmark_v1",
    "pub_indicator_trend_v1",
)
_IDS = " union ".join(f"(select release_id from {{schema}}{table} limit 1)" for table in _TABLES)
_FIGURES = """
    select r.release_id, g.release_id, count(*), count(r.rate), round(sum(r.rate)::numeric(18, 6), 4),
        round(sum(g.gap)::numeric(18, 6), 4)
    from {schema}pub_indicator_rate_v1 r join {schema}pub_disparity_gap_v1 g
        using (indicator_id, cohort_year, geography_id, organization_key, race_scheme, race_group, gender_group,
            economic_group)
    where r.organization_key = 'all' and r.race_scheme = 'federal7'
    group by 1, 2
"""
Ask = Callable[[str], list[tuple[object, ...]]]


def question(ask: Ask, schema: str = "") -> tuple[set[str], str]:
    """Ids of the releases seen over several tables, and the figures of a join of two as text."""
    ids = {str(row[0]) for row in ask(_IDS.format(schema=schema))}
    rows = ask(_FIGURES.format(schema=schema))
    ids |= {str(release) for row in rows for release in row[:2]}
    return ids, " ".join(str(value) for row in sorted(rows, key=str) for value in row[2:])


def from_duckdb(file: str) -> tuple[set[str], str]:
    """One question over a connection of its own, as Superset opens it."""
    with duckdb.connect(file, read_only=True, config={"threads": 1}) as con:
        return question(lambda query: con.execute(query).fetchall())


def from_postgresql(url: str) -> tuple[set[str], str]:
    """The same in one transaction."""
    with psycopg.connect(url) as con:
        con.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        return question(lambda query: con.execute(query.encode()).fetchall(), "throughline.")


def main() -> None:
    """Ask until the stop file is there; then write what was seen."""
    kind, where, stop, report = sys.argv[1:]
    read = {"duckdb": from_duckdb, "postgresql": from_postgresql}[kind]
    asked: list[tuple[float, float]] = []
    errors: list[str] = []
    mixed = 0
    figures: dict[str, list[str]] = {}
    while not Path(stop).exists():
        began = time.time()
        try:
            ids, told = read(where)
        except (duckdb.Error, psycopg.Error, OSError) as error:
            errors.append(f"{type(error).__name__}: {error}"[:300])
            continue
        asked.append((began, time.time() - began))
        mixed += len(ids) != 1
        if told not in figures.setdefault("+".join(sorted(ids)), []):
            figures["+".join(sorted(ids))].append(told)
        time.sleep(PAUSE)
    kept = {"kind": kind, "asked": asked, "errors": errors, "mixed": mixed, "figures": figures}
    Path(report).write_text(json.dumps(kept), encoding="utf-8")


if __name__ == "__main__":
    main()
