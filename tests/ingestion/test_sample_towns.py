"""A large sample is made as towns side by side: the joined files read like those of one source."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from ingestion import sample


def _files(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()
    }


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("towns")
    patch = pytest.MonkeyPatch()
    patch.setattr(sample, "_TOWN", 300)
    try:
        sample.make_sample(root, people=900, seed=5)
    finally:
        patch.undo()
    return root


def test_no_id_is_given_twice(towns: Path) -> None:
    """If two towns gave one id to two people, linkage would be judged by a false truth."""
    with duckdb.connect() as con:
        people = con.execute(
            f"select count(*), count(distinct true_person_id), count(distinct state_student_id), "
            f"count(distinct social_security_number) from '{towns / 'truth' / 'person.parquet'}'"
        ).fetchone()
        ids = con.execute(
            f"select count(*), count(distinct (issuer_id, local_id)) from "
            f"(select distinct * from '{towns / 'truth' / 'source_id.parquet'}')"
        ).fetchone()
    assert people == (900, 900, 900, 900)
    assert ids is not None and ids[0] == ids[1]


def test_joined_files_have_one_header(towns: Path) -> None:
    """If a header stood in the middle, each large sample would quarantine rows that no partner wrote."""
    for path in (towns / "data" / "landing").rglob("*.csv"):
        lines = path.read_bytes().splitlines()
        assert lines.count(lines[0]) == 1, path
    students = (towns / "data" / "landing" / "riverbend_schools" / "students_2015.csv").read_text()
    assert all(f",{code}," in students for code in (45201, 45207, 45213))


def test_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    """If not, no figure of the sample could be compared between two machines."""
    for name in ("a", "b"):
        sample.make_sample(tmp_path / name, people=200, seed=5)
    first, second = _files(tmp_path / "a" / "data"), _files(tmp_path / "b" / "data")
    assert first == second
