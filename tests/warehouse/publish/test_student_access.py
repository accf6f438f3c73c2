"""A partner sees people it serves, with the fields that its agreement allows, and nothing else, however it tries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from warehouse.community import load_community
from warehouse.publish import PublishError
from warehouse.publish.package import ReleaseFiles
from warehouse.publish.student_access import Target
from warehouse.settings import Settings
from warehouse.vault import make_key_file

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("postgres")]

Server = Any
# Who delivered a record of whom; person p1 is served by both.
SERVED = {"north": ["p1", "p2"], "south": ["p1", "p3", "p4"], "quiet": ["p2"]}
RELEASE = ReleaseFiles("00001-abc", 1, "2024-11-15T02:30:00+00:00", Path(), ())
TABLE = "throughline_students.student_journey"
VIEW = "throughline_students.journey_{}"


@dataclass
class Town:
    """A community with three partners, and the database that they look at."""

    root: Path
    server: Server
    prefix: str

    def agreement(self, partner: str, text: str) -> None:
        folder = self.root / "partners" / partner
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "partner.yml").write_text(
            f"partner_id: {partner}\nname: {partner}\nsector: k12\nagreement: {{{text}}}\n"
        )

    def publish(self, **options: Any) -> str:
        settings = Settings.model_validate(
            {"student_postgres_url": self.server.url, "now": "2024-11-15T02:30:00+00:00"}
        )
        paths = load_community(self.root).paths
        return Target.model_validate(options).publish(RELEASE, paths, settings)

    def ask(self, partner: str, query: str) -> list[tuple[Any, ...]]:
        with self.server.connect(f"{partner}_login", autocommit=True) as con:
            return con.execute(query.encode()).fetchall()

    def as_owner(self, *statements: str) -> list[tuple[Any, ...]]:
        with self.server.connect(autocommit=True) as con:
            con.execute("set role throughline_students_owner")
            for statement in statements[:-1]:
                con.execute(statement.encode())
            return con.execute(statements[-1].encode()).fetchall()

    def as_superuser(self, statement: str) -> None:
        with self.server.connect("postgres", autocommit=True) as con:
            con.execute(statement.encode())


def _warehouse(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    pairs = [(partner, person) for partner, people in SERVED.items() for person in people]
    values = ", ".join(f"('{partner}', 's_{partner}_{person}')" for partner, person in pairs)
    links = ", ".join(f"('s_{partner}_{person}', '{person}')" for partner, person in pairs)
    with duckdb.connect(str(file)) as con:
        con.execute("create schema marts; create schema lake; create schema staging")
        con.execute(
            "create table marts.mart_person_journey as select 'p' || i as person_key, 2000 + i as birth_year, "
            "'female' as gender_group, i % 2 = 0 as had_disability, 'secret ' || i as race_federal7 from range(1, 6) t(i)"
        )
        con.execute(
            f"create table lake.k12_enrollment as from (values {values}) t(partner_id, source_person_key)"
        )
        con.execute(
            "create table lake.k12_fafsa as select 'north' as partner_id, 's_north_p2' as source_person_key"
        )
        con.execute("create table lake.organization as select 'north' as partner_id")
        con.execute(
            f"create table staging.stg_person__crosswalk as from (values {links}) t(source_person_key, person_key)"
        )
        con.execute("alter table marts.mart_person_journey alter birth_year type bigint")


@pytest.fixture
def town(database: Server, tmp_path: Path) -> Any:
    root = tmp_path / "town"
    root.mkdir()
    (root / "community.yml").write_text("community_id: town\nname: Town\n")
    town = Town(root, database, "throughline_students")
    town.agreement("north", "student_fields: [birth_year, had_disability]")
    town.agreement("south", "student_fields: [birth_year, gender_group]")
    town.agreement("quiet", "agreement_id: none")
    paths = load_community(root).paths.ensure()
    make_key_file(paths)
    _warehouse(paths.warehouse)
    town.as_superuser("alter role publisher createrole")
    town.publish()
    for partner in SERVED:
        town.as_superuser(
            f"do $$ begin create role {partner}_login login; exception when duplicate_object then null; end $$"
        )
        if partner != "quiet":
            town.as_superuser(f"grant throughline_students_{partner} to {partner}_login")
    yield town
    for role in [f"{p}_login" for p in SERVED] + [f"throughline_students_{p}" for p in (*SERVED, "owner")]:
        with database.connect("postgres", autocommit=True) as con:
            if con.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone():
                con.execute(f"drop owned by {role} cascade".encode())
                con.execute(f"drop role {role}".encode())


def test_a_partner_sees_the_people_it_serves_and_its_fields(town: Town) -> None:
    """If not, a child's record is disclosed to somebody without a right to it."""
    north = town.ask("north", f"select birth_year, had_disability from {VIEW.format('north')} order by 1")
    assert north == [(2001, False), (2002, True)]
    assert [r[0] for r in town.ask("south", f"select birth_year from {TABLE} order by 1")] == [
        2001,
        2003,
        2004,
    ]
    assert town.ask("north", f"select count(*) from {TABLE} where partner_id = 'south'") == [(0,)]
    for partner, query in (
        ("north", f"select gender_group from {TABLE}"),
        ("north", f"select * from {TABLE}"),
        ("north", f"select * from {VIEW.format('south')}"),
        ("north", f"copy {TABLE} to stdout"),
        ("quiet", f"select count(*) from {TABLE}"),
        ("quiet", f"select * from {VIEW.format('north')}"),
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            town.ask(partner, query)


def test_what_a_partner_may_not_see_is_not_in_its_rows(town: Town) -> None:
    """If not, one mistake in a grant discloses it."""
    with town.server.connect("postgres") as con:
        rows = con.execute(
            f"select partner_id, gender_group, had_disability from {TABLE}".encode()
        ).fetchall()
        columns = [c.name for c in con.execute(f"select * from {TABLE}".encode()).description or []]
    assert {row[1] for row in rows if row[0] == "north"} == {None}
    assert {row[2] for row in rows if row[0] == "south"} == {None}
    assert {row[0] for row in rows} == {"north", "south"}
    assert "race_federal7" not in columns and "person_key" not in columns


def test_rows_of_two_partners_cannot_be_joined(town: Town) -> None:
    """If not, two partners that meet learn more than either may."""
    keys = {p: {k for (k,) in town.ask(p, f"select student_key from {TABLE}")} for p in ("north", "south")}
    assert not keys["north"] & keys["south"]
    assert all(len(key) == 32 and not key.startswith("p") for found in keys.values() for key in found)
    before = keys["north"]
    town.publish()
    assert {k for (k,) in town.ask("north", f"select student_key from {TABLE}")} == before


def test_switching_row_security_off_shows_nothing(town: Town) -> None:
    """If not, one setting opens every row."""
    with town.server.connect("north_login", autocommit=True) as con:
        con.execute("set row_security = off")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            con.execute(f"select student_key from {TABLE}".encode())
        for role in ("throughline_students_south", "throughline_students_owner", "postgres"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                con.execute(f"set role {role}".encode())


def test_views_of_the_owner_show_nothing(town: Town) -> None:
    """If not, a plain or a materialized view made in the owner's name discloses every row."""
    assert town.as_owner(f"select count(*) from {TABLE}") == [(0,)]
    for kind in ("view", "materialized view"):
        town.as_owner(
            f"create {kind} throughline_students.leak as select student_key from {TABLE}",
            "grant select on throughline_students.leak to throughline_students_north",
            "select 1",
        )
        assert town.ask("north", "select count(*) from throughline_students.leak") == [(0,)]
        with pytest.raises(PublishError, match="leak"):
            town.publish()
        town.as_owner(f"drop {kind} throughline_students.leak", "select 1")
    town.publish()


@pytest.mark.parametrize("kind", ["view", "materialized view"])
def test_views_of_a_superuser_are_found_before_the_next_publication(town: Town, kind: str) -> None:
    """If not, a helpful administrator opens every row and nobody is told."""
    town.as_superuser(f"create {kind} public.helpful as select * from {TABLE}")
    with pytest.raises(PublishError, match="view helpful"):
        town.publish()


def test_a_key_cannot_be_probed(town: Town) -> None:
    """If not, a duplicate-key error tells whether another partner serves a person."""
    (key,) = town.ask("south", f"select student_key from {TABLE} limit 1")[0]
    with town.server.connect("north_login", autocommit=True) as con:
        for attempt in (
            f"insert into {TABLE} (partner_id, student_key, release_id) values ('south', '{key}', 'x')",
            f"insert into {VIEW.format('north')} (partner_id, student_key, release_id) values ('south', '{key}', 'x')",
            f"update {TABLE} set student_key = '{key}'",
            f"delete from {TABLE}",
            f"truncate {TABLE}",
            "create table throughline_students.mine (a int)",
            f"create temp table probe (p text, k text, foreign key (p, k) references {TABLE} (partner_id, student_key))",
        ):
            with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidTableDefinition)):
                con.execute(attempt.encode())


