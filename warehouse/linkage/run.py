"""One linkage from the identifiers in force to the crosswalk.

What belongs here: the order of the steps and when nothing is to do. What does not: the steps themselves.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb

from warehouse import duck
from warehouse.linkage.config import LinkageConfig, LinkageReport
from warehouse.linkage.crosswalk import write_crosswalk, written_sequence
from warehouse.linkage.link import link, timed
from warehouse.linkage.persons import assign_person_keys
from warehouse.linkage.quality import write_quality
from warehouse.linkage.review import store_queue
from warehouse.linkage.standardise import load_identifiers
from warehouse.settings import CommunityPaths, Settings
from warehouse.vault import IDENTIFIER_COLUMNS, attach_vault

_log = logging.getLogger(__name__)


def run_linkage(
    paths: CommunityPaths,
    settings: Settings,
    config: LinkageConfig,
    current_deliveries: Sequence[str],
    run_id: str,
) -> LinkageReport:
    """Link the source persons of the deliveries in force and publish crosswalk and quality.

    Unchanged identifiers, decisions, settings and code leave the files untouched. All changes of the vault are
    one transaction; the files are written after it, and again by the next run if that was cut off.

    Args:
        paths: the community.
        settings: vault key, clock, memory.
        config: thresholds and rules.
        current_deliveries: ids of the deliveries in force; others are ignored, and kept.
        run_id: the run that asks, for the record.

    Raises:
        VaultKeyError: key missing, unsafe or wrong.
    """
    con = duck.connect(
        memory_limit=settings.memory_limit, threads=settings.threads, temp_directory=paths.temp / "linkage"
    )
    try:
        attach_vault(con, paths, settings, purpose=f"linkage, run {run_id}")
        return _run(con, paths, settings, config, current_deliveries, run_id)
    finally:
        con.close()


def _run(
    con: duckdb.DuckDBPyConnection,
    paths: CommunityPaths,
    settings: Settings,
    config: LinkageConfig,
    deliveries: Sequence[str],
    run_id: str,
) -> LinkageReport:
    seconds: dict[str, float] = {}
    with timed(seconds, "read"):
        load_identifiers(con, deliveries)
        wanted = _fingerprint(con, config)
        last = _last_run(con)
    published = written_sequence(con, paths.crosswalk / "crosswalk.parquet")
    if last and last[1] == wanted and published == last[0]:
        return LinkageReport(
            **{**last[2], "changed": False, "mode": "unchanged", "events": {}, "seconds": seconds}
        )
    sequence = (last[0] if last else 0) + 1
    model = link(con, config, seconds)
    con.execute("begin")  # the vault changes as a whole, or not at all
    try:
        with timed(seconds, "persons"):
            events = assign_person_keys(con, sequence, run_id)
            store_queue(con, sequence)
        report = _report(con, events, seconds, model.version if model else None)
        con.execute(
            "insert into vault.linkage_run values ($s, $run, $at, $print, $model, 'full', $report)",
            {
                "s": sequence,
                "run": run_id,
                "at": settings.clock(),
                "print": wanted,
                "model": report.model_version,
                "report": json.dumps(asdict(report)),
            },
        )
        con.execute("commit")
    except BaseException:
        con.execute("rollback")
        raise
    with timed(seconds, "publish"):
        write_quality(con, paths, sequence)
        write_crosswalk(con, paths, sequence)
    _log.info("linkage: %s source persons, %s persons", report.source_persons, report.persons)
    return report


def _fingerprint(con: duckdb.DuckDBPyConnection, config: LinkageConfig) -> str:
    """Hash of all that decides the outcome: contents, decisions, settings, code."""
    columns = ", ".join(("source_person_key", "issuer_id", "partner_id", *IDENTIFIER_COLUMNS))
    content = con.execute(f"select count(*), sum(hash({columns})::hugeint) from raw_identifier").fetchone()
    decided = con.execute("select count(*), max(decision_n) from vault.link_decision").fetchone()
    parts = [repr(content), repr(decided), config.model_dump_json(), _code_version()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _code_version() -> str:
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _last_run(con: duckdb.DuckDBPyConnection) -> tuple[int, str, dict[str, Any]] | None:
    row = con.execute(
        "select sequence, fingerprint, report::varchar from vault.linkage_run order by sequence desc limit 1"
    ).fetchone()
    return (int(row[0]), str(row[1]), json.loads(row[2])) if row else None


def _report(
    con: duckdb.DuckDBPyConnection, events: dict[str, int], seconds: dict[str, float], version: str | None
) -> LinkageReport:
    row = con.execute(
        """select count(*), count(distinct cluster), count(*) filter (where n > 1),
            (select count(*) from decided_edge where outcome = 'review')
        from (select cluster, count(*) over (partition by cluster) as n from linked)"""
    ).fetchone()
    assert row is not None
    return LinkageReport(
        changed=True,
        source_persons=row[0],
        persons=row[1],
        linked_share=row[2] / row[0] if row[0] else 0.0,
        review_pairs=row[3],
        mode="full",
        model_version=version,
        events=events,
        seconds=seconds,
    )
