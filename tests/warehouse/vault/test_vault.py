"""The vault keeps identifiers unreadable, refuses wrong keys and records every opening."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import duckdb
import pytest
from pydantic import SecretStr

from warehouse import duck
from warehouse.settings import CommunityPaths, Settings
from warehouse.vault import (
    IDENTIFIER_COLUMNS,
    EncryptedFileError,
    EncryptionSelfTestError,
    VaultKeyError,
    access_log,
    attach_vault,
    decrypt_file,
    derived_key,
    encrypt_file,
    make_key_file,
    selftest,
    set_key_variables,
    source_person_key_sql,
    vault_key,
)


@pytest.fixture
def paths(tmp_path: Path) -> CommunityPaths:
    found = CommunityPaths(tmp_path / "c").ensure()
    make_key_file(found)
    return found


def _open(
    paths: CommunityPaths, settings: Settings | None = None, **options: bool
) -> duckdb.DuckDBPyConnection:
    con = duck.connect()
    attach_vault(con, paths, settings or Settings(), purpose="test", **options)
    return con


def _insert(con: duckdb.DuckDBPyConnection, first: str) -> None:
    columns = ", ".join(
        f"null as {c}" if c != "first_name" else "$f as first_name" for c in IDENTIFIER_COLUMNS
    )
    con.execute(
        f"insert into vault.identifier_record select 'k', 'p', 'p', 'f', 'd', 1, {columns}, 1", {"f": first}
    )


def test_nothing_in_the_community_folder_holds_a_name_in_plain_text(paths: CommunityPaths) -> None:
    """Else a stolen disk tells children's names."""
    con = _open(paths)
    _insert(con, "Zebulonia")
    everything = b"".join(f.read_bytes() for f in paths.root.rglob("*") if f.is_file())
    assert b"Zebulonia" not in everything
    con.close()
    everything = b"".join(f.read_bytes() for f in paths.root.rglob("*") if f.is_file())
    assert b"Zebulonia" not in everything
    con = _open(paths, read_only=True)
    assert con.execute("select first_name from vault.identifier_record").fetchall() == [("Zebulonia",)]


def test_a_wrong_key_is_refused_and_nothing_changes(paths: CommunityPaths) -> None:
    """Else a mistyped key could damage the vault or start a second one."""
    _open(paths).close()
    before = {f: f.read_bytes() for f in paths.vault.parent.rglob("*") if f.is_file()}
    with pytest.raises(VaultKeyError, match="not the key of the vault"):
        _open(paths, Settings(vault_key=SecretStr("0" * 64)))
    assert before == {f: f.read_bytes() for f in paths.vault.parent.rglob("*") if f.is_file()}


def test_a_missing_or_readable_key_file_is_refused(paths: CommunityPaths) -> None:
    """Else the key lies open to every user of the machine."""
    key = paths.keys / "vault.key"
    key.chmod(0o640)
    with pytest.raises(VaultKeyError, match="chmod 600"):
        vault_key(Settings(), paths)
    key.unlink()
    with pytest.raises(VaultKeyError, match="no vault key"):
        vault_key(Settings(), paths)


def test_a_key_file_is_never_overwritten(paths: CommunityPaths) -> None:
    """Else a second `init` would lock everyone out for ever."""
    with pytest.raises(VaultKeyError, match="already"):
        make_key_file(paths)


def test_key_file_and_vault_are_private(paths: CommunityPaths) -> None:
    """Else other users of the machine can copy them."""
    _open(paths).close()
    for file in (paths.keys / "vault.key", paths.vault, access_log.log_path(paths)):
        assert file.stat().st_mode & 0o077 == 0


def test_the_vault_stays_closed_where_spills_would_be_plain(paths: CommunityPaths) -> None:
    """Else names land in temporary files."""
    con = duck.connect()
    con.execute("set temp_file_encryption = false")
    with pytest.raises(EncryptionSelfTestError):
        attach_vault(con, paths, Settings(), purpose="test")


def test_the_self_test_finds_plain_text(tmp_path: Path) -> None:
    """Else it would prove nothing."""
    file = tmp_path / "x"
    file.write_bytes(b"..canary42..")
    with pytest.raises(EncryptionSelfTestError):
        selftest._look_for("canary42", [file])


def test_the_sql_pseudonym_is_hmac_sha256() -> None:
    """Else people are named by a home-made hash that may be guessed."""
    con = duck.connect()
    key = bytes(range(32))
    set_key_variables(con, key)
    got = con.execute(
        f"select {source_person_key_sql('i', 'd')} from (values ('p1', ' aß7 '), ('p1', ' ')) t(i, d)"
    ).fetchall()
    message = "p1\x1f" + con.execute("select upper('aß7')").fetchall()[0][0]
    want = hmac.new(key, message.encode(), hashlib.sha256).hexdigest()[:32]
    assert got == [(want,), (None,)]


def test_encrypted_files_come_back_whole_and_show_tampering(tmp_path: Path) -> None:
    """Else an archived original could be read, cut short or altered unseen."""
    plain, sealed, back = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    for size in (0, 1, 1 << 20, (1 << 20) + 5, 3 << 20):
        plain.write_bytes(b"Zebulonia" + b"x" * size if size else b"")
        encrypt_file(plain, sealed, b"k" * 32)
        assert b"Zebulonia" not in sealed.read_bytes() and sealed.stat().st_mode & 0o077 == 0
        decrypt_file(sealed, back, b"k" * 32)
        assert back.read_bytes() == plain.read_bytes()
    whole = sealed.read_bytes()
    back.unlink()
    for damaged in (whole[: (1 << 20) + 16 + 23], whole[:-1], whole[:40] + b"!" + whole[41:], b"no", b""):
        sealed.write_bytes(damaged)
        with pytest.raises(EncryptedFileError):
            decrypt_file(sealed, back, b"k" * 32)
    sealed.write_bytes(whole)
    with pytest.raises(EncryptedFileError, match="another key"):
        decrypt_file(sealed, back, b"j" * 32)
    assert not back.exists() and not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("damage", ["edit", "drop_last", "drop_first", "reorder", "remove"])
def test_any_change_of_the_access_log_is_detected(paths: CommunityPaths, damage: str) -> None:
    """Else someone could open the vault and wipe the trace."""
    for _ in range(3):
        _open(paths).close()
    key = derived_key(vault_key(Settings(), paths), "access_log")
    assert [e.purpose for e in access_log.verify(paths, key)] == ["test"] * 3
    file = access_log.log_path(paths)
    lines = file.read_text().splitlines()
    if damage == "edit":
        lines[1] = json.dumps({**json.loads(lines[1]), "who": "someone"})
    elif damage == "reorder":
        lines[0], lines[1] = lines[1], lines[0]
    elif damage == "remove":
        file.unlink()
    else:
        lines = lines[:-1] if damage == "drop_last" else lines[1:]
    if damage != "remove":
        file.write_text("\n".join(lines) + "\n")
    with pytest.raises(access_log.AccessLogError):
        access_log.verify(paths, key)
