"""HUD HMIS exports of each year's columns fill participation, agencies and counts of homelessness."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ingestion.conftest import Town
from tests.ingestion.standards.conftest import zipped

SAMPLE = Path(__file__).resolve().parents[4] / "shared" / "samples" / "hmis" / "demo.zip"
_FEEDS = ("program_participation", "organization", "community_measure")
_RACE_2022 = "AmIndAKNative,Asian,BlackAfAmerican,NativeHIPacific,White,RaceNone,Ethnicity"
_RACE_2024 = (
    "AmIndAKNative,Asian,BlackAfAmerican,HispanicLatinao,MidEastNAfrican,NativeHIPacific,White,RaceNone"
)
# Three invented clients: of two races and Hispanic; who would not say; never asked. Gender as each year asks for it.
_CLIENTS = {
    2022: (
        f"{_RACE_2022},Female,Male,NoSingleGender,Transgender,Questioning,GenderNone",
        ["0,1,0,0,1,,1,1,0,0,0,0,", "0,0,0,0,0,8,9,0,0,0,0,0,8", "0,0,0,0,0,99,99,0,0,1,0,0,"],
    ),
    2024: (
        f"{_RACE_2024},Woman,Man,NonBinary,CulturallySpecific,Transgender,Questioning,DifferentIdentity,GenderNone",
        [
            "0,1,0,1,0,0,1,,1,0,0,0,0,0,0,",
            "0,0,0,0,0,0,0,8,0,0,0,0,0,0,0,8",
            "0,0,0,0,0,0,0,99,0,0,1,0,0,0,0,",
        ],
    ),
    2026: (f"{_RACE_2024},Sex", ["0,1,0,1,0,0,1,,0", "0,0,0,0,0,0,0,8,8", "0,0,0,0,0,0,0,99,99"]),
}


def _export(version: int, hashed: str = "1", more: dict[str, str] | None = None) -> bytes:
    columns, clients = _CLIENTS[version]
    people = "".join(
        f"p{n},Name{n},Family{n},2012-03-0{n},1,{answers},\n" for n, answers in enumerate(clients, start=1)
    )
    files = {
        "Export.csv": f"ExportID,ExportStartDate,ExportEndDate,CSVVersion,HashStatus\n1,2022-10-01,2024-09-30,{version} v1,{hashed}\n",
        "Client.csv": f"PersonalID,FirstName,LastName,DOB,DOBDataQuality,{columns},DateDeleted\n{people}",
        "Enrollment.csv": (
            "EnrollmentID,PersonalID,ProjectID,EntryDate,DateDeleted\n"
            "e1,p1,j1,2023-05-10,\ne2,p2,j1,2024-01-15,\ne3,p3,j2,2023-09-01,\ne4,p3,j1,2023-09-01,2024-02-02\n"
        ),
        "Exit.csv": "ExitID,EnrollmentID,ExitDate,DateDeleted\nx1,e1,2023-08-20,\nx3,e3,2023-09-30,\n",
        "Project.csv": (
            "ProjectID,OrganizationID,ProjectName,ProjectType,DateDeleted\nj1,o1,Night Shelter,1,\nj2,o1,Prevention,12,\n"
        ),
        "ProjectCoC.csv": "ProjectCoCID,ProjectID,CoCCode,DateDeleted\nc1,j1,XX-501,\nc2,j2,XX-501,\n",
        "Organization.csv": "OrganizationID,OrganizationName,DateDeleted\no1,Open Door,\no2,Gone,2020-01-01\n",
        "Services.csv": "ServicesID,EnrollmentID,DateProvided,DateDeleted\ns1,e1,2023-05-11,\ns2,e1,2023-05-11,\ns3,e1,2023-07-02,\n",
        **(more or {}),
    }
    return zipped(files)


def _maps(town: Town) -> None:
    for feed in _FEEDS:
        town.mapping(f"standard: hmis/{feed}\n", name=feed)


@pytest.mark.parametrize("version", [2022, 2024, 2026])
def test_each_year_s_columns_give_the_same_answers(town: Town, version: int) -> None:
    """If not, a shelter's export is read rightly one year and wrongly the next."""
    _maps(town)
    town.drop("hmis_export.zip", _export(version))
    told = {outcome.feed_id: outcome for outcome in town.receive()}
    assert {o.status for o in told.values()} == {"accepted"}
    # e1 lies in two school years, e2 was open when the third began; e4 was deleted at the source.
    assert town.rows(
        "select program_type, school_year, start_date::varchar, end_date::varchar, sessions_attended, race_codes, "
        "hispanic_ethnicity from lake.program_participation order by start_date, school_year"
    ) == [
        ("EmergencyShelter", 2023, "2023-05-10", "2023-08-20", 1, _race(version), "Yes"),
        ("EmergencyShelter", 2024, "2023-05-10", "2023-08-20", 1, _race(version), "Yes"),
        ("HomelessnessPrevention", 2024, "2023-09-01", "2023-09-30", 0, "NotCollected", "NotCollected"),
        ("EmergencyShelter", 2024, "2024-01-15", None, 0, "Unknown", "Unknown"),
        ("EmergencyShelter", 2025, "2024-01-15", None, 0, "Unknown", "Unknown"),
    ]
    genders = [
        row[0]
        for row in town.rows(
            "select gender from lake.program_participation where school_year = 2024 order by start_date"
        )
    ]
    # 2026 asks for the sex, the years before for gender; neither stands for the other.
    assert genders == (["NotCollected"] * 3 if version == 2026 else ["Female", "NonBinary", "Unknown"])
    assert town.vault_rows("select first_name, sex from vault.identifier_record order by 1") == [
        ("Name1", "Female" if version == 2026 else "NotCollected"),
        ("Name2", "Unknown" if version == 2026 else "NotCollected"),
        ("Name3", "NotCollected"),
    ]


