"""The working database of a night: the disposable DuckDB file that dbt builds.

What belongs here: preparing that file beside the present one, and putting it in place. What does not: what stands in
it before dbt (`warehouse.lake`, `warehouse.configured`), models (dbt_project) and what is published
(`warehouse.release`).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from warehouse import duck
from warehouse.settings import CommunityPaths


def building_path(paths: CommunityPaths) -> Path:
    """Where the next working database is built, beside the present one."""
    return paths.warehouse.with_name("building.duckdb")


def open_building(
    paths: CommunityPaths, memory_limit: str, *, keep: bool = False
) -> duckdb.DuckDBPyConnection:
    """Start the next working database; a rest of an interrupted night is thrown away.

    Args:
        paths: the community.
        memory_limit: before DuckDB spills.
        keep: start from a copy of the present one, if there is a whole one, instead of from nothing.
    """
    path = building_path(paths)
    _forget(path)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if keep and paths.warehouse.is_file() and not rebuild_mark(paths).exists():
        shutil.copyfile(paths.warehouse, path)
        try:
            return _opened(path, paths, memory_limit)
        except duckdb.Error:
            _forget(path)  # damaged; the working database can always be made again
    return _opened(path, paths, memory_limit)


def _opened(path: Path, paths: CommunityPaths, memory_limit: str) -> duckdb.DuckDBPyConnection:
    con = duck.connect(path, memory_limit=memory_limit, temp_directory=paths.temp)
    path.chmod(0o600)
    return con


def _forget(path: Path) -> None:
    for leftover in (path, path.with_suffix(".duckdb.wal")):
        leftover.unlink(missing_ok=True)
    # Where DuckDB spilled for whoever was killed while building.
    shutil.rmtree(f"{path}.tmp", ignore_errors=True)


def rebuild_mark(paths: CommunityPaths) -> Path:
    """A file that says: the next night builds everything anew; it goes when that succeeded."""
    return paths.warehouse.with_name("rebuild")


def put_in_place(paths: CommunityPaths) -> Path:
    """Make the finished working database the present one, in one rename."""
    path = building_path(paths)
    if path.with_suffix(".duckdb.wal").exists():
        # Whoever built it ended without a checkpoint; opening and closing moves the rest into the file.
        duckdb.connect(str(path)).close()
    path.replace(paths.warehouse)
    rebuild_mark(paths).unlink(missing_ok=True)
    return paths.warehouse
