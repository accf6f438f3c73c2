"""OneRoster drops of both versions fill their feeds by three lines of YAML."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from ingestion.mapping import MappingError, read_mapping
from tests.ingestion.conftest import Town

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples" / "oneroster"
_STUDENTS = "standard: oneroster/k12_enrollment\n"
_SCHOOLS = "standard: oneroster/organization\n"

_COMMON = {
    "manifest.csv": "propertyName,value\nmanifest.version,1.0\n",
    "academicSessions.csv": (
        "sourcedId,status,dateLastModified,title,type,startDate,endDate,parentSourcedId,schoolYear\n"
        "t1,active,,Fall,term,2023-08-21,2023-12-20,,2024\nt2,active,,Spring,term,2024-01-08,2024-06-07,,2024\n"
    ),
    "orgs.csv": (
        "sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId\n"
        "d1,active,,Town Schools,district,0600001,\ns1,active,,Oak School,school,060000100001,d1\n"
        "s9,tobedeleted,,Old School,school,,d1\n"
    ),
    "classes.csv": (
        "sourcedId,status,dateLastModified,title,grades,courseSourcedId,classCode,classType,location,schoolSourcedId,"
        "termSourcedIds,subjects,subjectCodes,periods\n"
        'c1,active,,Reading,"03",k1,,scheduled,,s1,"t1,t2",,,\nc2,active,,Math,"03",k2,,scheduled,,s1,t2,,,\n'
    ),
    "enrollments.csv": (
        "sourcedId,status,dateLastModified,classSourcedId,schoolSourcedId,userSourcedId,role,primary,beginDate,endDate\n"
        "e1,active,,c1,s1,u1,student,false,2023-08-21,2023-12-20\n"
        "e2,active,,c2,s1,u1,student,false,2024-01-08,2024-06-07\n"
        "e3,active,,c1,s1,u2,student,false,,\n"
        "e4,active,,c1,s1,u8,teacher,true,2023-08-21,2023-12-20\n"
        "e5,tobedeleted,,c1,s9,u1,student,false,2023-08-21,2023-09-01\n"
    ),
    "demographics.csv": (
        "sourcedId,status,dateLastModified,birthDate,sex,americanIndianOrAlaskaNative,asian,blackOrAfricanAmerican,"
        "nativeHawaiianOrOtherPacificIslander,white,demographicRaceTwoOrMoreRaces,hispanicOrLatinoEthnicity\n"
        "u1,active,,2015-04-02,female,false,true,false,false,true,true,false\n"
    ),
}
_USERS_11 = (
    "sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,"
    "identifier,email,sms,phone,agentSourcedIds,grades,password\n"
    "u1,active,,true,s1,student,a,,Name1,Family1,,N1,,,,,3,\nu2,active,,true,s1,student,b,,Name2,Family2,,N2,,,,,KG,\n"
    "u3,active,,true,s1,student,c,,Name3,Family3,,N3,,,,,03,\nu8,active,,true,s1,teacher,t,,Name8,Family8,,N8,,,,,,\n"
)
_USERS_12 = (
    "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,"
    "phone,agentSourcedIds,grades,password,userMasterIdentifier,primaryOrgSourcedId,pronouns\n"
    "u1,active,,true,a,,Name1,Family1,,N1,,,,,3,,,s1,\nu2,active,,true,b,,Name2,Family2,,N2,,,,,KG,,,s1,\n"
    "u3,active,,true,c,,Name3,Family3,,N3,,,,,03,,,s1,\nu8,active,,true,t,,Name8,Family8,,N8,,,,,,,,s1,\n"
)
_ROLES = (
    "sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId\n"
    + "".join(
        f"r{n},active,,u{n},primary,{role},,,s1\n"
        for n, role in ((1, "student"), (2, "student"), (3, "student"), (8, "teacher"))
    )
)


def _zip(files: dict[str, str]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return held.getvalue()


_V11 = _zip({**_COMMON, "users.csv": _USERS_11})
_V12 = _zip({**_COMMON, "users.csv": _USERS_12, "roles.csv": _ROLES})
_LEAN = _zip({k: v for k, v in _COMMON.items() if k != "demographics.csv"} | {"users.csv": _USERS_11})


@pytest.mark.parametrize("drop", [_V11, _V12], ids=["1.1", "1.2"])
def test_one_drop_fills_two_feeds(town: Town, drop: bytes) -> None:
    """If not, a district has to write exports of its own for us."""
    town.mapping(_STUDENTS, name="students")
    town.mapping(_SCHOOLS, name="schools")
    town.drop("oneroster_bulk.zip", drop)
    told = {outcome.feed_id: outcome.judgement for outcome in town.receive()}
    students, schools = told["k12_enrollment"], told["organization"]
    # A student without a class has no entry date: quarantined, not lost.
    assert (students.rows_in, students.accepted, students.quarantined) == (3, 2, 1)
    assert (schools.rows_in, schools.accepted, schools.not_applicable) == (3, 2, 1)
    assert town.rows(
        "select school_year, school_id, school_name, grade_level, entry_date::varchar, exit_date::varchar, race_codes, "
        "hispanic_ethnicity from lake.k12_enrollment order by grade_level"
    ) == [
        (2024, "s1", "Oak School", "03", "2023-08-21", "2024-06-07", "Asian;TwoorMoreRaces;White", "No"),
        (2024, "s1", "Oak School", "KG", "2023-08-21", "2023-12-20", "NotCollected", "Unknown"),
    ]
    assert town.rows("select organization_type, nces_id from lake.organization order by 1") == [
        ("District", "0600001"),
        ("School", "060000100001"),
    ]
    assert town.vault_rows("select first_name, birth_date::varchar from vault.identifier_record order by 1")[
        0
    ] == (
        "Name1",
        "2015-04-02",
    )


def test_a_drop_without_demographics_is_taken(town: Town) -> None:
    """If not, an export with only what it must hold would be refused."""
    town.mapping(_STUDENTS, name="students")
    outcome = town.take("oneroster.zip", _LEAN)
    assert outcome.judgement.accepted == 2


def test_a_drop_without_its_users_is_refused_and_says_so(town: Town) -> None:
    """If not, half a drop would empty a school."""
    town.mapping(_STUDENTS, name="students")
    outcome = town.take("oneroster.zip", _zip(_COMMON))
    assert outcome.status == "refused"
    assert any("users.csv" in finding.why for finding in outcome.findings)


def test_an_unknown_standard_is_named(town: Town) -> None:
    """If not, a slip in one word costs an hour."""
    town.mapping("standard: oneroster/k12_enrolment\n", name="students")
    file = town.root / "partners" / "district" / "feeds" / "students.yml"
    with pytest.raises(MappingError, match=r"students\.yml:1: no standard .* oneroster/k12_enrollment"):
        read_mapping(file)


@pytest.mark.skipif(not SAMPLES.exists(), reason="samples of others are not here")
@pytest.mark.parametrize(
    "name",
    [
        "Test_full_data_set.zip",
        "Test_minimal_data_set.zip",
        "v1p2_full_dataset.zip",
        "oneroster_test_data.zip",
    ],
)
def test_drops_of_others_are_accounted_for(town: Town, name: str) -> None:
    """If not, what works on our own files fails on the first real one."""
    town.mapping(_STUDENTS, name="students")
    town.mapping(_SCHOOLS, name="schools")
    town.drop("oneroster.zip", (SAMPLES / name).read_bytes())
    for outcome in town.receive():
        judged = outcome.judgement
        assert judged.rows_in > 0
        assert judged.rows_in == judged.accepted + judged.quarantined + judged.not_applicable + judged.refused


def test_a_user_without_grade_has_that_of_the_classes(town: Town) -> None:
    """If not, a drop that leaves out the grade, as the standard allows, is refused whole."""
    town.mapping(_STUDENTS, name="students")
    without = _USERS_11.replace(",,,,,3,\n", ",,,,,,\n").replace(",,,,,KG,\n", ",,,,,,\n")
    two_grades = _COMMON["classes.csv"].replace('Math,"03"', 'Math,"03,04"')
    two_grades = two_grades.replace('Reading,"03"', "Reading,")
    for number, (classes, expected) in enumerate(((_COMMON["classes.csv"], "03"), (two_grades, "Unknown"))):
        files = {**_COMMON, "users.csv": without, "classes.csv": classes}
        outcome = town.take(f"oneroster_{number}.zip", _zip(files))
        assert outcome.judgement.accepted == 2
        assert town.rows("select distinct grade_level from lake.k12_enrollment") == [(expected,)]


_WHAT = "select grade_level, exit_date::varchar from lake.k12_enrollment order by grade_level"


def _delta(files: dict[str, str], bulk: tuple[str, ...] = ()) -> bytes:
    """A drop in which these files hold changes (or are whole where `bulk` says so) and all others are absent."""
    names = [*_COMMON, "users.csv", "roles.csv"]
    said = {name: "absent" if name not in files else "bulk" if name in bulk else "delta" for name in names}
    lines = "".join(f"file.{name.removesuffix('.csv')},{word}\n" for name, word in said.items())
    return _zip({"manifest.csv": f"propertyName,value\nmanifest.version,1.0\n{lines}", **files})


def _lines(file: str, *rows: str) -> str:
    return file.splitlines()[0] + "\n" + "".join(f"{row}\n" for row in rows)


def _towns_students(town: Town) -> None:
    town.mapping(_STUDENTS, name="students")
    town.mapping(_SCHOOLS, name="schools")
    town.drop("oneroster_0.zip", _V11)
    assert {outcome.status for outcome in town.receive()} == {"accepted"}


def test_a_delta_changes_adds_and_deletes(town: Town) -> None:
    """If not, a district that sends changes every night empties its schools, or keeps those who left for ever."""
    _towns_students(town)
    stamp = "2024-03-01T00:00:00.000Z"
    enrollments = _lines(
        _COMMON["enrollments.csv"],
        f"e2,active,{stamp},c2,s1,u1,student,false,2024-01-08,2024-03-01",
        f"e3,tobedeleted,{stamp},c1,s1,u2,student,false,,",
        f"e6,active,{stamp},c2,s1,u3,student,false,2024-03-04,2024-06-07",
    )
    changes = {
        "enrollments.csv": enrollments,
        "users.csv": _lines(
            _USERS_11, f"u2,tobedeleted,{stamp},true,s1,student,b,,Name2,Family2,,N2,,,,,KG,"
        ),
    }
    town.drop("oneroster_1.zip", _delta(changes))
    told = {outcome.feed_id: outcome for outcome in town.receive()}
    judged = told["k12_enrollment"].judgement
    assert (judged.rows_in, judged.accepted, judged.quarantined) == (2, 2, 0), judged.findings
    assert any(finding.code == "changes_laid_over" for finding in judged.findings)
    assert town.rows(_WHAT) == [("03", "2024-03-01"), ("03", "2024-06-07")]
    assert told["organization"].judgement.accepted == 2
    # A second delta stands on the first, and one that was withdrawn counts no more.
    grade = _lines(_USERS_11, f"u1,active,{stamp},true,s1,student,a,,Name1,Family1,,N1,,,,,4,")
    second = town.take("oneroster_2.zip", _delta({"users.csv": grade}))
    assert second.status == "accepted", second.findings
    assert town.rows(_WHAT) == [("03", "2024-06-07"), ("04", "2024-03-01")]
    students = next(
        d
        for d in town.ledger.latest_deliveries()
        if d.mapping == "students" and d.file_name == "oneroster_1.zip"
    )
    town.ledger.withdraw(students.delivery_id, town.moment)
    third = town.take(
        "oneroster_3.zip",
        _delta(
            {"orgs.csv": _lines(_COMMON["orgs.csv"], f"s1,active,{stamp},Oak Hill,school,060000100001,d1")}
        ),
    )
    assert third.status == "accepted"
    assert {row[0] for row in town.rows("select organization_name from lake.organization")} == {
        "Oak Hill",
        "Town Schools",
    }
    assert ("KG", "2023-12-20") in town.rows(_WHAT)


def test_a_whole_drop_after_deltas_forgets_them(town: Town) -> None:
    """If not, what the source itself no longer knows stays in the lake."""
    _towns_students(town)
    extra = _lines(_COMMON["enrollments.csv"], "e6,active,,c2,s1,u3,student,false,2024-03-04,2024-06-07")
    town.drop("oneroster_1.zip", _delta({"enrollments.csv": extra}))
    town.receive()
    assert len(town.rows(_WHAT)) == 3
    town.drop("oneroster_2.zip", _zip({**_COMMON, "users.csv": _USERS_11, "readme.txt": "again"}))
    town.receive()
    assert len(town.rows(_WHAT)) == 2
    # A file that the manifest calls bulk replaces its part alone.
    town.drop(
        "oneroster_3.zip", _delta({"users.csv": _USERS_11, "enrollments.csv": extra}, bulk=("users.csv",))
    )
    town.receive()
    assert len(town.rows(_WHAT)) == 3


def test_a_delta_before_any_whole_drop_is_refused(town: Town) -> None:
    """If not, a handful of changes passes for a school's whole enrollment."""
    town.mapping(_STUDENTS, name="students")
    outcome = town.take(
        "oneroster.zip", _delta({"enrollments.csv": _COMMON["enrollments.csv"], "users.csv": _USERS_11})
    )
    assert outcome.status == "refused"
    assert outcome.findings[0].code == "changes_without_whole"
    assert "bulk" in outcome.findings[0].fix
