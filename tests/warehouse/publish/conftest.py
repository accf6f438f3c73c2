"""A real PostgreSQL server for the tests of publishing, and releases of the synthetic marts to publish."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import pytest

from tests.postgresql import Server, running_server
from warehouse.community import Community, load_community
from warehouse.release import ReleaseReport
from warehouse.settings import Settings


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for all tests, in a folder of its own."""
    with running_server() as found:
        yield found


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
