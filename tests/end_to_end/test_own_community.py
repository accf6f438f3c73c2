"""The README's ten-minute guide, and a night that is killed."""

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

GUIDE = """\
Student Number,First Name,Last Name,Birth Date,Gender,Race,School Year,School,Grade,Entry Date,Low Income
1001,Ada,Example,04/12/2015,F,W,2023-24,Oak Elementary,03,08/21/2023,Y
1002,Ben,Sample,11/02/2014,M,B;W,2023-24,Oak Elementary,03,08/21/2023,N
1003,Cleo,Specimen,13/45/2015,F,H,2023-24,Oak Elementary,03,08/21/2023,Y
"""
Cli = Callable[..., subprocess.CompletedProcess[str]]


def test_the_ten_minute_guide_ends_in_a_release(tmp_path: Path, run_cli: Cli) -> None:
    """If not, a newcomer's first quarter of an hour ends in frustration."""
    root = tmp_path / "springfield"
    assert run_cli("init", str(root)).returncode == 0
    file = root / "data" / "landing" / "example_district" / "enrollment_2024.csv"
    file.write_text(GUIDE)
    judged = run_cli("check", str(file), "--partner", "example_district", "--dir", str(root))
    assert "birth_date" in judged.stdout, judged.stdout + judged.stderr
    assert "13/45/2015" not in judged.stdout
    done = run_cli("run", "--dir", str(root))
    assert done.returncode == 0, done.stdout + done.stderr
    release = (root / "data" / "releases" / "current").resolve()
    assert (release / "throughline.duckdb").is_file()
    receipts = list((root / "data" / "receipts" / "example_district").glob("*.html"))
    assert receipts
    told = "".join(file.read_text() for file in receipts)
    assert "Specimen" not in told and "13/45/2015" not in told


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
