"""Which cells of the rate table may not be shown: what is small, what would give it away, and what an attacker tells.

What belongs here: deciding. What does not: having every other number follow (`follow`), or the attack itself
(`doubts`, `warehouse.disclosure`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb

from warehouse.duck import sql_literal
from warehouse.release.spec import CELL_KEYS, GROUP_KEYS, GROUP_LABEL

_OVERLAPPING = "alone_or_in_combination"
_MOST_ROUNDS = 60


@dataclass(frozen=True)
class Policy:
    """What is protected in a release.

    Attributes:
        minimum_n: groups smaller than this are withheld; the strictest of the community and its partners.
        complementary: whether companions are withheld too, so that no small group is had by subtraction.
        geography_id: the community's own geography, whose figures are the totals.
        smallest_part: fewer with, or without, the outcome tell almost everybody's; the field's tiers leave three.
        lower: doubt downward that must remain about a small group, in people, never below nought.
        upper: doubt upward, in people.
        name: of the preset.
        singletons: whether what the only one of a withheld row knows is defended against.
    """

    minimum_n: int
    complementary: bool
    geography_id: str
    smallest_part: int = 3
    lower: int = 3
    upper: int = 3
    name: str = "default"
    singletons: bool = True


@dataclass(frozen=True)
class Protection:
    """What was withheld, in sums alone: which cell for which reason is told to nobody."""

    cells: int
    suppressed_cells: int
    people_in_cells: int
    people_in_suppressed_cells: int
    rules: tuple[str, ...]


Attack = Callable[[duckdb.DuckDBPyConnection], int]


def choose_suppressed(
    con: duckdb.DuckDBPyConnection, rates: str, policy: Policy, attack: Attack | None = None
) -> Protection:
    """Make table `suppressed_cell` (the cell's key and its `group_label`) from the rate table `rates`.

    A cell is withheld when its group, or the part of it that was measured, is smaller than the minimum, or when
    too few of it met the indicator or did not. Where what is withheld under one total would itself be so small, or
    be one cell, the smallest other one goes with it, until it is not. Then the attacker tries the rest.

    Args:
        con: holds `rates`, `parent_of` (organization_key, parent_organization_key) and `shown_before` (keys of rows
            that an earlier release shows; `known` where with the same figures).
        rates: the rate table.
        policy: what is protected.
        attack: withholds further cells of table `cell` where the attacker finds a doubt too small; returns how many.
    """
    con.execute(_primary_sql(rates, policy))
    rules = [
        f"groups of fewer than {policy.minimum_n} people",
        f"groups in which fewer than {policy.smallest_part} people met it, or fewer than {policy.smallest_part} did not",
    ]
    if policy.complementary:
        _companions(con, policy)
        while attack is not None and attack(con):
            _companions(con, policy)
        rules.append(
            "companions, so that what is withheld under one total is never so small itself, or one group alone"
        )
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
    if denominator > 0 and numerator < policy.smallest_part:
        reasons.append(f"fewer than {policy.smallest_part} met it")
    if denominator > 0 and denominator - numerator < policy.smallest_part:
        reasons.append(f"fewer than {policy.smallest_part} did not")
    return reasons


def _primary_sql(rates: str, policy: Policy) -> str:
    label = ", ".join(f"nullif({name}, 'all')" for name in GROUP_KEYS)
    same = " and ".join(f"s.{name} = c.{name}" for name in CELL_KEYS)
    counts = ("eligible_n", "excluded_n", "not_measured_n", "denominator_n", "numerator_n")
    return f"""
        create or replace temp table cell as
        with counted as (
            select {", ".join(CELL_KEYS)}, concat_ws(' / ', {label}) as {GROUP_LABEL},
                {", ".join(f"coalesce({name}, 0) as {name}" for name in counts)},
                coalesce(parent_organization_key, 'all') as parent_key
            from {rates} left join parent_of using (organization_key)
        )
        select row_number() over (order by {", ".join(f"c.{name}" for name in CELL_KEYS)}) as id, c.*,
            {_telling("eligible_n", "denominator_n", "numerator_n", policy)} as hidden,
            coalesce(s.known, false) as known, s.known is not null as shown_once
        from counted c left join shown_before s on {same}
        """


def _telling(eligible: str, denominator: str, numerator: str, policy: Policy) -> str:
    """SQL: whether so many people tell of one; nobody at all does not."""
    part = policy.smallest_part
    return (
        f"({eligible} > 0 and ({eligible} < {int(policy.minimum_n)} "
        f"or {denominator} between 1 and {int(policy.minimum_n) - 1} "
        f"or ({denominator} > 0 and ({numerator} < {part} or {denominator} - {numerator} < {part}))))"
    )


@dataclass(frozen=True)
class _Family:
    """Cells that add up to a total: the keys that they share, who is a member, who the total, and the total's keys."""

    shared: tuple[str, ...]
    members: str
    total: str
    total_keys: tuple[str, ...]


def _families(policy: Policy) -> list[_Family]:
    here = sql_literal(policy.geography_id)
    found = []
    for dimension in GROUP_KEYS:
        shared = tuple(name for name in CELL_KEYS if name != dimension)
        sums = f"race_scheme <> {sql_literal(_OVERLAPPING)}" if dimension == "race_group" else "true"
        found.append(
            _Family(shared, f"{dimension} <> 'all' and {sums}", f"{dimension} = 'all' and {sums}", shared)
        )
    within = tuple(name for name in CELL_KEYS if name != "organization_key")
    found.append(
        _Family((*within, "parent_key"), "organization_key <> 'all'", "true", (*within, "organization_key"))
    )
    places = tuple(name for name in CELL_KEYS if name != "geography_id")
    below = f"geography_id <> {here} and organization_key = 'all'"
    found.append(_Family(places, below, f"geography_id = {here} and organization_key = 'all'", places))
    return found


def _companions(con: duckdb.DuckDBPyConnection, policy: Policy) -> None:
    """Withhold companions until no family and no overlap asks for one more."""
    for _ in range(_MOST_ROUNDS):
        found = sum(_complete(con, family, policy) for family in _families(policy))
        if not found + _overlaps(con, policy):
            return


def _complete(con: duckdb.DuckDBPyConnection, family: _Family, policy: Policy) -> int:
    """Give every family whose withheld members could be told one more, its smallest; returns how many.

    One that an earlier release shows as it is today hides little, and goes last. A withheld total of which every part is shown is told as well, and so is a single part of a shown total.
    """
    joined = " and ".join(
        f"t.{theirs} = f.{ours}" for ours, theirs in zip(family.shared, family.total_keys, strict=True)
    )
    keys = ", ".join(family.shared)
    con.execute(
        f"""
        create or replace temp table companion as
        with family as (
            select {keys}, count(*) as n, count(*) filter (where hidden) as hidden_n,
                sum(eligible_n) as people, coalesce(sum(eligible_n) filter (where hidden), 0) as e,
                coalesce(sum(denominator_n) filter (where hidden), 0) as d,
                coalesce(sum(numerator_n) filter (where hidden), 0) as m,
                arg_min(id, (known, eligible_n, id)) filter (where not hidden) as smallest
            from cell where {family.members} and eligible_n > 0 group by {keys}
        ),
        total as (select {", ".join(family.total_keys)}, id, hidden, eligible_n from cell where {family.total})
        select case when f.hidden_n < f.n then f.smallest else t.id end as id
        from family f join total t on {joined}
        where (not t.hidden and f.hidden_n < f.n and f.hidden_n > 0
                and (f.hidden_n = 1 or {_telling("f.e", "f.d", "f.m", policy)}))
            or (not t.hidden and f.hidden_n = 1 and f.n = 1 and f.people = t.eligible_n)
            or (t.hidden and f.hidden_n = 0 and f.people = t.eligible_n)
        """
    )
    return _hide(con, "companion")


def _overlaps(con: duckdb.DuckDBPyConnection, policy: Policy) -> int:
    """Groups of a race alone or in combination: those in combination alone are a group too, had by subtraction."""
    names = [name for name in CELL_KEYS if name != "race_scheme"]
    same = " and ".join(f"a.{name} = b.{name}" for name in names)
    left = (
        "a.eligible_n - b.eligible_n",
        "a.denominator_n - b.denominator_n",
        "a.numerator_n - b.numerator_n",
    )
    con.execute(
        f"""
        create or replace temp table companion as
        select case when not a.hidden then a.id else b.id end as id
        from cell a join cell b on {same}
        where a.race_scheme = {sql_literal(_OVERLAPPING)} and b.race_scheme <> a.race_scheme
            and (
                (not a.hidden and {_telling(*left, policy)})
                or (a.hidden <> b.hidden and a.eligible_n = b.eligible_n)
            )
        union
        select case when not a.hidden then a.id else b.id end
        from cell a join cell b on {same}
        where a.race_scheme < b.race_scheme and a.race_scheme <> {sql_literal(_OVERLAPPING)}
            and b.race_scheme <> {sql_literal(_OVERLAPPING)}
            and a.hidden <> b.hidden and a.eligible_n = b.eligible_n and a.numerator_n = b.numerator_n
        """
    )
    return _hide(con, "companion")


def _hide(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    con.execute(f"update cell set hidden = true where not hidden and id in (select id from {relation})")
    row = con.execute(f"select count(distinct id) from {relation}").fetchone()
    return int(row[0]) if row else 0
