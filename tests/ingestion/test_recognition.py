"""Exports for which a mapping ships are recognised, whatever they are called, and nothing else is."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
from typer.testing import CliRunner

from ingestion.onboarding import Recognition, ready_made, recognise, standard_text
from ingestion.onboarding.footprint import footprint, look
from ingestion.onboarding.needs import indicator_needs
from ingestion.onboarding.partner import near_partner_id, partner_text
from ingestion.readers import Keys
from orchestration.cli import _register, app
from tests.ingestion.conftest import Town, enrollment_rows
from tests.ingestion.standards.test_assessment import _CASES
from tests.ingestion.standards.test_census import _ANSWER
from tests.ingestion.standards.test_edfacts import _FILE
from tests.ingestion.standards.test_oneroster import _V11, _V12
from tests.ingestion.standards.test_student_tracker import _EDITIONS
from warehouse import duck
from warehouse.community.config import PartnerConfig
from warehouse.limits import Limits
from warehouse.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT.parent / "shared" / "samples"
_register(["onboard"])
with_samples = pytest.mark.skipif(not SAMPLES.exists(), reason="samples of others are not here")


def _recognised(path: Path) -> Recognition:
    with duck.connect() as con:
        return recognise(path, con, Settings())


@pytest.mark.parametrize("name", _CASES)
def test_a_vendor_s_export_is_recognised_under_another_name(tmp_path: Path, name: str) -> None:
    """If not, a district maps by hand what ships ready-made, or a guess reads its columns wrongly."""
    file = tmp_path / "export from our system.csv"
    file.write_text(_CASES[name][1])
    found = _recognised(file)
    assert [(fit.standard, fit.judgement.accepted) for fit in found.fits] == [(f"assessment/{name}", 1)]
    # Star says in the file's name alone whether it is reading or mathematics.
    assert found.fits[0].unsaid == (("subject",) if name == "star" else ())


@pytest.mark.parametrize("drop", [_V11, _V12], ids=["1.1", "1.2"])
def test_one_roster_drop_is_recognised_for_both_its_feeds(tmp_path: Path, drop: bytes) -> None:
    """If not, the schools or the students of a drop stay out."""
    file = tmp_path / "nightly.zip"
    file.write_bytes(drop)
    found = _recognised(file)
    assert {fit.standard for fit in found.fits} == {"oneroster/k12_enrollment", "oneroster/organization"}
    assert all(fit.confidence > 0.9 for fit in found.fits)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "return.csv",
            _EDITIONS["current"],
            {"student_tracker/postsecondary_enrollment", "student_tracker/postsecondary_award"},
        ),
        (
            "return.csv",
            _EDITIONS["older"],
            {"student_tracker/postsecondary_enrollment", "student_tracker/postsecondary_award"},
        ),
        ("rates.csv", _FILE, {"edfacts/community_measure"}),
        ("answer.json", json.dumps(_ANSWER), {"census/acs_api"}),
    ],
)
def test_public_files_and_returns_are_recognised(
    tmp_path: Path, name: str, text: str, expected: set[str]
) -> None:
    """If not, what a clearinghouse or an agency writes alike for all is mapped anew by each community."""
    (tmp_path / name).write_text(text)
    assert {fit.standard for fit in _recognised(tmp_path / name).fits} == expected


def test_a_return_without_graduates_says_what_it_could_fill(tmp_path: Path) -> None:
    """If not, the first return, which has no graduate yet, is set up for enrollments only, without a word."""
    file = tmp_path / "return.csv"
    file.write_text("\n".join(line for line in _EDITIONS["current"].split("\n") if "BACHELOR" not in line))
    found = _recognised(file)
    assert [fit.standard for fit in found.fits] == ["student_tracker/postsecondary_enrollment"]
    assert found.empty == ("student_tracker/postsecondary_award",)


def test_what_an_unusual_name_tells_is_to_be_looked_at(tmp_path: Path) -> None:
    """If not, five years of a survey are taken for one because the file was renamed."""
    file = tmp_path / "census_2022.json"
    file.write_text(json.dumps(_ANSWER))
    (fit,) = _recognised(file).fits
    assert fit.by_name == ("period_end_year", "period_start_year", "source")
    assert "# check: read from the file's name: period_end_year" in standard_text(
        fit, ready_made()[fit.standard], file.name
    )


@with_samples
@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("assessments/ACT/sample_anonymized_file.csv", {"assessment/act"}),
        ("assessments/CMAS/sample_anonymized_file.csv", {"assessment/cmas"}),
        ("assessments/GOLD/sample_anonymized_file.csv", {"assessment/gold"}),
        ("assessments/KRA/KRA_sample_file_deidentified.csv", {"assessment/kra"}),
        ("assessments/KRA/KRA_sample_file_deidentified_new.csv", {"assessment/kra"}),
        ("oneroster/Test_full_data_set.zip", {"oneroster/k12_enrollment", "oneroster/organization"}),
        ("oneroster/v1p2_full_dataset.zip", {"oneroster/k12_enrollment", "oneroster/organization"}),
        ("edfi_v5/StudentDiscipline.xml", {"edfi/k12_discipline"}),
        ("edfi_v5/StudentAssessment-StateAssessment.xml", {"edfi/k12_assessment"}),
        ("edfi_v2/EducationOrganization.xml", {"edfi/organization"}),
        ("acs/ACSDT5Y2021.B02001-Data.csv", {"census/acs_table"}),
        ("acs/ACSDT5Y2021.B02001-Column-Metadata.csv", set()),
        ("acs/ACSST5Y2021.S1501-Column-Metadata.csv", set()),
        ("edfi_v5/AssessmentMetadata-StateAssessment.xml", set()),
        ("edfi_v5/Student.xml", set()),
    ],
)
def test_samples_of_others_are_recognised_as_what_they_are(file: str, expected: set[str]) -> None:
    """If not, what works on our own files fails on the first real one, or takes one export for another."""
    assert {fit.standard for fit in _recognised(SAMPLES / file).fits} == expected


@with_samples
def test_an_hmis_export_shows_all_that_its_layouts_need() -> None:
    """If not, the export of a homeless-service system is mapped file by file."""
    with duck.connect() as con:
        seen = look(SAMPLES / "hmis" / "demo.zip", con, Limits(), Keys(), ready_made().values())
    likely = {name for name, mapping in ready_made().items() if footprint(seen, name, mapping).share == 1}
    assert likely == {name for name in ready_made() if name.startswith("hmis/")}


@with_samples
def test_an_interchange_that_needs_others_says_which() -> None:
    """If not, one interchange alone is guessed at, and a wrong mapping is written."""
    found = _recognised(SAMPLES / "edfi_v5" / "StudentSchoolAttendance.xml")
    assert not found.fits
    assert [(part.standard, part.missing) for part in found.parts] == [
        ("edfi/k12_attendance", ("StudentSchoolAssociation",))
    ]


def test_a_year_that_nothing_tells_is_asked_for(tmp_path: Path) -> None:
    """If not, a layout whose year stands in the file's name goes unrecognised under another name."""
    header = "district_student_id,state_student_id,student_first_name,student_middle_name,student_last_name,student_dob,student_gender,student_FedRaceEth,school_id,overall_score,PLD,status"
    row = "1,9,Ada,,Ex,7/11/2019,FEMALE,,12,298,Demonstrating Readiness,Complete"
    file = tmp_path / "kindergarten.csv"
    file.write_text(f"{header}\n{row}\n")
    (fit,) = _recognised(file).fits
    assert (fit.standard, fit.unsaid, fit.judgement.accepted) == ("assessment/kra", ("school_year",), 1)


