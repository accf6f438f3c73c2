"""What the gateways would say if something were otherwise: the night's own SQL on a changed copy in memory.

What belongs here: the copy, its changes, the comparison. What does not: rules, which are the models'.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from warehouse.community.config import GatewayReadings
from warehouse.duck import quote_identifier, sql_literal
from warehouse.settings import CommunityPaths

# In the order in which they build on one another.
_MODELS = (
    "mart_gateway_slope",
    "mart_gateway_core_indicator",
    "mart_gateway_outcome",
    "mart_gateway_gap",
    "mart_gateway_adjacent",
    "mart_gateway_benchmark",
    "mart_gateway_rule",
    "mart_gateway_candidate",
    "mart_gateway_status",
)
_CATALOG = re.compile(r'"[^".]+"\.(?="[a-z_]+"\."[a-z_0-9]+")')
_STATES = {
    "benchmark": ("met", "in_progress", "not_started", "lapsed"),
    "measured": ("met", "not_met"),
    "outcome": ("improved", "maintained", "declined"),
    "gap": ("reduced", "eliminated", "persistent", "widened"),
    "adjacent": ("improved", "declined"),
}
# Evidence that is no benchmark of the framework: the designation as proof point, a further example of systems change.
_STATED_BESIDE = ("PRF-DESIGNATION", "SYC-EXAMPLE")


class WhatIfError(ValueError):
    """A change that cannot be made, or no night to change; the message says what can."""


@dataclass(frozen=True)
class GatewayChange:
    """One gateway, as it is and as it would be.

    Attributes:
        missing_n: size of the smallest set of further changes that would turn `then` to met; None where none would.
        smallest_set: one such set, as settings of a what-if; a benchmark that is also measured takes two settings.
    """

    gateway_id: str
    title: str
    now: str
    then: str
    reason: str
    smallest_change: str | None
    missing_n: int | None
    smallest_set: list[str]


def what_if(paths: CommunityPaths, settings: Sequence[str]) -> list[GatewayChange]:
    """Judge the gateways with changes such as `benchmark:EME-EDM-1=met` or `outcomes_required=3`.

    Args:
        paths: the community, after a night.
        settings: `<reading>=<value>` for a field of `gateways:` in community.yml; `benchmark:<id>=<status>`;
            `measured:<measurement>=met|not_met`; `outcome:<id>=<verdict>`; `gap:<unit>=<verdict>`;
            `adjacent:<measure>=<verdict>`.

    Returns:
        Each gateway in order, changed or not.

    Raises:
        WhatIfError: an unknown change, or no working database yet.
    """
    compiled = _compiled(paths)
    con = duckdb.connect()
    try:
        con.execute(f"attach {sql_literal(str(paths.warehouse))} as present (read_only)")
        _copy(con, compiled)
        for setting in settings:
            _read_setting(con, setting)
        verdicts = [s for s in map(_parsed, settings) if s[0] in ("outcome", "gap", "adjacent")]
        for model in _MODELS:
            con.execute(f"create table building.marts.{model} as {compiled[model]}")
            for kind, subject, value in verdicts:
                _override(con, model, kind, subject, value)
        return _compare(con)
    finally:
        con.close()


def _compiled(paths: CommunityPaths) -> dict[str, str]:
    found: dict[str, Path] = {
        file.stem: file for file in (paths.dbt / "compiled").glob("*/models/marts/mart_gateway_*.sql")
    }
    if not paths.warehouse.exists() or set(_MODELS) - set(found):
        raise WhatIfError(
            f"{paths.root}: no night has run here yet; `throughline run` makes what can be changed."
        )
    texts = {name: found[name].read_text(encoding="utf-8") for name in _MODELS}
    # The night's models name the database in which they were built; here it is the copy.
    return {name: _CATALOG.sub('"building".', text) for name, text in texts.items()}


def _copy(con: duckdb.DuckDBPyConnection, compiled: dict[str, str]) -> None:
    """Catalog `building`, as the models name it: tables that may change are copied, the rest are views."""
    con.execute("attach ':memory:' as building")
    tables = con.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'present' "
        "union all select schema_name, view_name from duckdb_views() where database_name = 'present' and not internal"
    ).fetchall()
    text = " ".join(compiled.values())
    for schema, table in tables:
        name = f"{quote_identifier(schema)}.{quote_identifier(table)}"
        if table in _MODELS or f'"building".{name}' not in text:
            continue
        con.execute(f"create schema if not exists building.{quote_identifier(schema)}")
        con.execute(f"create table building.{name} as from present.{name}")
    con.execute("create schema if not exists building.marts")


def _parsed(setting: str) -> tuple[str, str, str]:
    left, equals, value = setting.partition("=")
    kind, colon, subject = left.partition(":")
    if not equals:
        raise WhatIfError(f"'{setting}': write NAME=VALUE, for example benchmark:EME-EDM-1=met.")
    return (kind, subject, value.strip()) if colon else ("reading", kind.strip(), value.strip())


def _read_setting(con: duckdb.DuckDBPyConnection, setting: str) -> None:
    kind, subject, value = _parsed(setting)
    if kind == "reading":
        _set_reading(con, subject, value)
        return
    if kind not in _STATES:
        raise WhatIfError(
            f"'{kind}': unknown; these can change: {', '.join(_STATES)}, or a reading of community.yml."
        )
    if value not in _STATES[kind]:
        raise WhatIfError(f"{kind}:{subject}: '{value}' is none of {', '.join(_STATES[kind])}.")
    _KINDS[kind](con, subject, value)


def _set_reading(con: duckdb.DuckDBPyConnection, name: str, value: str) -> None:
    fields = GatewayReadings.model_fields
    if name not in fields:
        raise WhatIfError(f"'{name}': no such reading; these can change: {', '.join(fields)}.")
    try:
        read = getattr(GatewayReadings.model_validate({name: value}), name)
    except ValueError:
        raise WhatIfError(f"{name}: '{value}' is not allowed. {fields[name].description}") from None
    con.execute(f"update building.config.community set {quote_identifier(name)} = $value", {"value": read})


def _set_benchmark(con: duckdb.DuckDBPyConnection, benchmark: str, value: str) -> None:
    """A statement that takes effect on the day judged; a measurement that speaks against it is not changed."""
    if benchmark not in _STATED_BESIDE:
        _known(con, "seeds.framework_benchmark", "benchmark_id", benchmark)
    con.execute(
        """insert into building.core.fct_benchmark_evidence by name
        select $id as benchmark_id, $status as status, as_of_date as effective_date, 9223372036854775807 as delivery_seq
        from building.config.community""",
        {"id": benchmark, "status": value},
    )


def _set_measured(con: duckdb.DuckDBPyConnection, measurement: str, value: str) -> None:
    _known(con, "marts.mart_gateway_measurement", "measured_by", measurement)
    con.execute(
        "update building.marts.mart_gateway_measurement set status = $value where measured_by = $id",
        {"value": value, "id": measurement},
    )


def _later(con: duckdb.DuckDBPyConnection, subject: str, value: str) -> None:
    """Verdicts are changed once their model is judged."""


_KINDS = {
    "benchmark": _set_benchmark,
    "measured": _set_measured,
    "outcome": _later,
    "gap": _later,
    "adjacent": _later,
}
_VERDICTS = {
    "outcome": (
        "mart_gateway_outcome",
        "outcome_id",
        "verdict = $value, last_step = $value, is_unknown = false, is_improving = $value = 'improved', "
        "is_maintained_or_improved = $value in ('improved', 'maintained')",
    ),
    "gap": (
        "mart_gateway_gap",
        "gap_unit",
        "verdict = $value, is_unknown = false, counts_as_reduced = was_adverse_at_baseline and $value in ('reduced', 'eliminated')",
    ),
    "adjacent": ("mart_gateway_adjacent", "measure_id", "verdict = $value"),
}


def _override(con: duckdb.DuckDBPyConnection, model: str, kind: str, subject: str, value: str) -> None:
    table, key, assignments = _VERDICTS[kind]
    if table != model:
        return
    _known(con, f"marts.{table}", key, subject)
    con.execute(
        f"update building.marts.{table} set {assignments} where {key} = $id", {"value": value, "id": subject}
    )


def _known(con: duckdb.DuckDBPyConnection, table: str, key: str, value: str) -> None:
    known = [
        row[0] for row in con.execute(f"select distinct {key} from building.{table} order by 1").fetchall()
    ]
    if value not in known:
        raise WhatIfError(f"'{value}': unknown; these are there: {', '.join(map(str, known)) or 'none'}.")


def _compare(con: duckdb.DuckDBPyConnection) -> list[GatewayChange]:
    rows: list[tuple[Any, ...]] = con.execute(
        """select changed.gateway_id, changed.gateway_title, now.status, changed.status, changed.reason,
            changed.smallest_change, changed.missing_with_earlier_n,
            list_filter(string_split(coalesce(changed.smallest_set, ''), ', '), setting -> setting <> '')
        from building.marts.mart_gateway_status as changed
        inner join present.marts.mart_gateway_status as now using (gateway_id) order by changed.gateway_order"""
    ).fetchall()
    return [GatewayChange(*row) for row in rows]
