"""Which cells of the rate table may not be shown: the minimum size of groups, and what would give a small one away.

What belongs here: deciding. What does not: having every other number follow (`follow`), or the joint model of all
published tables and its attacker (`warehouse.disclosure`).
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from warehouse.duck import sql_literal
from warehouse.release.spec import CELL_KEYS, GROUP_KEYS, GROUP_LABEL

# Fewer than three with, or without, the outcome tell almost everybody's: the field's tiers leave three as well.
_SMALLEST_PART = 3
_MOST_ROUNDS = 40


@dataclass(frozen=True)
class Policy:
    """What is protected in a release.

    Attributes:
        minimum_n: groups smaller than this are withheld; the strictest of the community and its partners.
        complementary: whether companions are withheld too, so that no small group is had by subtraction.
        geography_id: the community's own geography, whose figures are the totals.
    """

    minimum_n: int
    complementary: bool
    geography_id: str


@dataclass(frozen=True)
class Protection:
    """What was withheld, in sums alone: which cell for which reason is told to nobody."""

    cells: int
    suppressed_cells: int
    people_in_cells: int
    people_in_suppressed_cells: int
    rules: tuple[str, ...]


def choose_suppressed(con: duckdb.DuckDBPyConnection, rates: str, policy: Policy) -> Protection:
    """Make table `suppressed_cell` (the cell's key and its `group_label`) from the rate table `rates`.

    A cell is withheld when its group, or the part of it that was measured, is smaller than the minimum, or when
    fewer than three of it met the indicator or fewer than three did not. Where the groups under one total would
    give such a cell away by subtraction, the smallest other one goes with it, until none does.
    """
    con.execute(_primary_sql(rates, policy.minimum_n))
    rules = [
        f"groups of fewer than {policy.minimum_n} people",
        f"groups in which fewer than {_SMALLEST_PART} people met it, or fewer than {_SMALLEST_PART} did not",
    ]
    if policy.complementary:
        blocks = _blocks(policy)
        for _ in range(_MOST_ROUNDS):
            if not sum(_complete(con, block, members, policy.minimum_n) for block, members in blocks):
                break
        rules.append("companions, so that no withheld group is the difference of two published ones")
    keys = ", ".join(CELL_KEYS)
    con.execute(
        f"create or replace temp table suppressed_cell as select {keys}, {GROUP_LABEL} from cell where hidden"
    )
    row = con.execute(
        "select count(*), count(*) filter (where hidden), coalesce(sum(eligible_n), 0)::bigint, "
        "coalesce(sum(eligible_n) filter (where hidden), 0)::bigint from cell"
    ).fetchone()
    con.execute("drop table cell")
    assert row is not None  # noqa: S101 - an aggregate has a row
    cells, hidden, people, hidden_people = (int(value) for value in row)
    return Protection(cells, hidden, people, hidden_people, tuple(rules))


def own_reasons(eligible: int, denominator: int, numerator: int, policy: Policy) -> list[str]:
    """Why a row is withheld for its own sake, in words; none for a companion."""
    reasons = []
    if 0 < eligible < policy.minimum_n:
        reasons.append(f"fewer than {policy.minimum_n} people in the group")
    if 0 < denominator < policy.minimum_n:
        reasons.append(f"fewer than {policy.minimum_n} people measured")
    if denominator > 0 and numerator < _SMALLEST_PART:
        reasons.append(f"fewer than {_SMALLEST_PART} met it")
    if denominator > 0 and denominator - numerator < _SMALLEST_PART:
        reasons.append(f"fewer than {_SMALLEST_PART} did not")
    return reasons


def _primary_sql(rates: str, minimum_n: int) -> str:
    label = ", ".join(f"nullif({name}, 'all')" for name in GROUP_KEYS)
    return f"""
        create or replace temp table cell as
        select row_number() over () as id, {", ".join(CELL_KEYS)},
            concat_ws(' / ', {label}) as {GROUP_LABEL},
            coalesce(eligible_n, 0) as eligible_n,
            coalesce(denominator_n, 0) as denominator_n,
            coalesce(parent_organization_key, 'all') as parent_key,
            coalesce(eligible_n, 0) > 0 and (
                eligible_n < {int(minimum_n)}
                or denominator_n between 1 and {int(minimum_n) - 1}
                or (denominator_n > 0 and (
                    numerator_n < {_SMALLEST_PART} or denominator_n - numerator_n < {_SMALLEST_PART}))
            ) as hidden
        from {rates} left join parent_of using (organization_key)
        """


def _blocks(policy: Policy) -> list[tuple[list[str], str]]:
    """Sets of cells that add up to a published total: the columns that a set shares, and who is a member."""
    here = sql_literal(policy.geography_id)
    found = []
    for dimension in GROUP_KEYS:
        shared = [name for name in CELL_KEYS if name != dimension]
        found.append((shared, f"{dimension} <> 'all'"))
    within = [name for name in CELL_KEYS if name != "organization_key"]
    found.append(([*within, "parent_key"], "organization_key <> 'all'"))
    places = [name for name in CELL_KEYS if name != "geography_id"]
    found.append((places, f"geography_id <> {here} and organization_key = 'all'"))
    return found


def _complete(con: duckdb.DuckDBPyConnection, block: list[str], members: str, minimum_n: int) -> int:
    """Give every set whose withheld members could be told a further one, its smallest; returns how many."""
    con.execute(
        f"""
        create or replace temp table companion as
        with known as (
            select *,
                count(*) filter (where hidden) over w as hidden_n,
                coalesce(sum(denominator_n) filter (where hidden) over w, 0) as hidden_people_n
            from cell where {members} and eligible_n > 0
            window w as (partition by {", ".join(block)})
        )
        select id from known
        where hidden_n > 0 and (hidden_n = 1 or hidden_people_n < {int(minimum_n)}) and not hidden
        qualify row_number() over (partition by {", ".join(block)} order by eligible_n, {", ".join(CELL_KEYS)}) = 1
        """
    )
    con.execute("update cell set hidden = true where id in (select id from companion)")
    row = con.execute("select count(*) from companion").fetchone()
    return int(row[0]) if row else 0
