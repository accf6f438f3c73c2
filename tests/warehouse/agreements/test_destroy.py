"""What was held under an agreement can be destroyed, wholly and provably, and nothing else with it."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from tests.ingestion.conftest import ENROLLMENT_HEADER, Town, enrollment_rows
from tests.warehouse.agreements.conftest import agree, relink
from warehouse.agreements import (
    DestructionError,
    agreement_standings,
    destroy_partner,
    read_certificates,
    stores,
    withdraw_overdue,
)
from warehouse.agreements import destroy as destruction
from warehouse.agreements.search import RemainsFoundError
from warehouse.settings import Settings
from warehouse.vault import access_log, derived_key, vault_key


def _settings(community: Town) -> Settings:
    return Settings(now=community.moment)


def _crosswalk(community: Town) -> list[tuple[str, str]]:
    file = community.community.paths.crosswalk / "crosswalk.parquet"
    return duckdb.sql(f"select partner_id, source_person_key from '{file}' order by all").fetchall()


def _files(community: Town, partner: str) -> list[Path]:
    paths = community.community.paths
    places = [paths.archive / partner, paths.quarantine / partner, *paths.lake.glob(f"*/{partner}")]
    return [file for place in places for file in place.rglob("*") if file.is_file()]


def test_nothing_of_the_partner_is_left_and_the_other_is_untouched(pair: Town) -> None:
    """If not, the partnership breaks its agreement, or another partner loses its data."""
    before = [key for partner, key in _crosswalk(pair) if partner == "south"]
    person = dict(
        pair.vault_rows(
            "select source_person_key, person_key from vault.person_record where valid_to is null"
        )
    )
    (pair.community.paths.warehouse.parent / "warehouse.duckdb").write_bytes(b"working copy")
    pair.drop("undelivered.csv", "x", "north")
    certificate, file = destroy_partner(pair.community, _settings(pair), "north", signer="privacy officer")
    assert _files(pair, "north") == []
    assert not list((pair.root / "data" / "landing" / "north").iterdir())
    assert pair.vault_rows("select count(*) from vault.identifier_record where partner_id = 'north'") == [
        (0,)
    ]
    assert pair.vault_rows("select count(distinct source_person_key) from vault.person_record") == [(30,)]
    assert not (pair.community.paths.warehouse.parent / "warehouse.duckdb").exists()
    assert [key for _, key in _crosswalk(pair)] == before
    now = dict(
        pair.vault_rows(
            "select source_person_key, person_key from vault.person_record where valid_to is null"
        )
    )
    assert now == {key: person[key] for key in before}
    assert len(_files(pair, "south")) == 3
    assert pair.rows("select partner_id, count(*) from lake.k12_enrollment group by 1") == [("south", 30)]
    assert certificate.keys_searched == 30
    assert certificate.removed["vault identifier records"] == 30
    assert json.loads(file.read_text())["signer"] == "privacy officer"


def test_the_certificate_is_bound_to_the_access_log(pair: Town) -> None:
    """If not, nobody can tell whether the record was made up later."""
    certificate, _ = destroy_partner(pair.community, _settings(pair), "north", signer="privacy officer")
    paths = pair.community.paths
    key = derived_key(vault_key(_settings(pair), paths), "access_log")
    assert certificate.access_log_head in {entry.chain for entry in access_log.verify(paths, key)}


@pytest.mark.parametrize("step", ["from_vault", "files_of", "folders_of", "working_copies", "drop_keys"])
def test_cut_off_anywhere_it_is_finished_by_asking_again(
    pair: Town, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If not, a power cut leaves half of a partner's data behind without anybody's knowing."""

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(stores, step, dies)
        with pytest.raises(KeyboardInterrupt):
            destroy_partner(pair.community, _settings(pair), "north", signer="privacy officer")
    assert read_certificates(pair.community.paths) == []
    certificate, _ = destroy_partner(pair.community, _settings(pair), "north", signer="privacy officer")
    assert certificate.keys_searched == 30
    assert _files(pair, "north") == []


@pytest.mark.parametrize("place", ["logs/night.log", "dagster/storage/event", "lake/stray.parquet"])
def test_remains_are_found_wherever_they_lie(pair: Town, place: str) -> None:
    """If not, the certificate says what is not so."""
    key = next(key for partner, key in _crosswalk(pair) if partner == "north")
    file = pair.root / "data" / place
    file.parent.mkdir(parents=True, exist_ok=True)
    if place.endswith(".parquet"):
        duckdb.sql(f"copy (select '{key}' as source_person_key) to '{file}'")
    else:
        file.write_bytes(b"x" * 5_000_000 + f"linked {key} today".encode())
    with pytest.raises(RemainsFoundError, match=place):
        destroy_partner(pair.community, _settings(pair), "north", signer="privacy officer")
    assert read_certificates(pair.community.paths) == []


def test_new_files_need_a_new_agreement(pair: Town) -> None:
    """If not, the next drop brings back what had to be destroyed."""
    destroy_partner(pair.community, _settings(pair), "north", signer="privacy officer")
    text = ENROLLMENT_HEADER + enrollment_rows(30)
    refused = pair.take("enroll_again.csv", text, "north")
    assert (refused.status, refused.findings[0].code) == ("refused", "agreement")
    assert (pair.root / "data" / "landing" / "north" / "enroll_again.csv").exists()
    assert _files(pair, "north") == []
    agree(pair, "north", "agreement_id: NORTH-2")
    (taken,) = [outcome for outcome in pair.receive() if outcome.partner_id == "north"]
    assert (taken.status, taken.judgement.accepted) == ("accepted", 30)


def test_deliveries_held_too_long_go_out_of_force_and_can_be_destroyed_alone(pair: Town) -> None:
    """If not, retention is a promise on paper."""
    agree(pair, "north", "agreement_id: NORTH-1, retention_days: 10")
    pair.moment += timedelta(days=30)
    pair.take(
        "enroll_new.csv",
        ENROLLMENT_HEADER + enrollment_rows(12, 25, "2024-25").replace("2024,", "2024,"),
        "north",
    )
    gone = withdraw_overdue(pair.community, pair.ledger, _settings(pair))
    assert [delivery.partner_id for delivery in gone] == ["north"]
    (standing,) = [
        s
        for s in agreement_standings(pair.community, pair.ledger, _settings(pair))
        if s.partner_id == "north"
    ]
    assert (standing.overdue, standing.deliveries) == (1, 2)
    assert "--overdue" in standing.advice
    relink(pair)
    certificate, _ = destroy_partner(
        pair.community, _settings(pair), "north", signer="privacy officer", only_overdue=True
    )
    assert certificate.keys_searched == 24  # the other six came again in the newer file
    assert pair.vault_rows(
        "select count(distinct source_person_key) from vault.identifier_record where partner_id = 'north'"
    ) == [(12,)]
    assert len(_crosswalk(pair)) == 42


def test_what_cannot_be_destroyed_is_said(pair: Town) -> None:
    """If not, a typing slip reads like success."""
    with pytest.raises(DestructionError, match="north, south"):
        destroy_partner(pair.community, _settings(pair), "nroth", signer="privacy officer")
    with pytest.raises(DestructionError, match="retention_days"):
        destroy_partner(pair.community, _settings(pair), "north", signer="x", only_overdue=True)
    assert destruction.folder(pair.community.paths).exists() is False
