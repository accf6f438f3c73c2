"""A reader in a process of its own: asks without pause until a file appears, then tells what it met as JSON.

Arguments: kind, where (folder of releases or URL), the file that ends it, seconds to breathe after each question.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

TABLES = ("pub_organization_v1", "pub_geography_v1", "pub_data_health_v1")
EACH = " union all ".join(
    f"select release_id, '{table}' as table_name, count(*) as n from {{0}}{table} group by release_id"
    for table in TABLES
)


def duckdb_held_open(where: str) -> Iterator[Callable[[], Any]]:
    """One connection through all releases."""
    import duckdb

    con = duckdb.connect(
        str(Path(where).resolve() / "throughline.duckdb"), read_only=True, config={"threads": 1}
    )
    while True:
        yield lambda: con.execute(EACH.format("")).fetchall()


def duckdb_opened_anew(where: str) -> Iterator[Callable[[], Any]]:
    """A new connection each time, through the stable path; a table a statement."""
    import duckdb

    def ask() -> Any:
        with duckdb.connect(f"{where}/throughline.duckdb", read_only=True, config={"threads": 1}) as con:
            return [
                row for part in EACH.format("").split(" union all ") for row in con.execute(part).fetchall()
            ]

    while True:
        yield ask


def postgresql_statements(where: str) -> Iterator[Callable[[], Any]]:
    """One connection, one statement over several tables at a time."""
    import psycopg

    con = psycopg.connect(where, autocommit=True)
    _server_processes.append(con.info.backend_pid)
    while True:
        yield lambda: con.execute(EACH.format("throughline.").encode()).fetchall()


def postgresql_transactions(where: str) -> Iterator[Callable[[], Any]]:
    """SQLAlchemy, a transaction of several statements at a time."""
    import sqlalchemy as sa

    engine = sa.create_engine(
        where.replace("postgresql:", "postgresql+psycopg:"), isolation_level="REPEATABLE READ"
    )

    with engine.connect() as first:  # the pool gives this one again and again
        _server_processes.append(first.connection.driver_connection.info.backend_pid)

    def ask() -> Any:
        with engine.connect() as con:
            parts = EACH.format("throughline.").split(" union all ")
            return [row for part in parts for row in con.execute(sa.text(part)).fetchall()]

    while True:
        yield ask


_server_processes: list[int] = []


def waited_for_a_core() -> float:
    """Seconds in which this thread, or the server's process behind it, could have worked but had no core.

    On a busy machine that is most of the time an answer takes; no lock is to blame for it.
    """
    total = 0
    for process in ("thread-self", *_server_processes):
        file = Path(f"/proc/{process}/schedstat")
        total += int(file.read_text().split()[1]) if file.exists() else 0
    return total / 1e9


def main(kind: str, where: str, end: str, breath: str) -> None:
    longest, asked, seen, mixed = 0.0, 0, [], 0
    for ask in globals()[kind](where):
        began, idle = time.monotonic(), waited_for_a_core()
        rows = ask()
        longest = max(longest, time.monotonic() - began - (waited_for_a_core() - idle))
        asked += 1
        ids = {row[0] for row in rows}
        # Every table of the release is there, and all are of one release.
        mixed += len(ids) != 1 or {row[1] for row in rows} != set(TABLES)
        seen += [name for name in sorted(ids) if name not in seen]
        if Path(end).exists():
            break
        time.sleep(float(breath))
    print(json.dumps({"kind": kind, "asked": asked, "longest": longest, "seen": seen, "mixed": mixed}))


if __name__ == "__main__":
    main(*sys.argv[1:])
