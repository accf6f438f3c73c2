"""Every row of a file ends in exactly one place, with its reasons."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ingestion.acceptance.judge_file import Judgement, judge_file
from ingestion.contracts import load_contracts
from ingestion.mapping import read_mapping
from tests.ingestion.conftest import ENROLLMENT_HEADER, ENROLLMENT_MAPPING, START, Town
from warehouse import duck
from warehouse.settings import Settings

File = Callable[..., str]
ATTENDANCE = (
    "feed: k12_attendance\nfile_pattern: att*.csv\nlayouts:\n  - columns: {{person_id: Id, school_year: {{constant: 2024}}, "
    "school_id: S, days_enrolled: {{constant: 180}}, days_absent: {how}}}\n"
)


def judged(
    folder: Path, mapping_text: str, content: str, column: str
) -> tuple[Judgement, list[tuple[object, ...]]]:
    """Judgement of a file by a mapping, and a column of the accepted rows; nothing is stored."""
    (folder / "m.yml").write_text(mapping_text)
    (folder / "att.csv").write_text(content)
    mapping = read_mapping(folder / "m.yml").model_copy(update={"partner_id": "district", "name": "m"})
    con = duck.connect()
    judgement = judge_file(
        con, folder / "att.csv", mapping, load_contracts()[mapping.feed], Settings(now=START)
    )
    if judgement.plan is None:
        return judgement, []
    return judgement, con.execute(
        f"select {column} from judged where {judgement.plan.good} order by _record"
    ).fetchall()


def _codes(outcome: object) -> dict[str, int]:
    return {f"{f.code}:{f.column or ''}": f.count for f in outcome.findings}  # type: ignore[attr-defined]


def test_every_row_is_accepted_or_quarantined_with_all_its_reasons(enrolled: Town, enrollment: File) -> None:
    """If not, rows are lost, or a partner mends one fault and finds the next a month later."""
    bad = "9,Ann,Lee,13/45/2015,Q,W,2023-24,Oak,03,08/21/2023\n10,Bo,Lee,04/01/2015,F,W,2023-24,,03,08/21/2019\n"
    outcome = enrolled.take("enroll.csv", enrollment(3, more=bad))
    assert outcome.status == "accepted"
    assert (outcome.judgement.rows_in, outcome.judgement.accepted, outcome.judgement.quarantined) == (5, 3, 2)
    assert _codes(outcome) == {
        "type:birth_date": 1,
        "unknown_code:gender": 1,
        "required:school_id": 1,
        "k12_enrollment_entry_in_school_year:": 1,
    }
    assert next(f for f in outcome.findings if f.code == "type").rows == [4]
    assert enrolled.rows("select count(*) from lake.k12_enrollment") == [(3,)]


def test_identifiers_go_to_the_vault_and_nowhere_else(enrolled: Town, enrollment: File) -> None:
    """If not, a child's name lies among the data."""
    enrolled.take("enroll.csv", enrollment(3))
    assert enrolled.vault_rows(
        "select first_name, birth_date::varchar from vault.identifier_record order by 1"
    )[0] == (
        "Name1",
        "2015-04-02",
    )
    names = {row[0] for row in enrolled.rows("select column_name from (describe lake.k12_enrollment)")}
    assert not names & {"person_id", "first_name", "last_name", "birth_date"}
    for file in (enrolled.root / "data").rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert b"Family2" not in data and b"Name2" not in data, file
    keys = enrolled.rows("select source_person_key from lake.k12_enrollment order by 1")
    assert keys == enrolled.vault_rows("select source_person_key from vault.identifier_record order by 1")


def test_duplicates_keep_the_first_row(enrolled: Town, enrollment: File) -> None:
    """If not, a child counts twice, or a later contradiction wins by chance."""
    first = enrollment(2)
    again = first.splitlines()[1] + "\n"
    conflict = again.replace("Name1", "Other")
    outcome = enrolled.take("enroll.csv", first + again + conflict)
    assert _codes(outcome) == {"duplicate_row:": 1, "duplicate_key:": 1}
    assert [f.rows for f in outcome.findings if f.code == "duplicate_key"] == [[4]]
    assert enrolled.rows("select list(source_row order by source_row) from lake.k12_enrollment") == [
        ([1, 2],)
    ]


def test_frequent_unknown_codes_are_named_and_rare_ones_are_not(enrolled: Town, enrollment: File) -> None:
    """If not, a partner must guess which code is unknown, or a name in the wrong column is shown."""
    rows = "".join(f"{n},A,B,04/01/2015,XX,W,2023-24,Oak,03,08/21/2023\n" for n in range(50, 54))
    rows += "60,A,B,04/01/2015,Secretname,W,2023-24,Oak,03,08/21/2023\n"
    outcome = enrolled.take("enroll.csv", enrollment(3, more=rows))
    why = next(f.why for f in outcome.findings if f.code == "unknown_code")
    assert "'XX' (4 rows)" in why
    assert "Secretname" not in why


