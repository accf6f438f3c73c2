"""Writing the vault anew: what was deleted is then in no block of its file.

What belongs here: the copy. What does not: what is deleted, or a change of the key (`rotation`).
"""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from warehouse import duck
from warehouse.settings import CommunityPaths, Settings
from warehouse.vault.keys import VaultKeyError, vault_key
from warehouse.vault.store import open_file

_COUNTED = ("identifier_record", "person", "person_record", "person_event")


def compact_vault(paths: CommunityPaths, settings: Settings) -> None:
    """Write the vault beside itself under the same key, prove the copy, and rename it into place.

    Raises:
        VaultKeyError: the key is wrong, or the copy is not whole; the vault stays as it is.
    """
    master = vault_key(settings, paths)
    beside = paths.vault.with_suffix(".compact")
    for stale in (beside, Path(f"{beside}.wal")):
        stale.unlink(missing_ok=True)
    copy_vault(paths, master, master, beside)
    Path(f"{paths.vault}.wal").unlink(missing_ok=True)
    beside.replace(paths.vault)


def copy_vault(paths: CommunityPaths, old: SecretStr, new: SecretStr, target: Path) -> None:
    """Copy every table of the vault into a new file under a key, and compare the counts.

    Raises:
        VaultKeyError: the copy is not whole.
    """
    con = duck.connect(temp_directory=paths.temp / "rotation")
    try:
        open_file(con, paths.vault, old)
        con.execute("checkpoint vault")
        open_file(con, target, new, alias="fresh")
        con.execute("copy from database vault to fresh")
        con.execute("checkpoint fresh")
        con.execute("detach fresh")
        target.chmod(0o600)
        open_file(con, target, new, read_only=True, alias="fresh")
        for table in _COUNTED:
            counts = con.execute(
                f"select (select count(*) from vault.{table}), (select count(*) from fresh.{table})"
            ).fetchone()
            if not counts or counts[0] != counts[1]:
                raise VaultKeyError(f"The copy of {table} is not whole; the vault stays as it is.")
    finally:
        con.close()
