"""Everything that is held of one person, as one private file.

What belongs here: gathering and writing it. What does not: finding the person (`find`).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import duckdb

from warehouse import duck
from warehouse.community import Community
from warehouse.duck import quote_identifier, sql_literal
from warehouse.settings import Settings
from warehouse.subjects.find import Subject, find_subject, open_vault


def export_subject(
    community: Community,
    settings: Settings,
    partner_id: str,
    local_id: str,
    target: Path,
    *,
    only_named: bool = False,
) -> Subject:
    """Write what is held of a person: identifiers by source, rows of every feed, the wide journey row.

    The file has mode 0600 and must not exist. Deliveries out of force are included, as they are held too.

    Raises:
        SubjectNotFoundError: nothing is held under this id.
        FileExistsError: the target is there already.
    """
    con = duck.connect(memory_limit=settings.memory_limit, temp_directory=community.paths.temp)
    try:
        open_vault(con, community, settings, purpose="subject request: export", read_only=True)
        subject = find_subject(con, community, partner_id, local_id, only_named=only_named)
        con.execute(
            "set variable subject_keys = $keys::varchar[]", {"keys": list(subject.source_person_keys)}
        )
        document = {
            "made_at": settings.clock().isoformat(timespec="seconds"),
            "community": community.config.name,
            "person_key": subject.person_key,
            "identifiers": _rows(
                con,
                "select * exclude (row_n) from vault.identifier_record "
                "where list_contains(getvariable('subject_keys'), source_person_key) order by all",
            ),
            "rows_by_feed": _lake(con, community),
            "journey": _journey(con, community, subject),
        }
    finally:
        con.close()
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        json.dump(document, out, indent=1, default=str, ensure_ascii=False)
    return subject


def _lake(con: duckdb.DuckDBPyConnection, community: Community) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for feed in sorted(community.paths.lake.iterdir()) if community.paths.lake.is_dir() else []:
        files = sorted(str(file) for file in feed.rglob("*.parquet")) if not feed.name.startswith("_") else []
        if not files:
            continue
        source = f"read_parquet([{', '.join(map(sql_literal, files))}], union_by_name = true)"
        columns = {row[0] for row in con.execute(f"describe select * from {source}").fetchall()}
        if "source_person_key" in columns:
            rows = _rows(
                con,
                f"select * from {source} where list_contains(getvariable('subject_keys'), source_person_key) "
                "order by delivery_seq, source_row",
            )
            if rows:
                found[feed.name] = rows
    return found


def _journey(con: duckdb.DuckDBPyConnection, community: Community, subject: Subject) -> list[dict[str, Any]]:
    if subject.person_key is None or not community.paths.warehouse.exists():
        return []
    con.execute(f"attach {sql_literal(str(community.paths.warehouse))} as working (read_only)")
    schema = con.execute(
        "select schema_name from duckdb_tables() where database_name = 'working' and table_name = 'mart_person_journey'"
    ).fetchone()
    if schema is None:
        return []
    table = f"working.{quote_identifier(schema[0])}.mart_person_journey"
    return _rows(con, f"select * from {table} where person_key = {sql_literal(subject.person_key)}")


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """Rows as they are, without columns that are empty in all of them."""
    answer = con.execute(query)
    names = [column[0] for column in answer.description or []]
    rows = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
    return [{name: value for name, value in row.items() if value is not None} for row in rows]
