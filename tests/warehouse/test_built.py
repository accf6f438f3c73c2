"""What a working database was built from decides what the next night builds."""

from __future__ import annotations

import duckdb
import pytest

from warehouse import built
from warehouse.ledger import LakeFile


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    """A working database with one configuration table and what the lake has besides feeds."""
    con = duckdb.connect()
    con.execute("create schema lake; create schema config")
    con.execute("create table config.community as select 10 as minimum_n, date '2024-11-15' as as_of_date")
    con.execute(
        "create table lake.crosswalk as select 'k' as source_person_key, 'p' as person_key, 'r1' as first_linked_run"
    )
    con.execute("create table lake.household as select 'k' as source_person_key, 'h' as household_key")
    con.execute("create table lake.linkage_quality as select 1 as n")
    con.execute("create table lake.delivery as select 'd1' as delivery_id")
    return con


def _file(sha: str) -> LakeFile:
    return LakeFile("k12_course", "north", "d1", 1, "all", "lake/a.parquet", 3, sha)


def _prints(con: duckdb.DuckDBPyConnection, sha: str = "a", code: str = "1") -> dict[str, str]:
    return built.source_prints(con, ["k12_course", "k12_fafsa"], [_file(sha)], code)


def test_the_same_sources_have_the_same_prints(con: duckdb.DuckDBPyConnection) -> None:
    """If not, every night builds everything."""
    built.write_prints(con, _prints(con))
    con.execute("update lake.crosswalk set first_linked_run = 'r2'")
    assert built.changed_sources(built.read_prints(con), _prints(con)) == []


def test_what_changed_is_named(con: duckdb.DuckDBPyConnection) -> None:
    """If not, a correction is published with the figures of before it."""
    before = _prints(con)
    con.execute("update config.community set minimum_n = 11")
    con.execute("insert into lake.crosswalk values ('l', 'q', 'r2')")
    changed = built.changed_sources(before, _prints(con, sha="b"))
    assert changed == ["config.community", "lake.crosswalk", "lake.k12_course"]


def test_other_code_or_no_record_builds_everything(con: duckdb.DuckDBPyConnection) -> None:
    """If not, tables of two versions of a model stand side by side."""
    assert built.changed_sources(_prints(con), _prints(con, code="2")) is None
    assert built.changed_sources(built.read_prints(con), _prints(con)) is None


def test_the_build_is_told_what_changed_and_nothing_of_an_earlier_night(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """If not, tables of an earlier night stay in the list, or a build of everything leaves tables out."""
    con.execute("create schema built")
    built.write_changed(con, ["lake.a", "lake.b"])
    built.write_changed(con, ["lake.c"])
    assert con.execute("select name from built.changed").fetchall() == [("lake.c",)]
    built.write_changed(con, None)
    with pytest.raises(duckdb.CatalogException):
        con.execute("from built.changed")
