"""True stories of which some cells are withheld, and what is published of them.

What belongs here: making a published table of a few rows. What does not: what it may tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb

from warehouse.release import published_tables
from warehouse.release.follow import apply_protection
from warehouse.release.protect import Policy
from warehouse.release.spec import CELL_KEYS, GROUP_KEYS, GROUP_LABEL, SUPPRESSED, PublishedTable

POLICY = Policy(10, True, "here")
TABLES = {table.name: table for table in published_tables()}
PLACE = {"indicator_id": "i", "geography_id": "here", "organization_key": "all", "race_scheme": "federal7"}
EVERYBODY = {"race_group": "all", "gender_group": "all", "economic_group": "all"}
Row = Mapping[str, Any]


def cell(year: int, race: str = "asian", **other: str) -> dict[str, Any]:
    """Key of a cell, a race of the whole place unless said otherwise."""
    return {"cohort_year": year, **PLACE, **EVERYBODY, "race_group": race} | other


def published(
    table: PublishedTable,
    rows: Sequence[Row],
    withheld: Sequence[Row],
    others: Mapping[str, Sequence[Row]] | None = None,
) -> list[tuple[Any, ...]]:
    """What is published of these rows where these cells are withheld; `others` are published tables that it looks at."""
    with duckdb.connect() as con:
        hold_withheld(con, withheld)
        told = table.model_dump_json()
        for name in TABLES:
            if name in told and name != table.name:
                _create(con, name, TABLES[name], (others or {}).get(name, []), mark=True)
        _create(con, "given", table, rows)
        apply_protection(con, table, "given", POLICY)
        return con.execute(f"select * from {table.name} order by {', '.join(table.keys)}").fetchall()


def hold_withheld(con: duckdb.DuckDBPyConnection, withheld: Sequence[Row]) -> None:
    """Make the table of withheld cells that every published table follows."""
    columns = ", ".join(f"{name} varchar" for name in (*CELL_KEYS, GROUP_LABEL))
    con.execute(
        f"create table suppressed_cell ({columns.replace('cohort_year varchar', 'cohort_year bigint')})"
    )
    for dark in withheld:
        parts = [dark[name] for name in GROUP_KEYS if dark[name] != "all"]
        _insert(con, "suppressed_cell", {**dark, GROUP_LABEL: " / ".join(parts)})


def _create(
    con: duckdb.DuckDBPyConnection, name: str, table: PublishedTable, rows: Sequence[Row], mark: bool = False
) -> None:
    columns = {column: about.type for column, about in table.columns.items()}
    columns |= {SUPPRESSED: "boolean"} if mark and table.is_protected else {}
    con.execute(f"create table {name} ({', '.join(f'{c} {kind}' for c, kind in columns.items())})")
    for row in rows:
        _insert(con, name, row)


def _insert(con: duckdb.DuckDBPyConnection, name: str, row: Row) -> None:
    con.execute(
        f"insert into {name} ({', '.join(row)}) values ({', '.join('?' for _ in row)})", list(row.values())
    )


def without(name: str, **change: Any) -> PublishedTable:
    """The published table with a rule taken out."""
    return TABLES[name].model_copy(update=change)
