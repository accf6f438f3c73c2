"""A working database for dbt tests: schemas `lake` and `config`, typed from the feed contracts, with given rows.

What belongs here: making and building such a database. What does not: expectations (`test_*.py`, `golden/`).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import yaml

from warehouse.configured import CONFIG_TABLES

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = REPOSITORY / "dbt_project"
CONTRACTS = REPOSITORY / "ingestion" / "feeds"

Rows = Sequence[Mapping[str, Any]]

_TYPES = {
    "text": pa.string(),
    "option": pa.string(),
    "option_list": pa.string(),
    "integer": pa.int64(),
    "decimal": pa.float64(),
    "date": pa.date32(),
    "boolean": pa.bool_(),
}
_COMMUNITY: dict[str, Any] = {
    "community_id": "golden",
    "name": "Golden",
    "geography_id": "community",
    "geography_name": "The whole community",
    "as_of_date": date(2024, 11, 15),
    "first_school_year": 2000,
    "minimum_n": 10,
    "minimum_coverage": 0.8,
    "graduation_cutoff": "08-31",
    "geographies": "[]",
    "edition": "six_gateway",
    "benchmarks_required": 1.0,
    "cumulative": True,
    "pillar_reading": "each_pillar",
    "trend_reading": "statistical",
    "comparison": "baseline",
    "trend_years": 5,
    "outcome_reading": "headline",
    "core_count_unit": "outcome",
    "gap_count_unit": "group",
    "stricter_evidence_counts": True,
    "practical_margin": 0.02,
    "outcomes_required": 4,
    "gaps_required_ongoing": 2,
    "gaps_required_transformation": 4,
    "include_secondary_benchmarks": True,
    "race_reference": "",
    "gender_reference": "",
    "economic_reference": "",
}
_LAKE_EXTRA: dict[str, dict[str, pa.DataType]] = {
    "crosswalk": {
        "source_person_key": pa.string(),
        "partner_id": pa.string(),
        "person_key": pa.string(),
        "link_confidence": pa.float64(),
        "link_stage": pa.string(),
        "first_linked_run": pa.string(),
    },
    "household": dict.fromkeys(("source_person_key", "delivery_id", "household_key"), pa.string()),
    "linkage_quality": {"partner_id": pa.string(), "link_stage": pa.string()}
    | dict.fromkeys(("records_n", "linked_n"), pa.int64())
    | dict.fromkeys(
        ("match_rate", "grey_zone_rate", "estimated_precision", "estimated_recall"), pa.float64()
    ),
    "delivery": {
        "delivery_id": pa.string(),
        "delivery_seq": pa.int64(),
        "partner_id": pa.string(),
        "feed_id": pa.string(),
        "status": pa.string(),
        "received_at": pa.timestamp("us"),
        "sha256": pa.string(),
        "rows_in": pa.int64(),
        "rows_accepted": pa.int64(),
        "rows_quarantined": pa.int64(),
        "is_in_force": pa.bool_(),
        "held_by": pa.string(),
    },
}


def feed_types(feed: str) -> dict[str, pa.DataType]:
    """Columns of a feed's lake table, from its contract."""
    contract = yaml.safe_load((CONTRACTS / f"{feed}.yml").read_text(encoding="utf-8"))
    types = {
        "partner_id": pa.string(),
        "delivery_id": pa.string(),
        "delivery_seq": pa.int64(),
        "source_row": pa.int64(),
    }
    if contract["has_person"]:
        types["source_person_key"] = pa.string()
    for column in [*contract["columns"], *contract.get("derived", [])]:
        if column["class"] != "identifier":
            types[column["name"]] = _TYPES[column["type"]]
    return types


def feeds() -> list[str]:
    """Ids of all feeds."""
    return sorted(file.stem for file in CONTRACTS.glob("*.yml") if file.stem != "option_sets")


def make_database(
    path: Path,
    lake: Mapping[str, Rows],
    *,
    config: Mapping[str, Rows] | None = None,
    community: Mapping[str, Any] | None = None,
) -> None:
    """Write a working database; rows name their person in `person` and everything unsaid is empty.

    Args:
        path: the file to make.
        lake: rows by feed; `partner_id`, `delivery_seq` and `source_row` have defaults.
        config: rows of the schema `config` by table.
        community: values that replace the defaults of the one row of `config.community`.
    """
    people: dict[tuple[str, str], None] = {}
    with duckdb.connect(str(path)) as con:
        con.execute("create schema lake; create schema config")
        for feed in feeds():
            types = feed_types(feed)
            rows = [_lake_row(types, row, n) for n, row in enumerate(lake.get(feed, ()), start=1)]
            for row in rows:
                if row.get("source_person_key"):
                    people[row["partner_id"], row["source_person_key"]] = None
            _write(con, f"lake.{feed}", types, rows)
        crosswalk = [
            {"source_person_key": key, "partner_id": partner, "person_key": key, "link_confidence": 1.0}
            for partner, key in people
            if not key.startswith("unlinked")
        ]
        for table, types in _LAKE_EXTRA.items():
            rows = crosswalk if table == "crosswalk" else list(lake.get(table, ()))
            _write(con, f"lake.{table}", types, rows)
        given = config or {}
        for table, types in CONFIG_TABLES.items():
            _write(con, f"config.{table}", types, list(given.get(table, ())))
        row = {**_COMMUNITY, **(community or {})}
        table = pa.Table.from_pylist([row])
        con.register("given_rows", table)
        con.execute("create table config.community as select * from given_rows")


def build(path: Path, *arguments: str, project: Path = PROJECT) -> subprocess.CompletedProcess[str]:
    """Run a dbt command (default `build`) on a working database."""
    words = list(arguments) or ["build"]
    command = [
        str(Path(sys.executable).with_name("dbt")),
        "--no-use-colors",
        *words,
        "--project-dir",
        str(project),
        "--profiles-dir",
        str(project),
        "--target-path",
        str(path.with_suffix(".target")),
        "--log-path",
        str(path.with_suffix(".logs")),
    ]
    environment = {
        **os.environ,
        "THROUGHLINE_WAREHOUSE_PATH": str(path),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)


def _lake_row(types: Mapping[str, pa.DataType], row: Mapping[str, Any], number: int) -> dict[str, Any]:
    given = dict(row)
    person = given.pop("person", None)
    base = {"partner_id": "north", "delivery_id": "d1", "delivery_seq": 1, "source_row": number}
    if person is not None:
        base["source_person_key"] = person
    full = {**base, **given}
    unknown = set(full) - set(types)
    if unknown:
        raise KeyError(f"not in the contract: {sorted(unknown)}")
    return {name: _plain(full.get(name), kind) for name, kind in types.items()}


def _plain(value: Any, kind: pa.DataType) -> Any:
    if isinstance(value, str) and pa.types.is_date(kind):
        return date.fromisoformat(value)
    if isinstance(value, str) and pa.types.is_timestamp(kind):
        return datetime.fromisoformat(value)
    if isinstance(value, int) and pa.types.is_floating(kind):
        return float(value)
    return value


def _write(con: duckdb.DuckDBPyConnection, table: str, types: Mapping[str, pa.DataType], rows: Rows) -> None:
    plain = [{name: _plain(row.get(name), kind) for name, kind in types.items()} for row in rows]
    con.register("given_rows", pa.Table.from_pylist(plain, schema=pa.schema(list(types.items()))))
    con.execute(f"create table {table} as select * from given_rows")
    con.unregister("given_rows")
