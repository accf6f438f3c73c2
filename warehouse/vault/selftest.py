"""Proof, before the vault is used, that nothing DuckDB writes here can be read without the key.

What belongs here: the test of database, log and spill files with a canary. What does not: the vault's tables.
"""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

import duckdb

from warehouse import duck

_SPILL_ROWS = 300_000
_SPILL_MEMORY = "24MB"
_proved: set[Path] = set()


class EncryptionSelfTestError(RuntimeError):
    """DuckDB would write plain text on this machine; the vault is not opened."""


def prove_encryption(con: duckdb.DuckDBPyConnection, folder: Path, *, fresh: bool) -> None:
    """Prove that database, write-ahead log and spill files are unreadable; once a process and vault.

    Args:
        con: the connection that is about to hold identifiers; its own spill setting is checked each time.
        folder: the vault's folder; the test runs in a folder of its own below it.
        fresh: prove again, because the vault is being created.

    Raises:
        EncryptionSelfTestError: a setting is off or the canary was found; names which file.
    """
    setting = con.execute("select current_setting('temp_file_encryption')").fetchone()
    if not setting or str(setting[0]).lower() != "true":
        raise EncryptionSelfTestError(
            "This connection would spill identifiers in plain text. Open it with warehouse.duck.connect."
        )
    if folder in _proved and not fresh:
        return
    trial = folder / f".selftest-{secrets.token_hex(4)}"
    trial.mkdir(parents=True, mode=0o700)
    try:
        canary = "canary" + secrets.token_hex(12)
        _try_database(trial, canary)
        _try_spill(trial, canary)
    finally:
        shutil.rmtree(trial, ignore_errors=True)
    _proved.add(folder)


def _try_database(trial: Path, canary: str) -> None:
    """Write the canary to an encrypted file and to its log, and look for it in both."""
    file, key = trial / "trial.duckdb", secrets.token_hex(32)
    con = duck.connect(temp_directory=trial / "tmp")
    try:
        duck.attach_encrypted(con, file, "trial", key)
        fill = "select $canary || range::varchar as canary from range(1000)"
        con.execute(f"create table trial.in_file as {fill}", {"canary": canary})
        con.execute("checkpoint trial")
        con.execute(f"create table trial.in_log as {fill}", {"canary": canary})
        log = Path(f"{file}.wal")
        if not log.exists():
            raise EncryptionSelfTestError(f"{log}: no write-ahead log to test; DuckDB behaves unexpectedly.")
        _look_for(canary, [file, log])
    finally:
        con.close()
    if _opens(file, secrets.token_hex(32)):
        raise EncryptionSelfTestError(f"{file}: opened with a wrong key; encryption does not protect.")


def _opens(file: Path, key: str) -> bool:
    con = duck.connect()
    try:
        duck.attach_encrypted(con, file, "trial", key, read_only=True)
    except duckdb.Error:
        return False
    finally:
        con.close()
    return True


def _try_spill(trial: Path, canary: str) -> None:
    """Force DuckDB to spill the canary and look for it in the spill files."""
    spill = trial / "spill"
    con = duck.connect(memory_limit=_SPILL_MEMORY, threads=1, temp_directory=spill)
    try:
        con.execute(
            "create temp table big as select $canary || md5(range::varchar) as a, md5((range * 7)::varchar) as b "
            f"from range({_SPILL_ROWS})",
            {"canary": canary},
        )
        files = [file for file in spill.rglob("*") if file.is_file()]
        if not files:
            raise EncryptionSelfTestError(f"{spill}: DuckDB did not spill; the test proves nothing.")
        _look_for(canary, files)
    finally:
        con.close()


def _look_for(canary: str, files: list[Path]) -> None:
    for file in files:
        if canary.encode() in file.read_bytes():
            raise EncryptionSelfTestError(f"{file.name}: written in plain text. The vault stays closed.")
