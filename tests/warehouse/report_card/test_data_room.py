"""The partners' data room: outside the releases, honest about what is missing, small numbers told as small."""

from __future__ import annotations

import stat
from pathlib import Path
from types import ModuleType

import duckdb

from warehouse.community import Community
from warehouse.report_card import build_data_room
from warehouse.report_card.data_room import lateness, told_effect
from warehouse.settings import CommunityPaths, Settings


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
    assert ">2023-24</td>" in text and ">2018-19</td>" not in text


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
