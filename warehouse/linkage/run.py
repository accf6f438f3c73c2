"""One linkage from the identifiers in force to the crosswalk.

What belongs here: the order of the steps, full or incremental, and when nothing is to do. What does not: the
steps themselves.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Literal

import duckdb

from warehouse import duck
from warehouse.linkage.config import LinkageConfig, LinkageReport
from warehouse.linkage.crosswalk import write_crosswalk, written_sequence
from warehouse.linkage.households import assign_household_keys, write_households
from warehouse.linkage.link import LinkageBasis, Seconds, link_all, link_changed, timed
from warehouse.linkage.persons import assign_person_keys
from warehouse.linkage.quality import write_quality
from warehouse.linkage.review import store_queue
from warehouse.linkage.standardise import load_identifiers
from warehouse.linkage.state import (
    Inputs,
    find_changed,
    find_inputs,
    keep,
    keep_model_file,
    load_state,
    restore,
)
from warehouse.settings import CommunityPaths, Settings
from warehouse.vault import attach_vault, damage_told

_log = logging.getLogger(__name__)


def run_linkage(
    paths: CommunityPaths,
    settings: Settings,
    config: LinkageConfig,
    current_deliveries: Sequence[str],
    run_id: str,
) -> LinkageReport:
    """Link the source persons of the deliveries in force and publish crosswalk, households and quality.

    Unchanged identifiers, decisions, settings and code leave the files untouched. In a large vault a night with
    few changes links only what changed. All changes of the vault are one transaction; the files are written after
    it, and again by the next run if that was cut off.

    Args:
        paths: the community.
        settings: vault key, clock, memory.
        config: thresholds and rules.
        current_deliveries: ids of the deliveries in force; others are ignored, and kept.
        run_id: the run that asks, for the record.

    Raises:
        VaultKeyError: key missing, unsafe or wrong.
        VaultLostError: the vault is gone or damaged.
    """
    con = duck.connect(
        memory_limit=settings.memory_limit, threads=settings.threads, temp_directory=paths.temp / "linkage"
    )
    try:
        attach_vault(con, paths, settings, purpose=f"linkage, run {run_id}")
        with damage_told(paths):
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
    seconds: Seconds = {}
    with timed(seconds, "read"):
        inputs = find_inputs(con, deliveries, config)
        last = _last_run(con)
    published = written_sequence(con, paths.crosswalk / "crosswalk.parquet")
    if last and last[1] == inputs.fingerprint and published == last[0]:
        return LinkageReport(
            **{**last[2], "changed": False, "mode": "unchanged", "events": {}, "seconds": seconds}
        )
    sequence = (last[0] if last else 0) + 1
    basis, mode, changed_since = _link(con, config, inputs, seconds)
    con.execute("begin")  # the vault changes as a whole, or not at all
    try:
        with timed(seconds, "persons"):
            events = assign_person_keys(con, sequence, run_id)
        with timed(seconds, "households"):
            households = assign_household_keys(con, secrets.token_bytes)
        with timed(seconds, "keep"):
            store_queue(con, sequence)
            keep(con, basis, inputs.rules, changed_since, full=mode == "full")
        report = _report(con, events, seconds, mode, basis, households)
        _record_run(con, sequence, run_id, settings, inputs, report)
        con.execute("commit")
    except BaseException:
        con.execute("rollback")
        raise
    with timed(seconds, "publish"):
        if basis.model:
            keep_model_file(paths, basis.model)
        write_quality(con, paths, sequence)
        write_households(con, paths, sequence)
        write_crosswalk(con, paths, sequence)
    _log.info("linkage: %s source persons, %s persons", report.source_persons, report.persons)
    return report


def _link(
    con: duckdb.DuckDBPyConnection, config: LinkageConfig, inputs: Inputs, seconds: Seconds
) -> tuple[LinkageBasis, Literal["full", "incremental"], int]:
    """Link only what changed where that is allowed, else everything; returns also the changes since estimation."""
    state = load_state(con)
    if state and state.rules == inputs.rules and state.basis.trained_on >= config.incremental_from:
        changed = find_changed(con)
        if changed is not None:
            since = state.changed_since + changed
            if since <= config.retrain_share * state.basis.trained_on:
                with timed(seconds, "read"):
                    restore(con)
                    load_identifiers(con, only_changed=True)
                link_changed(con, config, state.basis, seconds)
                return state.basis, "incremental", since
    with timed(seconds, "read"):
        load_identifiers(con)
    return link_all(con, config, seconds), "full", 0


def _last_run(con: duckdb.DuckDBPyConnection) -> tuple[int, str, dict[str, Any]] | None:
    row = con.execute(
        "select sequence, fingerprint, report::varchar from vault.linkage_run order by sequence desc limit 1"
    ).fetchone()
    return (int(row[0]), str(row[1]), json.loads(row[2])) if row else None


def _report(
    con: duckdb.DuckDBPyConnection,
    events: dict[str, int],
    seconds: Seconds,
    mode: Literal["full", "incremental"],
    basis: LinkageBasis,
    households: int,
) -> LinkageReport:
    row = con.execute(
        """select count(*), count(distinct cluster), count(*) filter (where n > 1),
            (select count(*) from decided_edge where outcome = 'review')
        from (select cluster, count(*) over (partition by cluster) as n from linked)"""
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has a row
    return LinkageReport(
        changed=True,
        source_persons=row[0],
        persons=row[1],
        linked_share=row[2] / row[0] if row[0] else 0.0,
        review_pairs=row[3],
        households=households,
        mode=mode,
        model_version=basis.model.version if basis.model else None,
        events=events,
        seconds=seconds,
    )


def _record_run(
    con: duckdb.DuckDBPyConnection,
    sequence: int,
    run_id: str,
    settings: Settings,
    inputs: Inputs,
    report: LinkageReport,
) -> None:
    con.execute(
        "insert into vault.linkage_run values ($s, $run, $at, $print, $model, $mode, $report)",
        {
            "s": sequence,
            "run": run_id,
            "at": settings.clock(),
            "print": inputs.fingerprint,
            "model": report.model_version,
            "mode": report.mode,
            "report": json.dumps(asdict(report)),
        },
    )