def test_a_file_of_one_s_own_is_no_standard(tmp_path: Path) -> None:
    """If not, a district's own columns are read as a vendor's."""
    file = tmp_path / "Enrollment.csv"
    file.write_text("Id,First,Last,DOB,Sex,Race,Year,School,Grade,Entry\n" + enrollment_rows(3))
    found = _recognised(file)
    assert (found.fits, found.parts, found.near) == ((), (), ())


@pytest.mark.parametrize("partner_id", ["springfield_isd", "null", "on", "x"])
def test_a_proposed_partner_is_valid(partner_id: str) -> None:
    """If not, the file that should spare work stops the next command."""
    schema = json.loads((ROOT / "docs" / "schemas" / "partner.schema.json").read_text())
    document = YAML(typ="safe").load(partner_text(partner_id, ["organization", "k12_enrollment"]))
    assert not list(Draft202012Validator(schema).iter_errors(document))
    partner = PartnerConfig.model_validate(document)
    assert (partner.partner_id, partner.sector) == (partner_id, "k12")


def test_an_id_that_cannot_be_one_has_a_near_one() -> None:
    """If not, a newcomer who types the district's name is left to find out the rule."""
    assert near_partner_id("Springfield Schools") == "springfield_schools"
    assert near_partner_id("4-H Club") == "partner_4_h_club"


