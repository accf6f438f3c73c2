"""Several communities from one installation: each by its own folder, key, ledger, Dagster home and port, and no more."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

import ingestion
import orchestration.cli as cli
from orchestration.health import examine
from orchestration.instance import prepare_instance
from warehouse.community import load_community
from warehouse.ledger import Ledger
from warehouse.settings import Settings
from warehouse.vault import VaultKeyError

cli._register()
_TOWNS = ("ashford", "birchwood")
_FILE = """Student Number,First Name,Last Name,Birth Date,Gender,Race,School Year,School,Grade,Entry Date,Low Income
1001,Ada,Example,04/12/2015,F,W,2023-24,Oak Elementary,03,08/21/2023,Y
"""


@dg.job
def nightly() -> None:
    pass


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the commands set is put back after each test."""
    for name in ("THROUGHLINE_COMMUNITY", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Two communities side by side; only the first was sent a file, and had a run in Dagster."""
    with pytest.MonkeyPatch.context() as kept:
        for name in ("THROUGHLINE_COMMUNITY", "DAGSTER_HOME"):
            kept.setenv(name, "")
        yield _make(tmp_path_factory.mktemp("installation"))


def _make(folder: Path) -> dict[str, Path]:
    made = {}
    for town in _TOWNS:
        made[town] = folder / town
        done = CliRunner().invoke(cli.app, ["init", str(made[town]), "--name", f"{town.title()} Partnership"])
        assert done.exit_code == 0, done.output
    first = load_community(made["ashford"])
    first.paths.ensure()
    drop = first.paths.landing / "example_district"
    drop.mkdir(parents=True, exist_ok=True)
    (drop / "enrollment_2024.csv").write_text(_FILE, encoding="utf-8")
    assert [o.status for o in ingestion.receive_all(first, Settings(settle_seconds=0))] == ["accepted"]
    prepare_instance(first)
    with dg.DagsterInstance.get() as instance:
        assert nightly.execute_in_process(instance=instance).success
    return made


def test_the_second_sees_nothing_of_the_first(towns: dict[str, Path]) -> None:
    """If not, one partnership reads what the agreements of another protect."""
    first, second = (load_community(towns[town]) for town in _TOWNS)
    (taken,) = Ledger.open(first.paths, Settings()).partner_deliveries("example_district")
    assert Ledger.open(second.paths, Settings()).partner_deliveries("example_district") == []
    status = CliRunner().invoke(cli.app, ["status", "--dir", str(second.paths.root), "--json"])
    assert (
        status.exit_code == 0 and "k12_enrollment" in status.output and taken.delivery_id not in status.output
    )
    prepare_instance(second)
    with dg.DagsterInstance.get() as instance:
        assert instance.get_runs_count() == 0
    written = b"".join(file.read_bytes() for file in second.paths.root.rglob("*") if file.is_file())
    assert written
    for told in (taken.delivery_id, taken.sha256, "ashford", "Ashford"):
        assert told.encode() not in written, told


def test_no_key_opens_the_vault_of_the_other(towns: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """If not, the key of one town's service gives away the names of another's children."""
    first, second = (load_community(towns[town]).paths for town in _TOWNS)
    keys = [(paths.keys / "vault.key").read_text(encoding="utf-8") for paths in (first, second)]
    assert keys[0] != keys[1]
    monkeypatch.setenv("THROUGHLINE_VAULT_KEY_FILE", str(second.keys / "vault.key"))
    done = CliRunner().invoke(cli.app, ["vault", "status", "--dir", str(first.root)])
    assert isinstance(done.exception, VaultKeyError)


def test_each_is_served_on_its_own_port_with_its_own_home(
    towns: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If not, an operator who opens one community starts the nights of another."""
    started: list[tuple[list[str], dict[str, str]]] = []

    def start(command: list[str], env: dict[str, str], **_: object) -> subprocess.CompletedProcess[str]:
        started.append((command, env))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("orchestration.cli.serve.subprocess.run", start)
    monkeypatch.setattr("orchestration.cli.serve._is_free", lambda host, port: True)
    for number, town in enumerate(_TOWNS):
        options = ["serve", "--dir", str(towns[town]), "--port", str(3001 + number)]
        assert CliRunner().invoke(cli.app, options).exit_code == 0
    for number, (town, (command, environment)) in enumerate(zip(_TOWNS, started, strict=True)):
        assert command[command.index("-p") + 1] == str(3001 + number)
        assert environment["THROUGHLINE_COMMUNITY"] == str(towns[town])
        assert Path(environment["DAGSTER_HOME"]).is_relative_to(towns[town])


def test_the_doctor_looks_at_the_one_that_is_named(towns: dict[str, Path]) -> None:
    """If not, a fault of one community is looked for in another."""
    os.environ["THROUGHLINE_COMMUNITY"] = str(towns["ashford"])
    found = {finding.check: finding for finding in examine(towns["birchwood"])}
    assert found["configuration"].seen.startswith("Birchwood Partnership")
    assert not any("ashford" in finding.seen + finding.fix for finding in found.values())
