"""A private place for what has to be unpacked or decrypted before it can be read, and for large tables of text.

What belongs here: making and clearing it. What does not: unpacking.
"""

from __future__ import annotations

import base64
import secrets
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
from pyarrow import parquet
from pyarrow.parquet import encryption

from ingestion.readers.model import Request
from warehouse.duck import quote_identifier, sql_literal
from warehouse.temporary import beside_spill, lasting_folder, private_folder

# DuckDB finds Arrow's files damaged when their keys are shorter.
_KEY_BYTES = 32
# DuckDB cannot open a second encrypted page of a column as Arrow writes them.
_ONE_PAGE = 1 << 30
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
    path, key = _kept_file(con, relation), secrets.token_bytes(_KEY_BYTES)
    cipher = _known_key(con, key)
    con.execute("set preserve_insertion_order = true")
    try:
        con.execute(
            f"copy ({query}) to {sql_literal(str(path))} (format parquet, compression lz4_raw, encryption_config {cipher})"
        )
    finally:
        con.execute("set preserve_insertion_order = false")
    _view(con, relation, path, cipher)


@contextmanager
def kept_rows(
    con: duckdb.DuckDBPyConnection, relation: str, schema: pa.Schema
) -> Iterator[Callable[[pa.RecordBatch], None]]:
    """Take rows in batches and make view `relation` over them, kept as by `keep_table`; nothing after an error.

    Yields:
        What takes the next batch of `schema`, whose dictionaries are kept as they are.
    """
    path, keeper = _kept_file(con, relation), _KeyKeeper()
    factory = encryption.CryptoFactory(lambda _: keeper)
    config = encryption.EncryptionConfiguration(
        "scratch", uniform_encryption=True, double_wrapping=False, data_key_length_bits=_KEY_BYTES * 8
    )
    sealed = factory.file_encryption_properties(encryption.KmsConnectionConfig(), config)
    with parquet.ParquetWriter(
        path,
        schema,
        compression="lz4",
        write_statistics=False,
        store_schema=False,
        data_page_size=_ONE_PAGE,
        dictionary_pagesize_limit=_ONE_PAGE,
        max_rows_per_page=_ONE_PAGE,
        encryption_properties=sealed,
    ) as out:
        yield out.write_batch
    _view(con, relation, path, _known_key(con, keeper.key))


class _KeyKeeper(encryption.KmsClient):
    """Knows the key that Arrow made for a file, so that this connection can read it; nothing of it is stored."""

    key = b""

    def __init__(self) -> None:
        encryption.KmsClient.__init__(self)

    def wrap_key(self, key_bytes: bytes, _: str) -> str:
        """Keep the key and write nothing of it into the file."""
        self.key = bytes(key_bytes)
        return "kept"

    def unwrap_key(self, _: str, __: str) -> bytes:
        """The key again."""
        return self.key


def _kept_file(con: duckdb.DuckDBPyConnection, relation: str) -> Path:
    if con not in _folders:
        folder = lasting_folder(_temporary(con))
        weakref.finalize(con, folder.cleanup)
        _folders[con] = Path(folder.name)
    return _folders[con] / f"{relation}.parquet"


def _known_key(con: duckdb.DuckDBPyConnection, key: bytes) -> str:
    """The options by which the connection reads and writes Parquet under a key."""
    name = f"scratch_{secrets.token_hex(4)}"
    con.execute(f"pragma add_parquet_key('{name}', '{base64.b64encode(key).decode()}')")
    return f"{{footer_key: '{name}'}}"


def _view(con: duckdb.DuckDBPyConnection, relation: str, path: Path, cipher: str) -> None:
    con.execute(
        f"create or replace view {quote_identifier(relation)} as "
        f"select file_row_number + 1 as _record, * exclude (file_row_number) "
        f"from read_parquet({sql_literal(str(path))}, file_row_number = true, encryption_config = {cipher})"
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
    return beside_spill(Path(str(found[0]))) if found and found[0] else None
