"""What is backed up can be restored, and nothing partial is ever left."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.backup import BackupError, back_up, restore
from warehouse.settings import CommunityPaths, Settings
from warehouse.vault.access_log import head_path


@pytest.fixture
def community(tmp_path: Path) -> CommunityPaths:
    paths = CommunityPaths(tmp_path / "town")
    paths.root.mkdir()
    paths.config.write_text("community_id: town\nname: Town\n")
    paths.ensure()
    (paths.keys / "vault.key").write_text("secret")
    (paths.lake / "a.parquet").write_bytes(b"data" * 1000)
    paths.warehouse.write_bytes(b"disposable")
    (paths.releases / "00001").mkdir()
    (paths.releases / "00001" / "manifest.json").write_text("{}")
    (paths.releases / "current").symlink_to("00001")
    return paths


def test_a_restored_community_is_the_same(community: CommunityPaths, tmp_path: Path) -> None:
    """If not, a lost folder is lost for good."""
    archive = tmp_path / "kept.tar.gz"
    back_up(community, Settings(), archive, with_keys=True)
    restore(archive, tmp_path / "again")
    again = CommunityPaths(tmp_path / "again")
    modes = [(paths.landing.stat().st_mode, paths.releases.stat().st_mode) for paths in (community, again)]
    assert modes[0] == modes[1]
    assert (again.lake / "a.parquet").read_bytes() == (community.lake / "a.parquet").read_bytes()
    assert (again.releases / "current" / "manifest.json").read_text() == "{}"
    assert (again.keys / "vault.key").stat().st_mode & 0o077 == 0
    assert not again.warehouse.exists()


def test_the_key_stays_out_unless_asked_for(community: CommunityPaths, tmp_path: Path) -> None:
    """If not, whoever finds the archive can open the vault."""
    back_up(community, Settings(), tmp_path / "kept.tar.gz")
    restore(tmp_path / "kept.tar.gz", tmp_path / "again")
    assert not (CommunityPaths(tmp_path / "again").keys / "vault.key").exists()


def test_the_head_of_the_access_log_is_kept_with_the_log(community: CommunityPaths, tmp_path: Path) -> None:
    """If not, a restored vault refuses every night: its log cannot be proved complete."""
    head_path(community).write_text("17 abc")
    back_up(community, Settings(), tmp_path / "kept.tar.gz")
    restore(tmp_path / "kept.tar.gz", tmp_path / "again")
    assert head_path(CommunityPaths(tmp_path / "again")).read_text() == "17 abc"


def test_a_cut_archive_restores_nothing(community: CommunityPaths, tmp_path: Path) -> None:
    """If not, half a community passes for a whole one."""
    archive = tmp_path / "kept.tar.gz"
    back_up(community, Settings(), archive)
    archive.write_bytes(archive.read_bytes()[:-200])
    with pytest.raises(BackupError, match="nothing was restored"):
        restore(archive, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_full_folder_is_never_restored_into(community: CommunityPaths, tmp_path: Path) -> None:
    """If not, a restore overwrites what is there."""
    back_up(community, Settings(), tmp_path / "kept.tar.gz")
    with pytest.raises(BackupError, match="not empty"):
        restore(tmp_path / "kept.tar.gz", community.root)


def test_the_archive_may_not_lie_in_what_it_keeps(community: CommunityPaths) -> None:
    """If not, backups grow by including themselves."""
    with pytest.raises(BackupError, match="outside"):
        back_up(community, Settings(), community.root / "kept.tar.gz")
