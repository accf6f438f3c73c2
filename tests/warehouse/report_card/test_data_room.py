"""The partners' data room: outside the releases, honest about what is missing, small numbers told as small."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import duckdb
import pytest

from warehouse.community import Community, load_community
from warehouse.ledger import Delivery, Ledger
from warehouse.report_card import build_data_room
from warehouse.report_card.data_room import lateness, told_effect
from warehouse.settings import CommunityPaths, Settings


def _delivery(number: int, **changes: object) -> Delivery:
    held: dict[str, object] = {
        "delivery_id": f"{number:016x}",
        "delivery_seq": number,
        "partner_id": "riverbend",
        "feed_id": "k12_enrollment",
        "mapping": "sis",
        "mode": "full_snapshot",
        "file_name": f"Ada_Lovelace_{number}.csv",
        "sha256": f"{number:064x}",
        "size_bytes": 10,
        "received_at": datetime(2024, 11, number, tzinfo=UTC),
        "status": "accepted",
        "rows_in": 100,
        "rows_accepted": 97,
        "rows_quarantined": 3,
        "rows_refused": 0,
        "rows_not_applicable": 0,
        "findings": [
            {"code": "late_exit", "severity": "quarantine", "why": "Exit before entry.", "fix": "Correct it."}
        ],
        "receipt": "receipts/riverbend/Ada_Lovelace_1.csv.html",
    }
    return Delivery(**(held | changes))


def _add_marts(database: Path) -> None:
    with duckdb.connect(str(database)) as con:
        con.execute(
            """
            create table if not exists marts.mart_linkage_quality as select * from (values
                ('k12_enrollment', 'riverbend', 'all', 'all', 400, 380, 0.95, 420, 0, 1.0),
                ('k12_enrollment', 'riverbend', 'race', 'white', 300, 290, 0.967, 420, 0, 1.0),
                ('k12_enrollment', 'riverbend', 'race', 'asian', 4, 3, 0.75, 420, 0, 1.0))
                t(feed_id, partner_id, dimension, group_value, person_n, matched_n, match_rate, row_n, unlinked_row_n, linked_rate);
            create table if not exists core.fct_indicator_status as
            select 'early_grade_reading' as indicator_id, 2024 as cohort_year, 'riverbend' as partner_id,
                'not_measured' as status, 'no_record:k12_enrollment' as exclusion_reason from range(40)
            union all select 'early_grade_reading', 2024, 'riverbend', 'not_measured', 'missing:k12_fafsa' from range(3)
            union all select 'early_grade_reading', 2019, 'riverbend', 'not_measured', 'no_record:k12_enrollment' from range(40)
            """
        )


@pytest.fixture(scope="module")
def room(community_paths: CommunityPaths) -> Path:
    _add_marts(community_paths.warehouse)
    community = load_community(community_paths.root)
    ledger = Ledger.open(community_paths, Settings())
    receipts = community_paths.receipts / "riverbend"
    receipts.mkdir(parents=True)
    (receipts / "index.html").write_text("receipts", encoding="utf-8")
    ledger.record(_delivery(1), [])
    ledger.record(_delivery(2, status="refused", rows_accepted=0, rows_quarantined=0, rows_in=0), [])
    settings = Settings(now=datetime.fromisoformat("2024-11-15T02:30:00+00:00"))
    return build_data_room(community, settings, warehouse_db=community_paths.warehouse, ledger=ledger).parent


def test_the_room_is_no_part_of_a_release_and_closed_to_others(
    community_paths: CommunityPaths, room: Path
) -> None:
    """Otherwise partners' shortcomings are published."""
    assert community_paths.releases not in room.parents
    assert not stat.S_IMODE(room.stat().st_mode) & 0o077
    assert {"index.html", "style.css", "riverbend", "tiny"} == {item.name for item in room.iterdir()}


def test_a_partners_page_tells_deliveries_acceptance_matches_and_effects(room: Path) -> None:
    """Otherwise a partner does not learn what its data lacks and what that costs."""
    text = (room / "riverbend" / "index.html").read_text(encoding="utf-8")
    assert "Exit before entry. Correct it." in text and "refused" in text and "accepted" in text
    assert 'href="../../receipts/riverbend/index.html"' in text
    assert "95.0%" in text and "fewer than 10" in text
    assert "Early grade reading" in text


def test_the_page_names_no_file_and_no_other_partners_data(room: Path) -> None:
    """Otherwise a name inside a file's name leaves the vault, or one partner reads another's figures."""
    text = (room / "riverbend" / "index.html").read_text(encoding="utf-8")
    assert "Lovelace" not in text
    assert "FAFSA" not in text.split("<h2>Deliveries</h2>")[1]
    tiny = (room / "tiny" / "index.html").read_text(encoding="utf-8")
    assert "Exit before entry" not in tiny


def test_only_the_latest_years_are_told(room: Path) -> None:
    """Otherwise the page buries what can still be mended."""
    text = (room / "riverbend" / "index.html").read_text(encoding="utf-8")
    assert ">2024</td>" in text and ">2019</td>" not in text


def test_missing_people_give_a_range_from_none_to_all() -> None:
    """Otherwise the effect of missing data is guessed."""
    row = {"missing_n": 20, "denominator_n": 80, "numerator_n": 40}
    told = told_effect(row, 10)
    assert (told["low"], told["high"]) == (0.4, 0.6)
    few = told_effect({**row, "missing_n": 9}, 10)
    assert few["is_small"] and few["low"] is None
    assert told_effect({**row, "denominator_n": None}, 10)["low"] is None


def test_lateness_has_three_states() -> None:
    """Otherwise a feed that never came looks like one that is late by a day."""
    assert lateness({"accepted_n": 0, "is_fresh": False}) == "never came"
    assert lateness({"accepted_n": 2, "is_fresh": False}) == "late"
    assert lateness({"accepted_n": 2, "is_fresh": True}) == "on time"


def test_a_community_without_a_night_has_an_empty_room(tmp_path: Path, marts: ModuleType) -> None:
    """Otherwise the first night fails at its last step."""
    community: Community = marts.make_community(tmp_path / "new")
    duckdb.connect(str(community.paths.warehouse)).close()
    page = build_data_room(community, Settings(), warehouse_db=community.paths.warehouse)
    assert "How each partner" in page.read_text(encoding="utf-8")


def test_who_was_let_in_stays_let_in(tmp_path: Path, marts: ModuleType) -> None:
    """If not, the web server shows the data room until the next night, and an error after it."""
    community: Community = marts.make_community(tmp_path / "new")
    duckdb.connect(str(community.paths.warehouse)).close()
    room = build_data_room(community, Settings(), warehouse_db=community.paths.warehouse).parent
    for mode, of_files in ((0o700, 0o600), (0o750, 0o640)):
        room.chmod(mode)
        build_data_room(community, Settings(), warehouse_db=community.paths.warehouse)
        assert stat.S_IMODE(room.stat().st_mode) == mode
        assert {stat.S_IMODE(file.stat().st_mode) for file in room.rglob("*") if file.is_file()} == {of_files}
