"""Wide tables of variables, as the Census publishes them, turned into one row a variable.

What belongs here: the turning. What does not: the numbers' marks (`protected`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb

from ingestion.acceptance.findings import Finding
from ingestion.acceptance.judging import SOURCE
from ingestion.mapping import Unpivot, fold
from ingestion.readers import ReadResult
from ingestion.readers.scratch import drop_table
from warehouse.duck import quote_identifier, sql_literal


@dataclass(frozen=True)
class Unpivoted:
    """Columns of the long relation, and source columns that no pattern takes."""

    columns: list[str]
    left_out: list[str]


def unpivot(
    con: duckdb.DuckDBPyConnection, result: ReadResult, rule: Unpivot
) -> tuple[Unpivoted | None, list[Finding]]:
    """Replace relation `source` by one row a record and variable; `_source_record` keeps the record's number.

    The columns are the id columns, `variable`, `label` (of the variable's first part in the second header row)
    and `value_<part>`.
    """
    pattern = re.compile(rule.pattern)
    present = {fold(name): name for name in result.columns}
    parts: dict[str, dict[str, str]] = {}
    for name in result.columns:
        if match := pattern.match(name):
            parts.setdefault(match["variable"], {})[match["part"]] = name
    missing = [name for name in rule.id_columns if fold(name) not in present]
    if missing or not parts:
        why = (
            f"Columns are missing: {', '.join(missing)}."
            if missing
            else "No column is named like a variable."
        )
        fix = "Send the table as it is published, codes in the first row, or mend `unpivot` in the mapping."
        return None, [Finding(code="unknown_layout", severity="refuse", why=why, fix=fix)]
    kinds = sorted({kind for found in parts.values() for kind in found} | set(rule.optional_parts))
    # A list of structs, unnested once: one pass over the wide rows however many variables they hold.
    structs = ", ".join(
        _struct(position, variable, found, kinds, result.labels)
        for position, (variable, found) in enumerate(parts.items(), start=1)
    )
    kept = [*rule.id_columns, *rule.optional_columns]
    listed = ", ".join(
        f"{quote_identifier(present[fold(name)]) if fold(name) in present else 'null::varchar'} as {quote_identifier(name)}"
        for name in kept
    )
    con.execute(
        f"""
        create or replace table unpivoted as
        select (_source_record - 1) * {len(parts)} + _v.position as _record, * exclude (_v), unnest(_v)
        from (select _record as _source_record, {f"{listed}," if listed else ""} unnest([{structs}]) as _v from {SOURCE})
        """
    )
    drop_table(con, SOURCE)
    con.execute(f"alter table unpivoted drop column position; alter table unpivoted rename to {SOURCE}")
    taken = {name for found in parts.values() for name in found.values()}
    taken |= {present[fold(name)] for name in kept if fold(name) in present}
    columns = [*kept, "variable", "label", *(f"value_{kind}" for kind in kinds)]
    return Unpivoted(columns, [name for name in result.columns if name not in taken]), []


def _struct(
    position: int, variable: str, found: dict[str, str], kinds: list[str], labels: dict[str, str]
) -> str:
    first = found.get("E", next(iter(found.values())))
    values = ", ".join(
        f"{sql_literal(f'value_{kind}')}: {quote_identifier(found[kind]) if kind in found else 'null::varchar'}"
        for kind in kinds
    )
    label = sql_literal(labels.get(first, ""))
    return f"{{'position': {position}, 'variable': {sql_literal(variable)}, 'label': {label}, {values}}}"
