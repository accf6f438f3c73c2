"""`throughline gaps` on student-level and summarized tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from orchestration.cli import _register, app

_register(["gaps"])
STUDENTS = "race,gender,passed,score,year\n" + "".join(
    f"{race},{gender},{passed},{score},{year}\n"
    for race, gender, passed, score, count, year in [
        ("A", "F", "Y", 80, 40, 2020), ("A", "M", "N", 60, 20, 2020),
        ("B", "F", "Y", 70, 15, 2020), ("B", "M", "N", 50, 45, 2020),
        ("A", "F", "Y", 80, 40, 2024), ("A", "M", "N", 60, 20, 2024),
        ("B", "F", "Y", 70, 45, 2024), ("B", "M", "N", 50, 15, 2024), ("", "M", "N", 50, 4, 2024),
    ]
    for _ in range(count)
)  # fmt: skip


def run(*arguments: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["gaps", *arguments, "--json"])
    assert done.exit_code == 0, done.output
    # Infinity and NaN are no JSON, whatever Python reads.
    document: dict[str, Any] = json.loads(done.stdout, parse_constant=pytest.fail)
    return document


def row(document: dict[str, Any], group: str, cohort: str = "all") -> dict[str, Any]:
    return next(r for r in document["groups"] if r["group"] == group and r["cohort"] == cohort)


@pytest.fixture
def students(tmp_path: Path) -> str:
    file = tmp_path / "students.csv"
    file.write_text(STUDENTS)
    return str(file)


def test_student_level_and_summarized_tables_answer_alike(students: str, tmp_path: Path) -> None:
    """If not, an analyst's figures depend on the form of the file."""
    summary = tmp_path / "summary.parquet"
    with duckdb.connect() as con:
        con.execute(
            f"copy (select race, gender, count(*) n, count(*) filter (where passed = 'Y') x from '{students}' "
            f"group by all) to '{summary}'"
        )
    by_student = run(students, "--group", "race", "--group", "gender", "--outcome", "passed")
    by_count = run(str(summary), "--group", "race", "--group", "gender", "--outcome", "x", "--weight", "n")
    for row_of in (*by_student["groups"], *by_count["groups"]):
        del row_of["outcome"]
    assert by_student["groups"] == by_count["groups"]
    assert {r["dimension"] for r in by_student["groups"]} == {"race", "gender", "race x gender"}


def test_measures_of_a_group_by_hand(students: str) -> None:
    """If not, the published measure is another one than its name says."""
    found = row(run(students, "--group", "race", "--outcome", "passed"), "B")
    assert (found["n"], found["successes"]) == (120, 60)
    assert found["rate"] == 0.5
    assert found["reference"] == "A"
    assert found["gap"] == pytest.approx(80 / 120 - 0.5)
    assert found["ratio"] == pytest.approx(0.75)
    assert found["impact_80"] is True
    assert found["proportionality_index"] == pytest.approx(0.5 / (140 / 244))
    assert found["ppg_others"] == pytest.approx(0.5 - 80 / 124)
    assert found["people_needed"] == 20


def test_unknown_is_a_group_and_nobodys_yardstick(students: str) -> None:
    """If not, people whose group is not known are dropped in silence."""
    document = run(
        students, "--group", "race", "--outcome", "passed", "--direction", "lower", "--reference", "lowest"
    )
    unknown = row(document, "unknown")
    assert unknown["n"] == 4
    assert unknown["reference"] != "unknown"
    assert unknown["verdict"] == "too few people"


def test_cohorts_are_compared_first_with_last(students: str) -> None:
    """If not, an analyst cannot see whether a gap closed."""
    document = run(students, "--group", "race", "--outcome", "passed", "--cohort", "year", "--reference", "A")
    change = next(r for r in document["changes"] if r["group"] == "B")
    assert change["change"] == pytest.approx(0.5)
    assert change["verdict"] == "improved"
    assert change["gap_verdict"] == "reduced"
    assert change["narrowed_by_reference"] is False


def test_scores_are_compared_by_means(students: str) -> None:
    """If not, a test's scale is taken for a rate."""
    document = run(students, "--group", "gender", "--outcome", "score")
    assert "score" in document["read_as"]
    found = row(document, "M")
    assert found["mean"] == pytest.approx((60 * 40 + 50 * 64) / 104)
    assert found["reference"] == "F"


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("g,o\na,1\n", ["--group", "h", "--outcome", "o"], "no column 'h'"),
        ("g,o\na,red\nb,blue\n", ["--group", "g", "--outcome", "o"], "--met"),
        ("g,o,n\na,5,3\n", ["--group", "g", "--outcome", "o", "--weight", "n", "--outcome-is", "count"], "rows (first: 1)"),
        ("g,o,n\na,1,many\n", ["--group", "g", "--outcome", "o", "--weight", "n"], "is no number from nought up; values are 'many'"),
        ("g,o\na,1\nb,0\n", ["--group", "g", "--outcome", "o", "--reference", "z"], "no group is named 'z'"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_told_with_column_and_fix(
    tmp_path: Path, text: str, arguments: list[str], said: str
) -> None:
    """If not, an analyst reads a traceback."""
    file = tmp_path / "table.csv"
    file.write_text(text)
    done = CliRunner().invoke(app, ["gaps", str(file), *arguments])
    assert done.exit_code == 1
    assert said in done.output


def written(folder: Path, text: str) -> str:
    file = folder / "table.csv"
    file.write_text(text)
    return str(file)


def test_counts_of_nought_and_one_are_counts_where_they_have_a_denominator(tmp_path: Path) -> None:
    """If not, one of ninety is a rate of 100 %."""
    table = written(tmp_path, "group;n;met\nA;100;0\nB;90;1\n")
    by_denominator = run(table, "--group", "group", "--outcome", "met", "--denominator", "n")
    assert row(by_denominator, "B")["rate"] == pytest.approx(1 / 90)
    by_weight = run(table, "--group", "group", "--outcome", "met", "--weight", "n")
    assert "--denominator n" in by_weight["outcomes"][0]["notes"][0]


def test_what_a_publisher_withheld_is_left_out_and_counted(tmp_path: Path) -> None:
    """If not, a published table with suppressed cells cannot be read, or its marks become figures."""
    table = written(tmp_path, "group,n,met\nA,100,50\nB,50,<5\nC,*,*\nD,20,0\n")
    found = run(table, "--group", "group", "--outcome", "met", "--denominator", "n")
    assert found["left_out"] == {"withheld met": 1, "withheld n": 1}
    assert row(found, "B")["verdict"] == "not measured"
    assert row(found, "D")["rate"] == 0


def test_one_row_of_many_people_has_a_mean_and_no_interval(tmp_path: Path) -> None:
    """If not, a mean without a spread looks exact."""
    table = written(tmp_path, "group,n,score\nA,100,512\nB,90,498\n")
    found = run(table, "--group", "group", "--outcome", "score", "--weight", "n")
    assert row(found, "B")["gap"] == 14
    assert row(found, "B")["gap_low"] is row(found, "B")["standardized_gap"] is None
    assert "--sd" in found["outcomes"][0]["notes"][0]
