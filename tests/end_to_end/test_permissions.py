"""What a night leaves behind can be read by the account that runs it, and by others only where that is meant."""

from __future__ import annotations

import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from warehouse.settings import CommunityPaths

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("end_to_end")]

Cli = Callable[..., subprocess.CompletedProcess[str]]
# As docs/runbook.md tells it: releases are published, receipts name no person.
OPEN = {"releases", "receipts"}


def _mode(item: Path) -> int:
    return stat.S_IMODE(item.stat().st_mode)


def _within_reach(folder: Path) -> Iterator[Path]:
    """Files that another account can read, and folders that it can enter or list."""
    for item in sorted(folder.iterdir()):
        if item.is_symlink() or not _mode(item) & 0o077:
            continue
        yield item
        if item.is_dir():
            yield from _within_reach(item)


def _reached(root: Path) -> set[str]:
    data = CommunityPaths(root).data
    return {item.relative_to(data).parts[0] for item in _within_reach(data)}


def _apart(paths: CommunityPaths) -> list[Path]:
    """Where people are told apart, named or not, and what opens it."""
    return [
        paths.vault.parent, paths.keys, paths.archive, paths.quarantine, paths.lake, paths.warehouse.parent,
    ]  # fmt: skip


def test_others_reach_only_what_is_published(demo: Path) -> None:
    """If not, everybody with an account on the machine reads about children."""
    assert _reached(demo) == OPEN


def test_what_tells_people_apart_is_closed_file_by_file(demo: Path) -> None:
    """If not, a file that is moved or copied out of its folder is open."""
    paths = CommunityPaths(demo)
    for folder in _apart(paths):
        files = [item for item in folder.rglob("*") if item.is_file()]
        assert files, folder
        assert _mode(folder) == 0o700, folder
        assert [file for file in files if _mode(file) != 0o600] == []
    assert _mode(paths.ledger) == 0o600


def test_a_backup_and_what_comes_of_it_are_closed(demo: Path, run_cli: Cli, tmp_path: Path) -> None:
    """If not, the copy gives away what the original keeps."""
    archive, again = tmp_path / "kept.tar.gz", tmp_path / "again"
    assert run_cli("backup", str(archive), "--dir", str(demo)).returncode == 0
    assert _mode(archive) == 0o600
    assert run_cli("restore", str(archive), str(again)).returncode == 0
    assert _reached(again) == OPEN


def test_an_older_installation_is_closed_by_the_next_command(demo_copy: Path, run_cli: Cli) -> None:
    """If not, only new communities are safe."""
    paths = CommunityPaths(demo_copy)
    paths.lake.chmod(0o755)
    paths.ledger.chmod(0o644)
    assert run_cli("status", "--dir", str(demo_copy)).returncode == 0
    assert (_mode(paths.lake), _mode(paths.ledger)) == (0o700, 0o600)
