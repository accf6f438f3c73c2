"""`throughline doctor`: is this machine and this community fit for a night, and how to mend what is not.

What belongs here: checks that change nothing. What does not: repairs.
"""

from __future__ import annotations

import json
import shutil
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

import typer

from orchestration.cli.console import CommunityOption, JsonOption, community_folder, console
from warehouse.community import Community, ConfigurationError, load_community
from warehouse.settings import Settings

_NEEDED_GB = 2


@dataclass(frozen=True)
class Finding:
    """One check: whether it passed, what was seen, and how to mend it."""

    check: str
    ok: bool
    seen: str
    fix: str = ""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor", epilog="Example: `throughline doctor --dir riverbend`")(doctor)


def doctor(directory: CommunityOption = None, as_json: JsonOption = False) -> None:
    """Check machine, configuration, keys, folders, disk and port. Exits with 1 if something needs mending."""
    findings = examine(community_folder(directory))
    if as_json:
        console.print_json(json.dumps([asdict(finding) for finding in findings]))
    else:
        for finding in findings:
            mark = "[green]ok[/green]  " if finding.ok else "[red]mend[/red]"
            console.print(f"{mark} {finding.check}: {finding.seen}", soft_wrap=True)
            if not finding.ok:
                console.print(f"       {finding.fix}", soft_wrap=True)
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 1)


def examine(root: object) -> list[Finding]:
    """Run every check that can be run; a broken configuration ends the list with its message."""
    from pathlib import Path

    folder = Path(str(root))
    findings = [_python(), _extensions(), _port()]
    try:
        community = load_community(folder)
    except ConfigurationError as error:
        return [
            *findings,
            Finding("configuration", False, str(error), "Mend the file named, or run `throughline init`."),
        ]
    findings.append(
        Finding("configuration", True, f"{community.config.name}, {len(community.partners)} partners")
    )
    checks: tuple[Callable[[Community], Finding], ...] = (_mappings, _key, _folders, _disk, _running)
    return [*findings, *(check(community) for check in checks)]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(
        "Python", sys.version_info[:2] == (3, 11), version, "Use Python 3.11; `make install` does."
    )


def _extensions() -> Finding:
    from warehouse.duck import ExtensionMissingError, connect

    try:
        connect().close()
    except ExtensionMissingError as error:
        return Finding(
            "DuckDB encryption", False, str(error), "Install the locked dependencies: `make install`."
        )
    return Finding("DuckDB encryption", True, "extension found and loaded")


def _port() -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 3000))
        except OSError:
            return Finding(
                "port 3000", False, "in use", "Stop what listens there, or `throughline serve --port N`."
            )
    return Finding("port 3000", True, "free")


def _mappings(community: Community) -> Finding:
    from ingestion.mapping import load_mappings

    try:
        mappings = load_mappings(community)
    except Exception as error:
        return Finding("mappings", False, str(error), "Mend the file and line named.")
    fix = "Add partners/<partner>/feeds/<feed>.yml, or `throughline onboard FILE --partner P`."
    return Finding("mappings", bool(mappings), f"{len(mappings)} mappings", fix)


def _key(community: Community) -> Finding:
    from warehouse.vault import vault_key

    try:
        vault_key(Settings(), community.paths)
    except Exception as error:
        return Finding("vault key", False, str(error), "Restore the key file, or set THROUGHLINE_VAULT_KEY.")
    return Finding("vault key", True, "found, readable by its owner only")


def _folders(community: Community) -> Finding:
    community.paths.ensure()
    private = (
        community.paths.keys,
        community.paths.archive,
        community.paths.quarantine,
        community.paths.vault.parent,
    )
    wide = [str(folder) for folder in private if folder.stat().st_mode & 0o077]
    return Finding(
        "private folders", not wide, ", ".join(wide) or "readable by their owner only", "chmod 700 on each."
    )


def _disk(community: Community) -> Finding:
    free = shutil.disk_usage(community.paths.data).free / 1e9
    return Finding(
        "disk", free > _NEEDED_GB, f"{free:,.0f} GB free", "Free disk space, or move the community."
    )


def _running(community: Community) -> Finding:
    from filelock import FileLock, Timeout

    lock = FileLock(community.paths.data / "run.lock")
    try:
        with lock.acquire(timeout=0):
            return Finding("runs", True, "none at work")
    except Timeout:
        return Finding("runs", True, "one is at work now")
