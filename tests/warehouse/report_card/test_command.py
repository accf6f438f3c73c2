"""`throughline report` as its users meet it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from warehouse.settings import CommunityPaths

THROUGHLINE = str(Path(sys.executable).with_name("throughline"))


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([THROUGHLINE, "report", *arguments], capture_output=True, text=True, check=False)


def test_the_commands_tell_where_the_pages_are(community_paths: CommunityPaths, report: Path) -> None:
    """Otherwise staff search folders for what a night has made."""
    done = _run("card", "--dir", str(community_paths.root), "--json")
    assert done.returncode == 0, done.stderr
    assert Path(json.loads(done.stdout)["page"]) == report / "index.html"
    room = _run("data-room", "--dir", str(community_paths.root), "--json")
    assert Path(json.loads(room.stdout)["page"]).is_file()


def test_a_release_that_is_not_there_is_refused_with_what_is(
    community_paths: CommunityPaths, report: Path
) -> None:
    """Otherwise a mistyped id ends in a traceback."""
    done = _run("card", "--release", "99", "--dir", str(community_paths.root))
    assert done.returncode == 1
    assert report.parent.name in done.stdout and "Traceback" not in done.stderr
