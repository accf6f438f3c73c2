"""The working database of a night: lake views and the community's settings as tables, ready for dbt.

What belongs here: preparing the disposable DuckDB file beside the present one, and putting it in place. What
does not: models (dbt_project) and what is published (`warehouse.release`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from warehouse import duck
from warehouse.community import Community
from warehouse.community.config import OUTCOMES, Equating
from warehouse.settings import CommunityPaths


def building_path(paths: CommunityPaths) -> Path:
    """Where the next working database is built, beside the present one."""
    return paths.warehouse.with_name("building.duckdb")


def open_building(
    paths: CommunityPaths, memory_limit: str, *, keep: bool = False
) -> duckdb.DuckDBPyConnection:
    """Start the next working database; a rest of an interrupted night is thrown away.

    Args:
        paths: the community.
        memory_limit: before DuckDB spills.
        keep: start from a copy of the present one, if there is a whole one, instead of from nothing.
    """
    path = building_path(paths)
    _forget(path)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if keep and paths.warehouse.is_file() and not rebuild_mark(paths).exists():
        shutil.copyfile(paths.warehouse, path)
        try:
            return _opened(path, paths, memory_limit)
        except duckdb.Error:
            _forget(path)  # damaged; the working database can always be made again
    return _opened(path, paths, memory_limit)


def _opened(path: Path, paths: CommunityPaths, memory_limit: str) -> duckdb.DuckDBPyConnection:
    con = duck.connect(path, memory_limit=memory_limit, temp_directory=paths.temp)
    path.chmod(0o600)
    return con


def _forget(path: Path) -> None:
    for leftover in (path, path.with_suffix(".duckdb.wal")):
        leftover.unlink(missing_ok=True)
    # Where DuckDB spilled for whoever was killed while building.
    shutil.rmtree(f"{path}.tmp", ignore_errors=True)


def rebuild_mark(paths: CommunityPaths) -> Path:
    """A file that says: the next night builds everything anew; it goes when that succeeded."""
    return paths.warehouse.with_name("rebuild")


def put_in_place(paths: CommunityPaths) -> Path:
    """Make the finished working database the present one, in one rename."""
    path = building_path(paths)
    if path.with_suffix(".duckdb.wal").exists():
        # Whoever built it ended without a checkpoint; opening and closing moves the rest into the file.
        duckdb.connect(str(path)).close()
    path.replace(paths.warehouse)
    rebuild_mark(paths).unlink(missing_ok=True)
    return paths.warehouse


# What is kept of mart_linkage_quality from release to release.
LINKAGE_HISTORY = {
    **dict.fromkeys(("feed_id", "partner_id", "dimension", "group_value"), pa.string()),
    **dict.fromkeys(("person_n", "matched_n", "row_n", "unlinked_row_n", "source_person_n"), pa.int64()),
    **dict.fromkeys(("grey_zone_rate", "estimated_precision", "estimated_recall"), pa.float64()),
}


def write_configuration(
    con: duckdb.DuckDBPyConnection,
    community: Community,
    *,
    as_of: datetime,
    feeds: Sequence[Mapping[str, Any]],
    partner_feeds: Sequence[Mapping[str, Any]],
    releases: Sequence[Mapping[str, Any]],
    access_log: Sequence[Mapping[str, Any]] = (),
    gateway_release: Sequence[Mapping[str, Any]] = (),
    table_history: Sequence[Mapping[str, Any]] = (),
    linkage_history: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Write the schema `config`: what the models need to know of the community, one table a subject.

    Args:
        con: the working database.
        community: configuration as loaded.
        as_of: the moment that counts as the present in every model.
        feeds: rows feed_id, stage, cadence, title.
        partner_feeds: rows partner_id, feed_id, cadence, due.
        releases: rows release_id, released_at, is_public, has_disaggregated_baseline.
        access_log: rows partner_id, read_at (reads of student-level marts).
        gateway_release: rows gateway_id, gateway_order, status, reason, release_id, as_of_date: what was released of
            the gateways so far, a row a change.
        table_history: rows table_name, row_n: how large each table was at the last release; the quality gate alone
            reads it.
        linkage_history: rows of mart_linkage_quality at the last release; the quality gate alone reads it.
    """
    con.execute("create schema if not exists config")
    text, number, flag, moment = pa.string(), pa.float64(), pa.bool_(), pa.timestamp("us")
    _table(con, "community", *_community_row(community, as_of))
    _table(
        con,
        "indicator_choice",
        _indicator_choices(community),
        {
            "outcome_id": text,
            "indicator_id": text,
            "role": text,
            "direction": text,
            "baseline_year": pa.int64(),
        },
    )
    parameters = [
        {"parameter": name, "value": _plain(value)}
        for name, value in community.config.indicators.parameters.items()
    ]
    _table(con, "indicator_parameter", parameters, {"parameter": text, "value": text})
    _table(
        con,
        "cut_score",
        [_cut_score(row) for row in community.config.cut_scores],
        {
            "instrument_id": text,
            "subject": text,
            "grade_level": text,
            "first_year": pa.int64(),
            "last_year": pa.int64(),
            "level": text,
            "cut_score": number,
        },
    )
    _table(
        con,
        "comparability_break",
        [row.model_dump() for row in community.config.indicators.comparability_breaks],
        {"indicator_id": text, "first_year": pa.int64(), "why": text},
    )
    _table(
        con,
        "equated_instrument",
        equated_instruments(community.config.indicators.equating),
        {"instrument_id": text, "subject": text, "scale": text},
    )
    partners = [
        {
            "partner_id": p.partner_id,
            "name": p.name,
            "sector": p.sector,
            "issuer_id": p.issuer or p.partner_id,
            "duplicate_free": p.duplicate_free,
            "agreement_minimum_n": p.agreement.minimum_n,
        }
        for p in community.partners.values()
    ]
    _table(
        con,
        "partner",
        partners,
        {
            "partner_id": text,
            "name": text,
            "sector": text,
            "issuer_id": text,
            "duplicate_free": flag,
            "agreement_minimum_n": pa.int64(),
        },
    )
    _table(con, "feed", feeds, {"feed_id": text, "stage": text, "cadence": text, "title": text})
    _table(
        con,
        "partner_feed",
        partner_feeds,
        {"partner_id": text, "feed_id": text, "cadence": text, "due": text},
    )
    _table(
        con,
        "release_history",
        releases,
        {"release_id": text, "released_at": moment, "is_public": flag, "has_disaggregated_baseline": flag},
    )
    _table(con, "access_log", access_log, {"partner_id": text, "read_at": moment})
    _table(
        con,
        "gateway_release",
        gateway_release,
        {
            "gateway_id": text,
            "gateway_order": pa.int64(),
            "status": text,
            "reason": text,
            "release_id": text,
            "as_of_date": pa.date32(),
        },
    )
    _table(con, "table_history", table_history, {"table_name": text, "row_n": pa.int64()})
    _table(con, "linkage_history", linkage_history, LINKAGE_HISTORY)


