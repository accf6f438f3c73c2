"""Whether this machine and this community are fit for a night, and how to mend what is not.

What belongs here: checks that change nothing but missing folders. What does not: repairs, and printing (`cli.doctor`).
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orchestration.configuration import load_configured
from warehouse.community import Community, ConfigurationError
from warehouse.settings import Settings

_NEEDED_GB = 2  # free disk below which a night may not end
_NEEDED_MEMORY_GB = 3


@dataclass(frozen=True)
class Finding:
    """One check: whether it passed, what was seen, and how to mend it."""

    check: str
    ok: bool
    seen: str
    fix: str = ""


def examine(root: Path, port: int = 3000) -> list[Finding]:
    """Run every check that can be run; a broken configuration ends the list with its message.

    Args:
        root: the community's folder.
        port: that `throughline serve` would listen on.
    """
    findings = [_python(), _extensions(), _memory(), _port(port)]
    if not (root / "community.yml").is_file():
        fix = "Name the community's folder with --dir, or make one: `throughline init FOLDER`."
        return [*findings, Finding("configuration", False, f"{root}: no community.yml here", fix)]
    try:
        settings = Settings()
        community = load_configured(root)
    except (ConfigurationError, ValueError) as error:
        return [*findings, Finding("configuration", False, str(error), "Mend the file or variable named.")]
    told = f"{community.config.name}, {len(community.partners)} partners"
    findings.append(Finding("configuration", True, told))
    return [*findings, *_of_community(community, settings)]


def _of_community(community: Community, settings: Settings) -> Iterator[Finding]:
    checks: tuple[Callable[[Community, Settings], Finding], ...] = (
        _mappings, _time_zone, _key, _folders, _landing, _ledger, _dagster, _targets, _alerts, _disk, _running,
    )  # fmt: skip
    for check in checks:
        yield check(community, settings)


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


def _memory() -> Finding:
    held = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    fix = "Use a machine with more memory, or set THROUGHLINE_MEMORY_LIMIT=1GB and expect slower nights."
    return Finding("memory", held >= _NEEDED_MEMORY_GB, f"{held:,.0f} GB", fix)


def _port(port: int) -> Finding:
    name = f"port {port}"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            fix = "Stop what listens there, or `throughline serve --port N` with another."
            return Finding(name, False, "in use", fix)
    return Finding(name, True, "free")


def _mappings(community: Community, settings: Settings) -> Finding:
    from ingestion.mapping import load_mappings

    try:
        mappings = load_mappings(community)
    except Exception as error:
        return Finding("mappings", False, str(error), "Mend the file and line named.")
    fix = "Add partners/<partner>/feeds/<feed>.yml, or `throughline onboard FILE --partner P`."
    return Finding("mappings", bool(mappings), f"{len(mappings)} mappings", fix)


def _time_zone(community: Community, settings: Settings) -> Finding:
    zone = community.config.time_zone
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        fix = f"Set time_zone in {community.paths.config} to an IANA name such as America/Chicago."
        return Finding("time zone", False, f"{zone} is unknown here", fix)
    return Finding("time zone", True, f"{zone}; the night begins at {community.config.nightly_at}")


def _key(community: Community, settings: Settings) -> Finding:
    from warehouse.vault import vault_key

    try:
        vault_key(settings, community.paths)
    except Exception as error:
        fix = "Put the key file back from where it is kept apart, or set THROUGHLINE_VAULT_KEY."
        return Finding("vault key", False, str(error), fix)
    return Finding("vault key", True, "found, readable by its owner only")


def _folders(community: Community, settings: Settings) -> Finding:
    wide = [folder for folder in community.paths.private if folder.exists() and folder.stat().st_mode & 0o077]
    fix = "chmod 700 " + " ".join(map(str, wide))
    seen = ", ".join(map(str, wide)) + ": others can read" if wide else "readable by their owner only"
    return Finding("private folders", not wide, seen, fix)


def _landing(community: Community, settings: Settings) -> Finding:
    from ingestion.mapping import load_mappings

    try:
        partners = {mapping.partner_id for mapping in load_mappings(community)}
    except Exception:
        partners = set(community.partners)
    drops = [community.paths.landing / partner for partner in sorted(partners)]
    missing = [drop for drop in drops if not drop.is_dir()]
    locked = [drop for drop in drops if drop.is_dir() and not os.access(drop, os.R_OK | os.W_OK | os.X_OK)]
    if locked:
        fix = "Give the user that runs the night read and write rights there: it moves what it has taken."
        return Finding("drop folders", False, ", ".join(map(str, locked)) + ": no rights", fix)
    fix = "mkdir -p " + " ".join(map(str, missing))
    seen = f"{len(missing)} of {len(drops)} are missing" if missing else f"{len(drops)}, all writable"
    return Finding("drop folders", not missing, seen, fix)


def _ledger(community: Community, settings: Settings) -> Finding:
    from warehouse.ledger import Ledger, LedgerError

    try:
        count = len(Ledger.open(community.paths, settings).delivery_rows())
    except LedgerError as error:
        return Finding("ledger", False, str(error), "Mend what the message names.")
    kind = "database of THROUGHLINE_LEDGER_URL" if settings.ledger_url else "file"
    return Finding("ledger", True, f"{kind}, {count:,} deliveries")


def _dagster(community: Community, settings: Settings) -> Finding:
    if settings.dagster_postgres_url is None:
        return Finding("Dagster's storage", True, f"files in {community.paths.dagster_home}")
    fix = "Start the database, or mend THROUGHLINE_DAGSTER_POSTGRES_URL."
    return _reached("Dagster's storage", settings.dagster_postgres_url.get_secret_value(), fix)


def _reached(check: str, url: str, fix: str) -> Finding:
    import psycopg

    try:
        with psycopg.connect(url.replace("+psycopg2", ""), connect_timeout=5) as con:
            server = con.info.server_version // 10_000
    except (psycopg.Error, ValueError) as error:
        return Finding(check, False, f"not reached ({type(error).__name__})", fix)
    return Finding(check, True, f"PostgreSQL {server}")


def _targets(community: Community, settings: Settings) -> Finding:
    wanted = {str(target.get("target")) for target in community.config.publish}
    if settings.postgres_url is not None:
        return _reached(
            "publishing",
            settings.postgres_url.get_secret_value(),
            "Start it, or mend THROUGHLINE_POSTGRES_URL.",
        )
    if "postgresql" in wanted:
        fix = "Set THROUGHLINE_POSTGRES_URL, or take the target out of community.yml."
        return Finding("publishing", False, "community.yml names postgresql, but no URL is set", fix)
    return Finding("publishing", True, ", ".join(sorted(wanted)) or "to data/releases only")


def _alerts(community: Community, settings: Settings) -> Finding:
    from warehouse.alerts import AlertError, masked, targets

    try:
        urls = targets(community, settings)
    except AlertError as error:
        return Finding("alerts", False, str(error), "Mend it, then `throughline alert test`.")
    if not urls and community.config.owner_email:
        fix = "Set THROUGHLINE_SMTP_URL, for example mailtos://USER:PASSWORD@HOST?from=ADDRESS."
        return Finding("alerts", False, "owner_email is set, but no mail server", fix)
    return Finding(
        "alerts", True, ", ".join(map(masked, urls)) or "nobody is told (see `throughline alert show`)"
    )


def _disk(community: Community, settings: Settings) -> Finding:
    free = shutil.disk_usage(community.paths.root).free / 1e9
    fix = "Free disk space, move the community, or `throughline release prune`."
    return Finding("disk", free > _NEEDED_GB, f"{free:,.0f} GB free", fix)


def _running(community: Community, settings: Settings) -> Finding:
    from filelock import FileLock, Timeout

    if not community.paths.data.is_dir():
        return Finding("runs", True, "none yet")
    try:
        with FileLock(community.paths.data / "run.lock", mode=0o600).acquire(timeout=0):
            return Finding("runs", True, "none at work")
    except Timeout:
        return Finding("runs", True, "one is at work now")
