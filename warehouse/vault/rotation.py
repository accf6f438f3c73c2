"""Changing the vault's key: everything is encrypted anew beside, then switched over by renames.

What belongs here: rotation and its completion after a crash. What does not: making the first key.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr

from warehouse.settings import CommunityPaths, Settings
from warehouse.vault import access_log
from warehouse.vault.compaction import copy_vault
from warehouse.vault.files import encrypted_with, key_id, reencrypt_file
from warehouse.vault.keys import (
    ROTATION_JOURNAL,
    VaultKeyError,
    combined_key,
    derived_key,
    key_file,
    keyring_path,
    keyring_text,
    presented_key,
    split_key,
    write_private,
)

_STAGED = ".rotated"
FILE_LABELS = ("archive", "quarantine")


def rotate_key(paths: CommunityPaths, settings: Settings) -> Path:
    """Give the vault, the archive and the quarantine a new random key.

    Keys that name people in the lake and in extracts stay as they are. All is written beside under the new key
    and proved readable; only then a journal is set and everything is renamed. A crash before the journal leaves
    the old state, one after it is completed by running this again.

    Returns:
        The file with the new key: the key file, or, where the key comes from the environment, a file beside it
        whose content must replace THROUGHLINE_VAULT_KEY.

    Raises:
        VaultKeyError: the present key is missing or wrong; nothing is touched.
    """
    if _journal(paths).exists():
        return _switch(paths, settings)
    presented = presented_key(settings, paths)
    old = combined_key(presented, paths)
    if not paths.vault.exists():
        raise VaultKeyError(f"{paths.vault}: no vault yet, so there is nothing to rotate.")
    _discard(paths)
    fresh = secrets.token_hex(32)
    _, stable = split_key(old)
    write_private(_staged(_key_target(paths, settings)), fresh + "\n")
    write_private(_staged(keyring_path(paths)), keyring_text(fresh, stable))
    new = SecretStr(fresh if fresh == stable else f"{fresh}\x1f{stable}")
    access_log.append(paths, settings, derived_key(old, "access_log"), purpose="key rotation", people=0)
    copy_vault(paths, old, new, _staged(paths.vault))
    _reencrypt(paths, old, new)
    access_log.rechain(
        paths, derived_key(old, "access_log"), derived_key(new, "access_log"), staged_suffix=_STAGED
    )
    write_private(_journal(paths), "switch\n")
    return _switch(paths, settings)


def _journal(paths: CommunityPaths) -> Path:
    return paths.vault.parent / ROTATION_JOURNAL


def _key_target(paths: CommunityPaths, settings: Settings) -> Path:
    """Where the new key goes: over the key file, or beside it when the key comes from the environment."""
    if settings.vault_key is not None:
        return paths.keys / "vault.key.new"
    return key_file(settings, paths)


def _staged(target: Path) -> Path:
    return target.with_name(target.name + _STAGED)


def _everything_staged(paths: CommunityPaths, settings: Settings) -> Iterator[Path]:
    folders = [paths.archive, paths.quarantine, paths.vault.parent, paths.keys]
    outside = key_file(settings, paths).parent
    for folder in [*folders, *([] if outside in folders else [outside])]:
        if folder.exists():
            yield from sorted(folder.rglob(f"*{_STAGED}"))


def _discard(paths: CommunityPaths) -> None:
    """Remove what a rotation that never reached its journal left behind."""
    for folder in (paths.archive, paths.quarantine, paths.vault.parent, paths.keys):
        for file in folder.rglob(f"*{_STAGED}*"):
            shutil.rmtree(file) if file.is_dir() else file.unlink()


def _reencrypt(paths: CommunityPaths, old: SecretStr, new: SecretStr) -> None:
    """Encrypted files anew beside themselves; files that were written with no key of ours are left alone."""
    keys = {
        key_id(derived_key(old, label)): (derived_key(old, label), derived_key(new, label))
        for label in FILE_LABELS
    }
    for folder in (paths.archive, paths.quarantine):
        for file in sorted(f for f in folder.rglob("*") if f.is_file() and not f.name.endswith(_STAGED)):
            pair = keys.get(encrypted_with(file) or b"")
            if pair:
                reencrypt_file(file, _staged(file), *pair)


def _switch(paths: CommunityPaths, settings: Settings) -> Path:
    """Rename everything staged into place; the key file last, so that an interruption is noticed and completed."""
    target = _key_target(paths, settings)
    staged = [file for file in _everything_staged(paths, settings) if file != _staged(target)]
    for file in [*staged, _staged(target)]:
        if file.exists():
            file.replace(file.with_name(file.name.removesuffix(_STAGED)))
    _journal(paths).unlink(missing_ok=True)
    return target
