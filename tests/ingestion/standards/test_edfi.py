"""Ed-Fi interchanges of data standard 2 to 5 fill their feeds by two lines of YAML each."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from tests.ingestion.conftest import Town

SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples"
_URI = "uri://ed-fi.org/"


def _interchange(name: str, body: str, namespace: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Interchange{name} xmlns="{namespace}">{body}</Interchange{name}>'


def _zip(files: dict[str, str | bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return held.getvalue()


def _pupil(tag: str, number: int) -> str:
    return f"<{tag}><StudentIdentity><StudentUniqueId>{number}</StudentUniqueId></StudentIdentity></{tag}>"


def _spell(
    number: int, grade: str, more: str = "", year: str = "2023-2024", entry: str = "2023-08-21"
) -> str:
    return (
        f"<StudentSchoolAssociation>{_pupil('StudentReference', number)}"
        "<SchoolReference><SchoolIdentity><SchoolId>101</SchoolId></SchoolIdentity></SchoolReference>"
        f"<SchoolYear>{year}</SchoolYear><EntryDate>{entry}</EntryDate><EntryGradeLevel>{grade}</EntryGradeLevel>{more}"
        "</StudentSchoolAssociation>"
    )


def _student(number: int, more: str = "") -> str:
    return (
        f'<Student id="STUD_{number}"><StudentUniqueId>{number}</StudentUniqueId><Name><FirstName>Name{number}</FirstName>'
        f"<LastSurname>Family{number}</LastSurname></Name>{more}<BirthData><BirthDate>2008-04-0{number % 9 + 1}</BirthDate>"
        "</BirthData></Student>"
    )


_SCHOOLS = (
    '<LocalEducationAgency id="LEA_9"><NameOfInstitution>Town Schools</NameOfInstitution>'
    "<LocalEducationAgencyId>9</LocalEducationAgencyId></LocalEducationAgency>"
    '<School id="SCH_101"><NameOfInstitution>Oak School</NameOfInstitution><SchoolId>101</SchoolId>'
    '<GradeLevel>{0}</GradeLevel><GradeLevel>{1}</GradeLevel><LocalEducationAgencyReference ref="LEA_9"/></School>'
)


def _version_2() -> dict[str, str | bytes]:
    """Demographics in Student, descriptors as elements, references by id, everything in files of odd names."""
    space = "http://ed-fi.org/0200"
    traits = (
        "<Sex>Female</Sex><HispanicLatinoEthnicity>true</HispanicLatinoEthnicity><Race>Asian</Race>"
        "<Race>Black - African American</Race><EconomicDisadvantaged>true</EconomicDisadvantaged>"
        "<SchoolFoodServicesEligibility><CodeValue>Reduced price</CodeValue></SchoolFoodServicesEligibility>"
        "<StudentCharacteristic><StudentCharacteristic><CodeValue>Homeless</CodeValue></StudentCharacteristic>"
        "</StudentCharacteristic><LimitedEnglishProficiency><CodeValue>Limited</CodeValue></LimitedEnglishProficiency>"
    )
    by_id = (
        '<StudentSchoolAssociation><StudentReference ref="STUD_2"/><SchoolReference ref="SCH_101"/>'
        "<SchoolYear>2023-2024</SchoolYear><EntryDate>2024-01-08</EntryDate><EntryGradeLevel><CodeValue>Kindergarten"
        "</CodeValue></EntryGradeLevel><ExitWithdrawDate>2024-02-01</ExitWithdrawDate><ExitWithdrawType><CodeValue>"
        "Died or is permanently incapacitated</CodeValue></ExitWithdrawType></StudentSchoolAssociation>"
    )
    return {
        "a.xml": _interchange("StudentParent", _student(1, traits) + _student(2), space),
        "b.xml": _interchange(
            "StudentEnrollment", _spell(1, "<CodeValue>Third grade</CodeValue>") + by_id, space
        ),
        "c.xml": _interchange(
            "EducationOrganization",
            _SCHOOLS.format("<CodeValue>Kindergarten</CodeValue>", "<CodeValue>Third grade</CodeValue>"),
            space,
        ),
    }


def _version_5(space: str = "http://ed-fi.org/5.2.0") -> dict[str, str | bytes]:
    """Demographics by school and district, descriptors as URIs, two files of one interchange."""
    about = (
        f"<StudentEducationOrganizationAssociation>{_pupil('StudentReference', 1)}<EducationOrganizationReference>"
        "<EducationOrganizationIdentity><EducationOrganizationId>{0}</EducationOrganizationId>"
        "</EducationOrganizationIdentity></EducationOrganizationReference>"
        f"<Sex>{_URI}SexDescriptor#{{1}}</Sex><HispanicLatinoEthnicity>false</HispanicLatinoEthnicity>"
        f"<Race>{_URI}RaceDescriptor#Asian</Race><Race>{_URI}RaceDescriptor#Middle Eastern or North African</Race>"
        f"<StudentCharacteristic><StudentCharacteristic>{_URI}StudentCharacteristicDescriptor#Homeless"
        "</StudentCharacteristic><Period><BeginDate>2020-08-01</BeginDate><EndDate>2021-06-01</EndDate></Period>"
        "</StudentCharacteristic><StudentCharacteristic><StudentCharacteristic>"
        f"{_URI}StudentCharacteristicDescriptor#Economic Disadvantaged</StudentCharacteristic></StudentCharacteristic>"
        f"<LimitedEnglishProficiency>{_URI}LimitedEnglishProficiencyDescriptor#NotLimited</LimitedEnglishProficiency>"
        f"<CohortYear><SchoolYear>2023-2024</SchoolYear><CohortYearType>{_URI}CohortYearTypeDescriptor#Ninth grade"
        "</CohortYearType></CohortYear></StudentEducationOrganizationAssociation>"
    )
    meals = (
        f"<StudentSchoolFoodServiceProgramAssociation>{_pupil('StudentReference', 1)}<BeginDate>2023-08-30</BeginDate>"
        "<DirectCertification>true</DirectCertification><SchoolFoodServiceProgramService><SchoolFoodServiceProgramService>"
        f"{_URI}SchoolFoodServiceProgramServiceDescriptor#Free Lunch</SchoolFoodServiceProgramService>"
        "</SchoolFoodServiceProgramService></StudentSchoolFoodServiceProgramAssociation>"
    )
    left = (
        f"<ExitWithdrawDate>2024-05-30</ExitWithdrawDate><ExitWithdrawType>{_URI}ExitWithdrawTypeDescriptor#End of school year"
        "</ExitWithdrawType>"
    )
    grade = f"{_URI}GradeLevelDescriptor#"
    return {
        "Student-1.xml": _interchange("Student", _student(1), space),
        "Student-2.xml": _interchange("Student", _student(2), space),
        "StudentEnrollment.xml": _interchange(
            "StudentEnrollment",
            _spell(1, f"{grade}Ninth grade", left)
            + _spell(2, f"{grade}Tenth grade")
            + about.format("9", "Male")
            + about.format("101", "Female"),
            space,
        ),
        "StudentProgram.xml": _interchange("StudentProgram", meals, space),
        "EducationOrganization.xml": _interchange(
            "EducationOrganization", _SCHOOLS.format(f"{grade}Tenth grade", f"{grade}Ninth grade"), space
        ),
    }


def _absence(number: int, day: str, kind: str = "Unexcused Absence", more: str = "") -> str:
    return (
        f"<StudentSchoolAttendanceEvent><AttendanceEvent><EventDate>{day}</EventDate><AttendanceEventCategory>"
        f"{_URI}AttendanceEventCategoryDescriptor#{kind}</AttendanceEventCategory>{more}</AttendanceEvent>"
        f"{_pupil('StudentReference', number)}"
        "<SchoolReference><SchoolIdentity><SchoolId>101</SchoolId></SchoolIdentity></SchoolReference>"
        "</StudentSchoolAttendanceEvent>"
    )


_EVENTS = (
    _absence(1, "2023-09-04", more="<EventDuration>0.5</EventDuration>")
    + _absence(1, "2023-09-05")
    + _absence(1, "2023-09-05", "Excused Absence")
    + _absence(1, "2023-09-06", "Tardy")
)
_SESSION = (
    "<Session><SchoolYear>2023-2024</SchoolYear><BeginDate>2023-09-04</BeginDate><EndDate>2023-09-15</EndDate>"
    "<TotalInstructionalDays>9</TotalInstructionalDays><SchoolReference><SchoolIdentity><SchoolId>101</SchoolId>"
    "</SchoolIdentity></SchoolReference></Session>"
)


def _calendar(days: int) -> str:
    return "".join(
        f"<CalendarDate><Date>2023-09-{day:02}</Date><CalendarEvent>{_URI}CalendarEventDescriptor#{kind}</CalendarEvent>"
        "<CalendarReference><CalendarIdentity><SchoolReference><SchoolIdentity><SchoolId>101</SchoolId></SchoolIdentity>"
        "</SchoolReference></CalendarIdentity></CalendarReference></CalendarDate>"
        for day, kind in [(n, "Instructional day") for n in range(4, 4 + days)] + [(20, "Holiday")]
    )


def _attended(calendar: str) -> dict[str, str | bytes]:
    late = _spell(2, "Third grade", entry="2023-09-11")
    space = "http://ed-fi.org/4.0.0"
    return {
        "StudentEnrollment.xml": _interchange("StudentEnrollment", _spell(1, "Third grade") + late, space),
        "StudentSchoolAttendance.xml": _interchange("StudentAttendance", _EVENTS, space),
        "EducationOrgCalendar.xml": _interchange("EducationOrgCalendar", calendar, space),
    }


@pytest.fixture
def district(town: Town, request: pytest.FixtureRequest) -> Town:
    """A district whose feeds are the standard's: those that a test names, else enrollment."""
    for feed in getattr(request, "param", ("k12_enrollment",)):
        town.mapping(f"standard: edfi/{feed}\n", name=feed)
    return town


