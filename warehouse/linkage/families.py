"""Does this population hold families, so that a birth date and an address can belong to two children?

What belongs here: measuring siblings and co-twins in the data. What does not: what follows for a single pair.
"""

from __future__ import annotations

import duckdb

# Below these shares of source persons a population counts as one without families. A community with children
# has about 3 co-twins and 50 siblings in a hundred; files of unrelated people have next to none.
_SIBLINGS, _CO_TWINS, _OTHER_SEX = 0.005, 0.0005, 0.05
_MINIMUM = 500
# An initial, a filler or a middle name in the first's place is no other child.
_FIRST_DIFFERS = (
    "l.first_flat <> r.first_flat and not list_has_any(l.first_set, r.first_set) "
    "and jaro_winkler_similarity(l.first_flat, r.first_flat) < 0.8 and not l.first_weak and not r.first_weak "
    "and coalesce(l.first_flat <> r.middle_flat, true) and coalesce(r.first_flat <> l.middle_flat, true)"
)


def co_twins(con: duckdb.DuckDBPyConnection) -> None:
    """Temp table `co_twin`: source persons beside whom a source knows another child of that birth and family.

    In a source without duplicates any two such records are two children; elsewhere their first names must differ
    outright, since they could be one child recorded twice.
    """
    different = (
        "l.node <> r.node and ((l.duplicate_free and l.first_flat is distinct from r.first_flat) "
        f"or (l.first_flat <> r.first_flat and {_FIRST_DIFFERS}))"
    )
    columns = "l.node, l.duplicate_free as is_certain, r.first_flat as twin_first"
    con.execute(
        f"""create or replace temp table co_twin as
        select {columns} from link_record as l join link_record as r using (source, dob, last_flat) where {different}
        union
        select {columns} from link_record as l join link_record as r using (source, dob, street, zip) where {different}"""
    )


def has_families(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether siblings or co-twins are found, or too little is known to say that there are none.

    Siblings: one surname and street address, other first name, births more than 300 days apart. Co-twins:
    certain ones of clean sources, and pairs alike but for first name and sex.
    """
    row = con.execute(
        f"""with sibling as (
            select distinct l.node from link_record as l join link_record as r using (street, zip)
            where l.node <> r.node and l.last_flat = r.last_flat and abs(l.dob_day - r.dob_day) > 300
              and {_FIRST_DIFFERS}
        ),
        alike as (
            select count(*) as pairs, count(*) filter (where l.sex <> r.sex) as other_sex
            from link_record as l join link_record as r using (dob, last_flat)
            where l.node < r.node and {_FIRST_DIFFERS} and (l.street = r.street or l.zip = r.zip)
        )
        select (select count(*) from node), (select count(*) from sibling),
            (select count(distinct node) from co_twin where is_certain),
            (select count(distinct node) from link_record where street is not null and dob is not null),
            (select other_sex / nullif(pairs, 0) from alike)"""
    ).fetchone()
    assert row is not None  # noqa: S101 - scalar subqueries make a row
    people, siblings, certain, described, other_sex = row
    if people < _MINIMUM or described < people / 2:
        return True
    return bool(
        siblings / described > _SIBLINGS or certain / people > _CO_TWINS or (other_sex or 0) > _OTHER_SEX
    )
