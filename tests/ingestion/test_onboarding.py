"""Onboarding proposes feed and columns of exports that nobody has seen."""

from __future__ import annotations

from pathlib import Path

import duckdb

from ingestion.contracts import load_contracts
from ingestion.onboarding import mapping_text, profile_columns, propose, try_mapping
from ingestion.onboarding.propose import content_fit
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
