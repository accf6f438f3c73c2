"""Many small files of many partners are one run, with a receipt each, and each costs as little as the first."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ingestion.acceptance import receive
from tests.ingestion.conftest import ENROLLMENT_HEADER, ENROLLMENT_MAPPING, Town, enrollment_rows

_PARTNERS, _FILES = 20, 40


def test_many_files_of_twenty_partners_are_one_run_with_a_receipt_each(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If not, a night on which all partners send starts as many runs as files, or one of them gets no answer."""
    for number in range(_PARTNERS):
        town.mapping(ENROLLMENT_MAPPING + "delivery_mode: increment\n", f"partner_{number:02}")
    for number in range(_FILES):
        bad = "x,A,B,04/01/2015,F,W,2023-24,,03,08/21/2023\n" if number % 10 == 0 else ""
        text = ENROLLMENT_HEADER + enrollment_rows(5, 1 + 5 * number) + bad
        town.drop(f"enroll_{number:03}.csv", text, f"partner_{number % _PARTNERS:02}")
    opened: list[int] = []
    real = receive.open_desk
    monkeypatch.setattr(receive, "open_desk", lambda *given: opened.append(len(given[2])) or real(*given))
    outcomes = town.receive()
    assert opened == [_FILES]
    assert [outcome.status for outcome in outcomes] == ["accepted"] * _FILES
    receipts = {outcome.receipt for outcome in outcomes if outcome.receipt is not None}
    assert len(receipts) == _FILES
    for receipt in receipts:
        _counts_of(receipt)
    assert town.rows(
        "select count(*), count(distinct partner_id), count(distinct delivery_id) from lake.k12_enrollment"
    ) == [(5 * _FILES, _PARTNERS, _FILES)]
    told = town.ledger.latest_deliveries(2 * _FILES)
    assert len(told) == _FILES
    assert {town.root / "data" / str(delivery.receipt) for delivery in told} == receipts
    assert all(delivery.is_finished for delivery in told)
    assert not [path for path in (town.root / "data" / "landing").rglob("*") if path.is_file()]


def _counts_of(receipt: Path) -> None:
    """Taken and put aside are all rows of the file."""
    assert receipt.is_file()
    with receipt.with_suffix(".csv").open(encoding="utf-8", newline="") as stream:
        counts = {
            row["finding"]: int(row["rows_concerned"])
            for row in csv.DictReader(stream)
            if row["severity"] == "count"
        }
    assert counts["rows_in_file"] == counts["rows_accepted"] + counts["rows_quarantined"]
    assert counts["rows_accepted"] == 5
