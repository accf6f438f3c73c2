"""Having every published number follow the cells behind it: withheld there, withheld here.

What belongs here: applying what was decided. What does not: deciding it (`protect`, `warehouse.disclosure`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import duckdb

from warehouse.duck import quote_identifier, sql_literal
from warehouse.release.protect import Policy
from warehouse.release.spec import (
    CELL_KEYS,
    GROUP_KEYS,
    GROUP_LABEL,
    RATE,
    SUPPRESSED,
    Corrected,
    Dependency,
    PublishedTable,
)

_JOINTLY = "hidden_jointly_"
_CERTAIN = 0.05  # below which the marts call a change certain


def apply_protection(con: duckdb.DuckDBPyConnection, table: PublishedTable, raw: str, policy: Policy) -> int:
    """Make the temporary table `table.name` from `raw`, with what must be withheld withheld.

    Needs `suppressed_cell`, and every published table that this one depends on.

    Returns:
        Number of rows in which something is withheld.
    """
    if not table.is_protected:
        con.execute(f"create or replace temp table {table.name} as select * from {raw}")
        return 0
    dark, marked = _marks(table, policy)
    source = _completed(table, raw, policy) if table.absent else raw
    family = f"(select *{_named(table.beside)} from {source} s)"
    rows = f"(select t.*{_named(marked)} from {family} t)"
    together = {
        f"{_JOINTLY}{at}": f"coalesce({one.where}, false) and {_any(dark(one.of, alone=True), one.by)}"
        for at, one in enumerate(table.jointly)
    }
    if table.corrected is not None:
        together |= _ranked(table.corrected, dark(table.corrected.of))
    rows = f"(select *{_named(together)} from {rows})"
    if table.corrected is not None:
        rows = f"(select *, {_at_most(table.corrected)} as most from {rows})"
    chosen = []
    for name in table.columns:
        value = quoted = quote_identifier(name)
        if table.corrected is not None and table.corrected.column == name:
            value = "most"
        chosen.append(f"case when not ({dark(name)}) then {value} end as {quoted}")
    anything = " or ".join(f"({dark(name)})" for name in table.withheld_columns)
    con.execute(
        f"create or replace temp table {table.name} as select {', '.join(chosen)}, ({anything}) as {SUPPRESSED} from {rows}"
    )
    row = con.execute(f"select count(*) from {table.name} where {SUPPRESSED}").fetchone()
    return int(row[0]) if row else 0


def _completed(table: PublishedTable, raw: str, policy: Policy) -> str:
    """SQL: the source's rows and those that it lacks, marked."""
    lacking = table.absent.replace("@source", raw).replace("@geography_id", sql_literal(policy.geography_id))
    same = " and ".join(f"r.{quote_identifier(key)} = m.{quote_identifier(key)}" for key in table.keys)
    return (
        f"(select *, false as is_absent from {raw} union all by name select distinct m.*, true as is_absent "
        f"from ({lacking}) m where not exists (select 1 from {raw} r where {same}))"
    )


def _named(columns: Mapping[str, str]) -> str:
    return "".join(f", {sql} as {quote_identifier(name)}" for name, sql in columns.items())


def _any(condition: str, by: Sequence[str]) -> str:
    return f"bool_or({condition}) over (partition by {', '.join(by)})"


def _marks(table: PublishedTable, policy: Policy) -> tuple[Callable[..., str], dict[str, str]]:
    """For a column the condition under which it is withheld, and the columns of which these conditions are made."""
    marked = {f"hidden_{at}": _hidden(dependency, policy) for at, dependency in enumerate(table.depends)}
    follows = {f"hidden_{at}": dependency.columns for at, dependency in enumerate(table.depends)}
    if table.minimum is not None:
        count = f"({table.minimum.count})"
        marked["hidden_own"] = f"coalesce({count} > 0 and {count} < {policy.minimum_n}, false)"
        follows["hidden_own"] = table.minimum.columns
    if table.absent:
        follows["is_absent"] = table.withheld_columns
    follows |= {f"{_JOINTLY}{at}": family.columns for at, family in enumerate(table.jointly)}

    judged = table.corrected.judged if table.corrected else {}

    def dark(name: str, alone: bool = False) -> str:
        marks = [mark for mark, columns in follows.items() if name in columns]
        if alone:  # Of itself, whatever it is counted with.
            return " or ".join(mark for mark in marks if not mark.startswith(_JOINTLY)) or "false"
        if name in judged:
            marks.append(
                f"(is_family_dark and not coalesce(most < {_CERTAIN}, false) and coalesce({judged[name]}, false))"
            )
        return " or ".join(marks) or "false"

    return dark, marked


def _ranked(corrected: Corrected, dark: str) -> dict[str, str]:
    """What `_at_most` is made of: the size of the family, whether one of it is withheld, the rank of the shown ones."""
    family, p = ", ".join(corrected.by), quote_identifier(corrected.of)
    tested = f"not ({dark}) and {p} is not null"
    return {
        "is_tested": tested,
        "family_n": f"count(*) filter (where ({dark}) or {p} is not null) over (partition by {family})",
        "is_family_dark": _any(dark, corrected.by),
        "p_rank": f"row_number() over (partition by {family}, {tested} order by {p})",
    }


def _at_most(corrected: Corrected) -> str:
    """SQL: the corrected p-value; where others of its family are withheld, the most that it can be.

    That is what it is where each of theirs is 1: they come last, and all else is told by what is shown.
    """
    family, p = ", ".join(corrected.by), quote_identifier(corrected.of)
    most = (
        f"least(1.0, min({p} * family_n / p_rank) over (partition by {family}, is_tested order by p_rank desc "
        "rows between unbounded preceding and current row))"
    )
    return f"case when is_family_dark and {p} is not null then {most} else {quote_identifier(corrected.column)} end"


def _hidden(dependency: Dependency, policy: Policy) -> str:
    """SQL condition on the row `t`: the row behind it is withheld. Mostly equalities, so that it is one hash join."""
    mapping = dict(dependency.cell)
    looked_at = f"(select * from {dependency.table} where {SUPPRESSED})"
    if dependency.table == RATE:
        looked_at = "suppressed_cell"
        keys = [key for key in CELL_KEYS if GROUP_LABEL not in mapping or key not in GROUP_KEYS]
        mapping = {key: key for key in keys} | mapping
    conditions = [
        f"c.{quote_identifier(key)} = {_value(value, policy)}"
        for key, value in mapping.items()
        if value != "*"
    ]
    joined = " and ".join([*conditions, *([f"({dependency.where})"] if dependency.where else [])])
    return f"exists (select 1 from {looked_at} c where {joined})"


def _value(value: str, policy: Policy) -> str:
    if value == "@geography_id":
        return sql_literal(policy.geography_id)
    return sql_literal(value[1:]) if value.startswith("=") else f"t.{quote_identifier(value)}"
