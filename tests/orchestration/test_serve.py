"""`throughline serve` is reached from this machine alone, unless somebody says otherwise."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.cli import _register, app

_register()


def _served(root: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> tuple[list[str], str]:
    """The command that would have been started, and what was said."""
    started: list[list[str]] = []

    def start(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        started.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("orchestration.cli.serve.subprocess.run", start)
    monkeypatch.setattr("orchestration.cli.serve._is_free", lambda host, port: True)
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setenv("THROUGHLINE_COMMUNITY", "")
    assert CliRunner().invoke(app, ["init", str(root)]).exit_code == 0
    done = CliRunner().invoke(app, ["serve", "--dir", str(root), *options])
    assert done.exit_code == 0, done.output
    return started[0], done.output


def _address(command: list[str]) -> str:
    return command[command.index("-h") + 1]


def test_nobody_else_reaches_it_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If not, everybody in the network can start and stop nights."""
    command, said = _served(tmp_path / "town", monkeypatch)
    assert _address(command) == "127.0.0.1"
    assert "without a password" not in said


def test_who_opens_it_is_told_what_that_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If not, an open interface looks like a protected one."""
    command, said = _served(tmp_path / "town", monkeypatch, "--host", "192.0.2.1")
    assert _address(command) == "192.0.2.1"
    assert "without a password" in said and "runbook.md" in said
