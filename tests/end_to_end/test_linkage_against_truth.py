"""Who the first night of the sample says is one person, held against who truly is.

Pairs are pairs of source persons; the truth knows them by the id that each source gave, wage records by their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from warehouse import duck
from warehouse.community import load_community
from warehouse.settings import Settings
from warehouse.vault import attach_vault

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("end_to_end")]


@pytest.fixture(scope="module")
def linked(demo: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with `linked`: source_person_key, person_key, true_person_id and the person's groups."""
    community = load_community(demo)
    con = duck.connect(temp_directory=community.paths.temp / "linkage")
    attach_vault(con, community.paths, Settings(), purpose="test of the sample", read_only=True)
    con.execute(
        f"""create temp table linked as
        with source as (
            select source_person_key, issuer_id, any_value(local_person_id) as local_id,
                any_value(social_security_number) as number
            from vault.identifier_record group by all
        ),
        known as (
            select source_person_key, coalesce(i.true_person_id, p.true_person_id) as true_person_id
            from source as s
            left join (select distinct * from '{demo}/truth/source_id.parquet') as i using (issuer_id, local_id)
            left join '{demo}/truth/person.parquet' as p
              on replace(p.social_security_number, '-', '') = replace(s.number, '-', '')
        )
        select source_person_key, r.person_key, t.* from known as k
        join vault.person_record as r using (source_person_key)
        join '{demo}/truth/person.parquet' as t using (true_person_id) where r.valid_to is null"""
    )
    yield con
    con.close()


def _pairs(con: duckdb.DuckDBPyConnection, where: str = "true") -> tuple[int, int, int]:
    """Pairs that are linked rightly, linked, and truly one person."""
    row = con.execute(
        f"""select count(*) filter (l.person_key = r.person_key and l.true_person_id = r.true_person_id),
            count(*) filter (l.person_key = r.person_key), count(*) filter (l.true_person_id = r.true_person_id)
        from linked as l join linked as r on l.source_person_key < r.source_person_key
            and (l.person_key = r.person_key or l.true_person_id = r.true_person_id)
        where {where}"""
    ).fetchone()
    assert row is not None
    return row


def test_links_are_right_and_nearly_all_found(linked: duckdb.DuckDBPyConnection) -> None:
    """If not, outcomes of one child are counted as another's, or lost."""
    right, made, true = _pairs(linked)
    assert true > 5_000
    precision, recall = right / made, right / true
    assert precision >= 0.9995
    assert 2 * precision * recall / (precision + recall) >= 0.995


def test_no_co_twins_are_linked(linked: duckdb.DuckDBPyConnection) -> None:
    """If they were, two children would share one school career."""
    row = linked.execute(
        """select count(*) from linked as l join linked as r
        on l.person_key = r.person_key and l.true_person_id < r.true_person_id
        and l.family_id = r.family_id and l.is_twin and r.is_twin"""
    ).fetchone()
    assert row == (0,)


@pytest.mark.parametrize("column", ["sex", "disadvantaged", "english_learner", "race_codes"])
def test_no_group_is_linked_worse(linked: duckdb.DuckDBPyConnection, column: str) -> None:
    """If one were, its rates would be biased more than those of the others."""
    right, _, true = _pairs(linked)
    groups = linked.execute(
        f"select {column}, count(*) from linked group by 1 having count(*) >= 300"
    ).fetchall()
    assert groups
    for value, _ in groups:
        found, _, there = _pairs(linked, f"l.true_person_id = r.true_person_id and l.{column} = '{value}'")
        assert found / there >= right / true - 0.01, (column, value)


def _shared_homes(con: duckdb.DuckDBPyConnection, where: str) -> tuple[int, int]:
    """Pairs of true people of one delivery that meet a condition, and how many of them share a household."""
    row = con.execute(
        f"""with told as (
            select distinct l.true_person_id, l.family_id, h.delivery_id, h.household_key, lower(i.street_address) as street
            from vault.household_record as h join linked as l using (source_person_key)
            join vault.identifier_record as i using (source_person_key, delivery_id)
        ),
        pair as (
            select l.delivery_id, l.true_person_id, r.true_person_id, bool_or(l.household_key = r.household_key) as together
            from told as l join told as r on l.delivery_id = r.delivery_id and l.true_person_id < r.true_person_id
            where {where} group by all
        )
        select count(*), count(*) filter (together) from pair"""
    ).fetchone()
    assert row is not None
    return row


def test_a_household_is_of_one_family(linked: duckdb.DuckDBPyConnection) -> None:
    """If not, one family's economic status is read off another's."""
    together, _ = _shared_homes(linked, "l.household_key = r.household_key")
    strangers, _ = _shared_homes(linked, "l.household_key = r.household_key and l.family_id <> r.family_id")
    assert together > 1_000
    assert strangers / together <= 0.002


def test_siblings_at_one_address_share_a_household(linked: duckdb.DuckDBPyConnection) -> None:
    """If not, households fall apart over spelling."""
    siblings, together = _shared_homes(linked, "l.family_id = r.family_id and l.street = r.street")
    assert siblings > 1_000
    assert together / siblings >= 0.95


def test_few_records_wait_for_review(linked: duckdb.DuckDBPyConnection) -> None:
    """If many did, nobody would ever review them."""
    row = linked.execute(
        """select count(distinct key) / (select count(*) from linked) from (
            select left_key as key from vault.link_review union all select right_key from vault.link_review)"""
    ).fetchone()
    assert row is not None and row[0] <= 0.03
