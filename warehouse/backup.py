"""Backup and restore of a whole community: one archive with a list of hashes, restored only when whole.

What belongs here: writing and reading the archive. What does not: the vault's key, which is kept apart from the
backup unless asked for, so that a lost archive alone opens nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from warehouse.ledger import LedgerError, copy_ledger
from warehouse.settings import CommunityPaths, Settings
from warehouse.temporary import private_folder
from warehouse.vault import access_log

_LIST = "throughline-backup.json"
_CHUNK = 1 << 20


class BackupError(RuntimeError):
    """An archive cannot be written or restored; nothing was changed."""


def back_up(paths: CommunityPaths, settings: Settings, target: Path, *, with_keys: bool = False) -> int:
    """Write everything of a community that cannot be rebuilt into one compressed archive.

    The working warehouse and temporary files are left out: a night makes them again.

    Args:
        paths: the community.
        settings: gives the moment written into the archive.
        target: the archive; written beside and renamed.
        with_keys: also put the vault's key into the archive.

    Returns:
        The number of files kept.
    """
    if not paths.config.is_file():
        raise BackupError(f"{paths.root}: no community here, so there is nothing to back up.")
    if paths.root == target.resolve().parent or paths.root in target.resolve().parents:
        raise BackupError(f"{target}: choose a place outside the community's own folder.")
    left_out = {
        paths.warehouse.parent,
        paths.temp,
        paths.dbt,
        paths.data / "run.lock",
        paths.data / "ledger.lock",
    }
    if not with_keys:
        # The access log's head lies among the keys but is none; without it the restored vault refuses to open.
        left_out.update(set(paths.keys.glob("*")) - {access_log.head_path(paths)})
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(target.name + ".part")
    hashes: dict[str, str] = {}
    beside.unlink(missing_ok=True)
    beside.touch(mode=0o600)
    with tarfile.open(beside, "w:gz", compresslevel=1) as archive, _ledger(paths, settings) as ledger:
        if ledger is not None:
            left_out.add(paths.ledger)
            name = paths.ledger.relative_to(paths.root).as_posix()
            archive.add(ledger, arcname=name)
            hashes[name] = _sha256(ledger)
        for item in _items(paths.root, left_out):
            name = item.relative_to(paths.root).as_posix()
            archive.add(item, arcname=name, recursive=False)
            if item.is_file() and not item.is_symlink():
                hashes[name] = _sha256(item)
        _add_list(archive, {"made_at": settings.clock().isoformat(), "with_keys": with_keys, "files": hashes})
    beside.replace(target)
    return len(hashes)


@contextmanager
def _ledger(paths: CommunityPaths, settings: Settings) -> Iterator[Path | None]:
    """A ledger that lies in a database as the file it would be; None where it is a file already."""
    if not settings.ledger_url:
        yield None
        return
    with private_folder(paths.temp) as folder:
        file = folder / paths.ledger.name
        copy_ledger(sa.create_engine(settings.ledger_url), sa.create_engine(f"sqlite:///{file}"))
        yield file


def restore(archive_path: Path, root: Path, settings: Settings | None = None) -> int:
    """Restore an archive into an empty or absent folder, and prove every file by its hash.

    Where the settings name a database for the ledger, the ledger goes there; it must be empty.

    Raises:
        BackupError: the folder is not empty, or the archive is cut or changed; the folder is left as it was.
        LedgerError: the ledger's database holds deliveries, or cannot be used; the folder is left as it was.
    """
    if root.exists() and any(root.iterdir()):
        raise BackupError(f"{root}: not empty. Restore into an empty folder, then move it into place.")
    beside = root.with_name(root.name + ".restoring")
    if beside.exists():
        shutil.rmtree(beside)
    try:
        with tarfile.open(archive_path, "r:gz") as archive:
            archive.extractall(beside, filter="data")
            for member in filter(tarfile.TarInfo.isdir, archive.getmembers()):
                (beside / member.name).chmod(member.mode & 0o755)  # the filter forgets the modes of folders
        listed = json.loads((beside / _LIST).read_text(encoding="utf-8"))["files"]
        wrong = [name for name, digest in listed.items() if _sha256(beside / name) != digest]
    except (tarfile.TarError, OSError, EOFError, ValueError, KeyError) as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise BackupError(
            f"{archive_path}: not a whole backup ({type(error).__name__}); nothing was restored."
        ) from None
    if wrong:
        shutil.rmtree(beside)
        raise BackupError(f"{archive_path}: {len(wrong)} files differ from their hash; nothing was restored.")
    (beside / _LIST).unlink()
    _tighten(CommunityPaths(beside))
    try:
        _ledger_back(CommunityPaths(beside), settings)
    except LedgerError:
        shutil.rmtree(beside)
        raise
    if root.exists():
        root.rmdir()
    beside.replace(root)
    return len(listed)


def _ledger_back(paths: CommunityPaths, settings: Settings | None) -> None:
    if settings is not None and settings.ledger_url and paths.ledger.is_file():
        copy_ledger(sa.create_engine(f"sqlite:///{paths.ledger}"), sa.create_engine(settings.ledger_url))
        paths.ledger.unlink()


def _items(root: Path, left_out: set[Path]) -> Iterator[Path]:
    for item in sorted(root.rglob("*")):
        if item not in left_out and not left_out & set(item.parents):
            yield item


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _add_list(archive: tarfile.TarFile, document: dict[str, Any]) -> None:
    data = json.dumps(document, indent=1).encode()
    info = tarfile.TarInfo(_LIST)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))


def _tighten(paths: CommunityPaths) -> None:
    """Private folders stay private, whatever the archive's reader made of their modes."""
    for folder in paths.private:
        if folder.is_dir():
            folder.chmod(0o700)
    for file in (paths.ledger, *(paths.keys.glob("*") if paths.keys.is_dir() else ())):
        if file.is_file():
            file.chmod(0o600)
