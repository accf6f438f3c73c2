"""A change of the vault's key loses nothing, renames nobody, and survives a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse import duck
from warehouse.settings import CommunityPaths, Settings
from warehouse.vault import (
    VaultKeyError,
    access_log,
    attach_vault,
    decrypt_file,
    derived_key,
    encrypt_file,
    make_key_file,
    rotate_key,
    rotation,
    vault_key,
)


@pytest.fixture
def paths(tmp_path: Path) -> CommunityPaths:
    found = CommunityPaths(tmp_path / "c").ensure()
    make_key_file(found)
    con = duck.connect()
    attach_vault(con, found, Settings(), purpose="test")
    con.execute(
        """insert into vault.identifier_record by name select 'k' as source_person_key, 'p' as partner_id,
        'p' as issuer_id, 'f' as feed_id, 'd' as delivery_id, 1 as delivery_seq, 'Zebulonia' as first_name"""
    )
    con.close()
    (tmp_path / "plain").write_bytes(b"row of Zebulonia" * 200_000)
    encrypt_file(
        tmp_path / "plain", found.archive / "a.enc", derived_key(vault_key(Settings(), found), "archive")
    )
    return found


def _check(paths: CommunityPaths, old_names: bytes) -> None:
    con = duck.connect()
    attach_vault(con, paths, Settings(), purpose="test", read_only=True)
    assert con.execute("select first_name from vault.identifier_record").fetchall() == [("Zebulonia",)]
    con.close()
    key = vault_key(Settings(), paths)
    assert derived_key(key, "source_person_key") == old_names
    decrypt_file(paths.archive / "a.enc", paths.root / "back", derived_key(key, "archive"))
    assert (paths.root / "back").read_bytes() == b"row of Zebulonia" * 200_000
    assert access_log.verify(paths, derived_key(key, "access_log"))[-2].purpose == "key rotation"
    assert not list(paths.data.rglob("*.rotated*"))


def test_rotation_changes_the_key_and_nothing_else(paths: CommunityPaths) -> None:
    """Else people would get new names in the lake, or originals become unreadable."""
    key_file = paths.keys / "vault.key"
    before, names = key_file.read_text(), derived_key(vault_key(Settings(), paths), "source_person_key")
    assert rotate_key(paths, Settings()) == key_file
    assert key_file.read_text() != before
    _check(paths, names)
    rotate_key(paths, Settings())
    (paths.root / "back").unlink()
    _check(paths, names)
    key_file.write_text(before)
    with pytest.raises(VaultKeyError):
        vault_key(Settings(), paths)


@pytest.mark.parametrize("renames", [0, 1, 3])
def test_an_interrupted_rotation_is_completed(
    paths: CommunityPaths, renames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a crash locks everyone out for ever."""
    names = derived_key(vault_key(Settings(), paths), "source_person_key")
    real, done = Path.replace, []

    def crash(self: Path, target: Path) -> Path:
        if self.name.endswith(".rotated"):
            if len(done) == renames:
                raise KeyboardInterrupt
            done.append(self)
        return real(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", crash)
        with pytest.raises(KeyboardInterrupt):
            rotate_key(paths, Settings())
    with pytest.raises(VaultKeyError, match="interrupted"):
        vault_key(Settings(), paths)
    rotate_key(paths, Settings())
    _check(paths, names)


def test_a_rotation_that_never_switched_leaves_the_old_state(
    paths: CommunityPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a full disk during rotation costs the vault."""
    names = derived_key(vault_key(Settings(), paths), "source_person_key")

    def full(*_: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(rotation, "_reencrypt", full)
        with pytest.raises(OSError, match="disk full"):
            rotate_key(paths, Settings())
    assert derived_key(vault_key(Settings(), paths), "source_person_key") == names
    rotate_key(paths, Settings())
    _check(paths, names)
