"""Years on another test are not compared, unless an equating row says so: from the lake to the report card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import lake as golden_lake
import pytest

from warehouse.community import load_community
from warehouse.community.config import Equating
from warehouse.configured import equated_instruments
from warehouse.release import build_release
from warehouse.settings import Settings

COMMUNITY = """community_id: north
name: North
geography_id: community
indicators:
  equating:
    - {instrument_id: old, equals_instrument_id: new, subject: Mathematics, source: A linking study}
"""
TESTS = (("03", "ReadingELA"), ("08", "Mathematics"))
CUTS = [
    {"instrument_id": "OLD", "cut_score": 500.0},
    {"instrument_id": "NEW", "cut_score": 700.0, "last_year": 2023},
    {"instrument_id": "NEW", "cut_score": 720.0, "first_year": 2024},
]


def _lake() -> dict[str, list[dict[str, Any]]]:
    """Two grades, two hundred pupils a year; the old test to 2021, then the new one, whose cut was raised in 2024."""
    students, results = [], []
    for year, passed in ((2020, 80), (2021, 90), (2022, 100), (2023, 130), (2024, 150)):
        for grade, subject in TESTS:
            for number in range(200):
                person = {"partner_id": "north", "person": f"{grade}{year}{number}", "school_year": year}
                students.append(
                    {
                        **person, "school_id": "e1", "grade_level": grade, "entry_date": f"{year - 1}-08-20",
                        "exit_date": f"{year}-05-31", "gender": "Female" if number % 2 else "Male",
                    }
                )  # fmt: skip
                score = (
                    (800 if number < passed else 300) if year > 2021 else (600 if number < passed else 300)
                )
                results.append(
                    {
                        **person, "grade_level": grade, "subject": subject, "test_date": f"{year}-04-01",
                        "instrument_id": "NEW" if year > 2021 else "OLD", "score": float(score),
                    }
                )  # fmt: skip
    return {"k12_enrollment": students, "k12_assessment": results}


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[duckdb.DuckDBPyConnection, Path]:
    """The community through to its release."""
    root = tmp_path_factory.mktemp("comparable")
    (root / "community.yml").write_text(COMMUNITY)
    community = load_community(root)
    community.paths.ensure()
    outcomes = ("early_grade_reading", "middle_grade_math")
    config = {
        "cut_score": CUTS,
        "indicator_choice": [{"outcome_id": o, "indicator_id": o, "role": "core"} for o in outcomes],
        "equated_instrument": equated_instruments(community.config.indicators.equating),
    }
    database = community.paths.warehouse
    golden_lake.make_database(database, _lake(), config=config)
    done = golden_lake.build(database, "build", "--resource-type", "seed", "--resource-type", "model")
    assert done.returncode == 0, done.stdout[-6000:]
    report = build_release(
        community.paths, Settings(now="2024-11-15T02:30:00+00:00"), community, warehouse_db=database, run_id="r",  # type: ignore[arg-type]
        deliveries=[], input_fingerprint="i", code_version="c",
    )  # fmt: skip
    return duckdb.connect(str(database), read_only=True), report.path


def test_a_new_test_or_cut_begins_a_new_comparison(
    released: tuple[duckdb.DuckDBPyConnection, Path],
) -> None:
    """If not, an easier test reads as better schools."""
    con, _ = released
    where = "organization_key = 'all' and geography_id = 'community' and race_scheme = 'federal7'"
    trends = con.sql(
        "select indicator_id, baseline_year, previous_year, comparable_from_year, verdict_vs_baseline "
        f"from marts.mart_indicator_trend where {where} and race_group = 'all' and gender_group = 'all' "
        "and economic_group = 'all' and indicator_id <> 'school_mobility' order by all"
    ).fetchall()
    assert trends == [
        ("early_grade_reading", None, None, 2024, "no_comparable_period"),
        ("middle_grade_math", 2020, 2023, None, "improved"),
    ]
    gaps = con.sql(
        f"select distinct indicator_id, baseline_year, verdict = 'no_comparable_period' from marts.mart_gap_trend where {where} "
        "and dimension = 'gender' and indicator_id <> 'school_mobility' order by all"
    ).fetchall()
    assert gaps == [("early_grade_reading", None, True), ("middle_grade_math", 2020, False)]
    assert con.sql(
        "select verdict, is_unknown from marts.mart_gateway_outcome where outcome_id = 'early_grade_reading'"
    ).fetchall() == [("no_comparable_period", True)]


def test_the_page_says_so_and_draws_two_lines(released: tuple[duckdb.DuckDBPyConnection, Path]) -> None:
    """If not, a resident sees a rise that is only another test."""
    _, release = released
    page = (release / "report" / "early_grade_reading.html").read_text(encoding="utf-8")
    assert "No comparable year" in page
    assert "changed in 2023-24, so no earlier year can be compared" in page
    figure = page[page.index("<figure>") : page.index("</figure>")]
    assert figure.count("<polyline") == 1 and figure.count("<circle") >= 5  # 2024 stands alone
    other = (release / "report" / "middle_grade_math.html").read_text(encoding="utf-8")
    assert "comparable year" not in other


def test_equatings_chain_and_hold_in_each_subject() -> None:
    """If not, three editions of a test that were linked one to the next count as three tests."""
    rows = equated_instruments(
        [
            Equating(instrument_id="a", equals_instrument_id="b", subject=None, source="s"),
            Equating(instrument_id="c", equals_instrument_id="b", subject="Mathematics", source="s"),
            Equating(instrument_id="d", equals_instrument_id="d", subject=None, source="s"),
        ]
    )
    told = {(row["instrument_id"], row["subject"]): row["scale"] for row in rows}
    assert told == {
        ("A", None): "A = B", ("B", None): "A = B", ("D", None): "D",
        ("A", "Mathematics"): "A = B = C", ("B", "Mathematics"): "A = B = C", ("C", "Mathematics"): "A = B = C",
        ("D", "Mathematics"): "D",
    }  # fmt: skip
