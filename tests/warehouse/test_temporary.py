"""What a killed process left is neither in the way of the next nor stays on the disk, and nobody's spill meets another's."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from warehouse import duck
from warehouse.run_lock import run_lock
from warehouse.settings import CommunityPaths
from warehouse.temporary import private_folder, sweep
from warehouse.working import building_path, open_building

_ROWS = 600_000
_SPILL = f"""
import sys, time
from pathlib import Path
from warehouse import duck
con = duck.connect(temp_directory=Path(sys.argv[1]), memory_limit="30MB", threads=1)
con.execute("create temp table t as select md5(i::varchar) as a, md5((i + 7)::varchar) as b from range({_ROWS}) r(i)")
print("spilled", flush=True)
sys.stdin.readline()
print(con.execute("select count(*) from t, range(1) where length(a) + length(b) = 64").fetchone()[0])
"""


def _spilling(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _SPILL, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "spilled\n"
    return process


def test_two_processes_that_spill_below_one_folder_do_not_meet(tmp_path: Path) -> None:
    """If they do, a night fails, or reads another's rows, because somebody ran a command beside it."""
    both = [_spilling(tmp_path), _spilling(tmp_path)]
    told = [process.communicate("\n")[0].strip() for process in both]
    assert told == [str(_ROWS)] * 2
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next_run(tmp_path: Path) -> None:
    """If not, originals decrypted for reading, and gigabytes of spill, stay for ever."""
    paths = CommunityPaths(tmp_path / "c").ensure()
    process = _spilling(paths.temp / "linkage")
    with private_folder(paths.temp) as mine:
        with run_lock(paths):
            assert list((paths.temp / "linkage").iterdir()) != []  # it is at work still
        process.send_signal(signal.SIGKILL)
        process.communicate()
        with run_lock(paths):
            assert list((paths.temp / "linkage").iterdir()) == []
        assert mine.is_dir()


def test_a_folder_of_another_machine_is_left_alone_for_a_day(tmp_path: Path) -> None:
    """If not, two containers on one volume remove each other's; and if for ever, a lost one's files stay."""
    foreign = tmp_path / "throughline-other-host-1-spill0"
    foreign.mkdir()
    assert sweep(tmp_path) == 0 and foreign.is_dir()
    long_ago = time.time() - 2 * 86_400
    os.utime(foreign, (long_ago, long_ago))
    assert sweep(tmp_path) == 1 and not foreign.exists()


def test_names_that_anybody_may_make_stop_no_run(tmp_path: Path) -> None:
    """If they do, whoever may write to the machine's temporary folder keeps every night from beginning."""
    host = socket.gethostname()
    for name in (
        f"throughline-{host}-{10**30}-x",
        f"throughline-{host}-0-x",
        "throughline-x",
        "throughline-",
    ):
        (tmp_path / name).mkdir()
    (tmp_path / f"throughline-{host}-{10**30}-link").symlink_to(tmp_path.parent, target_is_directory=True)
    sweep(tmp_path)
    assert tmp_path.parent.is_dir() and not (tmp_path / f"throughline-{host}-{10**30}-x").exists()
    assert (tmp_path / f"throughline-{host}-0-x").is_dir() and (tmp_path / "throughline-x").is_dir()


@pytest.mark.parametrize("keep", [True, False])
def test_a_night_begins_where_one_was_killed_while_it_spilled(tmp_path: Path, keep: bool) -> None:
    """If not, every night after it fails until somebody finds and removes a folder."""
    paths = CommunityPaths(tmp_path / "c").ensure()
    duckdb.connect(str(paths.warehouse)).close()
    left = Path(f"{building_path(paths)}.tmp")
    left.mkdir(parents=True)
    (left / "duckdb_temp_storage_DEFAULT-0.tmp").write_bytes(b"left")
    open_building(paths, "1GB", keep=keep).close()
    assert not left.exists()


def test_a_database_opens_beside_spill_files_of_a_killed_process(tmp_path: Path) -> None:
    """If not, the setting that encrypts spill files is refused, and with it the connection."""
    file = tmp_path / "x.duckdb"
    left = tmp_path / "x.duckdb.tmp"
    left.mkdir()
    (left / "duckdb_temp_storage_DEFAULT-0.tmp").write_bytes(b"left")
    with duck.connect(file) as con:
        assert con.execute("select current_setting('temp_file_encryption')").fetchone() == (True,)