def _race(version: int) -> str:
    return "Asian;White" if version == 2022 else "Asian;HispanicorLatino;White"


def test_an_agency_and_a_project_of_the_same_number_are_both_kept(town: Town) -> None:
    """If not, the project is put aside as the agency's double, and its children are in a program without a name."""
    _maps(town)
    named = {
        "Project.csv": "ProjectID,OrganizationID,ProjectName,ProjectType,DateDeleted\no1,o1,Night Shelter,1,\n,o1,,1,\n"
    }
    town.drop("hmis.zip", _export(2024, more=named))
    told = {outcome.feed_id: outcome for outcome in town.receive()}
    assert town.rows(
        "select organization_id, organization_name, parent_organization_id from lake.organization order by 1"
    ) == [("agency-o1", "Open Door", None), ("o1", "Night Shelter", "agency-o1")]
    assert told["organization"].judgement.quarantined == 1  # the project without an id and a name


def test_people_are_counted_once_a_fiscal_year_and_few_are_no_number(town: Town) -> None:
    """If not, a place's homeless are counted twice, or two children in a shelter are published."""
    _maps(town)
    town.drop("hmis.zip", _export(2024))
    town.receive()
    rows = town.rows(
        "select measure_id, period_end_year, estimate, upper_bound, value_status from lake.community_measure "
        "where measure_id = 'homeless_count' order by 2"
    )
    assert rows == [
        ("homeless_count", 2023, None, 11.0, "bottom_coded"),
        ("homeless_count", 2024, None, 11.0, "bottom_coded"),
    ]
    assert town.rows("select organization_name, organization_type from lake.organization order by 1") == [
        ("Night Shelter", "Program"),
        ("Open Door", "Agency"),
        ("Prevention", "Program"),
    ]


def test_hashed_names_are_no_names(town: Town) -> None:
    """If not, linkage compares digests with names."""
    _maps(town)
    town.drop("hmis.zip", _export(2024, hashed="4"))
    town.receive()
    assert town.vault_rows("select distinct first_name, last_name from vault.identifier_record") == [
        (None, None)
    ]


def test_an_export_without_its_clients_is_refused(town: Town) -> None:
    """If not, half an export would look like a shelter without people."""
    _maps(town)
    export = _export(2024, more={"Client.csv": ""})
    town.drop("hmis.zip", export)
    assert {o.feed_id: o.status for o in town.receive()}["program_participation"] == "refused"


def test_a_later_period_leaves_the_earlier_one_in_place(town: Town) -> None:
    """If not, the export of one year empties the years before."""
    _maps(town)
    town.drop("hmis_1.zip", _export(2024))
    town.receive()
    later = {
        "Export.csv": "ExportID,ExportStartDate,ExportEndDate,CSVVersion,HashStatus\n1,2024-07-01,2025-06-30,2024 v1,1\n",
        "Enrollment.csv": "EnrollmentID,PersonalID,ProjectID,EntryDate,DateDeleted\ne2,p2,j1,2024-01-15,\n",
        "Exit.csv": "ExitID,EnrollmentID,ExitDate,DateDeleted\n",
    }
    town.drop("hmis_2.zip", _export(2024, more=later))
    town.receive()
    assert town.rows(
        "select school_year, count(*) from lake.program_participation group by 1 order by 1"
    ) == [(2023, 1), (2024, 3), (2025, 1)]


@pytest.mark.skipif(not SAMPLE.exists(), reason="samples of others are not here")
def test_a_real_export_is_taken_whole(town: Town) -> None:
    """If not, what works on our own files fails on the first real one."""
    _maps(town)
    town.drop("hmis_demo.zip", SAMPLE.read_bytes())
    for outcome in town.receive():
        judged = outcome.judgement
        assert outcome.status == "accepted"
        assert judged.accepted >= 0.99 * judged.rows_in
        assert judged.rows_in == judged.accepted + judged.quarantined + judged.not_applicable
