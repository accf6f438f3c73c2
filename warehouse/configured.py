"""The community's settings as tables of the working database: schema `config`, which models and rules read.

What belongs here: its tables, their columns and how they follow from the settings. What does not: the settings
themselves (`warehouse.community`), or the file that they are written into (`warehouse.working`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from warehouse import duck
from warehouse.community import Community
from warehouse.community.config import OUTCOMES, Equating

Row = Mapping[str, Any]
Types = Mapping[str, pa.DataType]

_TEXT, _COUNT, _FLAG, _MOMENT = pa.string(), pa.int64(), pa.bool_(), pa.timestamp("us")

# Columns of every table but `community`, whose columns are its one row's.
CONFIG_TABLES: dict[str, Types] = {
    "indicator_choice": {
        **dict.fromkeys(("outcome_id", "indicator_id", "role", "direction"), _TEXT),
        "baseline_year": _COUNT,
    },
    "indicator_parameter": {"parameter": _TEXT, "value": _TEXT},
    "cut_score": {
        **dict.fromkeys(("instrument_id", "subject", "grade_level"), _TEXT),
        **dict.fromkeys(("first_year", "last_year"), _COUNT),
        "level": _TEXT,
        "cut_score": pa.float64(),
    },
    "comparability_break": {"indicator_id": _TEXT, "first_year": _COUNT, "why": _TEXT},
    "equated_instrument": dict.fromkeys(("instrument_id", "subject", "scale"), _TEXT),
    "partner": {
        **dict.fromkeys(("partner_id", "name", "sector", "issuer_id"), _TEXT),
        "duplicate_free": _FLAG,
        "agreement_minimum_n": _COUNT,
    },
    "feed": dict.fromkeys(("feed_id", "stage", "cadence", "title"), _TEXT),
    "partner_feed": dict.fromkeys(("partner_id", "feed_id", "cadence", "due"), _TEXT),
    "release_history": {
        "release_id": _TEXT,
        "released_at": _MOMENT,
        "is_public": _FLAG,
        "has_disaggregated_baseline": _FLAG,
    },
    "access_log": {"partner_id": _TEXT, "read_at": _MOMENT},
    # What was released of the gateways so far, a row a change.
    "gateway_release": {
        "gateway_id": _TEXT,
        "gateway_order": _COUNT,
        **dict.fromkeys(("status", "reason", "release_id"), _TEXT),
        "as_of_date": pa.date32(),
    },
    # How large each table was, and mart_linkage_quality, at the last release; the quality gate alone reads them.
    "table_history": {"table_name": _TEXT, "row_n": _COUNT},
    "linkage_history": {
        **dict.fromkeys(("feed_id", "partner_id", "dimension", "group_value"), _TEXT),
        **dict.fromkeys(("person_n", "matched_n", "row_n", "unlinked_row_n", "source_person_n"), _COUNT),
        **dict.fromkeys(("grey_zone_rate", "estimated_precision", "estimated_recall"), pa.float64()),
    },
}


def write_configuration(
    con: duckdb.DuckDBPyConnection, community: Community, *, as_of: datetime, **more: Iterable[Row]
) -> None:
    """Write the schema `config`: what the models need to know of the community, one table a subject.

    Args:
        con: the working database.
        community: configuration as loaded.
        as_of: the moment that counts as the present in every model.
        more: rows of the tables that do not follow from the configuration (`feed`, `partner_feed`, `release_history`,
            `access_log`, `gateway_release`, `table_history`, `linkage_history`), each as in `CONFIG_TABLES`; what is
            left out is empty.

    Raises:
        KeyError: rows for a table that there is none of.
    """
    con.execute("create schema if not exists config")
    row = _community_row(community, as_of)
    kinds = {bool: _FLAG, int: _COUNT, float: pa.float64(), str: _TEXT}
    _write(
        con, "community", [row], {name: kinds.get(type(value), pa.date32()) for name, value in row.items()}
    )
    rows = {**_of_community(community), **more}
    if unknown := set(rows) - set(CONFIG_TABLES):
        raise KeyError(f"no such table in schema config: {sorted(unknown)}")
    for table, types in CONFIG_TABLES.items():
        _write(con, table, rows.get(table, ()), types)


def _of_community(community: Community) -> dict[str, Iterable[Row]]:
    """Rows of the tables that follow from the configuration alone."""
    indicators = community.config.indicators
    return {
        "indicator_choice": _indicator_choices(community),
        "indicator_parameter": [
            {"parameter": name, "value": _plain(value)} for name, value in indicators.parameters.items()
        ],
        "cut_score": community.config.cut_scores,
        "comparability_break": [row.model_dump() for row in indicators.comparability_breaks],
        "equated_instrument": equated_instruments(indicators.equating),
        "partner": [
            {
                **{name: getattr(p, name) for name in ("partner_id", "name", "sector", "duplicate_free")},
                "issuer_id": p.issuer or p.partner_id,
                "agreement_minimum_n": p.agreement.minimum_n,
            }
            for p in community.partners.values()
        ],
    }


def _write(con: duckdb.DuckDBPyConnection, name: str, rows: Iterable[Row], types: Types) -> None:
    plain = [{column: row.get(column) for column in types} for row in rows]
    con.register("_config_rows", pa.Table.from_pylist(plain, schema=pa.schema(list(types.items()))))
    con.execute(f"create or replace table config.{duck.quote_identifier(name)} as select * from _config_rows")
    con.unregister("_config_rows")


def _community_row(community: Community, as_of: datetime) -> dict[str, Any]:
    config = community.config
    return {
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


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
