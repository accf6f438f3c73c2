"""A real PostgreSQL server on loopback, from Debian's packages, for whoever publishes to one."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg


@dataclass(frozen=True)
class Server:
    """A running server; `url` names a database of one test's own."""

    host: str
    port: int
    database: str = "postgres"
    user: str = "postgres"
    folder: Path = Path()

    @property
    def url(self) -> str:
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.database}"

    def connect(self, user: str | None = None, **options: Any) -> psycopg.Connection:
        return psycopg.connect(replace(self, user=user or self.user).url, **options)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connect(autocommit=True) as con:
            return con.execute(query.encode()).fetchall()

    def start(self) -> None:
        """Start it, also after a crash."""
        settings = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=60"
        _call(self.folder, "pg_ctl", "-l", str(self.folder / "log"), "-o", settings, "-w", "start")

    def crash(self) -> None:
        """End it in the middle of whatever it does, as a loss of power would."""
        _call(self.folder, "pg_ctl", "-m", "immediate", "stop")


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        raise RuntimeError("PostgreSQL is not installed; scripts/install_system_packages does it")
    return found[-1].parent


def _owner() -> dict[str, Any]:
    """The server refuses to run as root."""
    if os.getuid() != 0:
        return {}
    entry = pwd.getpwnam("postgres")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@contextmanager
def running_server() -> Iterator[Server]:
    """A server in a folder of its own, gone with the block."""
    folder, owner = Path(tempfile.mkdtemp(prefix="throughline-pg-")), _owner()
    if owner:
        os.chown(folder, owner["user"], owner["group"])
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    _call(folder, "initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
    server = Server("127.0.0.1", port, folder=folder)
    server.start()
    try:
        yield server
    finally:
        server.crash()
        shutil.rmtree(folder, ignore_errors=True)


def _call(folder: Path, program: str, *options: str) -> None:
    done = subprocess.run(
        [str(_binaries() / program), "-D", str(folder / "data"), *options],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False, **_owner(),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
