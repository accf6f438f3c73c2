"""Removing deliveries from one place each; every function may run again after a crash, and counts what it removed.

What belongs here: removal. What does not: the order of removals (`destroy`).
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from warehouse.ledger import Delivery
from warehouse.settings import CommunityPaths

# Tables of the vault by the columns that name source persons; `person_event` holds them in a list.
_BY_PERSON = {
    "person_record": ("source_person_key",),
    "household_record": ("source_person_key",),
    "link_review": ("left_key", "right_key"),
    "link_decision": ("left_key", "right_key"),
    "link_record": ("node",),
    "link_edge": ("left_node", "right_node"),
}


def from_vault(con: duckdb.DuckDBPyConnection, delivery_ids: Sequence[str]) -> dict[str, int]:
    """Delete identifiers of deliveries, and all that linkage knows of source persons whom nobody else delivered.

    Leaves table `vault.destroying` with their keys, for the search; call `drop_keys` after it. One transaction.
    """
    con.register("given", pa.table({"delivery_id": pa.array(list(delivery_ids), pa.string())}))
    con.execute("begin")
    try:
        con.execute("create table if not exists vault.destroying (source_person_key text)")
        con.execute(
            """insert into vault.destroying select distinct source_person_key from vault.identifier_record
            where delivery_id in (select delivery_id from given)"""
        )
        removed = {
            "vault identifier records": _delete(
                con, "vault.identifier_record", "delivery_id in (select delivery_id from given)"
            )
        }
        con.execute(
            """delete from vault.destroying where source_person_key in
            (select source_person_key from vault.identifier_record)"""
        )
        removed["vault linkage records"] = _forget_persons(con)
        con.execute("delete from vault.link_delivery where delivery_id in (select delivery_id from given)")
        # Without its state the next linkage takes in everything anew.
        con.execute("delete from vault.link_state")
        con.execute("commit")
    except BaseException:
        con.execute("rollback")
        raise
    finally:
        con.unregister("given")
    return removed


def forget_persons(con: duckdb.DuckDBPyConnection, source_person_keys: Sequence[str]) -> dict[str, int]:
    """Delete all that the vault knows of source persons, who asked for it; one transaction."""
    con.register("given", pa.table({"key": pa.array(list(source_person_keys), pa.string())}))
    con.execute("begin")
    try:
        con.execute("create table if not exists vault.destroying (source_person_key text)")
        con.execute("insert into vault.destroying select key from given")
        removed = {
            "vault identifier records": _delete(
                con, "vault.identifier_record", "source_person_key in (select key from given)"
            ),
            "vault linkage records": _forget_persons(con),
        }
        con.execute("delete from vault.link_state")
        con.execute("commit")
    except BaseException:
        con.execute("rollback")
        raise
    finally:
        con.unregister("given")
    return removed


def drop_keys(con: duckdb.DuckDBPyConnection) -> None:
    """Forget the keys that the search needed."""
    con.execute("drop table if exists vault.destroying")


def _forget_persons(con: duckdb.DuckDBPyConnection) -> int:
    gone = "(select source_person_key from vault.destroying)"
    present = {
        row[0]
        for row in con.execute(
            "select table_name from duckdb_tables() where database_name = 'vault'"
        ).fetchall()
    }
    removed = 0
    for table, columns in _BY_PERSON.items():
        if table in present:
            removed += _delete(con, f"vault.{table}", " or ".join(f"{c} in {gone}" for c in columns))
    con.execute(
        """update vault.person_event as e set record_keys = coalesce(left_over.record_keys, [])
        from (
            select event_n, list(key order by key) filter (where source_person_key is null) as record_keys
            from (select event_n, unnest(record_keys) as key from vault.person_event)
            left join (select distinct source_person_key from vault.destroying) on key = source_person_key
            group by event_n having count(source_person_key) > 0
        ) as left_over
        where left_over.event_n = e.event_n"""
    )
    con.execute(
        """update vault.person set status = 'retired' where status = 'active'
        and person_key not in (select person_key from vault.person_record where valid_to is null)"""
    )
    return removed


def files_of(paths: CommunityPaths, deliveries: Sequence[Delivery]) -> dict[str, int]:
    """Delete lake files, quarantined rows and originals of deliveries."""
    removed = {"lake files": 0, "quarantine files": 0, "archived originals": 0}
    for delivery in deliveries:
        lake = paths.lake / delivery.feed_id / delivery.partner_id / delivery.delivery_id
        removed["lake files"] += _remove_tree(lake)
        quarantine = paths.quarantine / delivery.partner_id / f"{delivery.delivery_id}.parquet"
        removed["quarantine files"] += _remove(quarantine)
        original = paths.archive / delivery.partner_id / f"{delivery.sha256}.enc"
        removed["archived originals"] += _remove(original)
    return removed


def folders_of(paths: CommunityPaths, partner_id: str) -> dict[str, int]:
    """Delete everything else that a partner's folders hold: refused originals, cut-off writes, undelivered drops."""
    removed = {
        "archived originals": _remove_tree(paths.archive / partner_id),
        "quarantine files": _remove_tree(paths.quarantine / partner_id),
        "files in the drop folder": _remove_tree(paths.landing / partner_id),
        "lake files": sum(_remove_tree(feed / partner_id) for feed in paths.lake.iterdir() if feed.is_dir())
        if paths.lake.is_dir()
        else 0,
    }
    (paths.landing / partner_id).mkdir(parents=True, exist_ok=True, mode=0o700)
    return removed


def working_copies(paths: CommunityPaths) -> dict[str, int]:
    """Delete the working database and temporary files; the next night builds them from what is left."""
    return {
        "working databases": _remove_tree(paths.warehouse.parent, keep_folder=True),
        "temporary files": _remove_tree(paths.temp, keep_folder=True),
    }


def _delete(con: duckdb.DuckDBPyConnection, table: str, condition: str) -> int:
    row = con.execute(f"select count(*) from {table} where {condition}").fetchone()
    con.execute(f"delete from {table} where {condition}")
    return int(row[0]) if row else 0


def _remove(file: Path) -> int:
    if not file.exists():
        return 0
    file.unlink()
    return 1


def _remove_tree(folder: Path, *, keep_folder: bool = False) -> int:
    if not folder.is_dir():
        return 0
    count = sum(1 for file in folder.rglob("*") if file.is_file() or file.is_symlink())
    shutil.rmtree(folder)
    if keep_folder:
        folder.mkdir(mode=0o700)
    return count
