"""A real standalone Spark cluster on loopback: one master and two workers of 1 core and 2 GB each.

What belongs here: starting and ending it. What does not: any work on it.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_MASTER = "org.apache.spark.deploy.master.Master"
CLUSTER_VARIABLE = "THROUGHLINE_SPARK_SECRET"
# Two workers, the driver and the tests share one small machine.
SMALL = {
    "spark.executor.memory": "1g",
    "spark.executor.cores": "1",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.memory": "2g",
}
_WORKER = "org.apache.spark.deploy.worker.Worker"


@dataclass(frozen=True)
class Cluster:
    master: str
    secret: str
    folder: Path


@contextmanager
def standalone(folder: Path) -> Iterator[Cluster]:
    """Start master and workers, wait until both workers are known, end all three afterwards."""
    import pyspark

    home = Path(pyspark.__file__).parent
    port = _free_port()
    secret = secrets.token_hex(16)
    settings = folder / "cluster.conf"
    settings.touch(mode=0o600)
    settings.write_text(
        f"spark.authenticate true\nspark.authenticate.secret {secret}\nspark.network.crypto.enabled true\n"
    )
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str, arguments: list[str]) -> None:
        env = {
            **os.environ,
            "SPARK_HOME": str(home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_LOCAL_DIRS": str(folder / f"local_{name}"),
            "SPARK_WORKER_DIR": str(folder / f"work_{name}"),
            "SPARK_DAEMON_MEMORY": "512m",
            "SPARK_NO_DAEMONIZE": "1",
        }
        with (folder / f"{name}.log").open("wb") as log:
            command = [str(home / "bin" / "spark-class"), *arguments, "--properties-file", str(settings)]
            started.append(subprocess.Popen(command, env=env, stdout=log, stderr=log))

    master = f"spark://127.0.0.1:{port}"
    try:
        start("master", [_MASTER, "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0"])
        _wait_for(folder / "master.log", "I have been elected leader", 1)
        for name in ("one", "two"):
            start(name, [_WORKER, master, "--host", "127.0.0.1", "-c", "1", "-m", "2g", "--webui-port", "0"])
        _wait_for(folder / "master.log", "Registering worker", 2)
        yield Cluster(master, secret, folder)
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(log: Path, text: str, times: int) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if log.exists() and log.read_text(errors="replace").count(text) >= times:
            return
        time.sleep(0.2)
    raise TimeoutError(f"the log {log} did not say '{text}' {times} times:\n{log.read_text()[-2000:]}")
