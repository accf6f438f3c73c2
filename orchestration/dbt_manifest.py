"""What dbt makes of its projects' files, parsed again only when they changed.

What belongs here: keeping the manifest that the definitions are made from, and that of the semantic layer, current.
What does not: running models.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from filelock import FileLock

DBT_PROJECT = Path(__file__).resolve().parent.parent / "dbt_project"
SEMANTIC_PROJECT = DBT_PROJECT / "semantic"
_SUFFIXES = {".sql", ".yml", ".csv", ".md"}


@lru_cache(maxsize=1)
def manifest_path() -> Path:
    """Path of a manifest that fits the project's present files; parses the project if there is none.

    Raises:
        RuntimeError: dbt cannot parse the project; carries dbt's own message.
    """
    parsed = DBT_PROJECT / "target" / "parsed"
    parsed.mkdir(parents=True, exist_ok=True)
    target = parsed / sources_hash()[:16]
    stamp = target / "whole"
    # Several runs may start at once: one parses, the others wait and read what is whole.
    with FileLock(parsed / "parse.lock"):
        if not stamp.is_file():
            _parse(DBT_PROJECT, target)
            _forget_older(parsed, target)
            stamp.touch()
    return target / "manifest.json"


def semantic_project() -> Path:
    """Folder of the semantic layer's project, whose `target/` has the parse that MetricFlow reads.

    Raises:
        RuntimeError: dbt cannot parse the project; carries dbt's own message.
    """
    target = SEMANTIC_PROJECT / "target"
    target.mkdir(parents=True, exist_ok=True)
    stamp, wanted = target / "sources", sources_hash(SEMANTIC_PROJECT)
    with FileLock(target / "parse.lock"):
        if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
            stamp.unlink(missing_ok=True)
            _parse(SEMANTIC_PROJECT, target)
            stamp.write_text(wanted, encoding="utf-8")
    return SEMANTIC_PROJECT


def _forget_older(parsed: Path, target: Path) -> None:
    """Remove what was parsed of earlier states of the project, except the last, which a run may still read."""
    others = [folder for folder in parsed.iterdir() if folder.is_dir() and folder != target]
    for folder in sorted(others, key=lambda folder: folder.stat().st_mtime)[:-1]:
        shutil.rmtree(folder)


def sources_hash(project: Path = DBT_PROJECT) -> str:
    """SHA-256 over every file of a project that shapes its parse."""
    others = {"target", "logs", "dbt_packages", SEMANTIC_PROJECT.name}
    digest = hashlib.sha256()
    for file in sorted(project.rglob("*")):
        relative = file.relative_to(project)
        if file.suffix in _SUFFIXES and relative.parts[0] not in others:
            digest.update(relative.as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _parse(project: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    dbt = Path(sys.executable).with_name("dbt")
    command = [
        str(dbt),
        "--no-use-colors",
        "parse",
        "--project-dir",
        str(project),
        "--profiles-dir",
        str(project),
        "--target-path",
        str(target),
    ]
    environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"dbt could not parse {project}:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
