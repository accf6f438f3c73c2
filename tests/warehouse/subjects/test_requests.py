"""One person's request is answered wholly, touches nobody else, and holds for what comes later."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import duckdb
import pytest

from tests.ingestion.conftest import ENROLLMENT_HEADER, Town, enrollment_rows
from tests.warehouse.agreements.conftest import relink
from warehouse.settings import Settings
from warehouse.subjects import (
    SubjectNotFoundError,
    correct_subject,
    export_subject,
    remove,
    remove_subject,
)
from warehouse.subjects.correct import SubjectRequestError

# Both partners have the child of this number; its names and birth date agree, so linkage joins the two records.
BOTH = "25"


def _settings(community: Town) -> Settings:
    return Settings(now=community.moment)


def test_an_export_holds_all_records_and_is_private(pair: Town, tmp_path: Path) -> None:
    """If not, a parent learns half of what is held, or everybody on the machine does."""
    target = tmp_path / "person.json"
    subject = export_subject(pair.community, _settings(pair), "north", BOTH, target)
    assert subject.partners == {"north": 1, "south": 1}
    document = json.loads(target.read_text())
    assert {row["partner_id"] for row in document["identifiers"]} == {"north", "south"}
    assert {row["first_name"] for row in document["identifiers"]} == {"Name25"}
    assert len(document["rows_by_feed"]["k12_enrollment"]) == 2
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert pair.vault_rows("select 1") == [(1,)]
    log = (pair.root / "data" / "vault" / "access_log.jsonl").read_text()
    assert "subject request: export" in log and "Name25" not in log
    alone = export_subject(
        pair.community, _settings(pair), "north", BOTH, tmp_path / "one.json", only_named=True
    )
    assert alone.partners == {"north": 1}


def test_an_id_that_is_not_held_is_not_repeated(pair: Town, tmp_path: Path) -> None:
    """If not, ids end in logs and terminals."""
    with pytest.raises(SubjectNotFoundError) as told:
        export_subject(pair.community, _settings(pair), "north", "987654", tmp_path / "x.json")
    assert "987654" not in str(told.value)
    assert not (tmp_path / "x.json").exists()


def test_a_removed_person_is_gone_and_stays_away(pair: Town) -> None:
    """If not, the next file brings back whom the partnership promised to forget."""
    subject, removed = remove_subject(pair.community, _settings(pair), "north", BOTH)
    assert len(subject.source_person_keys) == 2
    assert removed["lake rows"] == 2
    assert removed["archived originals"] == 2
    assert pair.vault_rows("select count(*) from vault.identifier_record where first_name = 'Name25'") == [
        (0,)
    ]
    assert pair.rows("select count(*) from lake.k12_enrollment") == [(58,)]
    outcome = pair.take("enroll_2.csv", ENROLLMENT_HEADER + enrollment_rows(31), "north")
    assert (outcome.judgement.accepted, outcome.judgement.not_applicable) == (30, 1)
    assert "removed_on_request" in {finding.code for finding in outcome.findings}
    assert pair.vault_rows("select count(*) from vault.identifier_record where first_name = 'Name25'") == [
        (0,)
    ]
    assert not list((pair.root / "data" / "archive" / "north").iterdir())


def test_a_quarantined_row_of_the_person_goes_too(pair: Town) -> None:
    """If not, what was faulty is kept for ever."""
    file = next((pair.root / "data" / "quarantine" / "north").iterdir())
    before = file.stat().st_size
    pair.take(
        "enroll_more.csv",
        ENROLLMENT_HEADER + enrollment_rows(1, 77, "2022-23") + enrollment_rows(30),
        "north",
    )
    relink(pair)
    _, removed = remove_subject(pair.community, _settings(pair), "north", "77")
    assert removed["quarantined rows"] == 1
    assert file.stat().st_size != before


def test_a_removal_cut_off_is_finished_by_asking_again(pair: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """If not, a power cut leaves the person half removed and no longer to be found."""

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(remove.stores, "forget_persons", dies)
        with pytest.raises(KeyboardInterrupt):
            remove_subject(pair.community, _settings(pair), "north", BOTH)
    remove_subject(pair.community, _settings(pair), "north", BOTH)
    assert pair.vault_rows("select count(*) from vault.identifier_record where first_name = 'Name25'") == [
        (0,)
    ]
    (delivery,) = pair.ledger.partner_deliveries("north")
    assert (delivery.rows_accepted, delivery.rows_not_applicable) == (29, 1)


def test_a_correction_holds_for_later_deliveries(pair: Town) -> None:
    """If not, the partner's next file undoes it."""
    _, changed = correct_subject(pair.community, _settings(pair), "north", BOTH, {"birth_date": "2013-02-03"})
    assert changed == 1
    born = "select distinct birth_date::varchar from vault.identifier_record where first_name = 'Name25' and partner_id = 'north'"
    assert pair.vault_rows(born) == [("2013-02-03",)]
    assert pair.rows("select count(*) from lake.k12_enrollment where birth_year = 2013") == [(1,)]
    pair.take("enroll_2.csv", ENROLLMENT_HEADER + enrollment_rows(30, 1, "2022-23"), "north")
    assert pair.vault_rows(born) == [("2013-02-03",)]
    assert pair.rows("select count(*) from lake.k12_enrollment where birth_year = 2013") == [(2,)]


def test_a_correction_leaves_the_lake_as_the_ledger_knows_it(pair: Town) -> None:
    """If not, the next night takes the file for a damaged one."""
    correct_subject(
        pair.community, _settings(pair), "north", BOTH, {"postal_code": "10001", "last_name": "New"}
    )
    for file in pair.ledger.current_files():
        path = pair.root / "data" / file.path
        assert duckdb.sql(f"select sha256(content) from read_blob('{path}')").fetchone() == (file.sha256,)


@pytest.mark.parametrize(
    ("name", "value"), [("state_student_id", "1"), ("race", "x"), ("birth_date", "3 Feb")]
)
def test_what_cannot_be_corrected_is_said_without_the_value(pair: Town, name: str, value: str) -> None:
    """If not, a typing slip writes nonsense into the vault."""
    with pytest.raises(SubjectRequestError) as told:
        correct_subject(pair.community, _settings(pair), "north", BOTH, {name: value})
    assert "3 Feb" not in str(told.value)
