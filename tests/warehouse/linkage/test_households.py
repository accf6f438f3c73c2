"""Who shares a household, worked out by hand, and the key that a household keeps."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from warehouse import duck
from warehouse.linkage import LinkageConfig, run_linkage
from warehouse.linkage.households import MOST_PEOPLE
from warehouse.settings import CommunityPaths, Settings
from warehouse.vault import attach_vault, make_key_file

CONFIG = LinkageConfig(probabilistic=False)
Households = dict[tuple[str, str], set[str]]


def person(
    key: str, last: str, street: str | None, delivery: str = "d1", **more: str
) -> dict[str, str | None]:
    """A record of one invented child, told apart from all others by its key."""
    return {
        "source_person_key": key, "delivery_id": delivery, "first_name": f"Q{key}", "last_name": last,
        "street_address": street, "postal_code": "45201", **more,
    }  # fmt: skip


def fill(paths: CommunityPaths, *records: dict[str, str | None]) -> None:
    con = duck.connect()
    attach_vault(con, paths, Settings(), purpose="test")
    for record in records:
        full = {
            "partner_id": "north",
            "issuer_id": "north",
            "feed_id": "f",
            "delivery_seq": 1,
            "row_n": 1,
            **record,
        }
        con.execute(
            f"insert into vault.identifier_record ({', '.join(full)}) values ({', '.join('$' + name for name in full)})",
            full,
        )
    con.close()


def households(paths: CommunityPaths, *deliveries: str) -> Households:
    run_linkage(paths, Settings(), CONFIG, deliveries, "r")
    rows = duckdb.sql(f"from '{paths.crosswalk / 'household.parquet'}'").fetchall()
    found: Households = {}
    for source, delivery, household in rows:
        found.setdefault((source, delivery), set()).add(household)
    return found


@pytest.fixture
def paths(tmp_path: Path) -> CommunityPaths:
    made = CommunityPaths(tmp_path / "c").ensure()
    make_key_file(made)
    return made


def test_a_home_and_a_surname_make_a_household(paths: CommunityPaths) -> None:
    """If not, neighbours count as siblings, or siblings as strangers."""
    fill(
        paths,
        person("a", "García-López", "12 Oak Street"),
        person("b", "Lopez", "12 oak st."),  # spelled otherwise, half of the surname
        person("c", "Miller", "12 Oak St", guardian_last_name="Garcia"),  # a guardian's surname
        person("d", "Nguyen", "12 Oak St"),  # a tenant
        person("e", "Lopez", "12 Oak St Apt 4"),  # another flat
        person("f", "Lopez", None),  # no home known
        person("g", "Lopez", "homeless"),  # no dwelling
        person("h", "Lopez", "99 Elm Ave", phone="555-201-0001"),
        person("i", "Lopez", "7 Hill Rd", phone="(555) 201 0001"),  # one telephone
    )
    found = households(paths, "d1")
    one = {key: next(iter(names)) for (key, _), names in found.items() if len(names) == 1}
    assert set(one) == {"a", "b", "c", "d", "e", "h", "i"}
    assert one["a"] == one["b"] == one["c"]
    assert one["h"] == one["i"]
    assert len({one["a"], one["d"], one["e"], one["h"]}) == 4
    assert all(len(key) == 32 for key in one.values())


def test_what_an_office_or_a_large_building_shares_is_no_home(paths: CommunityPaths) -> None:
    """If not, a school's telephone makes one family of all its Smiths."""
    many = [person(f"p{n}", "Smith", f"{n} Oak St", phone="555-900-1000") for n in range(1, MOST_PEOPLE + 2)]
    tower = [person(f"t{n}", "Smith", "1 Tower Plaza") for n in range(MOST_PEOPLE + 1)]
    fill(paths, *many, *tower)
    found = households(paths, "d1")
    assert {key for key, _ in found} == {str(record["source_person_key"]) for record in many}
    assert len(set.union(*found.values())) == len(many)


def test_a_child_of_two_homes_is_in_two_households(paths: CommunityPaths) -> None:
    """If the homes were joined by the child, separated parents would share an economic status."""
    fill(
        paths,
        person("a", "Lopez", "12 Oak St"),
        person("a", "Lopez", "7 Hill Rd"),
        person("b", "Lopez", "7 Hill Rd"),
    )
    found = households(paths, "d1")
    assert len(found["a", "d1"]) == 2
    assert found["b", "d1"] < found["a", "d1"]


def test_a_household_keeps_its_key(paths: CommunityPaths) -> None:
    """If not, a household of last year cannot be found again this year."""
    family = [
        person("a", "Lopez", "12 Oak St"),
        person("b", "Lopez", "12 Oak St"),
        person("c", "Diaz", "3 Elm St"),
    ]
    fill(paths, *family)
    before = households(paths, "d1")
    # The delivery is replaced; the family has moved, one child has left, a new family lives in the old home.
    fill(
        paths,
        person("a", "Lopez", "7 Hill Rd", "d2"),
        person("b", "Lopez", "7 Hill Rd", "d2"),
        person("c", "Diaz", "3 Elm St", "d2"),
        person("n", "Ito", "12 Oak St", "d2"),
    )
    after = households(paths, "d2")
    assert after["a", "d2"] == after["b", "d2"] == before["a", "d1"]
    assert after["c", "d2"] == before["c", "d1"]
    assert after["n", "d2"].isdisjoint(set.union(*before.values()))
    # With both in force the two homes are two households, whatever the people.
    both = households(paths, "d1", "d2")
    assert both["a", "d1"].isdisjoint(both["a", "d2"])


def test_an_unchanged_night_leaves_the_file(paths: CommunityPaths) -> None:
    """If not, every night rebuilds the tables of households."""
    fill(paths, person("a", "Lopez", "12 Oak St"))
    households(paths, "d1")
    before = (paths.crosswalk / "household.parquet").stat().st_mtime_ns
    households(paths, "d1")
    assert (paths.crosswalk / "household.parquet").stat().st_mtime_ns == before


def test_keys_do_not_follow_from_identifiers(tmp_path: Path) -> None:
    """If they did, whoever guesses an address could find the family in the pseudonymous tables."""
    keys = []
    for name in ("one", "two"):
        made = CommunityPaths(tmp_path / name).ensure()
        make_key_file(made)
        fill(made, person("a", "Lopez", "12 Oak St"))
        keys.append(households(made, "d1")["a", "d1"])
    assert keys[0].isdisjoint(keys[1])
