"""What a run starts beside itself ends with it, even where it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestration.dbt_command import dbt_resource

_POOL = """
import os, time
from warehouse.processes import pool

def work(seconds):
    print(os.getpid(), flush=True)
    time.sleep(seconds)

if __name__ == "__main__":
    with pool(2) as crew:
        list(crew.map(work, [0.3, 0.3]))
        print("ready", flush=True)
        time.sleep(60)
"""
_WORK = "print(os.getpid(), flush=True), print('ready', flush=True), time.sleep(60)"
_CHILD = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c",
    "import os, time; from warehouse.processes import end_with_parent; end_with_parent(); {_WORK}"])
time.sleep(60)
"""
# dbt itself is long at work only on long tables: another work in its place, started the way that it is started.
_DBT = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c",
    "import os, time, dbt.cli.main; dbt.cli.main.cli = lambda: ({_WORK}); from orchestration.dbt_process import main; main()"])
time.sleep(60)
"""


@pytest.mark.parametrize("program", [_POOL, _CHILD, _DBT], ids=["pool", "child", "dbt"])
def test_a_killed_run_leaves_no_process(tmp_path: Path, program: str) -> None:
    """If not, each killed night leaves processes that hold counts in memory, or that write into the next one's tables."""
    file = tmp_path / "run.py"
    file.write_text(program, encoding="utf-8")
    run = subprocess.Popen([sys.executable, str(file)], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    started = set()
    for line in run.stdout:
        if line.strip() == "ready":
            break
        started.add(int(line))
    assert started and all(map(_lives, started))
    run.send_signal(signal.SIGKILL)
    run.wait()
    ended = time.monotonic() + 30
    while any(map(_lives, started)) and time.monotonic() < ended:
        time.sleep(0.1)
    assert not any(map(_lives, started))


def test_a_night_s_dbt_is_one_that_ends_with_it() -> None:
    """If not, a killed night's dbt goes on building beside the next night's."""
    dbt = Path(dbt_resource().dbt_executable)
    assert dbt.name == "throughline-dbt"
    told = subprocess.run([dbt, "--version"], capture_output=True, text=True, check=True)
    assert "duckdb" in told.stdout


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
