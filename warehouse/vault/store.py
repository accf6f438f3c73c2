"""Opening the vault: one encrypted DuckDB file, proved before use, every opening on record.

What belongs here: attaching and creating. What does not: who reads which table for what.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from pydantic import SecretStr

from warehouse import duck
from warehouse.settings import CommunityPaths, Settings
from warehouse.vault import access_log
from warehouse.vault.keys import VaultKeyError, derived_key, keyring_path, keyring_text, split_key, vault_key
from warehouse.vault.schema import create_tables
from warehouse.vault.selftest import prove_encryption

ALIAS = "vault"
_RESTORE = "Restore the community from its backup: throughline restore."
_UNREADABLE = f"not to be opened with this key, or damaged. Nothing was touched. {_RESTORE}"


class VaultBusyError(RuntimeError):
    """Another process has the vault open; only one may write."""


class VaultLostError(RuntimeError):
    """The vault is gone though the lake names people whose identifiers it held, or its file is damaged."""


def attach_vault(
    con: duckdb.DuckDBPyConnection,
    paths: CommunityPaths,
    settings: Settings,
    *,
    purpose: str,
    read_only: bool = False,
) -> None:
    """Attach the vault as catalog `vault`, creating it when it is new, and put the opening on record.

    The key is checked first; a self-test proves that nothing plain is written (database, log, spill).

    Args:
        con: a connection from `warehouse.duck.connect`; detach or close it when done.
        paths: the community.
        settings: key and clock.
        purpose: what for, in a few words without identifiers; goes to the access log.
        read_only: open without the right to change the vault.

    Raises:
        VaultKeyError: key missing, unsafe or wrong; nothing is touched.
        EncryptionSelfTestError: plain text would be written; nothing is opened.
        AccessLogError: the access log does not fit its head.
        VaultBusyError: another process has the vault open.
        VaultLostError: the vault is gone; a new one would give everybody another key.
    """
    master = vault_key(settings, paths)
    new = not paths.vault.exists()
    if new and any(paths.lake.glob("[!_]*/*/*")):
        raise VaultLostError(
            f"{paths.vault}: the vault is gone, though the lake holds deliveries. Nothing was touched. "
            f"{_RESTORE}"
        )
    paths.vault.parent.mkdir(parents=True, exist_ok=True)
    paths.vault.parent.chmod(0o700)
    prove_encryption(con, paths.vault.parent, fresh=new)
    if new:
        _create(con, paths, master)
    open_file(con, paths.vault, master, read_only=read_only)
    if not read_only:
        create_tables(con)
    try:
        access_log.append(
            paths, settings, derived_key(master, "access_log"), purpose=purpose, people=_people(con)
        )
    except BaseException:
        con.execute(f"detach {ALIAS}")
        raise


@contextmanager
def damage_told(paths: CommunityPaths) -> Iterator[None]:
    """Say what to do when a page of the vault turns out damaged in the middle of work.

    Raises:
        VaultLostError: in place of DuckDB's own errors about the vault's pages.
    """
    try:
        yield
    except (duckdb.InvalidInputException, duckdb.IOException, duckdb.SerializationException) as error:
        if "AES tag" not in str(error) and paths.vault.name not in str(error):
            raise
        raise VaultLostError(f"{paths.vault}: the vault's file is damaged. {_RESTORE}") from None


def database_key(master: SecretStr) -> str:
    """Key of the vault's database file, as DuckDB takes it."""
    return derived_key(master, "vault database").hex()


def open_file(
    con: duckdb.DuckDBPyConnection,
    file: Path,
    master: SecretStr,
    *,
    read_only: bool = False,
    alias: str = ALIAS,
) -> None:
    """Attach a vault file without record of it; only for the vault's own code.

    Raises:
        VaultKeyError: the file cannot be opened with this key, or is damaged.
        VaultBusyError: another process has it open.
    """
    try:
        duck.attach_encrypted(con, file, alias, database_key(master), read_only=read_only)
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise VaultBusyError(f"{file}: in use by another process. Wait for its end.") from None
        raise VaultKeyError(f"{file}: {_UNREADABLE}") from None
    except duckdb.Error as error:
        if "already" in str(error).lower():
            raise VaultBusyError(f"{file}: already open in this process.") from None
        raise VaultKeyError(f"{file}: {_UNREADABLE}") from None


def _create(con: duckdb.DuckDBPyConnection, paths: CommunityPaths, master: SecretStr) -> None:
    """Build the new vault beside and rename it, so that a half-made one is never taken for a vault."""
    beside = paths.vault.with_suffix(".new")
    beside.unlink(missing_ok=True)
    Path(f"{beside}.wal").unlink(missing_ok=True)
    if not keyring_path(paths).exists():
        present, _ = split_key(master)
        ring = keyring_path(paths).with_suffix(".new")
        ring.unlink(missing_ok=True)
        handle = os.open(ring, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as out:
            out.write(keyring_text(present, None))
            out.flush()
            os.fsync(out.fileno())
        ring.replace(keyring_path(paths))
    open_file(con, beside, master)
    create_tables(con)
    con.execute(f"checkpoint {ALIAS}")
    con.execute(f"detach {ALIAS}")
    beside.chmod(0o600)
    beside.replace(paths.vault)


def _people(con: duckdb.DuckDBPyConnection) -> int:
    row = con.execute("select count(distinct source_person_key) from vault.identifier_record").fetchone()
    return int(row[0]) if row else 0
