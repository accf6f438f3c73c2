"""One sample community, run once for all end-to-end tests; tests that change it work on a copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PEOPLE = 2500
NOW = "2024-11-15T02:30:00+00:00"


def throughline(*arguments: str, timeout: int = 900, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user would, with a fixed clock."""
    command = [str(Path(sys.executable).with_name("throughline")), *arguments]
    env = {
        **os.environ,
        "THROUGHLINE_NOW": NOW,
        "THROUGHLINE_SETTLE_SECONDS": "0",
        "COLUMNS": "200",
        **environment,
    }
    # The usual umask lets everybody read: what is private must be made so.
    return subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=timeout, check=False, umask=0o022
    )


@pytest.fixture(scope="session")
def run_cli() -> Callable[..., subprocess.CompletedProcess[str]]:
    return throughline


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A community of invented people after its first night."""
    root = tmp_path_factory.mktemp("demo") / "riverbend"
    done = throughline("demo", "--people", str(PEOPLE), "--dir", str(root))
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    (root / "first_night.txt").write_text(done.stdout)
    return root


@pytest.fixture
def demo_copy(demo: Path, tmp_path: Path) -> Path:
    """A copy of the community after its first night, to be changed."""
    root = tmp_path / "riverbend"
    shutil.copytree(demo, root, symlinks=True)
    return root
