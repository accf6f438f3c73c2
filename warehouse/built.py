"""What a working database was built from, source by source, so that a night builds only what changed.

What belongs here: fingerprints of the sources of the models, kept inside the database itself. What does not: which
models follow from a source (dbt knows), or building (`orchestration.assets.models`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

import duckdb

from warehouse.duck import quote_identifier
from warehouse.ledger import LakeFile

_RECORD = "built.source"
_CHANGED = "built.changed"
# Fingerprint of code and engine; when it changes, every model may.
CODE = "code"
# What the quality gate alone reads: no model follows from it.
_NO_SOURCE = ("table_history", "linkage_history")
# Of the views without files in the ledger, what the models read.
_READ = {
    "lake.crosswalk": "* exclude (first_linked_run)",
    "lake.household": "*",
    "lake.linkage_quality": "*",
    "lake.delivery": "*",
}


def source_prints(
    con: duckdb.DuckDBPyConnection, feeds: Sequence[str], files: Sequence[LakeFile], code: str
) -> dict[str, str]:
    """Fingerprint of every source of the models, named as dbt names it (`lake.k12_enrollment`).

    Args:
        con: the working database with schemas `lake` and `config` filled.
        feeds: ids of all feeds, also those without a file.
        files: lake files in force.
        code: fingerprint of everything that is not data.
    """
    prints = {CODE: f"{code} duckdb {duckdb.__version__}"}
    for feed in feeds:
        mine = sorted((f.partner_id, f.delivery_seq, f.path, f.sha256) for f in files if f.feed_id == feed)
        prints[f"lake.{feed}"] = hashlib.sha256(json.dumps(mine).encode()).hexdigest()
    tables = con.execute(
        "select table_name from information_schema.tables where table_schema = 'config' "
        "and not list_contains($names, table_name) order by 1",
        {"names": list(_NO_SOURCE)},
    ).fetchall()
    for (table,) in tables:
        prints[f"config.{table}"] = _content(con, f"config.{quote_identifier(table)}", "*")
    for relation, columns in _READ.items():
        prints[relation] = _content(con, relation, columns)
    return prints


def _content(con: duckdb.DuckDBPyConnection, relation: str, columns: str) -> str:
    """A fingerprint of the rows whatever their order."""
    row = con.execute(
        f"select count(*) || '-' || coalesce(sum(hash(r)::hugeint), 0) from (select {columns} from {relation}) as r"
    ).fetchone()
    return str(row[0]) if row else ""


def read_prints(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What the database was built from; empty when it does not say."""
    try:
        return dict(con.execute(f"select source, print from {_RECORD}").fetchall())
    except duckdb.CatalogException:
        return {}


def write_prints(con: duckdb.DuckDBPyConnection, prints: Mapping[str, str]) -> None:
    """Note what the database is being built from; it counts once the database is put in place."""
    con.execute("create schema if not exists built")
    con.execute(f"create or replace table {_RECORD} (source varchar, print varchar)")
    con.executemany(f"insert into {_RECORD} values (?, ?)", sorted(prints.items()))


def changed_sources(before: Mapping[str, str], now: Mapping[str, str]) -> list[str] | None:
    """Sources whose content changed; None when everything has to be built."""
    if before.get(CODE) != now.get(CODE) or set(before) != set(now):
        return None
    return sorted(source for source, value in now.items() if before[source] != value)


def write_changed(con: duckdb.DuckDBPyConnection, changed: Sequence[str] | None) -> None:
    """Tell the build which sources changed; it adds the tables that came out different.

    Args:
        con: the working database, its prints written.
        changed: as `changed_sources` found them; None takes away what an earlier night left, and all is built.
    """
    if changed is None:
        con.execute(f"drop table if exists {_CHANGED}")
        return
    con.execute(f"create or replace table {_CHANGED} (name varchar)")
    if changed:
        con.executemany(f"insert into {_CHANGED} values (?)", [(name,) for name in changed])
