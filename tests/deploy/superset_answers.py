"""A real Superset shows the shipped dashboard, with the release's figures, from DuckDB and from PostgreSQL.

Not part of the ordinary suite: `make test-superset` installs Superset in an environment of its own and runs it.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import pytest
import yaml

from tests.postgresql import running_server
from tests.warehouse.release.conftest import load_synthetic
from warehouse.publish import publish_release
from warehouse.settings import Settings

_DEPLOY = Path(__file__).parents[2] / "deploy" / "superset"
_PEOPLE, _PATIENCE = "600", 240
_RELEASES, _READERS = 6, 3
DESCRIPTION = yaml.safe_load((_DEPLOY / "dashboard.yml").read_text(encoding="utf-8"))


def _loader() -> ModuleType:
    spec = importlib.util.spec_from_file_location("load_dashboard", _DEPLOY / "load_dashboard.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LOADER = _loader()


def _throughline(*arguments: str, **environment: str) -> None:
    command = [str(Path(sys.executable).with_name("throughline")), *arguments]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("town") / "riverbend"
    _throughline("demo", "--people", _PEOPLE, "--dir", str(root))
    return root


@pytest.fixture(scope="module")
def sign_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Any]]:
    """Opens a session of its own with one running Superset."""
    folder = tmp_path_factory.mktemp("superset")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = (folder / "log").open("w")
    command = [str(_DEPLOY / "start.sh"), str(folder), str(port)]
    server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        address = f"http://127.0.0.1:{port}"
        _await(address, server, folder / "log")
        password = (folder / "password").read_text().strip()
        yield lambda: LOADER.Superset(address, "admin", password)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


@pytest.fixture(scope="module")
def session(sign_in: Callable[[], Any]) -> Any:
    return sign_in()


def _await(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):  # noqa: S310 - our own server
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(1)
    raise AssertionError(log.read_text()[-3000:])


def _expected(chart: dict[str, Any], release: Path) -> list[tuple[Any, ...]]:
    """The chart's answer by DuckDB alone, over the release's file."""
    dataset = DESCRIPTION["datasets"][chart["dataset"]]
    where = f"where {chart['where']}" if "where" in chart else ""
    if chart["kind"] == "table":
        query = f"select {', '.join(chart['columns'])} from ({dataset['sql']}) {where}"
    else:
        columns = LOADER.query_of(chart)["columns"]
        metrics = ", ".join(dataset["metrics"][name][0] for name in chart["metrics"])
        query = f"select {', '.join(columns)}, {metrics} from ({dataset['sql']}) {where} group by all"
    with duckdb.connect(str(release / "data/releases/current/throughline.duckdb"), read_only=True) as con:
        return _sorted(con.execute(query).fetchall())


def _answers(session: Any, chart: dict[str, Any]) -> list[tuple[Any, ...]]:
    found = {c["slice_name"]: c["id"] for c in session.call("chart/?q=(page_size:100)")["result"]}
    (result,) = session.call(f"chart/{found[chart['title']]}/data/")["result"]
    return _sorted([tuple(row.values()) for row in result["data"]])


def _backends(session: Any) -> list[str]:
    return [database["backend"] for database in session.call("database/?q=(page_size:100)")["result"]]


def _sorted(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    def plain(value: Any) -> Any:
        if hasattr(value, "toordinal"):
            return round(
                (value.toordinal() - 719_163) * 86_400_000.0, 9
            )  # Superset tells days as milliseconds since 1970
        return (
            round(float(value), 9)
            if isinstance(value, int | float) and not isinstance(value, bool)
            else value
        )

    return sorted((tuple(map(plain, row)) for row in rows), key=repr)


def _compare(session: Any, release: Path) -> None:
    for name, chart in DESCRIPTION["charts"].items():
        wanted = _expected(chart, release)
        assert wanted, name
        assert _answers(session, chart) == wanted, name


def test_every_chart_answers_as_the_release_does_from_both(session: Any, release: Path) -> None:
    """If not, a meeting looks at other figures than those that were checked."""
    database = release / "data/releases/current/throughline.duckdb"
    session.load(LOADER.bundle(DESCRIPTION, str(database)), {})
    assert _backends(session) == ["duckdb"]
    _compare(session, release)
    with running_server() as server:
        config = release / "community.yml"
        config.write_text(config.read_text() + "publish:\n  - target: postgresql\n")
        _throughline("publish", "--dir", str(release), THROUGHLINE_POSTGRES_URL=server.url)
        session.load(LOADER.bundle(DESCRIPTION, server.url), {})
        assert _backends(session) == ["postgresql"]
        _compare(session, release)
    (dashboard,) = session.call("dashboard/?q=(page_size:100)")["result"]
    assert dashboard["dashboard_title"] == DESCRIPTION["title"]
    charts = session.call(f"dashboard/{dashboard['id']}/charts")["result"]
    assert {chart["slice_name"] for chart in charts} == {c["title"] for c in DESCRIPTION["charts"].values()}


def _all_tables(names: list[str]) -> dict[str, Any]:
    """A dashboard of one chart: every release that any row of these tables is of, by table."""
    every = " union all ".join(
        f"select '{name}' as name, release_id from {name} group by release_id" for name in names
    )
    rows = {
        "kind": "table",
        "dataset": "releases",
        "title": "Releases",
        "columns": ["name", "release_id"],
        "order": ["name"],
    }
    dataset = {
        "about": "Release of every row.",
        "sql": every,
        "columns": {"name": "text", "release_id": "text"},
    }
    return {"title": "Releases", "slug": "releases", "datasets": {"releases": dataset}, "charts": {"releases": rows},
            "rows": [{"releases": 12}]}  # fmt: skip


def _read(sign_in: Callable[[], Any], end: threading.Event, tables: int) -> list[str]:
    """Ask without pause until the end: the release of each answer. An answer of two releases fails, and so does an error."""
    session, seen = sign_in(), []
    found = session.call("chart/?q=(page_size:100)")["result"]
    (chart,) = [c["id"] for c in found if c["slice_name"] == "Releases"]
    while not end.is_set():
        (result,) = session.call(f"chart/{chart}/data/?force=true")["result"]
        assert result["error"] is None and len(result["data"]) == tables, result
        (release,) = {row["release_id"] for row in result["data"]}
        seen.append(release)
    return seen


@pytest.mark.parametrize("backend", ["duckdb", "postgresql"])
def test_superset_never_notices_a_release(
    session: Any, sign_in: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    """If not, a chart fails, or shows figures of two nights, whenever somebody looks while a night ends."""
    synthetic = load_synthetic()
    community = synthetic.make_community(tmp_path / "town")
    for step in ("write_report_card", "write_workbook"):  # Nobody here looks at these.
        monkeypatch.setattr(f"warehouse.release.build.{step}", lambda *_: None)
    with running_server() as server:

        def release(number: int) -> str:
            synthetic.make_marts(community.paths.warehouse, shift=-0.02 * number)
            report = synthetic.build(community, run_id=f"r{number}", fingerprint=f"i{number}")
            assert report.created
            if backend == "postgresql":
                settings = Settings.model_validate({"postgres_url": server.url})
                (outcome,) = publish_release(community, settings, report.path)
                assert outcome.published, outcome.message
            return str(report.release_id)

        made = [release(0)]
        database = str(community.paths.releases / "current" / "throughline.duckdb")
        with duckdb.connect(database, read_only=True) as con:
            names = [name for (name,) in con.execute("show tables").fetchall() if name.startswith("pub_")]
            names = [name for name in names if con.execute(f"select 1 from {name} limit 1").fetchone()]
        assert len(names) > 15
        session.load(LOADER.bundle(_all_tables(names), database if backend == "duckdb" else server.url), {})
        end = threading.Event()
        with ThreadPoolExecutor(_READERS) as pool:
            readers = [pool.submit(_read, sign_in, end, len(names)) for _ in range(_READERS)]
            try:
                made += [release(number) for number in range(1, _RELEASES + 1)]
                time.sleep(5)
            finally:
                end.set()
        for reader in readers:
            seen = reader.result()
            print(backend, len(seen), "answers of", len(set(seen)), "releases")
            assert list(dict.fromkeys(seen)) == [name for name in made if name in seen]
            assert len(set(seen)) > _RELEASES / 2 and seen[-1] == made[-1]
