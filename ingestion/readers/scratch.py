"""A private place for what has to be unpacked or decrypted before it can be read, and for large tables of text.

What belongs here: making and clearing it. What does not: unpacking.
"""

from __future__ import annotations

import secrets
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ingestion.readers.model import Request
from warehouse.duck import quote_identifier, sql_literal
from warehouse.temporary import lasting_folder, private_folder

_KEY = "scratch"
_folders: weakref.WeakKeyDictionary[duckdb.DuckDBPyConnection, Path] = weakref.WeakKeyDictionary()


@contextmanager
def scratch_folder(request: Request) -> Iterator[Path]:
    """A folder that only this user can read, gone afterwards; where the connection keeps its own temporary files."""
    with private_folder(_temporary(request.con)) as folder:
        yield folder


def has_place(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the connection has a folder for temporary files."""
    return _temporary(con) is not None


def keep_table(con: duckdb.DuckDBPyConnection, relation: str, query: str) -> None:
    """Make view `relation` over the rows of a query, with `_record` in their order, kept outside of memory.

    The rows lie in a Parquet file encrypted with a key that only this connection has, so that what a killed run
    leaves behind tells nobody anything. It takes less memory than a table, and what repeats in a column is worked
    on once by whoever reads it. The file goes with the connection, or with the next table of this name.
    """
    if con not in _folders:
        folder = lasting_folder(_temporary(con))
        weakref.finalize(con, folder.cleanup)
        _folders[con] = Path(folder.name)
        con.execute(f"pragma add_parquet_key('{_KEY}', '{secrets.token_hex(16)}')")
    path = sql_literal(str(_folders[con] / f"{relation}.parquet"))
    cipher = f"{{footer_key: '{_KEY}'}}"
    con.execute("set preserve_insertion_order = true")
    try:
        con.execute(
            f"copy ({query}) to {path} (format parquet, compression lz4_raw, encryption_config {cipher})"
        )
    finally:
        con.execute("set preserve_insertion_order = false")
    con.execute(
        f"create or replace view {quote_identifier(relation)} as "
        f"select file_row_number + 1 as _record, * exclude (file_row_number) "
        f"from read_parquet({path}, file_row_number = true, encryption_config = {cipher})"
    )


def drop_table(con: duckdb.DuckDBPyConnection, relation: str) -> None:
    """Drop a relation if there is one, whether it is kept in memory or outside of it."""
    is_view = con.execute(
        "select count(*) from duckdb_views() where view_name = $name and database_name = current_database()",
        {"name": relation},
    ).fetchone()
    kind = "view" if is_view and is_view[0] else "table"
    con.execute(f"drop {kind} if exists {quote_identifier(relation)}")


def _temporary(con: duckdb.DuckDBPyConnection) -> Path | None:
    found = con.execute("select current_setting('temp_directory')").fetchone()
    spill = Path(str(found[0])) if found and found[0] else None
    return spill.parent if spill is not None and spill.parent.is_dir() else None
