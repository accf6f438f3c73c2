"""Onboarding proposes feed and columns of exports that nobody has seen."""

from __future__ import annotations

import duckdb

from ingestion.onboarding import profile_columns, propose

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
