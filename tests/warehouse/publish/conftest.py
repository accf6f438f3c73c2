"""A real PostgreSQL server for the tests of publishing, and releases of the synthetic marts to publish."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest

from warehouse.community import Community, load_community
from warehouse.release import ReleaseReport
from warehouse.settings import Settings


@dataclass(frozen=True)
class Server:
    """A running server; `url` names a database of one test's own."""

    host: str
    port: int
    database: str = "postgres"
    user: str = "postgres"

    @property
    def url(self) -> str:
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.database}"

    def connect(self, user: str | None = None, **options: Any) -> psycopg.Connection:
        return psycopg.connect(replace(self, user=user or self.user).url, **options)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connect(autocommit=True) as con:
            return con.execute(query.encode()).fetchall()


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed; scripts/install_system_packages does it")
    return found[-1].parent


def _owner() -> dict[str, Any]:
    """The server refuses to run as root."""
    if os.getuid() != 0:
        return {}
    entry = pwd.getpwnam("postgres")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for all tests, in a folder of its own."""
    binaries, owner = _binaries(), _owner()
    folder = Path(tempfile.mkdtemp(prefix="throughline-pg-"))
    if owner:
        os.chown(folder, owner["user"], owner["group"])
    data = folder / "data"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=60"

    def call(*command: str) -> None:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=120, check=False, **owner
        )
        assert done.returncode == 0, done.stdout + done.stderr

    call(
        str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"
    )
    log = folder / "log"
    call(str(binaries / "pg_ctl"), "-D", str(data), "-l", str(log), "-o", settings, "-w", "start")
    try:
        yield Server("127.0.0.1", port)
    finally:
        call(str(binaries / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(server: Server, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A database of the test's own, with a role that may read and one that publishes and is no superuser."""
    name = f"t{abs(hash(request.node.nodeid)):x}"[:30]
    with server.connect(autocommit=True) as con:
        for role in ("bi_reader", "publisher"):
            con.execute(
                f"do $$ begin create role {role} login; exception when duplicate_object then null; end $$".encode()
            )
        con.execute(f"create database {name} owner publisher".encode())
    yield replace(server, database=name, user="publisher")
    with server.connect(autocommit=True) as con:
        con.execute(f"drop database {name} with (force)".encode())


def load_synthetic() -> ModuleType:
    file = Path(__file__).parent.parent / "release" / "synthetic.py"
    spec = importlib.util.spec_from_file_location("synthetic_marts", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["synthetic_marts"] = module
    spec.loader.exec_module(module)
    return module


@dataclass
class Shelf:
    """A community whose releases differ: each one moves early grade reading a little."""

    root: Path
    synthetic: ModuleType
    releases: list[ReleaseReport]

    @property
    def community(self) -> Community:
        return load_community(self.root)

    def again(self) -> ReleaseReport:
        """Make the next release."""
        number = len(self.releases) + 1
        self.synthetic.make_marts(self.community.paths.warehouse, shift=-0.02 * number)
        report: ReleaseReport = self.synthetic.build(
            self.community, run_id=f"run-{number}", fingerprint=f"inputs-{number}"
        )
        assert report.created
        self.releases.append(report)
        return report


@pytest.fixture(scope="session")
def synthetic() -> ModuleType:
    return load_synthetic()


@pytest.fixture(scope="session")
def three_releases(tmp_path_factory: pytest.TempPathFactory, synthetic: ModuleType) -> Shelf:
    """Three releases that tests only read."""
    root = tmp_path_factory.mktemp("published")
    synthetic.make_community(root)
    shelf = Shelf(root, synthetic, [])
    for _ in range(3):
        shelf.again()
    return shelf


@pytest.fixture
def settings_for() -> Callable[[Server], Settings]:
    return lambda server: Settings.model_validate({"postgres_url": server.url})
