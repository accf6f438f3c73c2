"""The command line as a newcomer meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

THROUGHLINE = str(Path(sys.executable).with_name("throughline"))
HEAVY = ("dagster", "great_expectations", "dbt", "statsmodels")


def test_help_needs_no_heavy_library() -> None:
    """If not, every command starts seconds late."""
    code = (
        "import sys, orchestration.cli as c; c._register();"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_names_every_command_with_a_sentence() -> None:
    """If not, nobody finds a command."""
    done = subprocess.run([THROUGHLINE, "--help"], capture_output=True, text=True, check=True)
    for command in ("init", "demo", "run", "status", "serve", "check", "onboard", "quality", "restore"):
        assert command in done.stdout


def test_a_folder_without_community_is_told_with_its_fix(tmp_path: Path) -> None:
    """If not, a newcomer reads a traceback."""
    done = subprocess.run(
        [THROUGHLINE, "status", "--dir", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "throughline init" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_that_nobody_takes_is_told_with_its_fix(tmp_path: Path) -> None:
    """If not, a partner's file lies in its folder for ever and everybody thinks that it was taken."""
    folder = tmp_path / "town"

    def told(*arguments: str) -> str:
        command = [THROUGHLINE, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    told("init", str(folder))
    drop = folder / "data" / "landing" / "nobody"
    drop.mkdir(parents=True)
    (drop / "[red]list.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (folder / "data" / "landing" / "stray.csv").symlink_to("/etc/hostname")
    shown = told("status", "--dir", str(folder))
    assert "Not taken nobody: [red]list.csv: There is no partner 'nobody'." in shown
    assert "Add partners/<partner>/partner.yml, or move the file." in shown
    assert "stray.csv" in shown
    listed = json.loads(told("status", "--json", "--dir", str(folder)))["not_taken"]
    assert {entry["code"] for entry in listed} == {"unknown_partner", "unknown_file"}


def test_an_unknown_command_is_a_usage_error() -> None:
    """If not, a script takes a typing slip for success."""
    done = subprocess.run([THROUGHLINE, "publsh"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