def test_a_hostile_value_quarantines_its_row_only(enrolled: Town, enrollment: File) -> None:
    """If not, one absurd year refuses a district's whole file."""
    rows = (
        "70,A,B,04/01/2015,F,W,999999999,Oak,03,08/21/2023\n71,A,B,infinity,F,W,2024,Oak,03,08/21/2023\n"
        '72,A,B,04/01/2015,F,W,nan,Oak,03,epoch\n73,A,"\'; drop table judged; --",04/01/2015,F,W,2024,=1+1,03,08/21/2023\n'
    )
    outcome = enrolled.take("enroll.csv", enrollment(3, more=rows))
    assert outcome.status == "accepted"
    assert (outcome.judgement.accepted, outcome.judgement.quarantined) == (4, 3), outcome.findings


@pytest.mark.parametrize(
    ("text", "spring"),
    [
        ("2023-24", 2024), ("2023-2024", 2024), ("2023/24", 2024), ("2024", 2024), ("SY24", 2024), ("SY2023-24", 2024),
        ("SY 2024", 2024), ("1999-00", 2000), ("1999-2000", 2000), ("23-24", 2024),
    ],
)  # fmt: skip
def test_school_years_are_named_by_their_spring(tmp_path: Path, text: str, spring: int) -> None:
    """If not, a year's rows are counted in another year."""
    mapping = ATTENDANCE.format(how="A").replace("{constant: 2024}", "{from: Y, convert: spring_year}")
    judgement, rows = judged(tmp_path, mapping, f"Id,Y,S,A\n1,{text},Oak,3\n", "school_year")
    assert (judgement.accepted, rows) == (1, [(spring,)])


@pytest.mark.parametrize(
    ("how", "text", "days"),
    [
        ("A", "7.5", 7.5), ("A", "12,5", None), ("A", "1e1", 10.0), ("A", "nan", None), ("{from: A, scale: 0.5}", "7", 3.5),
        ("{from: A, decimal_comma: true}", "12,5", 12.5), ("{from: A, decimal_comma: true}", "1.5", None),
        ("{expression: \"greatest(\\\"A\\\"::double, 1)\"}", "x", None), ("A", "seven", None), ("A", "1,00", None),
    ],
)  # fmt: skip
def test_numbers_are_read_as_written_or_not_at_all(
    tmp_path: Path, how: str, text: str, days: float | None
) -> None:
    """If not, 12,5 days of absence become 125."""
    content = f'Id,S,A\n1,Oak,"{text}"\n2,Oak,"4"\n'
    judgement, rows = judged(tmp_path, ATTENDANCE.format(how=how), content, "days_absent")
    assert judgement.quarantined == (days is None), judgement.findings
    if days is not None:
        assert rows[0] == (days,)


def test_several_race_columns_become_one_list(town: Town) -> None:
    """If not, children of several races are put in one box."""
    text = ENROLLMENT_MAPPING.replace(
        'race_codes: {from: Race, separator: ";", codes: race}',
        "race_codes: {from: [Race, Hisp], codes: race}",
    ).replace("race: {B:", "race: {Y: HispanicorLatino, N: NotCollected, B:")
    town.mapping(text)
    row = "{n},A,B,04/01/2015,F,{race},2024,Oak,03,08/21/2023,{hisp}\n"
    rows = (
        row.format(n=1, race="W", hisp="Y")
        + row.format(n=2, race="b ", hisp="")
        + row.format(n=3, race="", hisp="")
    )
    town.take("enroll.csv", ENROLLMENT_HEADER.strip() + ",Hisp\n" + rows)
    assert town.rows("select race_codes from lake.k12_enrollment order by source_row") == [
        ("HispanicorLatino;White",),
        ("BlackorAfricanAmerican",),
        ("NotCollected",),
    ]


def test_rows_out_of_scope_are_counted_apart(enrolled: Town, enrollment: File) -> None:
    """If not, records meant for another feed look like faults of the partner."""
    enrolled.mapping(ENROLLMENT_MAPPING + 'rows: "\\"School\\" <> \'Elm\'"\n')
    more = "80,A,B,04/01/2015,F,W,2024,Elm,03,08/21/2023\n"
    judgement = enrolled.take("enroll.csv", enrollment(3, more=more)).judgement
    assert (judgement.rows_in, judgement.accepted, judgement.not_applicable, judgement.quarantined) == (
        4,
        3,
        1,
        0,
    )


def test_an_expression_can_say_whose_ids_they_are(town: Town) -> None:
    """If not, ids of two districts in one file are taken for one another."""
    town.mapping(ATTENDANCE.format(how="A") + 'issuer: {expression: "\'school_\' || \\"S\\""}\n')
    outcome = town.take("att.csv", "Id,S,A\n1,Oak,1\n1,Elm,2\n")
    assert outcome.judgement.accepted == 2
    assert town.rows("select count(distinct source_person_key), min(issuer_id) from lake.k12_attendance") == [
        (2, "school_Elm")
    ]


def test_a_check_stores_nothing_and_judges_alike(enrolled: Town, enrollment: File) -> None:
    """If not, partners cannot trust the answer they get before dropping a file."""
    import ingestion

    file = enrolled.drop("enroll.csv", enrollment(3, more="9,Ann,Lee,x,F,W,2024,Oak,03,08/21/2023\n"))
    before = {p for p in (enrolled.root / "data").rglob("*") if p.is_file()}
    checked = ingestion.check_file(file, "district", enrolled.community, enrolled.settings)[0]
    assert {p for p in (enrolled.root / "data").rglob("*") if p.is_file()} == before
    received = enrolled.receive()[0]
    assert (checked.status, checked.findings) == (received.status, received.findings)
