"""A private place for what has to be unpacked or decrypted before it can be read, and for large tables of text.

What belongs here: making and clearing it. What does not: unpacking.
"""

from __future__ import annotations

import os
import secrets
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
from pyarrow import parquet

from ingestion.readers.model import Request
from warehouse.duck import quote_identifier, sql_literal
from warehouse.temporary import beside_spill, lasting_folder, private_folder

_KEY = "scratch"
# Rows of a table that is kept packed, and of each of its parts: what repeats in a part is worked on once.
_MANY = 20_000


class _Place:
    """Where a connection's kept tables lie: a private folder, and memory for those that may not lie on disk."""

    def __init__(self, root: Path | None) -> None:
        self._temporary = lasting_folder(root)
        self.folder = Path(self._temporary.name)
        self._memory: dict[str, int] = {}

    def new(self, relation: str) -> Path:
        """A name that no file had: DuckDB takes one of the same name and size for that which it has read before."""
        self.drop(relation)
        inner = self.folder / secrets.token_hex(8)
        inner.mkdir()
        return inner / f"{relation}.parquet"

    def in_memory(self, relation: str) -> Path:
        """The same, for a file that is nowhere but in memory."""
        path = self.new(relation)
        self._memory[relation] = os.memfd_create(relation)
        path.symlink_to(f"/proc/self/fd/{self._memory[relation]}")
        return path

    def drop(self, relation: str) -> None:
        """Free what a relation takes."""
        for path in self.folder.glob(f"*/{relation}.parquet"):
            path.unlink()
        if relation in self._memory:
            os.close(self._memory.pop(relation))

    def clear(self) -> None:
        """Free all."""
        for relation in list(self._memory):
            self.drop(relation)
        self._temporary.cleanup()


_places: weakref.WeakKeyDictionary[duckdb.DuckDBPyConnection, _Place] = weakref.WeakKeyDictionary()


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
    on once by whoever reads it. The file goes when the relation is dropped, or with the connection.
    """
    path = _place(con).new(relation)
    cipher = f"{{footer_key: '{_KEY}'}}"
    con.execute("set preserve_insertion_order = true")
    try:
        con.execute(
            f"copy ({query}) to {sql_literal(str(path))} (format parquet, compression lz4_raw, encryption_config {cipher})"
        )
    finally:
        con.execute("set preserve_insertion_order = false")
    _view(con, relation, path, f", encryption_config = {cipher}")


def has_memory() -> bool:
    """Whether this machine has files that lie in memory alone, as `kept_rows` needs them."""
    return hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir()


@contextmanager
def kept_rows(
    con: duckdb.DuckDBPyConnection, relation: str, schema: pa.Schema
) -> Iterator[Callable[[pa.RecordBatch], int]]:
    """Take rows in batches and make view `relation` over them, as `keep_table` does; after an error there is none.

    They lie packed in memory, not on disk: DuckDB fails to read a column by a condition when Arrow encrypted it.

    Yields:
        What takes the next batch of `schema`, whose dictionaries are kept as they are, and says how many bytes all of
        them take so far.
    """
    path = _place(con).in_memory(relation)
    options = {"compression": "lz4", "write_statistics": False, "store_schema": False}
    try:
        with parquet.ParquetWriter(path, schema, **options) as out:

            def keep(batch: pa.RecordBatch) -> int:
                out.write_batch(batch)
                return path.stat().st_size

            yield keep
    except BaseException:
        _place(con).drop(relation)
        raise
    _view(con, relation, path)


def load_texts(con: duckdb.DuckDBPyConnection, relation: str, texts: pa.Table) -> None:
    """Make `relation` of columns of text, with `_record` in their order: many rows as `kept_rows` does, few as a table."""
    drop_table(con, relation)
    if texts.num_rows >= _MANY and has_place(con) and has_memory():
        schema = pa.schema(dict.fromkeys(texts.column_names, pa.dictionary(pa.int32(), pa.string())))
        with kept_rows(con, relation, schema) as keep:
            for rows in texts.to_batches(max_chunksize=_MANY):
                keep(pa.record_batch([cells.dictionary_encode() for cells in rows.columns], schema=schema))
        return
    numbers = pa.array(range(1, texts.num_rows + 1), pa.int64())
    con.register("_texts", texts.add_column(0, "_record", numbers))
    try:
        con.execute(f"create table {quote_identifier(relation)} as from _texts")
    finally:
        con.unregister("_texts")


def _place(con: duckdb.DuckDBPyConnection) -> _Place:
    if con not in _places:
        con.execute(f"pragma add_parquet_key('{_KEY}', '{secrets.token_hex(16)}')")
        _places[con] = _Place(_temporary(con))
        weakref.finalize(con, _places[con].clear)
    return _places[con]


def _view(con: duckdb.DuckDBPyConnection, relation: str, path: Path, options: str = "") -> None:
    con.execute(
        f"create or replace view {quote_identifier(relation)} as "
        f"select file_row_number + 1 as _record, * exclude (file_row_number) "
        f"from read_parquet({sql_literal(str(path))}, file_row_number = true{options})"
    )


def is_kept(con: duckdb.DuckDBPyConnection, relation: str) -> bool:
    """Whether a relation is a view that `keep_table` or `kept_rows` made."""
    if con not in _places:
        return False
    row = con.execute(
        "select contains(sql, $folder) from duckdb_views() where view_name = $name and database_name = current_database()",
        {"name": relation, "folder": str(_places[con].folder)},
    ).fetchone()
    return bool(row and row[0])


def drop_table(con: duckdb.DuckDBPyConnection, relation: str) -> None:
    """Drop a relation if there is one, whether it is kept in memory or outside of it."""
    is_view = con.execute(
        "select count(*) from duckdb_views() where view_name = $name and database_name = current_database()",
        {"name": relation},
    ).fetchone()
    kind = "view" if is_view and is_view[0] else "table"
    con.execute(f"drop {kind} if exists {quote_identifier(relation)}")
    if con in _places:
        _places[con].drop(relation)


def _temporary(con: duckdb.DuckDBPyConnection) -> Path | None:
    found = con.execute("select current_setting('temp_directory')").fetchone()
    return beside_spill(Path(str(found[0]))) if found and found[0] else None
