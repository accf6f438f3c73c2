"""What surrounds the pages in a release: its files to download, and the releases before it.

What belongs here: looking at folders and copying them. What does not: figures, and making or keeping releases (`warehouse.release`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from warehouse.community import Community
from warehouse.report_card.catalogue import Catalogue
from warehouse.report_card.tables import Row

_WHOLE = (
    ("workbook", "workbook.xlsx"),
    ("dictionary", "dictionary.html"),
    ("database", "throughline.duckdb"),
    ("package", "csv/datapackage.json"),
)


def downloads(folder: Path, manifest: Mapping[str, Any], words: Catalogue) -> dict[str, list[Row]]:
    """Files of the release: whole ones, and each table as CSV and Parquet; only those that are there."""
    whole = [
        {"name": name, "href": href, "size": _size(folder / href, words)}
        for name, href in _WHOLE
        if (folder / href).is_file()
    ]
    tables = [
        {
            "name": name,
            "title": table["title"],
            "rows": table["rows"],
            "csv": _file(folder, f"csv/{name}.csv", words),
            "parquet": _file(folder, f"tables/{name}.parquet", words),
        }
        for name, table in manifest.get("tables", {}).items()
    ]
    # The manifest is written last, when the hashes of these pages are known.
    return {
        "whole": [*whole, {"name": "manifest", "href": "manifest.json", "size": "JSON"}],
        "tables": tables,
    }


def _file(folder: Path, href: str, words: Catalogue) -> Row | None:
    file = folder / href
    return {"href": href, "size": _size(file, words)} if file.is_file() else None


def _size(file: Path, words: Catalogue) -> str:
    size = file.stat().st_size
    unit, divisor = ("MB", 1e6) if size >= 1e6 else ("KB", 1e3)
    digits = 0 if size >= 1e7 else 1
    return words.t("downloads.size", n=words.num(max(size / divisor, 0.1), digits), unit=unit)


def kept_releases(community: Community, release_id: str) -> list[Row]:
    """Earlier releases to link to, latest first: the first of all, and the last of each calendar year.

    Looks at the folders alone: the release package calls this one, so this one does not call it.
    """
    held = []
    for file in sorted(community.paths.releases.glob("[0-9]*/manifest.json")):
        told = json.loads(file.read_text(encoding="utf-8"))
        if told["release_id"] != release_id and (file.parent / "report" / "index.html").is_file():
            held.append({name: told[name] for name in ("release_id", "created_at", "number")})
    last = {row["created_at"][:4]: row for row in held}
    chosen = {row["release_id"]: row for row in [*held[:1], *last.values()]}
    return sorted(chosen.values(), key=lambda row: -row["number"])


def copy_public(release: Path, target: Path) -> Path:
    """Copy what a release publishes, but for its pages and its audits, into a new folder.

    Raises:
        FileExistsError: the folder is there already; nothing is written.
    """
    if target.exists():
        raise FileExistsError(f"{target} is there already; name a new folder, or remove it first")
    shutil.copytree(
        release, target, ignore=lambda folder, _: {"report", "audits"} if folder == str(release) else set()
    )
    for item in [target, *target.rglob("*")]:  # a release is sealed; a copy is its owner's to change
        item.chmod(0o755 if item.is_dir() else 0o644)
    return target
