"""Having every published number follow the cells behind it: withheld there, withheld here.

What belongs here: applying what was decided. What does not: deciding it (`protect`, `warehouse.disclosure`).
"""

from __future__ import annotations

import duckdb

from warehouse.duck import quote_identifier, sql_literal
from warehouse.release.protect import Policy
from warehouse.release.spec import (
    CELL_KEYS,
    GROUP_KEYS,
    GROUP_LABEL,
    RATE,
    SUPPRESSED,
    Dependency,
    PublishedTable,
)


def apply_protection(con: duckdb.DuckDBPyConnection, table: PublishedTable, raw: str, policy: Policy) -> int:
    """Make the temporary table `table.name` from `raw`, with what must be withheld withheld.

    Needs `suppressed_cell`, and every published table that this one depends on.

    Returns:
        Number of rows in which something is withheld.
    """
    if not table.is_protected:
        con.execute(f"create or replace temp table {table.name} as select * from {raw}")
        return 0
    flags = [_hidden(dependency, policy) for dependency in table.depends]
    follows = [set(dependency.columns) for dependency in table.depends]
    if table.minimum is not None:
        flags.append(
            f"coalesce(({table.minimum.count}) > 0 and ({table.minimum.count}) < {policy.minimum_n}, false)"
        )
        follows.append(set(table.minimum.columns))
    chosen = []
    for name in table.columns:
        reasons = [f"hidden_{index}" for index, columns in enumerate(follows) if name in columns]
        quoted = quote_identifier(name)
        chosen.append(
            f"case when not ({' or '.join(reasons)}) then {quoted} end as {quoted}" if reasons else quoted
        )
    marked = ", ".join(f"{flag} as hidden_{index}" for index, flag in enumerate(flags))
    anything = " or ".join(f"hidden_{index}" for index in range(len(flags)))
    con.execute(
        f"create or replace temp table {table.name} as "
        f"select {', '.join(chosen)}, ({anything}) as {SUPPRESSED} from (select t.*, {marked} from {raw} t)"
    )
    row = con.execute(f"select count(*) from {table.name} where {SUPPRESSED}").fetchone()
    return int(row[0]) if row else 0


def _hidden(dependency: Dependency, policy: Policy) -> str:
    """SQL condition on the row `t`: the row behind it is withheld. Equalities only, so that it is one hash join."""
    mapping = dict(dependency.cell)
    looked_at = f"(select * from {dependency.table} where {SUPPRESSED})"
    if dependency.table == RATE:
        looked_at = "suppressed_cell"
        keys = [key for key in CELL_KEYS if GROUP_LABEL not in mapping or key not in GROUP_KEYS]
        mapping = {key: key for key in keys} | mapping
    joined = " and ".join(
        f"c.{quote_identifier(key)} = {_value(value, policy)}" for key, value in mapping.items()
    )
    return f"exists (select 1 from {looked_at} c where {joined})"


def _value(value: str, policy: Policy) -> str:
    if value == "@geography_id":
        return sql_literal(policy.geography_id)
    return sql_literal(value[1:]) if value.startswith("=") else f"t.{quote_identifier(value)}"
