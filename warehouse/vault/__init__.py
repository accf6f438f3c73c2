"""The vault: all direct identifiers in one encrypted database, its key, its access log, encrypted files.

What belongs here: keeping identifiers safe. What does not: comparing them (`warehouse.linkage`).
"""

from warehouse.vault.compaction import compact_vault
from warehouse.vault.files import (
    EncryptedFileError,
    decrypt_file,
    decrypted_blocks,
    encrypt_file,
    encrypt_stream,
)
from warehouse.vault.keys import VaultKeyError, derived_key, make_key_file, vault_key
from warehouse.vault.pseudonym import keyed_hash_sql, set_key_variables, source_person_key_sql
from warehouse.vault.rotation import rotate_key
from warehouse.vault.schema import IDENTIFIER_COLUMNS
from warehouse.vault.selftest import EncryptionSelfTestError
from warehouse.vault.store import VaultBusyError, VaultLostError, attach_vault, damage_told

__all__ = [
    "IDENTIFIER_COLUMNS",
    "EncryptedFileError",
    "EncryptionSelfTestError",
    "VaultBusyError",
    "VaultKeyError",
    "VaultLostError",
    "attach_vault",
    "compact_vault",
    "damage_told",
    "decrypt_file",
    "decrypted_blocks",
    "derived_key",
    "encrypt_file",
    "encrypt_stream",
    "keyed_hash_sql",
    "make_key_file",
    "rotate_key",
    "set_key_variables",
    "source_person_key_sql",
    "vault_key",
]
