"""`throughline doctor` finds what is wrong, each with a way to mend it that works."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.cli import _register, app
from orchestration.health import examine
from warehouse.settings import CommunityPaths

_register()


@pytest.fixture
def town(tmp_path: Path) -> CommunityPaths:
    """A community as `init` makes it."""
    assert CliRunner().invoke(app, ["init", str(tmp_path / "town")]).exit_code == 0
    return CommunityPaths(tmp_path / "town")


def _wrong(town: CommunityPaths, port: int = 0) -> dict[str, str]:
    return {f.check: f"{f.seen} {f.fix}" for f in examine(town.root, port) if not f.ok}


def test_a_new_community_is_well(town: CommunityPaths) -> None:
    """If not, the first thing a newcomer sees is a fault of ours."""
    assert _wrong(town) == {}


def test_a_lost_key_is_found_before_the_night(town: CommunityPaths) -> None:
    """If not, the night fails at half past two."""
    next(town.keys.glob("*.key")).unlink()
    assert "THROUGHLINE_VAULT_KEY" in _wrong(town)["vault key"]


def test_an_open_folder_is_closed_by_the_command_it_names(town: CommunityPaths) -> None:
    """If not, others on the machine read originals, or the advice does not help."""
    town.archive.chmod(0o755)
    command = _wrong(town)["private folders"].rpartition(": others can read ")[2]
    subprocess.run(command.split(), check=True)
    assert _wrong(town) == {}


def test_a_missing_drop_folder_is_made_by_the_command_it_names(town: CommunityPaths) -> None:
    """If not, a partner has nowhere to drop."""
    (town.landing / "example_district").rmdir()
    subprocess.run(_wrong(town)["drop folders"].partition("are missing ")[2].split(), check=True)
    assert _wrong(town) == {}


def test_databases_and_alerts_are_tried(town: CommunityPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    """If not, a wrong password is found out by the night; and it must not be printed."""
    monkeypatch.setenv("THROUGHLINE_LEDGER_URL", "postgresql+psycopg2://me:s3cret@127.0.0.1:1/x")
    monkeypatch.setenv("THROUGHLINE_DAGSTER_POSTGRES_URL", "postgresql://me:s3cret@127.0.0.1:1/x")
    monkeypatch.setenv("THROUGHLINE_ALERT_URLS", "pigeon://s3cret@host.example/s3cret")
    wrong = _wrong(town)
    assert {"ledger", "Dagster's storage", "alerts"} == set(wrong)
    assert "s3cret" not in str(wrong)


def test_a_taken_port_is_told(town: CommunityPaths) -> None:
    """If not, `serve` fails with a message of its server."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert "--port" in _wrong(town, port)[f"port {port}"]


def test_a_wrong_configuration_ends_with_exit_code_one(town: CommunityPaths) -> None:
    """If not, a script takes a broken community for a whole one."""
    text = town.config.read_text() + "time_zne: Europe/Nowhere\n"
    town.config.write_text(text)
    done = CliRunner().invoke(app, ["doctor", "--dir", str(town.root)])
    assert done.exit_code == 1 and "time_zne" in done.output