def test_a_function_in_a_filter_sees_no_other_row(town: Town) -> None:
    """If not, a cheap function is called on rows before the policy is."""
    with town.server.connect("north_login", autocommit=True) as con:
        seen: list[str] = []
        con.add_notice_handler(lambda notice: seen.append(str(notice.message_primary)))
        con.execute(
            "create function pg_temp.leak(text) returns boolean language plpgsql cost 0.0000001 as "
            "$$ begin raise notice '%', $1; return true; end $$"
        )
        for relation in (TABLE, VIEW.format("north")):
            con.execute(f"select count(*) from {relation} where pg_temp.leak(partner_id)".encode())
    assert seen and set(seen) == {"north"}


def test_statistics_tell_nothing(town: Town) -> None:
    """If not, the planner's most common values disclose other partners' figures."""
    assert town.ask("north", "select * from pg_stats where tablename = 'student_journey'") == []


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "alter table throughline_students.student_journey no force row level security",
            "row-level security",
        ),
        ("alter role north_login bypassrls", "north_login passes by"),
        ("alter role throughline_students_owner login", "can log in"),
        ("grant throughline_students_south to north_login", "two partners"),
        ("grant select on throughline_students.student_journey to public", "may do more"),
        ("grant insert on throughline_students.student_journey to throughline_students_north", "may do more"),
        ("grant create on schema throughline_students to throughline_students_north", "make objects"),
        ("alter view throughline_students.journey_north set (security_invoker = false)", "does not ask"),
    ],
)
def test_a_weakened_database_is_refused_and_keeps_what_it_had(town: Town, statement: str, told: str) -> None:
    """If not, new rows go into a database that shows them to others."""
    town.as_superuser(statement)
    with pytest.raises(PublishError, match=told):
        town.publish()
    with town.server.connect("postgres") as con:
        assert con.execute(f"select count(*) from {TABLE}".encode()).fetchone() == (5,)


