"""The parts of a night that a trial can run by itself, as the steps of the nightly job call them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import ingestion
from orchestration.inputs import current_fingerprint
from warehouse.community import load_community
from warehouse.fingerprint import code_version
from warehouse.ledger import Ledger
from warehouse.linkage import LinkageConfig, run_linkage
from warehouse.publish import publish_release
from warehouse.release import build_release, find_release
from warehouse.run_lock import run_lock
from warehouse.settings import Settings

NIGHTS = {"first": "2024-11-15T02:30:00+00:00", "second": "2024-11-16T02:30:00+00:00"}


def receive(root: Path) -> None:
    """Everything that was dropped, to lake, vault, ledger and receipts."""
    community, settings = load_community(root), Settings()
    with run_lock(community.paths):
        community.paths.ensure()
        failed = [o for o in ingestion.receive_all(community, settings) if o.status == "failed"]
        ingestion.mend_lake(community, settings, Ledger.open(community.paths, settings))
    if failed:
        raise RuntimeError("; ".join(outcome.summary for outcome in failed))


def link(root: Path) -> None:
    """Linkage of the deliveries in force."""
    community, settings = load_community(root), Settings()
    with run_lock(community.paths):
        deliveries = Ledger.open(community.paths, settings).current_deliveries()
        run_linkage(community.paths, settings, LinkageConfig.of(community), deliveries, "trial")


def connect(root: Path) -> None:
    """Both: all of a night before tables are built."""
    receive(root)
    link(root)


def release(root: Path) -> None:
    """The release of the working database."""
    community, settings = load_community(root), Settings()
    with run_lock(community.paths):
        ledger = Ledger.open(community.paths, settings)
        build_release(
            community.paths,
            settings,
            community,
            warehouse_db=community.paths.warehouse,
            run_id="trial",
            deliveries=ledger.delivery_summaries(),
            input_fingerprint=current_fingerprint(community, ledger.current_files()),
            code_version=code_version(),
        )


def publish(root: Path) -> None:
    """The current release to PostgreSQL."""
    community, settings = load_community(root), Settings()
    outcomes = publish_release(community, settings, find_release(community.paths).path)
    failed = [f"{outcome.target}: {outcome.message}" for outcome in outcomes if not outcome.published]
    if failed:
        raise RuntimeError("; ".join(failed))


def night(root: Path) -> None:
    """A whole night, as `throughline run` does it."""
    from orchestration.night import run_night

    result = run_night(load_community(root))
    if not result.succeeded:
        raise RuntimeError("; ".join(result.failures))


PARTS: dict[str, Callable[[Path], None]] = {
    "receive": receive,
    "link": link,
    "connect": connect,
    "release": release,
    "publish": publish,
    "night": night,
}


def set_clock(moment: str) -> None:
    """The clock of this process and of those that it starts."""
    os.environ["THROUGHLINE_NOW"] = moment
    os.environ["THROUGHLINE_SETTLE_SECONDS"] = "0"
