"""The files of a finished release as a target sees them: described by the release's own data package.

What belongs here: reading the description. What does not: any target, or how the files came to be.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class PackageColumn:
    """One column; `kind` is string, integer, number, boolean or date."""

    name: str
    kind: str
    about: str


@dataclass(frozen=True)
class PackageTable:
    """One published table; its CSV file has a header, empty means null, quoted empty means an empty text."""

    name: str
    about: str
    rows: int
    keys: tuple[str, ...]
    columns: tuple[PackageColumn, ...]
    csv: Path


@dataclass(frozen=True)
class ReleaseFiles:
    """A finished release: its id, its number, its folder, when it was made, its tables."""

    release_id: str
    number: int
    created_at: str
    folder: Path
    tables: tuple[PackageTable, ...]


def read_release(folder: Path) -> ReleaseFiles:
    """Read the description of the release in a folder; a link is followed once, so that all files are of one release."""
    folder = folder.resolve()
    package = json.loads((folder / "csv" / "datapackage.json").read_text(encoding="utf-8"))
    return ReleaseFiles(
        release_id=folder.name,
        number=int(package["version"]),
        created_at=package["created"],
        folder=folder,
        tables=tuple(_table(folder, resource) for resource in package["resources"]),
    )


def _table(folder: Path, resource: dict[str, Any]) -> PackageTable:
    file = folder / "csv" / resource["path"]
    schema = resource["schema"]
    return PackageTable(
        name=file.stem,
        about=resource["description"],
        rows=int(resource["rows"]),
        keys=tuple(schema["primaryKey"]),
        columns=tuple(
            PackageColumn(item["name"], item["type"], item["description"]) for item in schema["fields"]
        ),
        csv=file,
    )
