"""What a new delivery replaces under each mode, and what the lake was on any past day."""

from __future__ import annotations

from datetime import datetime, timedelta

import duckdb
import pytest

from ingestion.contracts import load_contracts
from ingestion.mapping import MappingError, read_mapping
from tests.ingestion.conftest import ENROLLMENT_HEADER, ENROLLMENT_MAPPING, Town, enrollment_rows
from warehouse import lake

_IN_FORCE = "select school_year, count(*) from lake.k12_enrollment group by 1 order by 1"


def _mode(town: Town, mode: str, more: str = "") -> None:
    town.mapping(f"{ENROLLMENT_MAPPING}delivery_mode: {mode}\n{more}")


def _file(count: int, first: int = 1, year: str = "2023-24") -> str:
    return ENROLLMENT_HEADER + enrollment_rows(count, first, year)


def _as_of(town: Town, moment: datetime) -> list[tuple[object, ...]]:
    with duckdb.connect() as con:
        specs = [contract.lake_spec() for contract in load_contracts().values()]
        lake.register(con, town.community.paths, town.ledger.current_files(moment), specs)
        return con.execute(_IN_FORCE).fetchall()


@pytest.mark.parametrize(
    ("mode", "after"),
    [
        ("full_snapshot", [(2025, 2)]),
        ("school_year_snapshot", [(2024, 3), (2025, 2)]),
        ("increment", [(2024, 3), (2025, 4)]),
        ("upsert", [(2024, 3), (2025, 3)]),
    ],
)
def test_a_mode_says_what_a_new_file_replaces(town: Town, mode: str, after: list[tuple[int, int]]) -> None:
    """If not, a file of changes empties a table, or a snapshot leaves those who left."""
    _mode(town, mode)
    town.take("enroll_1.csv", _file(3) + enrollment_rows(2, 10, "2024-25"))
    town.take("enroll_2.csv", _file(2, 11, "2024-25"))
    assert town.rows(_IN_FORCE) == after


def test_an_upsert_changes_and_deletes_by_key(town: Town) -> None:
    """If not, a student whom the source deleted stays enrolled for ever."""
    _mode(town, "upsert", "deleted: \"Status = 'D'\"\n")
    header = ENROLLMENT_HEADER.strip() + ",Status\n"
    rows = [line + ",A\n" for line in enrollment_rows(3).splitlines()]
    town.take("enroll_1.csv", header + "".join(rows))
    # A deletion holds no more than the key; its names, grade and codes are empty.
    changed = rows[1].replace(",03,", ",04,")
    outcome = town.take("enroll_2.csv", header + changed + "1,,,,,,2023-24,Oak,,08/21/2023,D\n")
    assert (outcome.judgement.accepted, outcome.judgement.quarantined) == (2, 0)
    assert town.rows("select grade_level from lake.k12_enrollment order by delivery_seq, source_row") == [
        ("03",),
        ("04",),
    ]
    assert town.vault_rows("select count(*) from vault.identifier_record where first_name is null") == [(0,)]
    # It comes back when the source sends it again.
    town.take("enroll_3.csv", header + rows[0])
    assert town.rows("select count(*) from lake.k12_enrollment") == [(3,)]


def test_deletions_need_a_mode_that_has_them(town: Town) -> None:
    """If not, a mapping deletes rows where every file replaces all."""
    _mode(town, "full_snapshot", "deleted: \"Status = 'D'\"\n")
    with pytest.raises(MappingError, match=r"mapping\.yml:\d+: rows delete others only with"):
        read_mapping(town.root / "partners" / "district" / "feeds" / "mapping.yml")


def test_the_lake_of_any_past_day_can_be_rebuilt(enrolled: Town) -> None:
    """If not, nobody can say on what data last year's report card stood."""
    days = [enrolled.moment + timedelta(days=n, hours=1) for n in range(5)]
    first = enrolled.take("enroll_1.csv", _file(3))
    second = enrolled.take("enroll_2.csv", _file(4))
    enrolled.ledger.withdraw(str(second.delivery_id), enrolled.moment)
    enrolled.moment += timedelta(days=1)
    enrolled.ledger.reinstate(str(second.delivery_id), enrolled.moment)
    enrolled.moment += timedelta(days=1)
    enrolled.take("enroll_3.csv", _file(5))
    assert first.delivery_id is not None
    assert [_as_of(enrolled, day) for day in days] == [[(2024, n)] for n in (3, 4, 3, 4, 5)]
    assert _as_of(enrolled, days[0] - timedelta(days=2)) == []


def test_same_bytes_are_recognized_and_receipted_and_not_read(enrolled: Town) -> None:
    """If not, a partner that sends a file twice counts twice, or gets no answer."""
    enrolled.take("enroll_1.csv", _file(3))
    again = enrolled.take("enroll_other_name.csv", _file(3))
    assert again.status == "duplicate"
    assert [finding.code for finding in again.findings] == ["same_file_again"]
    assert again.receipt is not None
    assert "nothing was read again" in again.receipt.read_text(encoding="utf-8")
    assert enrolled.rows(_IN_FORCE) == [(2024, 3)]
