"""Suppression of small groups in everything that is published.

What belongs here: deciding which cells of the rate table are suppressed, and having every dependent number of every
table follow. What does not: the joint model of linked tables (`warehouse.disclosure`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from warehouse.duck import quote_identifier

RATE = "mart_indicator_rate"


def mark_suppressed_cells(con: duckdb.DuckDBPyConnection, marts: str, minimum_n: int) -> int:
    """Make table `suppressed_cell` with every cell of the rate table that may not be shown.

    A cell is suppressed when its group has fewer than `minimum_n` people, or when those who met it, or those who did
    not, are one or two: then almost everybody's result is known. Of each block (one dimension's groups under a
    shared total) with exactly one suppressed cell, the smallest other one goes with it, or it could be had by
    subtraction; this is repeated until no block has a lone one.

    Returns:
        Number of suppressed cells.
    """
    con.execute(
        f"""
        create or replace temp table cell as
        select indicator_id, cohort_year, geography_id, organization_key, race_scheme, race_group, gender_group,
            economic_group, denominator_n, numerator_n,
            (greatest(eligible_n, denominator_n) > 0 and (eligible_n < {int(minimum_n)} or denominator_n < {int(minimum_n)}
                or numerator_n between 1 and 2 or denominator_n - numerator_n between 1 and 2)) as is_suppressed
        from {marts}.{RATE}
        """
    )
    dimensions = ("race_group", "gender_group", "economic_group")
    for _ in range(12):
        changed = sum(_complete_blocks(con, dimension) for dimension in dimensions)
        if not changed:
            break
    con.execute(
        "create or replace temp table suppressed_cell as select * exclude (is_suppressed) from cell where is_suppressed"
    )
    row = con.execute("select count(*) from suppressed_cell").fetchone()
    return int(row[0]) if row else 0


def _complete_blocks(con: duckdb.DuckDBPyConnection, dimension: str) -> int:
    """Give every lone suppressed cell of a block a companion; returns how many were added."""
    others = [name for name in ("race_group", "gender_group", "economic_group") if name != dimension]
    block = ", ".join(
        ["indicator_id", "cohort_year", "geography_id", "organization_key", "race_scheme", *others]
    )
    con.execute(
        f"""
        create or replace temp table companion as
        select indicator_id, cohort_year, geography_id, organization_key, race_scheme, race_group, gender_group, economic_group
        from (
            select *, count(*) filter (where is_suppressed) over (partition by {block}) as suppressed_n,
                row_number() over (partition by {block} order by is_suppressed, denominator_n, {dimension}) as place
            from cell where {dimension} <> 'all'
        ) where suppressed_n = 1 and place = 1 and not is_suppressed
        """
    )
    row = con.execute("select count(*) from companion").fetchone()
    con.execute(
        """
        update cell set is_suppressed = true from companion
        where cell.indicator_id = companion.indicator_id and cell.cohort_year = companion.cohort_year
            and cell.geography_id = companion.geography_id and cell.organization_key = companion.organization_key
            and cell.race_scheme = companion.race_scheme and cell.race_group = companion.race_group
            and cell.gender_group = companion.gender_group and cell.economic_group = companion.economic_group
        """
    )
    return int(row[0]) if row else 0


def published_sql(table: Mapping[str, Any], source: str, columns: list[str]) -> str:
    """SQL of a published table: the source's columns, those that depend on a suppressed cell blanked."""
    if not table.get("cells"):
        return f"select {', '.join(quote_identifier(name) for name in columns)} from {source}"
    shared = "c.indicator_id = t.indicator_id and c.geography_id = t.geography_id and c.race_scheme = t.race_scheme"
    hidden = f"exists (select 1 from suppressed_cell c where {shared} and ({table['cells']}))"
    follows = set(table["follows"])
    chosen = ", ".join(
        f"case when not is_suppressed then {quote_identifier(name)} end as {quote_identifier(name)}"
        if name in follows
        else quote_identifier(name)
        for name in columns
    )
    return f"select {chosen}, is_suppressed from (select t.*, {hidden} as is_suppressed from {source} t)"
