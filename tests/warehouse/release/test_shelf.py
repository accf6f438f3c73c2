"""Looking after releases: verifying, comparing, rolling back, pruning."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import duckdb
import pytest

from warehouse.release import (
    ReleaseError,
    ReleaseReport,
    diff_releases,
    find_release,
    list_releases,
    prune,
    rollback,
    verify_release,
)
from warehouse.settings import CommunityPaths


@pytest.fixture
def three(tmp_path: Path, synthetic: ModuleType) -> CommunityPaths:
    """Three releases, the third current."""
    community = synthetic.make_community(tmp_path)
    for number, shift in enumerate((0.0, 0.05, 0.1), 1):
        synthetic.make_marts(community.paths.warehouse, shift=shift)
        synthetic.build(community, run_id=f"run-{number}", fingerprint=f"inputs-{number}")
    paths: CommunityPaths = community.paths
    return paths


def test_a_whole_release_verifies(release: tuple[CommunityPaths, ReleaseReport]) -> None:
    """If not, verification cries wolf and is switched off."""
    assert verify_release(release[0]) == []


def test_every_kind_of_damage_is_found(tmp_path: Path, synthetic: ModuleType) -> None:
    """If not, somebody changes a published figure and nobody can tell."""
    paths, report = synthetic.new_release(tmp_path)
    file = report.path / "csv" / "pub_indicator_v1.csv"
    original = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(original + b"x")
    (report.path / "extra.txt").write_text("hello")
    (report.path / "dictionary.csv").unlink()
    assert verify_release(paths) == [
        "csv/pub_indicator_v1.csv: changed since it was published",
        "dictionary.csv: missing",
        "extra.txt: not part of the release",
    ]


def test_a_forged_manifest_is_found(tmp_path: Path, synthetic: ModuleType) -> None:
    """If not, changing the figure and the hash beside it passes."""
    paths, report = synthetic.new_release(tmp_path)
    manifest = report.path / "manifest.json"
    text = manifest.read_text()
    table_hash = find_release(paths).tables["pub_indicator_rate_v1"]["hash"]
    manifest.chmod(0o644)
    manifest.write_text(text.replace(table_hash, "0" * 64))
    assert any("does not follow" in line for line in verify_release(paths))


def test_diff_tells_what_changed_and_because_of_which_delivery(three: CommunityPaths) -> None:
    """If not, staff cannot say why last week's figure reads otherwise."""
    found = diff_releases(three, "1", "2")
    assert [(f.indicator_id, f.cohort_year) for f in found.figures] == [("early_grade_reading", 2024)]
    told = " ".join(found.sentences())
    assert "early_grade_reading 2024" in told and "pub_indicator_rate_v1" in told
    assert not found.configuration_changed and not found.code_changed
    assert diff_releases(three, "1", "1").sentences()[0].endswith("tell the same.")


def test_rollback_switches_and_stays_until_something_changes(three: CommunityPaths) -> None:
    """If not, the next night undoes the rollback."""
    info = rollback(three, "2")
    assert info.is_current and (three.releases / "current").resolve().name == info.release_id
    assert info.input_fingerprint == "inputs-3"


def test_rollback_refuses_a_damaged_release(three: CommunityPaths) -> None:
    """If not, readers are sent to broken tables."""
    (find_release(three, "1").path / "tables" / "pub_indicator_v1.parquet").unlink()
    with pytest.raises(ReleaseError, match="damaged"):
        rollback(three, "1")
    assert find_release(three).number == 3


def test_an_unknown_release_is_answered_with_those_there_are(three: CommunityPaths) -> None:
    """If not, the user has to look for the names elsewhere."""
    with pytest.raises(ReleaseError, match="00003-"):
        find_release(three, "9")


def test_prune_keeps_the_current_and_the_newest(three: CommunityPaths) -> None:
    """If not, readers lose what they read, or a number is used twice."""
    rollback(three, "1")
    assert [name[:5] for name in prune(three, keep=1)] == ["00002"]
    assert [info.number for info in list_releases(three)] == [1, 3]
    with pytest.raises(ReleaseError):
        prune(three, keep=0)


def test_a_reader_holds_a_release_open_while_others_come_and_it_is_pruned(
    tmp_path: Path, synthetic: ModuleType
) -> None:
    """If not, a dashboard breaks in the middle of a query because a night ran."""
    community = synthetic.make_community(tmp_path)
    synthetic.make_marts(community.paths.warehouse)
    first = synthetic.build(community)
    with duckdb.connect(
        str(community.paths.releases / "current" / "throughline.duckdb"), read_only=True
    ) as reader:
        for number in (2, 3):
            synthetic.make_marts(community.paths.warehouse, shift=number / 100)
            synthetic.build(community, run_id=f"run-{number}", fingerprint=f"inputs-{number}")
        prune(community.paths, keep=1)
        assert not first.path.exists()
        ids = reader.execute("select distinct release_id from pub_indicator_rate_v1").fetchall()
    assert ids == [(first.release_id,)]