@pytest.mark.parametrize(
    "agreement",
    [
        "student_fields: [birth_year], expires: 2024-11-14",
        "student_fields: [birth_year], effective: 2024-11-16",
        "student_fields: []",
    ],
)
def test_without_an_agreement_in_force_there_is_nothing_to_see(town: Town, agreement: str) -> None:
    """If not, a partner goes on seeing what it has no right to any more."""
    town.agreement("north", agreement)
    town.publish()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        town.ask("north", f"select count(*) from {TABLE}")
    with town.server.connect("postgres") as con:
        assert con.execute(
            f"select count(*) from {TABLE} where partner_id = 'north'".encode()
        ).fetchone() == (0,)


@pytest.mark.parametrize("field", ["person_key", "salary"])
def test_a_field_that_there_is_not_is_told(town: Town, field: str) -> None:
    """If not, a typing slip in an agreement hides or opens a field silently."""
    town.agreement("north", f"student_fields: [{field}]")
    with pytest.raises(PublishError, match="student_fields can be"):
        town.publish()
    assert len(town.ask("north", f"select student_key from {TABLE}")) == 2


def test_it_is_off_unless_configured(
    three_releases: Any, settings_for: Callable[[Any], Settings], database: Server
) -> None:
    """If not, student-level rows reach a database that nobody asked for."""
    from warehouse.publish import configured_targets

    assert "student_access" not in configured_targets(three_releases.community, settings_for(database))
    settings = Settings.model_validate({"student_postgres_url": replace(database).url})
    assert configured_targets(three_releases.community, settings) == {}
