"""An indicator added by the files that the design page names, in a copy of the project, is everywhere at once."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

import duckdb
import lake as golden_lake
import pytest

from warehouse.community import load_community
from warehouse.release import build_release
from warehouse.settings import Settings

YEARS = (2021, 2023)
MODEL = """select
    person_key,
    school_year as cohort_year,
    'whole_year' as indicator_id,
    case when member_days >= 150 then 'met' else 'not_met' end as status,
    cast(null as string) as exclusion_reason,
    organization_key,
    last_exit_date as evidence_date,
    cast(member_days as double) as evidence_value,
    partner_id
from {{ ref('fct_person_year') }}
where is_enrolled
"""
SEED = {
    "indicator_id": "whole_year", "outcome_id": "early_grade_reading", "role": "contributing", "title": "The whole year in school",
    "population": "Students of all grades", "numerator": "At least 150 days enrolled", "denominator": "All of them",
    "exclusions": "None", "timing": "School year", "direction": "higher", "minimum_coverage": "", "source": "A test",
    "version": "1", "is_core": "false", "variant_of": "", "feeds": "k12_enrollment",
}  # fmt: skip


def _students() -> list[dict[str, Any]]:
    """Two years of two groups: of one hundred each, 40 and 90 stay the year at first, 70 and 90 later."""
    rows = []
    for year in YEARS:
        for race, stayed in (("BlackorAfricanAmerican", 40 if year == YEARS[0] else 70), ("White", 90)):
            for number in range(100):
                left = f"{year}-05-31" if number < stayed else f"{year - 1}-11-30"
                rows.append(
                    {
                        "partner_id": "north", "person": f"{race}{year}{number}", "school_year": year, "school_id": "e1",
                        "grade_level": "04", "entry_date": f"{year - 1}-08-20", "exit_date": left, "race_codes": race,
                        "gender": "Female" if number % 2 else "Male", "economic_disadvantage": "Yes" if number % 3 else "No",
                    }
                )  # fmt: skip
    return rows


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[duckdb.DuckDBPyConnection, Path]:
    """A community whose project has one indicator more, through to its release."""
    root = tmp_path_factory.mktemp("added")
    project = root / "dbt_project"
    shutil.copytree(golden_lake.PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    models, seed = project / "models" / "indicators", project / "seeds" / "indicator.csv"
    (models / "ind_whole_year.sql").write_text(MODEL)
    described = (models / "ind_suspension.yml").read_text().replace("ind_suspension", "ind_whole_year")
    (models / "ind_whole_year.yml").write_text(described)
    with seed.open("a", newline="") as stream:
        names = seed.read_text().splitlines()[0].split(",")
        csv.DictWriter(stream, names, lineterminator="\n").writerow(SEED)
    (root / "community.yml").write_text(
        "community_id: north\nname: North\ngeography_id: community\nindicators: {contributing: [whole_year]}\n"
    )
    community = load_community(root)
    community.paths.ensure()
    choice = [{"outcome_id": "early_grade_reading", "indicator_id": "whole_year", "role": "contributing"}]
    database = community.paths.warehouse
    golden_lake.make_database(database, {"k12_enrollment": _students()}, config={"indicator_choice": choice})
    done = golden_lake.build(
        database, "build", "--resource-type", "seed", "--resource-type", "model", project=project
    )
    assert done.returncode == 0, done.stdout[-6000:]
    report = build_release(
        community.paths, Settings(now="2024-11-15T02:30:00+00:00"), community, warehouse_db=database, run_id="r",  # type: ignore[arg-type]
        deliveries=[], input_fingerprint="i", code_version="c",
    )  # fmt: skip
    return duckdb.connect(str(database), read_only=True), report.path


def test_it_is_in_statuses_rates_trends_and_gaps(released: tuple[duckdb.DuckDBPyConnection, Path]) -> None:
    """If not, adding an indicator means to change the union, the rates or the gaps too."""
    con, _ = released
    where = "indicator_id = 'whole_year' and geography_id = 'community' and organization_key = 'all' and race_scheme = 'federal7'"
    assert con.sql(
        "select count(*) from marts.fct_indicator_status where indicator_id = 'whole_year'"
    ).fetchone() == (400,)
    rates = con.sql(
        f"select cohort_year, race_group, rate from marts.mart_indicator_rate where {where} and gender_group = 'all' "
        "and economic_group = 'all' order by all"
    ).fetchall()
    assert rates == [
        (2021, "all", 0.65), (2021, "black_or_african_american", 0.4), (2021, "white", 0.9),
        (2023, "all", 0.8), (2023, "black_or_african_american", 0.7), (2023, "white", 0.9),
    ]  # fmt: skip
    gaps = con.sql(
        f"select cohort_year, group_value, round(gap, 9), people_needed_n from marts.mart_disparity_gap where {where} "
        "and dimension = 'race' and gap > 0 order by all"
    ).fetchall()
    assert gaps == [
        (2021, "black_or_african_american", 0.5, 50),
        (2023, "black_or_african_american", 0.2, 20),
    ]
    verdicts = con.sql(
        f"select verdict_vs_baseline from marts.mart_indicator_trend where {where} and race_group = 'all' "
        "and gender_group = 'all' and economic_group = 'all'"
    ).fetchall()
    assert verdicts == [("improved",)]
    changes = con.sql(
        f"select verdict from marts.mart_gap_trend where {where} and dimension = 'race'"
    ).fetchall()
    assert changes == [("reduced",)]


def test_it_is_in_the_release_its_dictionary_and_the_report_card(
    released: tuple[duckdb.DuckDBPyConnection, Path],
) -> None:
    """If not, an indicator is computed and nobody outside can see or read what it means."""
    _, folder = released
    tables = {file.stem: file for file in folder.rglob("*.parquet")}
    for table in (
        "pub_indicator_rate_v1",
        "pub_indicator_trend_v1",
        "pub_disparity_gap_v1",
        "pub_indicator_v1",
    ):
        found = duckdb.sql(
            f"select count(*) from '{tables[table]}' where indicator_id = 'whole_year'"
        ).fetchone()
        assert found is not None and found[0] > 0, table
    title, numerator = duckdb.sql(
        f"select title, numerator from '{tables['pub_indicator_v1']}' where indicator_id = 'whole_year'"
    ).fetchone() or ("", "")
    assert (title, numerator) == (SEED["title"], SEED["numerator"])
    pages = [page for page in (folder / "report").rglob("*.html") if SEED["title"] in page.read_text()]
    assert pages
    assert any(SEED["numerator"] in page.read_text() for page in pages)
