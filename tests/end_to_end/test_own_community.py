"""A night that is killed, again and again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("end_to_end_own")]

Cli = Callable[..., subprocess.CompletedProcess[str]]


def _tables(root: Path) -> dict[str, int]:
    """A hash of each published table, without the release's own id."""
    hashes = {}
    release = (root / "data" / "releases" / "current").resolve()
    with duckdb.connect() as con:
        for file in sorted((release / "tables").glob("*.parquet")):
            row = con.execute(
                f"select bit_xor(hash(t)::hugeint), count(*) from (select * exclude (release_id) from '{file}') t"
            ).fetchone()
            hashes[file.stem] = hash(row)
    return hashes


def test_a_killed_night_run_again_gives_the_same_release(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, run_cli: Cli
) -> None:
    """If not, a power cut changes published numbers."""
    from ingestion.sample import make_sample
    from warehouse.settings import CommunityPaths
    from warehouse.vault import make_key_file

    calm = tmp_path / "calm"
    make_sample(calm, people=800)
    make_key_file(CommunityPaths(calm).ensure())
    killed = tmp_path / "killed"
    shutil.copytree(calm, killed, symlinks=True)
    assert run_cli("run", "--dir", str(calm)).returncode == 0
    command = [str(Path(sys.executable).with_name("throughline")), "run", "--dir", str(killed)]
    environment = {
        **os.environ,
        "THROUGHLINE_NOW": "2024-11-15T02:30:00+00:00",
        "THROUGHLINE_SETTLE_SECONDS": "0",
    }
    for seconds in (5.0, 9.0, 16.0, 26.0):
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(seconds)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    done = run_cli("run", "--dir", str(killed))
    assert done.returncode == 0, done.stdout + done.stderr
    assert _tables(killed) == _tables(calm)