def _onboard(town: Town, file: Path, partner: str, *more: str) -> tuple[int, dict[str, object]]:
    asked = ["onboard", str(file), "--partner", partner, "--dir", str(town.root), "--json", *more]
    done = CliRunner().invoke(app, asked)
    return done.exit_code, json.loads(done.output)


def test_a_new_partner_s_drop_is_taken_after_one_command(town: Town, tmp_path: Path) -> None:
    """If not, a new partner costs an engineer an hour of YAML."""
    own = tmp_path / "pupils 2024.csv"
    own.write_text(
        "Student Number,First Name,Last Name,Birth Date,Gender,Race,School Year,School,Grade,Entry Date\n"
        + enrollment_rows(3)
    )
    roster = tmp_path / "nightly.zip"
    roster.write_bytes(_V11)
    schema = Draft202012Validator(json.loads((ROOT / "docs" / "schemas" / "feed.schema.json").read_text()))
    for file, partner, accepted in ((own, "new_academy", [3]), (roster, "new_district", [2, 2])):
        code, told = _onboard(town, file, partner)
        assert code == 0 and Path(str(told["partner_written_to"])).is_file()
        for mapping in told["mappings"]:
            text = Path(mapping["written_to"]).read_text()
            assert not list(schema.iter_errors(YAML(typ="safe").load(text))), text
        town.drop(file.name, file.read_bytes(), partner)
        taken = [outcome for outcome in town.receive() if outcome.partner_id == partner]
        assert sorted(outcome.judgement.accepted for outcome in taken) == accepted


def test_what_exists_is_never_overwritten(town: Town, tmp_path: Path) -> None:
    """If not, what a person settled is lost by one command."""
    town.partner("district")
    town.mapping("standard: oneroster/organization\n", name="schools")
    who = (town.root / "partners" / "district" / "partner.yml").read_text()
    file = tmp_path / "our_oneroster.zip"
    file.write_bytes(_V11)
    code, told = _onboard(town, file, "district")
    written = {m["feed"]: m["written_to"] for m in told["mappings"]}
    assert code == 0 and told["partner_written_to"] is None
    assert written["organization"] is None and written["k12_enrollment"] is not None
    assert (town.root / "partners" / "district" / "partner.yml").read_text() == who
    assert _onboard(town, file, "district")[0] == 1


def test_indicator_needs_name_what_dbt_computes() -> None:
    """If not, onboarding promises indicators that nobody computes, or keeps silent on some."""
    models = {p.stem.removeprefix("ind_") for p in (ROOT / "dbt_project" / "models").rglob("ind_*.sql")}
    assert set(indicator_needs()) == models


def test_indicator_needs_know_the_default_parameters_and_instruments() -> None:
    """If not, a file is said to feed an indicator that leaves its rows out."""

    def seed(name: str) -> list[dict[str, str]]:
        with (ROOT / "dbt_project" / "seeds" / f"{name}.csv").open(newline="") as stream:
            return list(csv.DictReader(stream))

    parameters = {row["parameter"]: tuple(row["value"].split(";")) for row in seed("indicator_parameter")}
    for parameter, indicator, feed, column in (
        ("early_grade_reading_grade", "early_grade_reading", "k12_assessment", "grade_level"),
        ("middle_grade_math_grade", "middle_grade_math", "k12_assessment", "grade_level"),
        ("prek_program_types", "prek_participation", "early_childhood_enrollment", "program_type"),
        ("suspension_actions", "suspension", "k12_discipline", "action"),
        ("advanced_course_levels", "advanced_coursework", "k12_course", "course_level"),
        ("program_types", "program_participation", "program_participation", "program_type"),
    ):
        assert indicator_needs()[indicator][feed].rows[column] == parameters[parameter], indicator
    kinds = {row["instrument_id"]: row["instrument_kind"] for row in seed("instrument")}
    college = {name for name, kind in kinds.items() if kind == "college_entrance"}
    no_state = {name for name, kind in kinds.items() if kind in ("college_entrance", "benchmark")}
    needs = indicator_needs()
    assert set(needs["college_ready"]["k12_assessment"].rows["instrument_id"]) == college
    assert set(needs["early_grade_reading"]["k12_assessment"].but_not["instrument_id"]) == no_state


def test_one_file_of_a_roster_says_which_it_needs(tmp_path: Path) -> None:
    """If not, the users of a roster are guessed at by themselves."""
    with zipfile.ZipFile(io.BytesIO(_V11)) as archive:
        file = Path(archive.extract("users.csv", tmp_path))
    found = _recognised(file)
    assert not found.fits and [part.standard for part in found.parts] == ["oneroster/k12_enrollment"]
