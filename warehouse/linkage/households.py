"""Households: the people whom deliveries record at one home with a family name in common, under random keys that stay.

What belongs here: which records share a household, and the key it keeps. What does not: who a person is (`persons.py`),
and in which school year a delivery speaks (the models).
"""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from warehouse.linkage.cluster import components
from warehouse.linkage.crosswalk import write_parquet
from warehouse.linkage.persons import RandomBytes, random_keys
from warehouse.linkage.standardise import NO_SURNAME, sql_list, street_sql, unit_sql
from warehouse.settings import CommunityPaths

# Above so many people a telephone or mailbox is an office's, and one surname at one address is a building's.
MOST_PEOPLE = 15

_CONTENT = "street_address, postal_code, city, phone, email, last_name, guardian_last_name"
_HOUSEHOLD = "select source_person_key, delivery_id, household_key from vault.household_record order by all"


def assign_household_keys(con: duckdb.DuckDBPyConnection, random_bytes: RandomBytes) -> int:
    """Bring `vault.household_record` up to the deliveries in force and the person keys just given.

    Two records belong to one household when they name the same dwelling (street, unit, ZIP code), telephone or e-mail
    and a surname in common, of themselves or of a guardian; so do records that a third one ties together. A record
    without such a home is in none. A household keeps the key that most of its records had, told by delivery first and
    by person then; a key is never derived from a person's data.

    Args:
        con: vault attached, open rows of `vault.person_record`, temp table `chosen_delivery`, macros of `standardise`.
        random_bytes: source of 128-bit keys.

    Returns:
        Number of households.
    """
    _homes(con)
    _ties(con)
    _group(con)
    _keys(con, random_bytes)
    con.execute("delete from vault.household_record")
    con.execute(
        "insert into vault.household_record select node, delivery_id, household_key from household_member join household_kept using (household)"
    )
    row = con.execute("select count(*) from household_kept").fetchone()
    for table in ("home", "home_record", "home_tie", "household_member", "household_kept"):
        con.execute(f"drop table {table}")
    return int(row[0]) if row else 0


def write_households(con: duckdb.DuckDBPyConnection, paths: CommunityPaths, sequence: int) -> None:
    """Write `household.parquet`: one row a source person, delivery and household (source_person_key, delivery_id, household_key)."""
    write_parquet(con, _HOUSEHOLD, paths.crosswalk / "household.parquet", sequence)


def _surnames(column: str) -> str:
    words = f"tl_words({column})"
    return f"coalesce(list_filter({words}, w -> length(w) >= 2 and not list_contains({sql_list(NO_SURNAME)}, w)), [])"


def _homes(con: duckdb.DuckDBPyConnection) -> None:
    """Temp tables: `home_record`, which record says what, by number; `home`, places and surnames of each number."""
    con.execute(
        f"""create or replace temp table home_record as
        select source_person_key as node, delivery_id, person_key, hash(person_key, {_CONTENT}) as said, {_CONTENT}
        from vault.identifier_record as i join vault.person_record as p using (source_person_key)
        where p.valid_to is null and delivery_id in (from chosen_delivery)"""
    )
    con.execute(
        f"""create or replace temp table home as
        with content as (
            -- Most records say the same from delivery to delivery.
            select said, any_value(person_key) as person_key, {", ".join(f"any_value({c}) as {c}" for c in _CONTENT.split(", "))}
            from home_record group by said
        ),
        folded as (
            select said, person_key, {street_sql("street_address")} as street, {unit_sql("street_address")} as unit,
                nullif(left(upper(regexp_replace(postal_code, '[^A-Za-z0-9]', '', 'g')), 5), '') as zip,
                nullif(tl_letters(city), '') as town, tl_digits(phone) as phone, nullif(trim(lower(email)), '') as email,
                list_distinct(list_concat({_surnames("last_name")}, {_surnames("guardian_last_name")})) as surnames
            from content
        )
        select row_number() over () - 1 as n, said, person_key, surnames,
            list_filter([
                case when regexp_matches(street, '[0-9]') and (zip is not null or town is not null)
                    then concat_ws('|', 'home', street, unit, coalesce(zip, town)) end,
                case when length(phone) >= 7 then 'phone|' || right(phone, 10) end,
                case when contains(email, '@') then 'mail|' || email end
            ], place -> place is not null) as places
        from folded where len(surnames) > 0"""
    )


def _ties(con: duckdb.DuckDBPyConnection) -> None:
    """Temp table `home_tie`: place and surname of each home, without those that too many people share."""
    con.execute(
        f"""create or replace temp table home_tie as
        with placed as (select n, person_key, surnames, unnest(places) as place from home),
        shared as (select place, count(distinct person_key) as people from placed group by place),
        named as (
            select n, person_key, place, unnest(surnames) as surname from placed join shared using (place)
            where people <= {MOST_PEOPLE} or starts_with(place, 'home|')
        ),
        crowd as (
            select place, surname from named group by 1, 2 having count(distinct person_key) > {MOST_PEOPLE}
        )
        select n, dense_rank() over (order by place, surname) - 1 as tie
        from named anti join crowd using (place, surname)"""
    )


def _group(con: duckdb.DuckDBPyConnection) -> None:
    """Temp table `household_member`: source person and delivery of each household, numbered."""
    ties = con.execute("select n, tie from home_tie").fetch_arrow_table()
    n, tie = (ties[name].to_numpy().astype(np.int64) for name in ("n", "tie"))
    size = int(n.max()) + 1 if len(n) else 0
    label = components(size + (int(tie.max()) + 1 if len(tie) else 0), n, tie + size)[n]
    con.register("grouped", pa.table({"n": n, "household": label}))
    con.execute(
        """create or replace temp table household_member as
        select distinct household, node, delivery_id
        from (select distinct n, household from grouped) join home using (n) join home_record using (said)"""
    )
    con.unregister("grouped")


def _keys(con: duckdb.DuckDBPyConnection, random_bytes: RandomBytes) -> None:
    """Temp table `household_kept`: each household with its old key, where both are each other's best, or a new one."""
    con.execute(
        """create or replace temp table household_kept as
        with old as (select source_person_key as node, delivery_id, household_key from vault.household_record),
        by_delivery as (
            select household, household_key, count(*) as same
            from household_member join old using (node, delivery_id) group by 1, 2
        ),
        by_person as (
            select household, household_key, count(*) as people, min(node) as node
            from (select distinct household, node from household_member)
            join (select distinct node, household_key from old) using (node) group by 1, 2
        ),
        shared as (
            select by_person.*, coalesce(same, 0) as same
            from by_person left join by_delivery using (household, household_key)
        ),
        ranked as (
            select *, row_number() over (partition by household order by same desc, people desc, household_key) as of_household,
                row_number() over (partition by household_key order by same desc, people desc, node, household) as of_key
            from shared
        )
        select household, household_key from ranked where of_household = 1 and of_key = 1"""
    )
    fresh = con.execute(
        """select household from household_member where household not in (select household from household_kept)
        group by 1 order by min((node, delivery_id))"""
    ).fetch_arrow_table()
    con.register(
        "fresh_household",
        fresh.append_column("household_key", random_keys(fresh.num_rows, random_bytes)),
    )
    con.execute("insert into household_kept select household, household_key from fresh_household")
    con.unregister("fresh_household")
