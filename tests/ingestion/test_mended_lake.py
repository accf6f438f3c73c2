"""A damaged lake file is made again from the archived original, or the night says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

import ingestion
from tests.ingestion.conftest import ENROLLMENT_HEADER, Town, enrollment_rows
from warehouse.lake import LakeError
from warehouse.ledger import LedgerError
from warehouse.vault import VaultLostError

ALL = "select * from lake.k12_enrollment order by delivery_seq, source_row"


def _lake_files(town: Town) -> list[Path]:
    return [town.community.paths.data / file.path for file in town.ledger.current_files()]


@pytest.fixture
def taken(enrolled: Town) -> Town:
    enrolled.take("enroll_1.csv", ENROLLMENT_HEADER + enrollment_rows(5))
    enrolled.take("enroll_2.csv", ENROLLMENT_HEADER + enrollment_rows(5, 20, "2024-25"))
    return enrolled


@pytest.mark.parametrize("damage", ["gone", "cut", "flipped"])
def test_it_is_made_again_under_its_own_number_and_day(taken: Town, damage: str) -> None:
    """If not, a bad disk costs a partner's rows, or the past reads differently afterwards."""
    rows, before = taken.rows(ALL), taken.ledger.delivery_rows()
    file = _lake_files(taken)[0]
    whole = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(whole[:-9] if damage == "cut" else whole[:40] + bytes([whole[40] ^ 1]) + whole[41:])
    # A file of the same name has just been dropped; it must not be written over.
    taken.drop("enroll_1.csv", ENROLLMENT_HEADER + enrollment_rows(6, 50, "2025-26"))
    outcomes = ingestion.mend_lake(taken.community, taken.settings, taken.ledger)
    assert [outcome.status for outcome in outcomes] == ["accepted"]
    assert file.read_bytes() == whole
    assert taken.ledger.delivery_rows()[:2] == before
    assert taken.rows(ALL)[: len(rows)] == rows
    assert list((taken.community.paths.landing / "district").rglob("*")) == []
    assert ingestion.mend_lake(taken.community, taken.settings, taken.ledger) == []


def test_without_its_original_the_night_says_what_to_do(taken: Town) -> None:
    """If not, the rows are missing from the next release and nobody knows."""
    _lake_files(taken)[0].unlink()
    for original in taken.community.paths.archive.rglob("*.enc"):
        original.unlink()
    with pytest.raises(LakeError, match="delivery withdraw"):
        ingestion.mend_lake(taken.community, taken.settings, taken.ledger)
    assert len(taken.ledger.current_files()) == 2


def test_a_lost_vault_is_not_replaced_by_an_empty_one(taken: Town) -> None:
    """If not, everybody gets another person key, and trends break without a word."""
    taken.community.paths.vault.unlink()
    with pytest.raises(VaultLostError, match="restore"):
        taken.take("enroll_3.csv", ENROLLMENT_HEADER + enrollment_rows(1, 40))
    assert not taken.community.paths.vault.exists()


@pytest.mark.parametrize("damage", ["gone", "empty", "no database", "a page"])
def test_a_lost_or_damaged_ledger_is_told_and_not_replaced(taken: Town, damage: str) -> None:
    """If not, the platform forgets every delivery and takes an empty community for the truth."""
    file = taken.community.paths.ledger
    whole = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        changed = {
            "empty": b"",
            "no database": b"x" * 9000,
            "a page": whole[:4100] + b"\xff" * 3000 + whole[7100:],
        }
        file.write_bytes(changed[damage])
    with pytest.raises(LedgerError, match="restore"):
        _ = taken.ledger
    assert damage == "gone" or file.read_bytes() == changed[damage]
