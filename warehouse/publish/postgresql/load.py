"""Rows of releases: loaded beside those that readers see, switched to by one row, removed when they are old.

What belongs here: COPY, the switch, removal. What does not: tables and views (`store`).
"""

from __future__ import annotations

import psycopg

from warehouse.duck import quote_identifier
from warehouse.publish.base import PublishError
from warehouse.publish.package import PackageTable, ReleaseFiles
from warehouse.publish.postgresql.connect import run
from warehouse.publish.postgresql.store import RELEASE_ID, Store

_CHUNK = 1 << 20


def load_release(con: psycopg.Connection, store: Store, release: ReleaseFiles) -> None:
    """Load all rows of a release in one transaction, unless they are there; no reader sees them yet.

    Raises:
        PublishError: a table has another number of rows than the release says.
        psycopg.Error: the database refused; nothing is left behind.
    """
    with con.transaction():
        held = run(
            con, f"select 1 from {store.behind}.release where release_id = %s", [release.release_id]
        ).fetchone()
        if held is not None:
            return
        for table in release.tables:
            _load_table(con, store, release.release_id, table)
        run(
            con,
            f"insert into {store.behind}.release (release_id, number, made_at) values (%s, %s, %s)",
            [release.release_id, release.number, release.created_at],
        )
    for table in release.tables:
        run(con, f"analyze {store.table(table.name)}")


def switch_release(con: psycopg.Connection, store: Store, release_id: str) -> None:
    """Make a loaded release the one that readers see: one row, no lock that a reader holds or waits for."""
    run(
        con,
        f"insert into {store.behind}.current_release (release_id) values (%s) on conflict (only_row) do update "
        "set release_id = excluded.release_id, switched_at = now() "
        "where current_release.release_id <> excluded.release_id",
        [release_id],
    )


def remove_old(con: psycopg.Connection, store: Store, keep: int) -> list[str]:
    """Remove the rows of releases beyond the last `keep` besides the current one; returns their ids.

    Whoever reads with an older snapshot goes on seeing them: the database gives their space free only after that
    reader's end.
    """
    old = [
        str(row[0])
        for row in run(
            con,
            f"select release_id from {store.behind}.release "
            f"where release_id not in (select release_id from {store.behind}.current_release) "
            "order by loaded_at desc, number desc offset %s",
            [keep],
        ).fetchall()
    ]
    if not old:
        return []
    tables = _tables(con, store)
    with con.transaction():
        for table in tables:
            run(con, f"delete from {table} where {RELEASE_ID} = any(%s)", [old])
        run(con, f"delete from {store.behind}.release where release_id = any(%s)", [old])
    for table in tables:
        # Giving space back to the disk would lock readers out for a moment; the next release uses it.
        run(con, f"vacuum (truncate false, skip_locked true, analyze) {table}")
    return old


def _load_table(con: psycopg.Connection, store: Store, release_id: str, table: PackageTable) -> None:
    behind = store.table(table.name)
    names = ", ".join(quote_identifier(c.name) for c in table.columns)
    copy = f"copy {behind} ({names}) from stdin (format csv, header match)"
    with con.cursor() as cursor, cursor.copy(copy.encode()) as stream, table.csv.open("rb") as file:
        while chunk := file.read(_CHUNK):
            stream.write(chunk)
    row = run(con, f"select count(*) from {behind} where {RELEASE_ID} = %s", [release_id]).fetchone()
    if row is None or row[0] != table.rows:
        raise PublishError(
            f"PostgreSQL: {table.name} of release {release_id} came to {row[0] if row else 0:,} rows instead of "
            f"{table.rows:,}; readers keep what they have. Prove the release with `throughline release verify`."
        )


def _tables(con: psycopg.Connection, store: Store) -> list[str]:
    """Tables behind views, also those that are no longer published."""
    rows = run(
        con,
        "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = %s "
        "where c.relnamespace = to_regnamespace(%s) and c.relkind = 'r' and c.relname like 'pub\\_%%' order by 1",
        [RELEASE_ID, store.behind],
    ).fetchall()
    return [store.table(str(name)) for (name,) in rows]
