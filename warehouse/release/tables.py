"""From the marts of a working database to published tables, and the hash that says whether they changed.

What belongs here: choosing columns, protecting, hashing. What does not: files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from warehouse.duck import quote_identifier, sql_literal
from warehouse.release.attack import Attacker
from warehouse.release.follow import apply_protection
from warehouse.release.protect import Policy, Protection, choose_suppressed
from warehouse.release.spec import RATE, RELEASE_ID, PublishedTable

WORKING = "working"


@dataclass(frozen=True)
class PublishedSet:
    """The tables of a release as temporary tables of a connection, protected, without the release's id."""

    tables: tuple[PublishedTable, ...]
    protection: Protection | None
    suppressed_rows: dict[str, int]
    warnings: tuple[str, ...]


def make_tables(
    con: duckdb.DuckDBPyConnection,
    tables: Sequence[PublishedTable],
    policy: Policy,
    attacker: Attacker | None = None,
) -> PublishedSet:
    """Make every published table whose source stands in the attached database `working`.

    A source that is absent is left out with a warning; a column that is absent is published empty with one, so that
    readers always find the columns that the interface promises.

    Args:
        con: a connection with the working database attached.
        tables: what is published.
        policy: what is protected.
        attacker: who tries what would be shown, before it is; without one nobody does.
    """
    present = _sources(con)
    made: list[PublishedTable] = []
    warnings: list[str] = []
    for table in tables:
        missing = {d.table for d in table.depends} - {t.name for t in made} - {RATE}
        if table.source not in present:
            warnings.append(f"{table.name} is not published: there is no {table.source}")
        elif missing or (table.depends and table.name != RATE and RATE not in {t.name for t in made}):
            warnings.append(f"{table.name} is not published: what its protection rests on is not")
        else:
            warnings += _select(con, table, present[table.source])
            made.append(table)
    protection = _protect(con, made, policy, attacker or Attacker(policy))
    counts = {table.name: apply_protection(con, table, f"raw_{table.name}", policy) for table in made}
    for table in made:
        con.execute(f"drop table raw_{table.name}")
    return PublishedSet(tuple(made), protection, counts, tuple(warnings))


def hashed_columns(table: PublishedTable) -> dict[str, str]:
    """Columns and types that make up a table's hash: all but the release's id and what tells of the moment."""
    return {
        name: column.type
        for name, column in table.all_columns.items()
        if name != RELEASE_ID and name not in table.volatile
    }


def table_hash(con: duckdb.DuckDBPyConnection, relation: str, columns: Mapping[str, str]) -> str:
    """SHA-256 of a table's sorted rows, the same on every machine; floats count to twelve digits.

    Args:
        con: a connection in which `relation` can be read.
        relation: a table, view or file reader.
        columns: names and types that count, see `hashed_columns`.
    """
    parts = ", ".join(_as_text(name, kind) for name, kind in columns.items())
    row = con.execute(
        f"select sha256(coalesce(string_agg(line, chr(10) order by line), '')) "
        f"from (select sha256(concat_ws(chr(31), {parts})) as line from {relation})"
    ).fetchone()
    header = ",".join(f"{name}:{kind}" for name, kind in columns.items())
    return hashlib.sha256(f"{header}|{row[0] if row else ''}".encode()).hexdigest()


def _as_text(name: str, kind: str) -> str:
    quoted = quote_identifier(name)
    # Adding zero makes a negative zero a plain one.
    text = f"printf('%.12g', {quoted} + 0.0)" if kind == "double" else f"{quoted}::varchar"
    return f"coalesce({text}, chr(30))"


def _sources(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    rows = con.execute(
        "select table_schema || '.' || table_name from information_schema.tables where table_catalog = $catalog",
        {"catalog": WORKING},
    ).fetchall()
    return {name: f"{WORKING}.{name}" for (name,) in rows}


def _select(con: duckdb.DuckDBPyConnection, table: PublishedTable, source: str) -> list[str]:
    held = {row[0] for row in con.execute(f"describe {source}").fetchall()}
    chosen, warnings = [], []
    for name, column in table.columns.items():
        value = quote_identifier(name) if name in held else "null"
        chosen.append(f"cast({value} as {column.type}) as {quote_identifier(name)}")
        if name not in held:
            warnings.append(f"{table.name}.{name} is empty: {table.source} has no such column")
    con.execute(f"create or replace temp table raw_{table.name} as select {', '.join(chosen)} from {source}")
    return warnings


def _protect(
    con: duckdb.DuckDBPyConnection, made: Sequence[PublishedTable], policy: Policy, attacker: Attacker
) -> Protection | None:
    names = {table.name for table in made}
    if RATE not in names:
        return None
    if "pub_organization_v1" in names:
        con.execute(
            "create or replace temp table parent_of as select organization_key, any_value(parent_organization_key) "
            "as parent_organization_key from raw_pub_organization_v1 group by organization_key"
        )
    else:
        con.execute(
            "create or replace temp table parent_of as "
            f"select {sql_literal('')} as organization_key, null::varchar as parent_organization_key"
        )
    attacker.mark_shown(con, f"raw_{RATE}")
    return choose_suppressed(con, f"raw_{RATE}", policy, attacker.withhold)
