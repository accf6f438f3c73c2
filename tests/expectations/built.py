"""Faults put into the tables of a built working database, where no delivery can cause them.

What belongs here: writing them. What does not: running the gate on them (`tests/end_to_end/test_gate.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from expectations.model import Rule, Suite


def break_tables(database: Path, suites: Sequence[Suite], *, alone: bool = False) -> None:
    """Put the rows that the suites' rules reject into built tables, and what they need beside them.

    Args:
        database: a working database of which nobody needs the tables any more.
        suites: with the rules to be broken.
        alone: throw away what was built of these tables, for rules that miss something.
    """
    faults = [_rows(suite, rule) for suite in suites for rule in suite.rules]
    with duckdb.connect(str(database)) as con:
        for table in sorted({table for fault in faults for table in fault}):
            _free(con, table, empty=alone)
        for fault in faults:
            for table, rows in fault.items():
                for row in rows:
                    names = ", ".join(f'"{name}"' for name in row)
                    marks = ", ".join("?" for _ in row)
                    con.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))


def _rows(suite: Suite, rule: Rule) -> dict[str, list[dict[str, Any]]]:
    """The rows of a rule's fault by table, as often as it asks for."""
    given = {suite.table: rule.rejects} | rule.beside
    return {
        table: [_numbered(row, number) for number in range(rule.repeat) for row in rows]
        for table, rows in given.items()
    }


def _numbered(row: dict[str, Any], number: int) -> dict[str, Any]:
    return {name: v.replace("{n}", str(number)) if isinstance(v, str) else v for name, v in row.items()}


def _free(con: duckdb.DuckDBPyConnection, table: str, *, empty: bool) -> None:
    """Make a plain table of a table or view: the models' own constraints would refuse the fault first."""
    con.execute(f"create or replace temp table kept as from {table} {'limit 0' if empty else ''}")
    schema, name = table.split(".")
    found = con.execute(
        "select table_type from information_schema.tables where table_schema = ? and table_name = ?",
        [schema, name],
    ).fetchone()
    con.execute(f"drop {'view' if found == ('VIEW',) else 'table'} {table}")
    con.execute(f"create table {table} as from kept")
