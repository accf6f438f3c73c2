"""A community in production: runs and ledger in PostgreSQL, services, a backup, the loss of everything, a restore."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.postgres]
DEPLOY = Path(__file__).parents[2] / "deploy"
COMMAND = str(Path(sys.executable).with_name("throughline"))
FIRST = """\
Student Number,First Name,Last Name,Birth Date,Gender,Race,School Year,School,Grade,Entry Date,Low Income
1001,Ada,Example,04/12/2015,F,W,2023-24,Oak Elementary,03,08/21/2023,Y
1002,Ben,Sample,11/02/2014,M,B;W,2023-24,Oak Elementary,03,08/21/2023,N
"""
SECOND = FIRST.replace("2023-24", "2024-25").replace(",03,", ",04,").replace("08/21/2023", "08/19/2024")
Run = Callable[..., subprocess.CompletedProcess[str]]


def _environment(root: Path, server: Any, suffix: str) -> dict[str, str]:
    for name in ("dagster", "ledger"):
        with server.connect(autocommit=True) as con:
            con.execute(f"create database {name}_{suffix}".encode())
    place = f"{server.user}@{server.host}:{server.port}"
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("THROUGHLINE_")},
        "COLUMNS": "200",
        "THROUGHLINE": COMMAND,
        "THROUGHLINE_COMMUNITY": str(root),
        "THROUGHLINE_SETTLE_SECONDS": "0",
        "THROUGHLINE_NOW": "2024-11-15T02:30:00+00:00",
        "THROUGHLINE_DAGSTER_POSTGRES_URL": f"postgresql://{place}/dagster_{suffix}",
        "THROUGHLINE_LEDGER_URL": f"postgresql+psycopg2://{place}/ledger_{suffix}",
    }


def _run(environment: dict[str, str], *command: str) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[:3000] + done.stderr[-3000:]
    return done.stdout


@contextmanager
def _services(environment: dict[str, str], port: int) -> Iterator[None]:
    """User interface and daemon, each as the unit of its name starts it."""
    started = [
        subprocess.Popen(
            [COMMAND, "serve", *arguments],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for arguments in (("--part", "web", "--port", str(port)), ("--part", "daemon"))
    ]
    try:
        yield
        assert [process.poll() for process in started] == [None, None], "a service ended by itself"
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.wait(timeout=60)


def _ask(port: int, query: str) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        data=json.dumps({"query": query}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server on loopback
        return json.load(answer)["data"]


def _until(seconds: float, asked: Callable[[], Any]) -> Any:
    end = time.monotonic() + seconds
    while True:
        try:
            if found := asked():
                return found
        except (OSError, KeyError, TypeError):
            pass
        assert time.monotonic() < end, "the services did not become ready"
        time.sleep(1)


_HEALTH = """{
  instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } }
  runsOrError { ... on Runs { results { status jobName } } }
  schedulesOrError(repositorySelector: {repositoryName: "__repository__", repositoryLocationName: "orchestration.definitions"})
    { ... on Schedules { results { scheduleState { status } } } }
}"""


def _well(port: int) -> Any:
    told = _ask(port, _HEALTH)
    daemons = [d for d in told["instance"]["daemonHealth"]["allDaemonStatuses"] if d["required"]]
    schedules = told["schedulesOrError"]["results"]
    return told if daemons and all(d["healthy"] for d in daemons) and schedules else None


def _released(root: Path) -> dict[str, list[Any]]:
    folder = (root / "data" / "releases" / "current" / "tables").resolve()
    with duckdb.connect() as con:
        return {
            file.stem: con.execute(f"select * from '{file}' order by all").fetchall()
            for file in sorted(folder.glob("*.parquet"))
        }


def _person_keys(root: Path) -> set[Any]:
    files = sorted((root / "data" / "lake").rglob("*crosswalk*.parquet"))
    assert files
    with duckdb.connect() as con:
        return {
            row[0]
            for row in con.execute("select person_key from read_parquet(?)", [[*map(str, files)]]).fetchall()
        }


def test_everything_lost_is_restored_and_the_next_night_goes_on(tmp_path: Path, server: Any) -> None:
    """If not, the first disk that breaks takes the partnership's years of data, or its numbers, with it."""
    root, backups, key = tmp_path / "town", tmp_path / "backups", tmp_path / "kept.key"
    environment = _environment(root, server, "before")
    _run(environment, COMMAND, "init", str(root))
    landing = root / "data" / "landing" / "example_district"
    (landing / "enrollment_2024.csv").write_text(FIRST)
    _run(environment, COMMAND, "run")
    assert not list(root.rglob("ledger.sqlite*")) and not list((root / "data").rglob("runs.db*"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with _services(environment, port):
        told = _until(150, lambda: _well(port))
        assert ("SUCCESS", "nightly") in {(r["status"], r["jobName"]) for r in told["runsOrError"]["results"]}
        assert told["schedulesOrError"]["results"][0]["scheduleState"]["status"] == "RUNNING"
        backups.mkdir()
        _run(environment, str(DEPLOY / "backup"), str(backups))
    shutil.copy(next((root / "data" / "keys").glob("*.key")), key)
    released, keys = _released(root), _person_keys(root)

    shutil.rmtree(root)
    environment = _environment(root, server, "after")
    _run(environment, COMMAND, "restore", str(next(backups.glob("*.tar.gz"))), str(root))
    environment["THROUGHLINE_VAULT_KEY_FILE"] = str(key)
    assert _released(root) == released
    assert len(json.loads(_run(environment, COMMAND, "release", "list", "--json"))) == 1
    (landing / "enrollment_2025.csv").write_text(SECOND)
    _run(environment, COMMAND, "run")
    assert len(json.loads(_run(environment, COMMAND, "release", "list", "--json"))) == 2
    assert _person_keys(root) == keys, "the same children were given other keys"
