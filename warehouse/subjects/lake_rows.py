"""Writing lake files anew without, or with other values for, one person's rows.

What belongs here: the files and their entries in the ledger. What does not: the vault.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from warehouse.duck import sql_literal
from warehouse.ledger import Ledger
from warehouse.settings import CommunityPaths


def drop_rows(
    con: duckdb.DuckDBPyConnection, paths: CommunityPaths, ledger: Ledger, keys: Sequence[str]
) -> tuple[int, set[str]]:
    """Write every lake file that holds one of the source persons anew without them.

    Returns:
        Rows dropped; ids of the deliveries concerned.
    """
    dropped, deliveries = 0, set()
    for file, held in _files_with(con, paths, keys):
        left = f"select * from {_read(file)} where not {_is_one(keys)} or source_person_key is null"
        _rewrite(con, paths, ledger, file, left)
        dropped += held
        deliveries.add(file.parent.name)
    return dropped, deliveries


def replace_value(
    con: duckdb.DuckDBPyConnection,
    paths: CommunityPaths,
    ledger: Ledger,
    keys: Sequence[str],
    column: str,
    value: str,
) -> int:
    """Give a column another value in all rows of the source persons; files without the column stay. Rows changed."""
    changed = 0
    for file, held in _files_with(con, paths, keys):
        kinds = dict(
            con.execute(
                f"select column_name, column_type from (describe select * from {_read(file)})"
            ).fetchall()
        )
        if column not in kinds:
            continue
        new = f"case when {_is_one(keys)} then cast({sql_literal(value)} as {kinds[column]}) else {column} end as {column}"
        _rewrite(con, paths, ledger, file, f"select * replace ({new}) from {_read(file)}")
        changed += held
    return changed


def _files_with(
    con: duckdb.DuckDBPyConnection, paths: CommunityPaths, keys: Sequence[str]
) -> Iterator[tuple[Path, int]]:
    for file in sorted(paths.lake.rglob("*.parquet")):
        if paths.crosswalk in file.parents:
            continue
        names = {row[0] for row in con.execute(f"describe select * from {_read(file)}").fetchall()}
        if "source_person_key" in names:
            row = con.execute(f"select count(*) from {_read(file)} where {_is_one(keys)}").fetchone()
            if row and row[0]:
                yield file, int(row[0])


def _is_one(keys: Sequence[str]) -> str:
    return f"source_person_key in ({', '.join(sql_literal(key) for key in keys)})"


def _read(file: Path) -> str:
    return f"read_parquet({sql_literal(str(file))})"


def _rewrite(
    con: duckdb.DuckDBPyConnection, paths: CommunityPaths, ledger: Ledger, file: Path, query: str
) -> None:
    """The ledger first: cut off between the two, the same rewriting is done again and ends alike."""
    beside = file.with_name(f".{file.name}.part")
    row = con.execute(
        f"copy ({query} order by source_row) to {sql_literal(str(beside))} (format parquet, compression zstd)"
    ).fetchone()
    beside.chmod(0o600)
    with beside.open("rb") as stream:
        os.fsync(stream.fileno())
    name = file.relative_to(paths.data).as_posix()
    ledger.rewrite_file(name, rows=int(row[0]) if row else 0, sha256=_sha256(beside))
    beside.replace(file)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
