"""Exports of assessment vendors fill the assessment feeds by one line of YAML."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ingestion.conftest import Town

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples" / "assessments"
_RESULT = (
    "school_year, instrument_id, subject, grade_level, test_date::varchar, score, performance_level_code"
)
_CASES = {
    "iready": (
        "iready_2024.csv",
        "Last Name,First Name,Student ID,Student Grade,Academic Year,School,Student State ID,Sex,Hispanic or Latino,Race,"
        "Economically Disadvantaged,Completion Date,Overall Scale Score,Overall Relative Placement,Geometry Scale Score\n"
        "Ex,Ada,1,3,2023-2024,Oak,,female,N,White,,1/14/2024,404,2 Grade Levels Below,397\n",
        (2024, "IREADY", "Mathematics", "03", "2024-01-14", 404.0, "2 Grade Levels Below"),
    ),
    "map_growth": (
        "nwea_fall.csv",
        "TermName,DistrictName,SchoolName,School_StateID,StudentID,Student_StateID,Subject,TestStartDate,TestRITScore,AchievementQuintile\n"
        "Fall 2023-2024,D,Oak,12,1,,Mathematics,09/16/2023,208,Avg\n",
        (2024, "MAP", "Mathematics", "Unknown", "2023-09-16", 208.0, "Avg"),
    ),
    "dibels": (
        "dibels8.csv",
        "School Year,Primary School ID,Student Last Name,Student First Name,Student Middle Name,Enrollment Grade,Date of Birth,"
        "Gender,Race,Economically Disadvantaged,Composite Level,Composite Score,Client Date,Student Primary ID,Primary ID - Student ID (State ID)\n"
        "2023-2024,s1,Ex,Ada,,K,2018-09-01,F,H,,Below Benchmark,271,2023-10-05,1,9\n",
        (2024, "DIBELS", "ReadingELA", "KG", "2023-10-05", 271.0, "Below Benchmark"),
    ),
    "star": (
        "SM_enterprise.csv",
        "SchoolYear,StudentRenaissanceID,StudentIdentifier,StudentStateID,StudentFirstName,StudentMiddleName,StudentLastName,Gender,"
        "BirthDate,HispanicOrLatino,SchoolIdentifier,CompletedDate,AssessmentStatus,Grade,ScaledScore,StateBenchmarkCategoryName\n"
        "2023-2024,x,1,,Ada,,Ex,F,2014-01-01T00:00:00Z,No,01,2023-08-21T17:28:05.852Z,Active,4,808,Meets\n"
        "2023-2024,y,2,,Ben,,Ex,M,2014-01-01T00:00:00Z,No,01,2023-08-21T17:28:05.852Z,Deactivated,4,1,Meets\n",
        (2024, "STAR", "Mathematics", "04", "2023-08-21", 808.0, "Meets"),
    ),
    "sat": (
        "sat_2023.csv",
        "AI_CODE,NAME_LAST,NAME_FIRST,NAME_MI,GENDER,BIRTH_DATE,SECONDARY_ID,LATEST_SAT_DATE,LATEST_SAT_GRADE,LATEST_SAT_EBRW\n"
        "100,Ex,Ada,,F,1/1/2007,1,10/12/2023,6,560\n",
        (2024, "SAT", "ReadingELA", "11", "2023-10-12", 560.0, None),
    ),
    "psat": (
        "psat_89.csv",
        "AI_CODE,NAME_LAST,NAME_FIRST,NAME_MI,GENDER,BIRTH_DATE,SECONDARY_ID,LATEST_PSAT_DATE,LATEST_PSAT_GRADE,"
        "LATEST_PSAT_MATH_SECTION,LATEST_PSAT_MATH_TEST\n"
        "100,Ex,Ada,,F,1/1/2009,1,4/13/2023,4,410,20.5\n",
        (2023, "PSAT", "Mathematics", "09", "2023-04-13", 410.0, None),
    ),
}


@pytest.mark.parametrize("name", _CASES)
def test_a_vendor_s_export_is_read_by_its_standard(town: Town, name: str) -> None:
    """If not, each district that uses the vendor has to map the export anew."""
    file_name, text, expected = _CASES[name]
    town.mapping(f"standard: assessment/{name}\n")
    outcome = town.take(file_name, text)
    assert (outcome.judgement.accepted, outcome.judgement.quarantined) == (1, 0)
    assert town.rows(f"select {_RESULT} from lake.k12_assessment") == [expected]


@pytest.mark.parametrize(
    ("file_name", "subject"),
    [("SR_2024.csv", "ReadingELA"), ("star_math.csv", "Mathematics"), ("small_star.csv", None)],
)
def test_star_has_the_subject_of_its_name_or_none(town: Town, file_name: str, subject: str | None) -> None:
    """If not, mathematics of a file with another name counts as reading."""
    town.mapping("standard: assessment/star\n")
    outcome = town.take(file_name, _CASES["star"][1])
    if subject is None:
        assert outcome.status == "refused"
        told = next(f for f in outcome.findings if f.column == "subject")
        assert "the file's name" in told.why
    else:
        assert town.rows("select subject from lake.k12_assessment") == [(subject,)]


@pytest.mark.skipif(not SAMPLES.exists(), reason="samples of others are not here")
@pytest.mark.parametrize(
    ("name", "file", "dropped", "accepted"),
    [
        ("act", "ACT/sample_anonymized_file.csv", "act_2024.csv", 23),
        ("cmas", "CMAS/sample_anonymized_file.csv", "cmas_2023.csv", 5),
        ("gold", "GOLD/sample_anonymized_file.csv", "gold.csv", 5),
        ("kra", "KRA/KRA_sample_file_deidentified.csv", "kra.csv", 10),
        ("kra", "KRA/KRA_sample_file_deidentified_new.csv", "kra_2025.csv", 13),
    ],
)
def test_vendors_samples_are_taken_whole(
    town: Town, name: str, file: str, dropped: str, accepted: int
) -> None:
    """If not, what works on our own files fails on the first real one."""
    town.mapping(f"standard: assessment/{name}\n")
    judged = town.take(dropped, (SAMPLES / file).read_bytes()).judgement
    assert (judged.accepted, judged.quarantined) == (accepted, 0)


def test_a_child_below_in_one_area_is_not_ready(town: Town) -> None:
    """If not, GOLD's areas are averaged away and every child looks ready."""
    areas = ("Social-Emotional", "Physical", "Language", "Cognitive", "Literacy", "Mathematics")
    term = "Fall 2023/2024"
    header = ",".join(
        ["ChildID,Child F Name,Child L Name,BirthDate", f"{term} Age/Grade"]
        + [f"{term} {a} WHE" for a in areas]
    )
    rows = [
        "1,Ada,Ex,1/1/2018,Kindergarten,Meet,Meet,Meet,Exceed,Meet,Meet",
        "2,Ben,Ex,1/1/2018,Kindergarten,Meet,Meet,Meet,Meet,Below,Meet",
        "3,Cy,Ex,1/1/2018,Kindergarten,Exceed,Exceed,Exceed,Exceed,Exceed,",
        "4,Di,Ex,1/1/2018,Kindergarten,,,,,,",
    ]  # fmt: skip
    town.mapping("standard: assessment/gold\n")
    outcome = town.take("gold.csv", "\n".join([header, *rows]) + "\n")
    assert outcome.judgement.not_applicable == 1
    assert town.rows(
        "select performance_level_code, is_complete, season, school_year from lake.early_childhood_assessment order by source_row"
    ) == [("Meet", "Yes", "Fall", 2024), ("Below", "Yes", "Fall", 2024), ("Exceed", "No", "Fall", 2024)]
