"""The files of `deploy/` name what exists: settings, commands, folders and each other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from warehouse.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*@.*"))
VARIABLE = re.compile(r"\bTHROUGHLINE_[A-Z_]+\b")


def test_every_setting_that_is_named_exists() -> None:
    """If not, a service starts with a setting that nobody reads, and the defaults hold silently."""
    known = {f"THROUGHLINE_{name.upper()}" for name in Settings.model_fields}
    files = [*DEPLOY.rglob("*.*"), *ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    named = {
        (file.name, variable)
        for file in files
        if file.is_file()
        for variable in VARIABLE.findall(file.read_text(encoding="utf-8"))
    }
    assert len(named) > 10
    assert {(file, variable) for file, variable in named if variable not in known} == set()


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_no_fault_in_a_unit(unit: Path, tmp_path: Path) -> None:
    """If not, the night does not start, and nobody is told."""
    tool = shutil.which("systemd-analyze")
    assert tool, "systemd is needed to check its units; scripts/install_system_packages installs it"
    for file in UNITS:
        text = file.read_text(encoding="utf-8")
        text = text.replace("/opt/throughline/.venv/bin/throughline", "/bin/true")
        text = text.replace("/opt/throughline/deploy/backup", "/bin/true")
        (tmp_path / file.name.replace("@", "@riverbend")).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [
            tool,
            "verify",
            "--man=no",
            "--recursive-errors=no",
            str(tmp_path / unit.name.replace("@", "@riverbend")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert unit.name.split("@")[0] not in done.stderr, done.stderr


def test_compose_mounts_and_builds_what_exists() -> None:
    """If not, `docker compose up` ends with a missing file."""
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    compose = yaml.safe_load(text)
    for service in compose["services"].values():
        for volume in service.get("volumes", ()):
            if volume.startswith("./"):
                assert (DEPLOY / volume.split(":")[0]).is_file(), volume
    build = compose["services"]["web"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()
    asked = set(re.findall(r"\$\{([A-Z_]+)", text))
    offered = set(re.findall(r"^([A-Z_]+)=", (DEPLOY / "env.example").read_text(), flags=re.M))
    assert asked == offered


def test_the_image_installs_as_any_machine_does() -> None:
    """If not, the image drifts from what was tested."""
    steps = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert "make install GROUPS=--no-dev" in steps
    assert "GROUPS" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_backups_are_kept_for_as_many_days_as_asked(tmp_path: Path) -> None:
    """If not, the disk fills until the night fails, or the only good backup is removed."""
    stub = tmp_path / "throughline"
    stub.write_text('#!/bin/sh\necho whole > "$2"\n')
    stub.chmod(0o755)
    folder = tmp_path / "backups"
    folder.mkdir()
    for day in range(1, 6):
        (folder / f"2024-01-0{day}T060000Z.tar.gz").write_text("old")
    (folder / "notes.txt").write_text("a person's own")
    env = {**os.environ, "KEEP": "3", "THROUGHLINE": str(stub)}
    subprocess.run([str(DEPLOY / "backup"), str(folder)], env=env, check=True)
    kept = sorted(file.name for file in folder.glob("*.tar.gz"))
    assert len(kept) == 3 and kept[:2] == ["2024-01-04T060000Z.tar.gz", "2024-01-05T060000Z.tar.gz"]
    assert (folder / kept[2]).read_text() == "whole\n"
    assert (folder / "notes.txt").exists()
