"""Every golden person's status in every indicator, worked out by hand at each boundary."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

GOLDEN = Path(__file__).parent / "golden"
SEED = Path(__file__).resolve().parents[2] / "dbt_project" / "seeds" / "indicator.csv"
FILES = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(GOLDEN.glob("*.yml"))}
CASES = [(indicator, name) for indicator, golden in FILES.items() for name in golden["people"]]

pytestmark = pytest.mark.xdist_group("dbt_golden")


def _told(con: duckdb.DuckDBPyConnection, person: str, indicator: str) -> list[list[Any]]:
    rows = con.execute(
        "select cohort_year, status, exclusion_reason from marts.fct_indicator_status "
        "where person_key = ? and indicator_id = ? order by cohort_year",
        [person, indicator],
    ).fetchall()
    return [[year, status, reason] if reason else [year, status] for year, status, reason in rows]


@pytest.mark.parametrize(("indicator", "name"), CASES, ids=[f"{i}-{n}" for i, n in CASES])
def test_golden_person(golden: duckdb.DuckDBPyConnection, indicator: str, name: str) -> None:
    """If not, a rate is wrong at a boundary of its definition."""
    person = FILES[indicator]["people"][name]
    expected = {indicator: person["expect"], **person.get("other", {})}
    told = {each: _told(golden, f"{indicator}_{name}", each) for each in expected}
    assert told == expected, person["why"]


def test_whoever_stands_in_a_fact_is_a_person(golden: duckdb.DuckDBPyConnection) -> None:
    """If not, a pupil of whom only attendance is known stops the night."""
    facts = golden.execute(
        "select table_name from information_schema.columns where table_schema = 'core' and column_name = 'person_key'"
    ).fetchall()
    assert ("fct_attendance_year",) in facts
    for (fact,) in facts:
        lost = golden.execute(
            f"select person_key from core.{fact} except select person_key from core.dim_person"
        )
        assert [key for (key,) in lost.fetchall() if key is not None] == [], fact


def test_every_indicator_has_golden_people() -> None:
    """If not, an indicator's logic is not checked by hand."""
    with SEED.open(encoding="utf-8") as file:
        seeds = list(csv.DictReader(file))
    named = set(FILES)
    for golden in FILES.values():
        for person in golden["people"].values():
            named |= set(person.get("other", {}))
    assert {row["indicator_id"] for row in seeds} <= named
