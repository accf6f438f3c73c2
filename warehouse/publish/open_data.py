"""Target `open_data`: CSV with its data package description, in a folder that a portal harvests.

What belongs here: copying and switching. What does not: the CSV files themselves (`warehouse.release.files`).
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pydantic import Field

from warehouse.publish.base import PublishError, PublishTarget
from warehouse.publish.package import ReleaseFiles
from warehouse.settings import CommunityPaths, Settings


class Target(PublishTarget):
    """Options of the target; readers use `<folder>/current/datapackage.json`."""

    folder: Path = Field(description="Folder of the portal; a relative one lies in the community's folder.")
    keep: int = Field(2, ge=0, description="Earlier releases that stay beside the current one.")

    def publish(self, release: ReleaseFiles, paths: CommunityPaths, settings: Settings) -> str:
        """Copy the release's CSV files beside, then point `current` at them.

        Raises:
            PublishError: the folder cannot be written; `current` is what it was.
        """
        root = paths.root / self.folder
        try:
            root.mkdir(parents=True, exist_ok=True)
            final = root / release.release_id
            if not final.is_dir():
                _copy(release.folder / "csv", final)
            _point(root, final.name)
            _forget(root, self.keep)
        except OSError as error:
            raise PublishError(
                f"{root}: {error.strerror or type(error).__name__}; the portal keeps what it has. "
                "Make the folder writable, then `throughline publish`."
            ) from None
        return f"CSV and data package of release {release.release_id} in {root / 'current'}"


def _copy(source: Path, final: Path) -> None:
    beside = final.with_name(f".{final.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    shutil.copytree(source, beside)
    for file in beside.iterdir():
        file.chmod(0o644)
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
    beside.rename(final)


def _point(root: Path, name: str) -> None:
    beside = root / f".current.{os.getpid()}"
    beside.unlink(missing_ok=True)
    beside.symlink_to(name)
    beside.replace(root / "current")


def _forget(root: Path, keep: int) -> None:
    current = (root / "current").readlink().name
    old = sorted(item.name for item in root.glob("[0-9]*-*") if item.is_dir() and item.name != current)
    for name in old[: max(0, len(old) - keep)]:
        shutil.rmtree(root / name)
