"""What leaves the vault: the crosswalk from source persons to person keys, and the quality of linkage.

What belongs here: writing these two files atomically. What does not: deciding any link.
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from warehouse.duck import sql_literal
from warehouse.settings import CommunityPaths

_CROSSWALK = """
    select r.source_person_key, coalesce(s.partner_id, 'unknown') as partner_id, r.person_key,
        r.link_confidence, r.link_stage, run.run_id as first_linked_run
    from {records} as r
    left join (select node, min(partner_id) as partner_id from {nodes} group by 1) as s
      on s.node = r.source_person_key
    join (select source_person_key, person_key, min(valid_from) as since from vault.person_record group by 1, 2)
      as first using (source_person_key, person_key)
    join (select sequence, run_id from vault.linkage_run) as run on run.sequence = first.since
    order by r.source_person_key"""


def write_crosswalk(con: duckdb.DuckDBPyConnection, paths: CommunityPaths, sequence: int) -> None:
    """Write `crosswalk.parquet` from the open rows of the vault.

    Grain: one row a source person in force. Columns: source_person_key, partner_id (whose id it is),
    person_key, link_confidence (0 to 1), link_stage, first_linked_run.
    """
    query = _CROSSWALK.format(
        records="(select * from vault.person_record where valid_to is null)", nodes="node_partner"
    )
    write_parquet(con, query, paths.crosswalk / "crosswalk.parquet", sequence)


def write_parquet(con: duckdb.DuckDBPyConnection, query: str, target: Path, sequence: int) -> None:
    """Write a query's result beside, make it durable, and rename it into place; carries its linkage number."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = target.with_name(f".{target.name}.part")
    con.execute(
        f"copy ({query}) to {sql_literal(str(beside))} "
        f"(format parquet, compression zstd, kv_metadata {{linkage_sequence: '{sequence}'}})"
    )
    beside.chmod(0o600)
    handle = os.open(beside, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    beside.replace(target)


def written_sequence(con: duckdb.DuckDBPyConnection, target: Path) -> int | None:
    """Number of the linkage that wrote a file; None where there is none or it is damaged."""
    if not target.exists():
        return None
    try:
        row = con.execute(
            f"select value::varchar from parquet_kv_metadata({sql_literal(str(target))}) "
            "where key = 'linkage_sequence'::blob"
        ).fetchone()
    except duckdb.Error:
        return None
    return int(row[0]) if row else None
