"""Small databases that hold what a rule must reject, with the columns that the real tables have.

What belongs here: making them from the suites. What does not: running rules (`test_rules.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import yaml

from expectations.model import Rule
from ingestion.contracts import load_contracts

MODELS = Path(__file__).parents[2] / "dbt_project" / "models"
LAYERS = {"core": ("core",), "marts": ("marts", "indicators")}


def models(schema: str) -> dict[str, Path]:
    """The description of each model that lands in a schema, by table."""
    return {
        f"{schema}.{sql.stem}": sql.with_suffix(".yml")
        for layer in LAYERS[schema]
        for sql in sorted((MODELS / layer).glob("*.sql"))
    }


def fill(con: duckdb.DuckDBPyConnection, table: str, rules: Iterable[Rule]) -> list[str]:
    """Make the table with all rows that the rules reject, and the other tables that they read; name them."""
    rows: dict[str, list[dict[str, Any]]] = {table: []}
    for rule in rules:
        for name, given in ({table: rule.rejects} | rule.beside).items():
            rows.setdefault(name, []).extend(_numbered(row, n) for n in range(rule.repeat) for row in given)
    for name, given in rows.items():
        _make(con, name, given)
    return list(rows)


def _numbered(row: dict[str, Any], n: int) -> dict[str, Any]:
    return {name: v.replace("{n}", str(n)) if isinstance(v, str) else v for name, v in row.items()}


def _make(con: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    frame = pd.DataFrame(rows)
    for name in frame.columns:
        if frame[name].isna().all():
            frame[name] = frame[name].astype("string")
    con.execute(f"create schema if not exists {table.split('.')[0]}")
    con.register("frame", frame)
    columns = columns_of(table)
    if columns is None:
        con.execute(f"create table {table} as select * from frame")
        return
    unknown = set(frame.columns) - set(columns)
    assert not unknown, f"{table} has no column {', '.join(sorted(unknown))}"
    con.execute(f"create table {table} ({', '.join(f'{name} {type_}' for name, type_ in columns.items())})")
    con.execute(f"insert into {table} ({', '.join(frame.columns)}) select * from frame")


@lru_cache
def columns_of(table: str) -> dict[str, str] | None:
    """Columns and types by the model's description or the feed's contract; None for other tables."""
    schema, name = table.split(".")
    if schema == "lake" and name in load_contracts():
        own = {
            "partner_id": "text",
            "delivery_id": "text",
            "source_row": "bigint",
            "source_person_key": "text",
        }
        return own | dict(load_contracts()[name].lake_columns)
    file = models(schema).get(table) if schema in LAYERS else None
    if file is None:
        return None
    described = yaml.safe_load(file.read_text(encoding="utf-8"))["models"][0]["columns"]
    return {c["name"]: {"string": "text"}.get(c["data_type"], c["data_type"]) for c in described}