def _feeds(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("district", [names], indirect=True, ids=["feeds"])


_LOOK = (
    "select school_id, school_name, district_id, school_year, grade_level, entry_date::varchar, exit_type, race_codes, "
    "hispanic_ethnicity, gender, economic_disadvantage, lunch_eligibility, direct_certification, english_learner, homeless, "
    "disability, first_grade9_year from lake.k12_enrollment order by entry_date, grade_level"
)


def test_data_standard_2_has_demographics_in_the_student(district: Town) -> None:
    """If not, a district on the older standard sends nothing that can be told apart by group."""
    district.drop("edfi_interchanges.zip", _zip(_version_2()))
    district.receive()
    assert district.rows(_LOOK) == [
        ("101", "Oak School", "9", 2024, "03", "2023-08-21", "Unknown", "Asian;BlackorAfricanAmerican", "Yes", "Female",
         "Yes", "ReducedPrice", "NotCollected", "Yes", "Yes", "NotCollected", None),
        ("101", "Oak School", "9", 2024, "KG", "2024-01-08", "Died", "NotCollected", "NotCollected", "Unknown",
         "NotCollected", "NotCollected", "NotCollected", "NotCollected", "No", "NotCollected", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "space", ["http://ed-fi.org/3.1.0", "http://ed-fi.org/4.0.0", "http://ed-fi.org/5.2.0"]
)
def test_data_standards_from_3_on_have_demographics_by_organization(district: Town, space: str) -> None:
    """If not, the school's word on a student gives way to the district's, or an ended status goes on for ever."""
    district.drop("edfi_interchanges.zip", _zip(_version_5(space)))
    district.receive()
    assert district.rows(_LOOK) == [
        ("101", "Oak School", "9", 2024, "09", "2023-08-21", "Promoted", "Asian;MiddleEasternorNorthAfrican", "No", "Female",
         "Yes", "Free", "Yes", "No", "No", "NotCollected", 2024),
        ("101", "Oak School", "9", 2024, "10", "2023-08-21", "Unknown", "NotCollected", "NotCollected", "Unknown",
         "No", "NotCollected", "NotCollected", "NotCollected", "No", "NotCollected", None),
    ]  # fmt: skip


def _accepted(town: Town, name: str, drop: bytes) -> dict[str, tuple[str, int, int]]:
    town.drop(name, drop)
    return {o.feed_id: (o.status, o.judgement.accepted, o.judgement.quarantined) for o in town.receive()}


@_feeds("k12_attendance")
@pytest.mark.parametrize(
    ("calendar", "days"),
    [(_calendar(12), (12, 5)), (_SESSION, (9, 5)), (_calendar(2) + _SESSION, (9, 5))],
    ids=["calendar", "sessions", "a calendar with hardly a date"],
)
def test_days_enrolled_come_from_the_calendar(district: Town, calendar: str, days: tuple[int, int]) -> None:
    """If not, an absence has no denominator, and half a day or a late arrival counts as a whole absence."""
    assert _accepted(district, "edfi.zip", _zip(_attended(calendar)))["k12_attendance"] == ("accepted", 2, 0)
    assert district.rows("select days_enrolled, days_absent from lake.k12_attendance order by 1 desc") == [
        (days[0], 1.5),
        (days[1], 0),
    ]


@_feeds("k12_attendance")
def test_a_school_that_recorded_nothing_is_not_taken_for_present(district: Town) -> None:
    """If not, a missing attendance file counts as perfect attendance."""
    files = _attended(_calendar(12))
    files["StudentEnrollment.xml"] = str(files["StudentEnrollment.xml"]).replace(
        "<SchoolId>101</SchoolId>", "<SchoolId>102</SchoolId>"
    )
    files["EducationOrgCalendar.xml"] = str(files["EducationOrgCalendar.xml"]).replace("101", "102")
    assert _accepted(district, "edfi.zip", _zip(files))["k12_attendance"] == ("refused", 0, 0)


@_feeds("k12_course", "k12_graduation")
def test_courses_and_diplomas_come_from_the_transcript(district: Town) -> None:
    """If not, graduation and on-track indicators need a second export."""
    identity = (
        f"<StudentAcademicRecordIdentity>{_pupil('StudentReference', 1)}<EducationOrganizationReference>"
        "<EducationOrganizationIdentity><EducationOrganizationId>101</EducationOrganizationId>"
        "</EducationOrganizationIdentity></EducationOrganizationReference><SchoolYear>2023-2024</SchoolYear>"
        f"<Term>{_URI}TermDescriptor#Fall Semester</Term></StudentAcademicRecordIdentity>"
    )
    record = identity.replace("<StudentAcademicRecordIdentity>", '<StudentAcademicRecord id="R1">').replace(
        "</StudentAcademicRecordIdentity>",
        "<Diploma><DiplomaAwardDate>2024-08-15</DiplomaAwardDate>"
        f"<DiplomaType>{_URI}DiplomaTypeDescriptor#Regular diploma</DiplomaType></Diploma><Diploma><DiplomaAwardDate>"
        f"2024-06-01</DiplomaAwardDate><DiplomaType>{_URI}DiplomaTypeDescriptor#Certificate of attendance</DiplomaType>"
        "</Diploma></StudentAcademicRecord>",
    )
    course = (
        f"<CourseTranscript><CourseAttemptResult>{_URI}CourseAttemptResultDescriptor#Pass</CourseAttemptResult>"
        "<AttemptedCredits><Credits>1</Credits></AttemptedCredits><EarnedCredits><Credits>1</Credits></EarnedCredits>"
        "<FinalLetterGradeEarned>B</FinalLetterGradeEarned><CourseReference><CourseIdentity><CourseCode>{0}</CourseCode>"
        "</CourseIdentity></CourseReference><StudentAcademicRecordReference>{1}</StudentAcademicRecordReference>"
        "</CourseTranscript>"
    )
    by_id = course.format("HIST", "").replace(
        "<StudentAcademicRecordReference>", '<StudentAcademicRecordReference ref="R1">'
    )
    courses = (
        f"<Course><CourseCode>ALG-2</CourseCode><CourseTitle>Algebra II</CourseTitle><AcademicSubject>{_URI}"
        f"AcademicSubjectDescriptor#Mathematics</AcademicSubject><CourseLevelCharacteristic>{_URI}"
        "CourseLevelCharacteristicDescriptor#Honors</CourseLevelCharacteristic></Course>"
    )
    space = "http://ed-fi.org/5.2.0"
    taken = _accepted(
        district,
        "edfi.zip",
        _zip(
            {
                "t.xml": _interchange(
                    "StudentTranscript", record + course.format("ALG-2", identity) + by_id, space
                ),
                "o.xml": _interchange("EducationOrganization", courses, space),
            }
        ),
    )
    assert taken["k12_course"] == ("accepted", 2, 0)
    assert taken["k12_graduation"] == ("accepted", 2, 0)
    assert district.rows(
        "select school_year, school_id, term, course_id, course_subject, course_level, is_algebra_1_or_higher, credits_earned, "
        "is_passed from lake.k12_course order by course_id"
    ) == [
        (2024, "101", "Fall Semester", "ALG-2", "Mathematics", "Honors", "Yes", 1, "Yes"),
        (2024, "101", "Fall Semester", "HIST", "Unknown", "Unknown", "NotCollected", 1, "Yes"),
    ]
    assert district.rows(
        "select school_year, completion_date::varchar, diploma_type from lake.k12_graduation order by 2"
    ) == [(2024, "2024-06-01", "OtherCompleter"), (2024, "2024-08-15", "RegularDiploma")]


def test_a_code_of_a_state_is_added_in_a_line(town: Town) -> None:
    """If not, one extension descriptor makes a partner copy the whole standard."""
    own = "standard: edfi/k12_enrollment\ncode_lists:\n  grade: {Jardin: PK}\n"
    town.mapping("standard: edfi/k12_enrollment\n")
    files = _version_5()
    files["StudentEnrollment.xml"] = str(files["StudentEnrollment.xml"]).replace("Tenth grade", "Jardin")
    before = town.take("edfi.zip", _zip(files))
    assert (before.judgement.accepted, before.judgement.quarantined) == (1, 1)
    town.mapping(own)
    files["more.xml"] = _interchange("Student", _student(3), "http://ed-fi.org/5.2.0")
    assert town.take("edfi.zip", _zip(files)).judgement.accepted == 2


def test_an_archive_cut_short_or_with_a_broken_interchange_is_refused(district: Town) -> None:
    """If not, half a district replaces a whole one."""
    whole = _zip(_version_5())
    assert _accepted(district, "edfi_1.zip", whole)["k12_enrollment"][0] == "accepted"
    cut = {**_version_5(), "Student-2.xml": str(_version_5()["Student-2.xml"])[:-40]}
    for name, drop in (("edfi_2.zip", whole[: len(whole) // 2]), ("edfi_3.zip", _zip(cut))):
        assert _accepted(district, name, drop)["k12_enrollment"] == ("refused", 0, 0)
    assert district.rows("select count(*) from lake.k12_enrollment") == [(2,)]


@_feeds("organization", "k12_enrollment", "k12_attendance", "k12_assessment", "k12_discipline")
@pytest.mark.skipif(not SAMPLES.exists(), reason="samples of others are not here")
def test_interchanges_of_the_alliance_are_taken(district: Town) -> None:
    """If not, what works on our own files fails on the first real one."""
    folder = SAMPLES / "edfi_v5"
    files: dict[str, str | bytes] = {file.name: file.read_bytes() for file in folder.glob("*.xml")}
    pupils = [604822, 604854, 605064]
    spells = "".join(
        _spell(n, f"{_URI}GradeLevelDescriptor#Ninth grade", year="2021-2022", entry="2021-08-23").replace(
            "<SchoolId>101<", "<SchoolId>255901001<"
        )
        for n in pupils
    )
    files["StudentEnrollment.xml"] = _interchange("StudentEnrollment", spells, "http://ed-fi.org/5.2.0")
    taken = _accepted(district, "edfi.zip", _zip(files))
    assert taken["k12_enrollment"] == ("accepted", 3, 0)
    # Without a calendar there is no denominator, and the receipt says so.
    assert taken["k12_attendance"] == ("refused", 0, 0)
    assert taken["k12_assessment"] == ("accepted", 34, 0)
    assert taken["k12_discipline"] == ("accepted", 21, 0)
    assert district.rows(
        "select subject, count(*), count(*) filter (where is_valid = 'No'), count(score), min(instrument_id), "
        "count(distinct performance_level_code) from lake.k12_assessment group by 1 order by 1"
    ) == [("Mathematics", 17, 1, 16, "STATE", 2), ("ReadingELA", 17, 1, 16, "STATE", 2)]
    assert district.rows(
        "select organization_type, low_grade, high_grade, parent_organization_id from lake.organization where "
        "organization_id = '255901001'"
    ) == [("School", "09", "12", "255901")]


@_feeds("organization", "k12_assessment", "k12_discipline")
@pytest.mark.skipif(not SAMPLES.exists(), reason="samples of others are not here")
def test_one_interchange_alone_fills_what_it_can(district: Town) -> None:
    """If not, a partner who sends interchange by interchange sends nothing."""
    folder = SAMPLES / "edfi_v5"
    for name in (
        "StudentAssessment-StateAssessment.xml",
        "StudentDiscipline.xml",
        "EducationOrganization.xml",
    ):
        district.drop(name, (folder / name).read_bytes())
    told = {o.feed_id: o.judgement.accepted for o in district.receive()}
    assert told["k12_discipline"] == 21
    assert told["k12_assessment"] == 34
    assert told["organization"] == 8
    assert district.rows("select distinct subject from lake.k12_assessment order by 1") == [
        ("Mathematics",),
        ("ReadingELA",),
    ]
