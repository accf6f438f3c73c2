"""Onboarding proposes feed and columns of exports that nobody has seen."""

from __future__ import annotations

from pathlib import Path

import duckdb

from ingestion.contracts import load_contracts
from ingestion.onboarding import mapping_text, profile_columns, propose, try_mapping
from ingestion.onboarding.propose import Proposal, content_fit, header_similarity
from warehouse import duck
from warehouse.settings import Settings

_HEADER = ("Matrícula", "Nombre", "Apellidos", "Fecha de Nacimiento", "Raza", "Año Escolar", "Escuela", "Grado", "Fecha de Inscripción")  # fmt: skip
_ROWS = [
    (str(n), f"Nombre{n}", f"Familia{n}", f"04/{n + 12}/2015", "H", "2023-24", "Roble", "03", "08/21/2023")
    for n in range(1, 9)
]


def test_spanish_headers_with_accents_are_understood() -> None:
    """If not, an export of a Spanish-speaking program has to be mapped by hand."""
    with duckdb.connect() as con:
        names = ", ".join(f'"{name}" varchar' for name in _HEADER)
        con.execute(f"create table export ({names})")
        con.executemany(f"insert into export values ({', '.join('?' * len(_HEADER))})", _ROWS)
        best = propose(profile_columns(con, "export", _HEADER))[0]
    found = {guess.canonical: guess.source for guess in best.columns}
    assert best.feed == "k12_enrollment"
    assert {name: found.get(name) for name in ("person_id", "birth_date", "grade_level", "entry_date")} == {
        "person_id": "Matrícula",
        "birth_date": "Fecha de Nacimiento",
        "grade_level": "Grado",
        "entry_date": "Fecha de Inscripción",
    }


def test_codes_that_nobody_knows_keep_out_no_row(tmp_path: Path) -> None:
    """If not, a new partner's whole file is refused for one column that is not even required."""
    file = tmp_path / "pupils_2024.csv"
    rows = [
        f"{n},Ada,Ex,04/12/2015,{'White / Black' if n % 2 else 'White'},E{n % 3},2023-24,Oak,03,08/21/2023"
        for n in range(1, 9)
    ]
    header = (
        "Student Number,First Name,Last Name,Birth Date,Race,Entry Code,School Year,School,Grade,Entry Date"
    )
    file.write_text("\n".join([header, *rows]) + "\n")
    with duck.connect() as con:
        con.execute("create table export as from read_csv($file, all_varchar = true)", {"file": str(file)})
        best = propose(profile_columns(con, "export", header.split(",")))[0]
        text = mapping_text(best, file.name)
        trial = try_mapping(file, text, best, con, Settings())
        races = con.execute("select distinct race_codes from judged order by 1").fetchall()
    assert "left out until its codes are known: entry_type" in text
    assert (trial.judgement.accepted, trial.judgement.quarantined) == (8, 0)
    # Several codes in a cell are told apart by the separator that leaves the fewest unknown.
    assert races == [("BlackorAfricanAmerican;White",), ("White",)]
    assert "grade_promotion" in {verdict.indicator for verdict in trial.verdicts if verdict.is_fed}
    assert {v.indicator: v.missing for v in trial.verdicts}["high_school_graduation"] == ("exit_type",)


def test_numbers_beyond_a_column_s_bounds_do_not_fit_it() -> None:
    """If not, days in a program are taken for college credits."""
    columns = {column.name: column for column in load_contracts()["postsecondary_credit"].columns}
    with duckdb.connect() as con:
        con.execute(
            'create table export as select (i + 140)::varchar as "Days", i::varchar as "Cr" from range(9) t(i)'
        )
        days, few = profile_columns(con, "export", ("Days", "Cr"))
    assert content_fit(days, columns["credits_earned"]) == 0
    assert content_fit(few, columns["credits_earned"]) == 1