def _table(
    con: duckdb.DuckDBPyConnection,
    name: str,
    rows: Sequence[Mapping[str, Any]],
    types: Mapping[str, pa.DataType],
) -> None:
    data = pa.Table.from_pylist([dict(row) for row in rows], schema=pa.schema(list(types.items())))
    con.register("_config_rows", data)
    con.execute(f"create or replace table config.{duck.quote_identifier(name)} as select * from _config_rows")
    con.unregister("_config_rows")


def _community_row(
    community: Community, as_of: datetime
) -> tuple[list[dict[str, Any]], dict[str, pa.DataType]]:
    config = community.config
    row: dict[str, Any] = {
        "community_id": config.community_id,
        "name": config.name,
        "geography_id": config.geography_id,
        "geography_name": config.geography_name,
        "as_of_date": as_of.date(),
        "first_school_year": config.first_school_year,
        "minimum_n": config.privacy.minimum_n,
        "minimum_coverage": config.privacy.minimum_coverage,
        "graduation_cutoff": config.calendar.graduation_cutoff,
        "geographies": json.dumps(config.geographies),
        **config.gateways.model_dump(),
        # No group has an empty name.
        **{f"{name}_reference": group or "" for name, group in config.reference_groups},
    }
    kinds = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
    types = {name: kinds.get(type(value), pa.date32()) for name, value in row.items()}
    return [row], types


def _indicator_choices(community: Community) -> list[dict[str, Any]]:
    choice = community.config.indicators
    rows: list[dict[str, Any]] = []

    def add(role: str, indicator: str, outcome: str | None = None, direction: str | None = None) -> None:
        rows.append(
            {
                "outcome_id": outcome,
                "indicator_id": indicator,
                "role": role,
                "direction": direction,
                "baseline_year": choice.baseline_years.get(indicator),
            }
        )

    for outcome in OUTCOMES:
        for place, indicator in enumerate(choice.core_of(outcome)):
            add("core_further" if place else "core", indicator, outcome)
    for role, indicators in (("priority", choice.priority), ("contributing", choice.contributing)):
        for indicator in indicators:
            add(role, indicator)
    for measure in choice.adjacent:
        add("adjacent", measure.lstrip("-"), direction="lower" if measure.startswith("-") else "higher")
    return rows


def equated_instruments(equating: Sequence[Equating]) -> list[dict[str, str | None]]:
    """Tests that share a scale, through whatever chain of equatings: instrument_id, subject (none: all), scale.

    A statement for all subjects holds in each subject that another one names.
    """
    subjects = {row.subject for row in equating}
    rows: list[dict[str, str | None]] = []
    for subject in sorted(subjects, key=str):
        scales: list[set[str]] = []
        for row in equating:
            if row.subject in (subject, None):
                pair = {row.instrument_id.strip().upper(), row.equals_instrument_id.strip().upper()}
                joined = [scale for scale in scales if scale & pair]
                scales = [scale for scale in scales if not scale & pair] + [pair.union(*joined)]
        rows += [
            {"instrument_id": name, "subject": subject, "scale": " = ".join(sorted(scale))}
            for scale in scales
            for name in sorted(scale)
        ]
    return rows


def _cut_score(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("instrument_id", "subject", "grade_level", "first_year", "last_year", "level", "cut_score")
    return {name: row.get(name) for name in names}


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
