"""Making a release: published tables, disclosure control, files beside, one rename, one switch.

What belongs here: the order of the steps. What does not: what is suppressed (`protect`).
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from warehouse import duck
from warehouse.community import Community
from warehouse.duck import quote_identifier, sql_literal
from warehouse.fingerprint import configuration_hash
from warehouse.release.protect import RATE, mark_suppressed_cells, published_sql
from warehouse.release.shelf import MANIFEST, ReleaseInfo, list_releases, switch
from warehouse.settings import CommunityPaths, Settings

_HERE = Path(__file__).parent
_DATABASE = "throughline.duckdb"


@dataclass(frozen=True)
class ReleaseReport:
    """What came of building a release."""

    created: bool
    release_id: str
    path: Path
    message: str
    row_counts: dict[str, int] = field(default_factory=dict)
    suppressed_cells: int = 0


@lru_cache(maxsize=1)
def published_tables() -> list[dict[str, Any]]:
    """What is published, as `published.yml` says."""
    return list(yaml.safe_load((_HERE / "published.yml").read_text(encoding="utf-8")))


def build_release(
    paths: CommunityPaths,
    settings: Settings,
    community: Community,
    *,
    warehouse_db: Path,
    run_id: str,
    deliveries: Sequence[Mapping[str, Any]],
    input_fingerprint: str,
    code_version: str,
) -> ReleaseReport:
    """Publish the marts of a working database as the next release, unless nothing in them changed.

    Nothing partial is ever visible: the directory is made beside, forced to disk, renamed, and then `current` is
    switched in one step.
    """
    _sweep(paths)
    con = duck.connect(memory_limit=settings.memory_limit, temp_directory=paths.temp)
    try:
        con.execute(f"attach {sql_literal(str(warehouse_db))} as working (read_only)")
        suppressed, tables = _publish_tables(con, community)
        hashes = {name: _table_hash(con, name) for name in tables}
        previous = list_releases(paths)
        current = next((info for info in previous if info.is_current), None)
        if current is not None and _same(current, hashes):
            _confirm(current, input_fingerprint)
            return ReleaseReport(
                False,
                current.release_id,
                current.path,
                f"No published figure changed: release {current.release_id} stays.",
            )
        number = max((info.number for info in previous), default=0) + 1
        content = hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()
        release_id = f"{number:05d}-{content[:12]}"
        folder = paths.releases / f".building-{run_id}"
        folder.mkdir(parents=True)
        counts = _write_tables(con, folder, tables, release_id)
        _write_dictionary(con, folder, tables)
    finally:
        con.close()
    manifest = {
        "release_id": release_id,
        "number": number,
        "created_at": settings.clock().isoformat(),
        "run_id": run_id,
        "community_id": community.config.community_id,
        "community_name": community.config.name,
        "configuration_hash": configuration_hash(paths.root),
        "code_version": code_version,
        "input_fingerprint": input_fingerprint,
        "minimum_n": _minimum_n(community),
        "suppressed_cells": suppressed,
        "tables": {name: {"rows": counts[name], "hash": hashes[name]} for name in tables},
        "deliveries": [dict(delivery) for delivery in deliveries],
    }
    _report_card(folder, community, manifest)
    _seal(folder, manifest)
    final = paths.releases / release_id
    folder.rename(final)
    _sync(paths.releases)
    switch(paths, final)
    return ReleaseReport(True, release_id, final, f"Published release {release_id}.", counts, suppressed)


def _minimum_n(community: Community) -> int:
    """The strictest minimum of the community and of every partner's agreement."""
    asked = [p.agreement.minimum_n for p in community.partners.values() if p.agreement.minimum_n]
    return max([community.config.privacy.minimum_n, *asked])


def _sweep(paths: CommunityPaths) -> None:
    """Remove what an interrupted night left half made."""
    for leftover in paths.releases.glob(".building-*"):
        for folder in (leftover, *(item for item in leftover.rglob("*") if item.is_dir())):
            folder.chmod(0o755)
        shutil.rmtree(leftover)


