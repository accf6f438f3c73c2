"""Real files that nobody here wrote go all the way by configuration alone."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

SAMPLES = Path(__file__).resolve().parents[3] / "shared" / "samples"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("end_to_end_others"),
    pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample files of others are not on this machine"),
]
Cli = Callable[..., subprocess.CompletedProcess[str]]
JAM = {-222222222, -333333333, -555555555, -666666666, -888888888, -999999999}

CENSUS = """\
feed: community_measure
file_pattern: ["ACS?T5Y*-Data.csv"]
read: {header_rows: 2, header_names: 0}
unpivot:
  id_columns: [GEO_ID, NAME]
  pattern: "^(?P<variable>[A-Z]+\\\\d+[A-Z]*(_C\\\\d+)?_\\\\d{3})(?P<part>EA|MA|E|M)$"
layouts:
  - columns:
      geography_id: GEO_ID
      geography_name: NAME
      measure_id: {expression: "lower(variable)"}
      measure_label: label
      unit:
        expression: "case when label ilike '%percent%' then 'percent' when label ilike '%dollars%' then 'dollars' else 'count' end"
      period_start_year: {from_file_name: "5Y(\\\\d{4})", add: -4}
      period_end_year: {from_file_name: "5Y(\\\\d{4})"}
      estimate: {from: value_E, convert: protected_number}
      margin_of_error: {expression: "try_cast(value_M as double)"}
      margin_confidence: {constant: 0.90}
      source: {constant: "American Community Survey, 5-year estimates"}
"""
KRA = """\
feed: early_childhood_assessment
file_pattern: ["KRA_sample_file_deidentified.csv"]
layouts:
  - columns:
      person_id: StudentSUNS
      state_student_id: StudentSUNS
      first_name: FirstName
      middle_name: MiddleName
      last_name: LastName
      birth_date: {from: DOB, date_format: "%m/%d/%Y"}
      school_year: SchoolYear
      organization_id: SchoolCode
      instrument_id: {constant: KRA}
      season: {constant: Fall}
      grade_level: {constant: KG}
      test_date: {from: DateTaken, date_format: "%m/%d/%Y"}
      score: OverallScore
      performance_level_code: PerformanceLevelDescriptor
      is_complete: {from: Status, codes: {Complete: "Yes", "*": "No"}}
"""


@pytest.fixture(scope="module")
def community(tmp_path_factory: pytest.TempPathFactory, run_cli: Cli) -> Path:
    """A new community whose partners are the Census Bureau and a state that assesses kindergartners."""
    root = tmp_path_factory.mktemp("others") / "alameda"
    assert run_cli("init", str(root)).returncode == 0
    for partner, name, sector, mapping in (
        ("census", "U.S. Census Bureau", "community", CENSUS),
        ("state", "State", "state", KRA),
    ):
        folder = root / "partners" / partner
        (folder / "feeds").mkdir(parents=True)
        (folder / "partner.yml").write_text(f"partner_id: {partner}\nname: {name}\nsector: {sector}\n")
        (folder / "feeds" / "drop.yml").write_text(mapping)
        (root / "data" / "landing" / partner).mkdir(parents=True)
    for file in (SAMPLES / "acs").glob("*-Data.csv"):
        shutil.copy(file, root / "data" / "landing" / "census")
    shutil.copy(
        SAMPLES / "assessments" / "KRA" / "KRA_sample_file_deidentified.csv",
        root / "data" / "landing" / "state",
    )
    done = run_cli("run", "--dir", str(root))
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return root


def _published_cells() -> Iterator[tuple[str, str, int, str, str]]:
    """Place, measure, year, estimate and margin as they stand in the Census Bureau's files."""
    for file in sorted((SAMPLES / "acs").glob("*-Data.csv")):
        year = int(re.search(r"5Y(\d{4})", file.name).group(1))
        with file.open(encoding="utf-8-sig", newline="") as handle:
            header, _, *rows = list(csv.reader(handle))
        for row in rows:
            cells = dict(zip(header, row, strict=False))
            for name, value in cells.items():
                if re.fullmatch(r"[BS]\d+(_C\d+)?_\d{3}E", name):
                    yield cells["GEO_ID"], name[:-1].lower(), year, value, cells.get(name[:-1] + "M", "")


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return None
    return None if value in JAM else value


def test_census_tables_are_published_with_their_values(community: Path) -> None:
    """If not, a resident finds other numbers than the Census Bureau's."""
    file = community / "data" / "releases" / "current" / "tables" / "pub_community_measure_v1.parquet"
    with duckdb.connect() as con:
        rows = con.execute(
            f"select geography_id, measure_id, period_end_year, estimate, margin_of_error, period_start_year from '{file}'"
        ).fetchall()
    ours = {row[:3]: row[3:] for row in rows}
    assert len(ours) == len(rows)
    cells = list(_published_cells())
    assert len(cells) == len(ours) > 40_000
    for place, measure, year, estimate, margin in cells:
        found, found_margin, start = ours[place, measure, year]
        assert found == _number(estimate), (place, measure, year, estimate)
        if _number(margin) is not None:
            assert found_margin == _number(margin)
        assert start == year - 4


def test_a_vendor_export_ends_in_core(community: Path) -> None:
    """If not, a new partner needs a programmer."""
    with (SAMPLES / "assessments" / "KRA" / "KRA_sample_file_deidentified.csv").open(
        encoding="utf-8-sig", newline=""
    ) as handle:
        scores = sorted(float(row["OverallScore"]) for row in csv.DictReader(handle) if row["OverallScore"])
    warehouse = next((community / "data" / "warehouse").glob("*.duckdb"))
    with duckdb.connect(str(warehouse), read_only=True) as con:
        found = con.execute(
            "select score from core.fct_assessment_result where instrument_id = 'KRA' order by 1"
        ).fetchall()
    assert [row[0] for row in found] == scores
