"""American Community Survey tables and API answers become measures with bounds and reasons, whatever stands in a cell."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from tests.ingestion.conftest import Town

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples" / "acs"
_TABLE = (
    '"GEO_ID","NAME","S1701_C03_002E","S1701_C03_002M","S1701_C03_002EA","S1901_C01_012E","S1901_C01_012M","S1901_C01_012EA",\n'
    '"Geography","Geographic Area Name","Estimate!!Percent below poverty level!!Under 18 years","Margin of Error!!Percent",'
    '"Annotation","Estimate!!Households!!Median income (dollars)","Margin of Error!!Households","Annotation",\n'
    '"0500000US39061","Alpha County","12.3","1.1","null","250001","-333333333","250,000+",\n'
    '"0500000US39017","Beta County","-","**","-","2,500-","***","2,500-",\n'
    '"1400000US39017000100","Tract 1","(X)","(X)","(X)","61,250","4,100","null",\n'
)
_ANSWER = [
    ["NAME", "S1701_C03_002E", "S1701_C03_002M", "B19013_001E", "B19013_001M", "state", "county", "tract"],
    ["Tract 1", "12.3", "1.1", "-666666666", "-222222222", "39", "061", "000100"],
    ["Tract 2", None, "-555555555", "61250", "4100", "39", "061", "000200"],
]
_COLUMNS = "measure_id, unit, estimate, margin_of_error, lower_bound, upper_bound, value_status"


def test_a_table_with_annotations_keeps_bounds(town: Town) -> None:
    """If not, a mark such as 250,000+ or -666666666 is averaged as money."""
    town.mapping("standard: census/acs_table\n")
    outcome = town.take("ACSST5Y2022.S1701-Data.csv", _TABLE)
    assert (outcome.judgement.accepted, outcome.judgement.quarantined) == (6, 0)
    assert town.rows(
        f"select {_COLUMNS} from lake.community_measure order by geography_id desc, measure_id"
    ) == [
        ("s1701_c03_002", "percent", None, None, None, None, "not_applicable"),
        ("s1901_c01_012", "dollars", 61250.0, 4100.0, None, None, "exact"),
        ("s1701_c03_002", "percent", 12.3, 1.1, None, None, "exact"),
        ("s1901_c01_012", "dollars", None, None, 250000.0, None, "top_coded"),
        ("s1701_c03_002", "percent", None, None, None, None, "not_reported"),
        ("s1901_c01_012", "dollars", None, None, None, 2500.0, "bottom_coded"),
    ]
    assert town.rows(
        "select distinct period_start_year, period_end_year, source from lake.community_measure"
    ) == [(2018, 2022, "American Community Survey, 5-year estimates")]


def test_a_zip_of_the_bureau_is_read_by_its_table(town: Town) -> None:
    """If not, the download as it comes, with its column metadata and notes, is refused."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("ACSST5Y2022.S1701-Data.csv", _TABLE)
        archive.writestr("ACSST5Y2022.S1701-Column-Metadata.csv", "Column Name,Label\nGEO_ID,Geography\n")
        archive.writestr("ACSST5Y2022.S1701-Table-Notes.txt", "Notes.")
    town.mapping("standard: census/acs_table\n")
    outcome = town.take("ACSST5Y2022.S1701.zip", held.getvalue())
    assert (outcome.judgement.accepted, outcome.judgement.quarantined) == (6, 0)


def test_an_answer_of_the_api_gives_the_same_and_its_place(town: Town) -> None:
    """If not, what a script fetched has to be made a spreadsheet first, or a sentinel counts as a margin."""
    town.mapping("standard: census/acs_api\n")
    outcome = town.take("acs5_2022_tracts.json", json.dumps(_ANSWER))
    assert outcome.judgement.accepted == 4
    assert town.rows(
        "select geography_id, measure_id, estimate, margin_of_error, value_status from lake.community_measure order by 1, 2"
    ) == [
        ("1400000US39061000100", "b19013_001", None, None, "not_reported"),
        ("1400000US39061000100", "s1701_c03_002", 12.3, 1.1, "exact"),
        ("1400000US39061000200", "b19013_001", 61250.0, 4100.0, "exact"),
        ("1400000US39061000200", "s1701_c03_002", None, None, "not_reported"),
    ]


def test_the_year_can_be_given_where_the_name_has_none(town: Town) -> None:
    """If not, a partner must rename its file."""
    town.mapping(
        'standard: census/acs_api\nfile_pattern: "poverty.json"\n'
        "columns: {period_start_year: {constant: 2022}, period_end_year: {constant: 2022}}\n"
    )
    assert town.take("poverty.json", json.dumps(_ANSWER)).judgement.accepted == 4


@pytest.mark.skipif(not SAMPLES.exists(), reason="samples of others are not here")
@pytest.mark.parametrize(
    "name",
    ["ACSDT5Y2021.B02001-Data.csv", "ACSST5Y2021.S1501-Data.csv", "ACSST5Y2022.S1901-Data.csv"],
)
def test_tables_of_the_bureau_are_taken_whole(town: Town, name: str) -> None:
    """If not, what works on our own files fails on the first real one."""
    town.mapping("standard: census/acs_table\n")
    judged = town.take(name, (SAMPLES / name).read_bytes()).judgement
    assert judged.accepted == judged.rows_in > 1000
    assert town.rows(
        "select count(*) from lake.community_measure where estimate < 0 or margin_of_error < 0"
    ) == [(0,)]
    assert town.rows("select count(*) from lake.community_measure where value_status = 'unreadable'") == [
        (0,)
    ]