def _publish_tables(con: duckdb.DuckDBPyConnection, community: Community) -> tuple[int, list[str]]:
    present = {
        row[1]: f"working.{row[0]}.{row[1]}"
        for row in con.execute(
            "select table_schema, table_name from information_schema.tables where table_catalog = 'working' "
            "and table_schema in ('marts', 'core')"
        ).fetchall()
    }
    suppressed = mark_suppressed_cells(con, "working.marts", _minimum_n(community)) if RATE in present else 0
    made = []
    for table in published_tables():
        if table["source"] not in present:
            continue
        source = present[table["source"]]
        columns = [row[0] for row in con.execute(f"describe {source}").fetchall()]
        con.execute(f"create temp table {table['name']} as {published_sql(table, source, columns)}")
        made.append(table["name"])
    return suppressed, made


def _table_hash(con: duckdb.DuckDBPyConnection, name: str) -> str:
    """SHA-256 over the rows in order, the same on every machine; floats to twelve digits."""
    columns = con.execute(f"describe {name}").fetchall()
    parts = ", ".join(
        f"coalesce(printf('%.12g', {quote_identifier(c[0])}), chr(30))"
        if c[1] == "DOUBLE"
        else f"coalesce({quote_identifier(c[0])}::varchar, chr(30))"
        for c in columns
    )
    row = con.execute(
        f"select sha256(coalesce(string_agg(line, chr(10) order by line), '')) from "
        f"(select sha256(concat_ws(chr(31), {parts})) as line from {name})"
    ).fetchone()
    header = ",".join(f"{c[0]}:{c[1]}" for c in columns)
    return hashlib.sha256(f"{header}|{row[0] if row else ''}".encode()).hexdigest()


def _same(current: ReleaseInfo, hashes: Mapping[str, str]) -> bool:
    return {name: table["hash"] for name, table in current.tables.items()} == dict(hashes)


def _confirm(current: ReleaseInfo, input_fingerprint: str) -> None:
    """Note that newer inputs lead to the same release, so that the next night need not ask again."""
    file = current.path.parent / f".confirmed-{current.path.name}"
    file.write_text(input_fingerprint, encoding="utf-8")


def _write_tables(
    con: duckdb.DuckDBPyConnection, folder: Path, tables: Sequence[str], release_id: str
) -> dict[str, int]:
    (folder / "tables").mkdir()
    (folder / "csv").mkdir()
    con.execute(f"attach {sql_literal(str(folder / _DATABASE))} as published")
    descriptions = {table["name"]: table["description"] for table in published_tables()}
    counts = {}
    for name in tables:
        query = f"select *, {sql_literal(release_id)} as release_id from {name} order by all"
        con.execute(f"create table published.main.{name} as {query}")
        con.execute(f"comment on table published.main.{name} is {sql_literal(descriptions[name])}")
        target = sql_literal(str(folder / "tables" / f"{name}.parquet"))
        con.execute(f"copy ({query}) to {target} (format parquet, compression zstd)")
        con.execute(
            f"copy ({query}) to {sql_literal(str(folder / 'csv' / f'{name}.csv'))} (format csv, header)"
        )
        row = con.execute(f"select count(*) from {name}").fetchone()
        counts[name] = int(row[0]) if row else 0
    con.execute("detach published")
    return counts


def _write_dictionary(con: duckdb.DuckDBPyConnection, folder: Path, tables: Sequence[str]) -> None:
    """Every published table and column with its type, as CSV."""
    with (folder / "dictionary.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["table", "column", "type"])
        for name in tables:
            for column in con.execute(f"describe {name}").fetchall():
                writer.writerow([name, column[0], column[1]])


def _report_card(folder: Path, community: Community, manifest: Mapping[str, Any]) -> None:
    from warehouse.report_card import write_report_card

    write_report_card(folder, community, manifest)


def _seal(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest with every file's hash, force all to disk, and take away the right to write."""
    files = sorted(item for item in folder.rglob("*") if item.is_file())
    manifest["files"] = {
        f.relative_to(folder).as_posix(): hashlib.sha256(f.read_bytes()).hexdigest() for f in files
    }
    (folder / MANIFEST).write_text(
        json.dumps(manifest, indent=1, sort_keys=True, default=str), encoding="utf-8"
    )
    for file in [*files, folder / MANIFEST]:
        file.chmod(0o444)
        _sync(file)
    for inner in [item for item in folder.rglob("*") if item.is_dir()]:
        _sync(inner)
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
