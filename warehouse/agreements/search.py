"""The proof: a search of every place for remains of source persons and deliveries that were destroyed.

What belongs here: looking. What does not: removing (`stores`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from warehouse.duck import quote_identifier, sql_literal
from warehouse.ledger import Delivery
from warehouse.settings import CommunityPaths

_TOKEN = re.compile(rb"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_CHUNK = 1 << 22
_OVERLAP = 64


class RemainsFoundError(RuntimeError):
    """Something of the destroyed data is still there; the message names the places."""


def search_everywhere(
    con: duckdb.DuckDBPyConnection, paths: CommunityPaths, deliveries: Sequence[Delivery]
) -> tuple[dict[str, int], int]:
    """Look for the keys in `vault.destroying` and for rows and files of the deliveries, in every store.

    Tables (vault, lake, crosswalk, working and released databases) are asked column by column, as their files are
    compressed; all other files below data/ are searched byte by byte.

    Args:
        con: the vault attached, with table `vault.destroying`.
        paths: the community.
        deliveries: those destroyed.

    Returns:
        What was searched, by place; the number of keys searched for.

    Raises:
        RemainsFoundError: something is left.
    """
    con.execute(
        "create or replace temp table gone_key as select distinct source_person_key as key from vault.destroying"
    )
    con.register("gone_given", pa.table({"id": pa.array([d.delivery_id for d in deliveries], pa.string())}))
    con.execute("create or replace temp table gone_delivery as select distinct id from gone_given")
    con.unregister("gone_given")
    keys = {row[0].encode() for row in con.execute("select key from gone_key").fetchall()}
    found: list[str] = []
    searched = {
        "vault tables": _vault(con, found),
        "tables in files": _table_files(con, paths, found),
        "other files, byte by byte": _bytes(paths, keys, found),
        "places that must be gone": _absent(paths, deliveries, found),
    }
    if found:
        raise RemainsFoundError(
            "remains were found in "
            + "; ".join(sorted(found)[:20])
            + ". Run the same command again; if they stay, "
            "delete these places by hand and run it once more."
        )
    return searched, len(keys)


def _vault(con: duckdb.DuckDBPyConnection, found: list[str]) -> int:
    rows = con.execute(
        """select table_name, column_name, data_type from duckdb_columns()
        where database_name = 'vault' and table_name not in ('destroying', 'removed_subject') and data_type in ('VARCHAR', 'VARCHAR[]')
          and (table_name, column_name) not in (values ('linkage_run', 'run_id'))"""
    ).fetchall()
    for table, column, kind in rows:
        name = quote_identifier(column)
        value = f"unnest({name})" if kind.endswith("[]") else name
        _ask(con, f"select {value} as v from vault.{quote_identifier(table)}", f"vault table {table}", found)
    return len({row[0] for row in rows})


def _table_files(con: duckdb.DuckDBPyConnection, paths: CommunityPaths, found: list[str]) -> int:
    count = 0
    for file in _files(paths):
        if file.suffix == ".parquet":
            count += 1
            _parquet(con, file, file.relative_to(paths.data).as_posix(), found)
        elif file.suffix == ".duckdb":
            count += 1
            _database(con, file, file.relative_to(paths.data).as_posix(), found)
    return count


def _parquet(con: duckdb.DuckDBPyConnection, file: Path, place: str, found: list[str]) -> None:
    source = f"read_parquet({sql_literal(str(file))})"
    names = con.execute(f"select column_name, column_type from (describe select * from {source})").fetchall()
    for name in (name for name, kind in names if kind == "VARCHAR" and _may_hold(name)):
        _ask(con, f"select {quote_identifier(name)} as v from {source}", place, found)


def _database(con: duckdb.DuckDBPyConnection, file: Path, place: str, found: list[str]) -> None:
    con.execute(f"attach {sql_literal(str(file))} as searched (read_only)")
    try:
        rows = con.execute(
            """select schema_name, table_name, column_name from duckdb_columns()
            where database_name = 'searched' and data_type = 'VARCHAR'"""
        ).fetchall()
        for schema, table, column in rows:
            if _may_hold(column):
                parts = ".".join(quote_identifier(part) for part in ("searched", schema, table))
                _ask(
                    con,
                    f"select {quote_identifier(column)} as v from {parts}",
                    f"{place}, table {table}",
                    found,
                )
    finally:
        con.execute("detach searched")


def _may_hold(column: str) -> bool:
    """Whether a column of a file outside the vault could hold a source person's key."""
    return column.endswith(("_key", "_id", "node", "key"))


def _ask(con: duckdb.DuckDBPyConnection, query: str, place: str, found: list[str]) -> None:
    row = con.execute(f"select count(*) from ({query}) where v in (select key from gone_key)").fetchone()
    if row and row[0]:
        found.append(place)


def _bytes(paths: CommunityPaths, keys: set[bytes], found: list[str]) -> int:
    """Search all files that are neither tables nor encrypted; keys are 32 hex characters."""
    count = 0
    for file in _files(paths):
        if (
            file.suffix in {".parquet", ".duckdb"}
            or paths.vault.parent in file.parents
            or file.suffix == ".enc"
        ):
            continue
        count += 1
        if keys and any(token in keys for token in _tokens(file)):
            found.append(file.relative_to(paths.data).as_posix())
    return count


def _tokens(file: Path) -> Iterator[bytes]:
    kept = b""
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            text = kept + chunk
            yield from _TOKEN.findall(text)
            kept = text[-_OVERLAP:]


def _absent(paths: CommunityPaths, deliveries: Sequence[Delivery], found: list[str]) -> int:
    places = set()
    for d in deliveries:
        places |= {
            paths.lake / d.feed_id / d.partner_id / d.delivery_id,
            paths.quarantine / d.partner_id / f"{d.delivery_id}.parquet",
            paths.archive / d.partner_id / f"{d.sha256}.enc",
        }
    found += [place.relative_to(paths.data).as_posix() for place in places if place.exists()]
    return len(places)


def _files(paths: CommunityPaths) -> Iterator[Path]:
    left_out = {paths.vault.parent, paths.quarantine, paths.keys}
    for file in sorted(paths.data.rglob("*")):
        if file.is_file() and not file.is_symlink() and not left_out & set(file.parents):
            yield file
