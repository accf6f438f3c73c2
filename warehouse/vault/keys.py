"""The vault's key: where it comes from, how it is checked, and the keys derived from it.

What belongs here: making, finding, checking and deriving keys. What does not: using them on a file or database.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import SecretStr

from warehouse.settings import CommunityPaths, Settings

MINIMUM_KEY_LENGTH = 32
ROTATION_JOURNAL = "rotation.journal"
_SEPARATOR = "\x1f"
# Keys under these labels name people in the lake and in extracts: they must survive a rotation.
_STABLE_LABELS = ("source_person_key", "project:")
_CHECK = b"throughline vault key check"


class VaultKeyError(RuntimeError):
    """The vault's key is missing, unsafe or wrong; nothing was opened or changed."""


def key_file(settings: Settings, paths: CommunityPaths) -> Path:
    """Where the key file lies: as configured, else `data/keys/vault.key`."""
    return settings.vault_key_file or paths.keys / "vault.key"


def keyring_path(paths: CommunityPaths) -> Path:
    """The check value of the key in use, and the wrapped first key once there was a rotation."""
    return paths.vault.parent / "keyring.json"


def make_key_file(paths: CommunityPaths) -> Path:
    """Write a new random 256-bit key that only the owner can read.

    Raises:
        VaultKeyError: a key file is there already; it is never overwritten.
    """
    paths.keys.mkdir(parents=True, exist_ok=True)
    paths.keys.chmod(0o700)
    target = paths.keys / "vault.key"
    try:
        write_private(target, secrets.token_hex(32) + "\n", exclusive=True)
    except FileExistsError:
        raise VaultKeyError(f"{target}: a vault key is there already; it is never overwritten.") from None
    return target


def write_private(target: Path, text: str, *, exclusive: bool = False) -> None:
    """Write a file of mode 0600 and make it durable; with `exclusive`, only where there was none."""
    flags = os.O_WRONLY | os.O_CREAT | (os.O_EXCL if exclusive else os.O_TRUNC)
    handle = os.open(target, flags, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


def vault_key(settings: Settings, paths: CommunityPaths) -> SecretStr:
    """The key from `THROUGHLINE_VAULT_KEY`, else from the key file, checked against the vault's keyring.

    Raises:
        VaultKeyError: missing, readable by others, too short, or not the key of this vault.
    """
    presented = presented_key(settings, paths)
    if (paths.vault.parent / ROTATION_JOURNAL).exists():
        raise VaultKeyError(
            "A change of the vault's key was interrupted. Complete it: throughline vault rotate-key"
        )
    return combined_key(presented, paths)


def presented_key(settings: Settings, paths: CommunityPaths) -> str:
    """The key as given, not yet checked against the vault.

    Raises:
        VaultKeyError: missing, readable by others, or too short.
    """
    if settings.vault_key is not None:
        value, origin = settings.vault_key.get_secret_value().strip(), "THROUGHLINE_VAULT_KEY"
    else:
        value, origin = _read_key_file(key_file(settings, paths)), str(key_file(settings, paths))
    if len(value) < MINIMUM_KEY_LENGTH or _SEPARATOR in value:
        raise VaultKeyError(
            f"{origin}: a vault key has at least {MINIMUM_KEY_LENGTH} characters, for example 64 hex digits."
        )
    return value


def combined_key(presented: str, paths: CommunityPaths) -> SecretStr:
    """Check a key against the keyring and join it with the stable first key, where there was a rotation.

    Raises:
        VaultKeyError: this is not the key of this vault, or the keyring is damaged.
    """
    file = keyring_path(paths)
    if not file.exists():
        if paths.vault.exists():
            raise VaultKeyError(
                f"{file}: missing beside the vault; restore it together with the vault from the backup."
            )
        return SecretStr(presented)
    try:
        ring = json.loads(file.read_text(encoding="ascii"))
        check, wrapped = str(ring["check"]), ring["stable"]
    except (ValueError, KeyError):
        raise VaultKeyError(f"{file}: damaged; restore it together with the vault.") from None
    if not hmac.compare_digest(check, _check_value(presented)):
        raise VaultKeyError(
            f"This is not the key of the vault {paths.vault}. Nothing was touched. "
            "Restore the key file that belongs to it, or set THROUGHLINE_VAULT_KEY."
        )
    if wrapped is None:
        return SecretStr(presented)
    try:
        blob = bytes.fromhex(wrapped)
        stable = AESGCM(_hkdf(presented, "keyring")).decrypt(blob[:12], blob[12:], _CHECK).decode()
    except (ValueError, InvalidTag):
        raise VaultKeyError(f"{file}: damaged; restore it together with the vault.") from None
    return SecretStr(presented + _SEPARATOR + stable)


def keyring_text(presented: str, stable: str | None) -> str:
    """Content of the keyring for a key; `stable` is the first key, wrapped, once it differs."""
    wrapped = None
    if stable is not None and stable != presented:
        nonce = secrets.token_bytes(12)
        wrapped = (nonce + AESGCM(_hkdf(presented, "keyring")).encrypt(nonce, stable.encode(), _CHECK)).hex()
    return json.dumps({"version": 1, "check": _check_value(presented), "stable": wrapped}) + "\n"


def split_key(master: SecretStr) -> tuple[str, str]:
    """The present key, and the first key from which names of people in the lake are derived."""
    present, _, stable = master.get_secret_value().partition(_SEPARATOR)
    return present, stable or present


def derived_key(master: SecretStr, label: str) -> bytes:
    """Derive a 256-bit key for one purpose by HKDF-SHA256 (RFC 5869).

    Args:
        master: what `vault_key` returned.
        label: the purpose, for example 'source_person_key', 'archive', 'project:<id>'. Keys that name people
            (the first and the last) stay the same when the vault's key is rotated; all others change.
    """
    present, stable = split_key(master)
    return _hkdf(stable if label.startswith(_STABLE_LABELS) else present, label)


def _hkdf(secret: str, label: str) -> bytes:
    info = b"throughline/" + label.encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret.encode())


def _check_value(presented: str) -> str:
    return hmac.new(_hkdf(presented, "check"), _CHECK, hashlib.sha256).hexdigest()


def _read_key_file(file: Path) -> str:
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        raise VaultKeyError(
            f"{file}: no vault key. Set THROUGHLINE_VAULT_KEY or restore the key file; "
            "`throughline init` makes one for a new community."
        ) from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise VaultKeyError(f"{file}: others can read the vault key. Run: chmod 600 {file}")
    return file.read_text(encoding="utf-8").strip()
