"""What the database keeps behind the views: tables with the rows of several releases, and the pointer to the current.

What belongs here: names, the one writer at a time, tables and views as the release's columns ask. What does not: rows
(`load`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg

from warehouse.duck import quote_identifier, sql_literal
from warehouse.publish.base import PublishError
from warehouse.publish.package import PackageTable
from warehouse.publish.postgresql.connect import run

RELEASE_ID = "release_id"
TYPES: Mapping[str, str] = {
    "string": "text",
    "integer": "bigint",
    "number": "double precision",
    "boolean": "boolean",
    "date": "date",
}


@dataclass(frozen=True)
class Store:
    """Names in the database: schema `name` holds the views, schema `name_store` what is behind them."""

    name: str

    @property
    def views(self) -> str:
        """Schema of the views, quoted."""
        return quote_identifier(self.name)

    @property
    def behind(self) -> str:
        """Schema of tables and pointer, quoted."""
        return quote_identifier(f"{self.name}_store")

    def view(self, table: str) -> str:
        """A published view, in full."""
        return f"{self.views}.{quote_identifier(table)}"

    def table(self, table: str) -> str:
        """The table behind it, in full."""
        return f"{self.behind}.{quote_identifier(table)}"


def lock_store(con: psycopg.Connection, store: Store) -> None:
    """Be the one writer until the connection ends.

    Raises:
        PublishError: another process publishes to this schema now.
    """
    row = run(
        con, "select pg_try_advisory_lock(hashtextextended(%s, 0))", [f"throughline {store.name}"]
    ).fetchone()
    if row is None or not row[0]:
        raise PublishError(
            f"PostgreSQL: another process publishes to schema {store.name} now; let it end, then `throughline publish`."
        )


def prepare_store(
    con: psycopg.Connection, store: Store, tables: Sequence[PackageTable], readers: Sequence[str]
) -> None:
    """Make or extend schemas, tables, views, comments and grants as a release's tables ask.

    Where nothing is new, nothing is locked that a reader can hold.

    Raises:
        PublishError: a column changed its type, which needs a new version of the table's name.
        psycopg.errors.LockNotAvailable: a reader or another change holds a table that needs a new column.
    """
    with con.transaction():
        for schema in (store.behind, store.views):
            run(con, f"create schema if not exists {schema}")
        run(
            con,
            f"create table if not exists {store.behind}.release (release_id text primary key, "
            "number bigint not null, made_at timestamptz not null, loaded_at timestamptz not null default now())",
        )
        run(
            con,
            f"create table if not exists {store.behind}.current_release "
            "(only_row boolean primary key default true check (only_row), release_id text not null, "
            "switched_at timestamptz not null default now())",
        )
        for table in tables:
            _ensure_table(con, store, table)
            _ensure_view(con, store, table)
        for role in readers:
            run(con, f"grant usage on schema {store.views} to {quote_identifier(role)}")
            for table in tables:
                run(con, f"grant select on {store.view(table.name)} to {quote_identifier(role)}")


def current_release(con: psycopg.Connection, store: Store) -> str | None:
    """The release that readers see; None before the first."""
    held = run(con, "select to_regclass(%s)", [f"{store.behind}.current_release"]).fetchone()
    if held is None or held[0] is None:
        return None
    row = run(con, f"select release_id from {store.behind}.current_release").fetchone()
    return str(row[0]) if row else None


def columns_of(con: psycopg.Connection, relation: str) -> dict[str, str]:
    """Columns of a relation and their types, in order; empty where there is none."""
    rows = run(
        con,
        "select attname, format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum",
        [relation],
    ).fetchall()
    return {str(name): str(kind) for name, kind in rows}


def _ensure_table(con: psycopg.Connection, store: Store, table: PackageTable) -> None:
    behind = store.table(table.name)
    held = columns_of(con, behind)
    if not held:
        columns = ", ".join(f"{quote_identifier(c.name)} {TYPES[c.kind]}" for c in table.columns)
        keys = ", ".join(quote_identifier(key) for key in (RELEASE_ID, *table.keys))
        run(con, f"create table {behind} ({columns})")
        run(con, f"create unique index on {behind} ({keys})")
    for column in table.columns if held else ():
        kind = TYPES[column.kind]
        if column.name not in held:
            run(con, f"alter table {behind} add column {quote_identifier(column.name)} {kind}")
        elif held[column.name] != kind:
            raise PublishError(
                f"PostgreSQL: {table.name}.{column.name} was {held[column.name]} and is {kind} now; readers keep what "
                "they have. A column that changes its type needs a new version of the table's name."
            )
    _ensure_comments(con, "table", behind, table)


def _ensure_view(con: psycopg.Connection, store: Store, table: PackageTable) -> None:
    """Put the view in place where it is absent or lacks a column; new columns come last, as the database asks.

    The pointer is read by each statement with the statement's own snapshot: one statement reads one release, a switch
    waits for no reader and no reader waits for a switch.
    """
    view = store.view(table.name)
    held, behind = columns_of(con, view), columns_of(con, store.table(table.name))
    if set(held) != set(behind):
        order = [*held, *(name for name in behind if name not in held)]
        run(
            con,
            f"create or replace view {view} as select {', '.join(map(quote_identifier, order))} "
            f"from {store.table(table.name)} "
            f"where {RELEASE_ID} = (select p.release_id from {store.behind}.current_release p)",
        )
    _ensure_comments(con, "view", view, table)


def _ensure_comments(con: psycopg.Connection, kind: str, relation: str, table: PackageTable) -> None:
    rows = run(
        con,
        "select coalesce(a.attname, ''), d.description from pg_description d left join pg_attribute a "
        "on a.attrelid = d.objoid and a.attnum = d.objsubid and d.objsubid > 0 "
        "where d.objoid = to_regclass(%s) and d.classoid = 'pg_class'::regclass",
        [relation],
    ).fetchall()
    held = {str(name): str(text) for name, text in rows}
    if held.get("") != table.about:
        run(con, f"comment on {kind} {relation} is {sql_literal(table.about)}")
    for column in table.columns:
        if held.get(column.name) != column.about:
            name = f"{relation}.{quote_identifier(column.name)}"
            run(con, f"comment on column {name} is {sql_literal(column.about)}")
