"""Opening DuckDB the one safe way: packaged extensions, bounded memory, encrypted spill files.

What belongs here: connections and attachments. What does not: any query.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import duckdb

from warehouse.temporary import spill_folder

_WHEEL_VERSION = f"v{duckdb.__version__}"


class ExtensionMissingError(RuntimeError):
    """A DuckDB extension wheel is not installed; the message names the package to install."""


def extension_path(name: str) -> Path:
    """Return the path of a DuckDB extension inside its installed wheel.

    Raises:
        ExtensionMissingError: the wheel `duckdb-extension-<name>` is absent or of another version.
    """
    module = f"duckdb_extension_{name}"
    spec = importlib.util.find_spec(module)
    for root in (spec.submodule_search_locations or []) if spec else []:
        found = Path(root) / "extensions" / _WHEEL_VERSION / f"{name}.duckdb_extension"
        if found.exists():
            return found
    package = f"duckdb-extension-{name.replace('_', '-')}=={duckdb.__version__}"
    raise ExtensionMissingError(f"DuckDB extension '{name}' is not installed; install the package {package}")


def load_extension(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load a packaged DuckDB extension into a connection; nothing is downloaded."""
    con.execute(f"load {sql_literal(str(extension_path(name)))}")


def connect(
    database: str | Path = ":memory:",
    *,
    read_only: bool = False,
    memory_limit: str | None = None,
    threads: int | None = None,
    temp_directory: Path | None = None,
) -> duckdb.DuckDBPyConnection:
    """Open DuckDB with encrypted spill files, insertion order free to change, and no network extensions.

    Args:
        database: a file or ":memory:".
        read_only: open without the right to write.
        memory_limit: for example "4GB"; DuckDB spills beyond it.
        threads: number of worker threads; the machine's cores when absent.
        temp_directory: below which spill files go, in a folder of their own; the machine's own when absent.
    """
    # Not by `set`: that is refused where a killed process left spill files.
    config: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "temp_file_encryption": "true",
    }
    con = duckdb.connect(str(database), read_only=read_only, config=config)
    load_extension(con, "httpfs")  # brings the cipher that encrypted files and spills need
    con.execute("set enable_progress_bar = false")
    if memory_limit:
        con.execute("set memory_limit = $limit", {"limit": memory_limit})
    if threads:
        con.execute(f"set threads = {int(threads)}")
    if temp_directory:
        temp_directory.mkdir(parents=True, exist_ok=True)
    con.execute(f"set temp_directory = {sql_literal(str(spill_folder(temp_directory)))}")
    con.execute("set preserve_insertion_order = false")
    return con


def attach_encrypted(
    con: duckdb.DuckDBPyConnection, path: Path, alias: str, key: str, *, read_only: bool = False
) -> None:
    """Attach an encrypted DuckDB file (AES-256-GCM).

    Raises:
        duckdb.Error: wrong key, or a file that is not encrypted; nothing is changed.
    """
    mode = ", read_only" if read_only else ""
    con.execute(
        f"attach {sql_literal(str(path))} as {quote_identifier(alias)} "
        f"(encryption_key {sql_literal(key)}{mode})"
    )


def quote_identifier(name: str) -> str:
    """Quote a SQL identifier; any text becomes one harmless name."""
    return '"' + name.replace('"', '""') + '"'


def sql_literal(value: str) -> str:
    """Quote a text value for the places where DuckDB takes no parameter."""
    return "'" + value.replace("'", "''") + "'"