def _proposed(header: str, *rows: str) -> list[Proposal]:
    names = header.split(",")
    with duckdb.connect() as con:
        columns = ", ".join(f'"{name}" varchar' for name in names)
        con.execute(f"create table export ({columns})")
        con.executemany(
            f"insert into export values ({', '.join('?' * len(names))})", [row.split(",") for row in rows]
        )
        return propose(profile_columns(con, "export", names))


_VENDOR = (
    "Test Vendor ID,Student Last Name,Student First Name,DOB,Grade Tested,Gender,English Learner,Gifted and Talented,"
    "Form Number,Race - Asian,Test Event ID,District Name,School Code,Scale Score Listening,Scale Score Reading,"
    "Proficiency Level Listening,Proficiency Level Reading,Raw Score Listening,Raw Score Reading"
)


def test_a_vendor_s_results_are_results_and_no_flag_is_a_phone_number() -> None:
    """If not, the newcomer corrects more lines than were guessed, and race is read as an e-mail address."""
    rows = [
        f"9{n},Family,Name,05/0{n}/2014,0{n},F,Y,N,77,Y,401,Oak,1{n},3{n}0,3{n}5,2,3,1{n},2{n}"
        for n in range(3, 9)
    ]
    best = _proposed(_VENDOR, *rows)[0]
    found = {guess.canonical: guess.source for guess in best.columns}
    assert best.feed == "k12_assessment"
    assert (found["grade_level"], found["birth_date"], found["gender"]) == ("Grade Tested", "DOB", "Gender")
    assert (
        set(found) & {"phone", "email", "is_alternate", "economic_disadvantage", "guardian_last_name"}
        == set()
    )
    # No header and no value says a year; to take an event's number for one would be a guess at random.
    assert "school_year" not in found


def test_children_s_grades_tell_early_childhood_from_school() -> None:
    """If not, a kindergarten screening goes to the test scores of third grade, or the other way round."""
    header = "Student ID,First Name,Last Name,School Year,Grade,Season,Assessment,Subject,Scale Score"
    young = [f"{n},A,B,2023-24,{'PK' if n % 2 else 'K'},Fall,KRA,ELA,27{n}" for n in range(1, 9)]
    older = [f"{n},A,B,2023-24,0{n},Fall,MAP,ELA,27{n}" for n in range(1, 9)]
    assert _proposed(header.replace(",Subject", ""), *(r.replace(",ELA", "") for r in young))[0].feed == (
        "early_childhood_assessment"
    )
    assert _proposed(header, *older)[0].feed == "k12_assessment"


def test_a_list_of_people_is_no_list_of_schools() -> None:
    """If not, a roster whose ids nobody knows is published as a list of organizations."""
    rows = [f"{n},Ada,Ex,04/12/2015,Oak School,Active" for n in range(1, 9)]
    people = _proposed("Code,First Name,Last Name,Birth Date,School Name,Type", *rows)
    schools = _proposed("Code,School Name,Type", *(f"{n},Oak School {n},School" for n in range(1, 9)))
    sure = [{p.feed: p.confidence for p in ranked}["organization"] for ranked in (people, schools)]
    assert sure[0] < 0.5 < sure[1]


def test_results_of_a_test_are_no_roster() -> None:
    """If not, the day of a test becomes the day on which a child entered its school."""
    rows = [f"{n},Ada,Ex,Oak,10,11/21/2023,0{n % 9},{40 + n},{50 + n},{n + 30}" for n in range(1, 9)]
    header = "student_unique_id,First,Last,School,Grade,Test Date,Test Version,Math Knowledge,Verbal Reasoning,Paragraph Comprehension"
    best = _proposed(header, *rows)[0]
    assert best.feed == "k12_assessment"
    assert {c.canonical: c.source for c in best.columns}["test_date"] == "Test Date"


def test_a_header_that_is_another_column_s_name_is_hardly_this_one_s() -> None:
    """If not, likeness of letters outweighs what the word means."""
    assert header_similarity("Test Date", "test_date") == 1
    assert header_similarity("Test Date", "entry_date") < 0.35 < header_similarity("Entry Day", "entry_date")
