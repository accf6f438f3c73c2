"""Making a release: atomic, immutable, repeatable."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from types import ModuleType

import duckdb
import openpyxl
import pytest

from warehouse.release import ReleaseReport, build_release, list_releases, published_tables, read_manifest
from warehouse.release import build as build_module
from warehouse.settings import CommunityPaths, Settings

Released = tuple[CommunityPaths, ReleaseReport]


def _hashes(path: Path) -> dict[str, str]:
    return {name: table["hash"] for name, table in read_manifest(path)["tables"].items()}


def test_current_points_to_the_release_by_a_relative_link(release: Released) -> None:
    """If not, a community folder that is moved or restored loses its release."""
    paths, report = release
    link = paths.releases / "current"
    assert link.is_symlink()
    assert not link.readlink().is_absolute()
    assert link.resolve() == report.path


def test_files_cannot_be_written(release: Released) -> None:
    """If not, a careless tool changes what was published."""
    _, report = release
    assert {stat.S_IMODE(f.stat().st_mode) for f in report.path.rglob("*") if f.is_file()} == {0o444}


def test_parquet_duckdb_and_csv_hold_the_same_rows(release: Released) -> None:
    """If not, two analysts get two answers."""
    _, report = release
    with duckdb.connect(str(report.path / "throughline.duckdb"), read_only=True) as con:
        for name, rows in report.row_counts.items():
            for kind, reader in (("tables/{}.parquet", "read_parquet"), ("csv/{}.csv", "read_csv")):
                file = f"{reader}('{report.path / kind.format(name)}')"
                assert con.execute(f"select count(*) from {file}").fetchone() == (rows,)
            parquet = f"read_parquet('{report.path / 'tables' / f'{name}.parquet'}')"
            for left, right in ((name, parquet), (parquet, name)):
                assert con.execute(
                    f"select count(*) from (from {left} except all from {right})"
                ).fetchone() == (0,)


def test_every_row_carries_the_release(release: Released) -> None:
    """If not, a reader cannot tell a mix of two releases from one."""
    _, report = release
    with duckdb.connect() as con:
        for name in report.row_counts:
            file = report.path / "tables" / f"{name}.parquet"
            ids = con.execute(f"select distinct release_id from '{file}'").fetchall()
            assert ids in ([(report.release_id,)], [])


def test_duckdb_file_explains_every_table_and_column(release: Released) -> None:
    """If not, an analyst guesses what a column means."""
    _, report = release
    with duckdb.connect(str(report.path / "throughline.duckdb"), read_only=True) as con:
        bare = con.execute(
            "select table_name, column_name from duckdb_columns() where comment is null and schema_name = 'main' "
            "and not internal union all select table_name, '' from duckdb_tables() where comment is null"
        ).fetchall()
    assert bare == []


def test_columns_are_those_promised(release: Released) -> None:
    """If not, a dashboard breaks without a new version of the table's name."""
    _, report = release
    with duckdb.connect() as con:
        for table in published_tables():
            file = report.path / "tables" / f"{table.name}.parquet"
            found = [(row[0], row[1].lower()) for row in con.execute(f"describe from '{file}'").fetchall()]
            assert found == [(name, column.type) for name, column in table.all_columns.items()]


def test_nothing_changed_makes_no_release(tmp_path: Path, synthetic: ModuleType) -> None:
    """If not, releases multiply every night without a new figure."""
    community = synthetic.make_community(tmp_path)
    synthetic.make_marts(community.paths.warehouse)
    first = synthetic.build(community)
    synthetic.make_marts(community.paths.warehouse, age_days=40)  # the clock went on
    second = synthetic.build(community, run_id="run-2", fingerprint="inputs-2")
    assert first.created and not second.created
    assert second.release_id == first.release_id and "stays" in second.message
    assert list_releases(community.paths)[0].input_fingerprint == "inputs-2"


def test_a_changed_figure_makes_the_next_release(tmp_path: Path, synthetic: ModuleType) -> None:
    """If not, a correction never reaches readers."""
    community = synthetic.make_community(tmp_path)
    synthetic.make_marts(community.paths.warehouse)
    synthetic.build(community)
    synthetic.make_marts(community.paths.warehouse, shift=0.05)
    report = synthetic.build(community, run_id="run-2", fingerprint="inputs-2")
    assert report.created
    assert [(r.number, r.is_current) for r in list_releases(community.paths)] == [(1, False), (2, True)]


def test_two_communities_on_two_paths_have_the_same_hashes_and_files(
    release: Released, tmp_path: Path, synthetic: ModuleType
) -> None:
    """If not, nobody can prove where a release comes from."""
    _, here = release
    _, there = synthetic.new_release(tmp_path / "quite" / "another path")
    assert _hashes(here.path) == _hashes(there.path)
    assert here.release_id == there.release_id
    mine, yours = read_manifest(here.path)["files"], read_manifest(there.path)["files"]
    differ = {name for name in mine if mine[name] != yours[name]}
    assert differ <= {"throughline.duckdb"}  # DuckDB lays out its file as it likes


def test_a_night_killed_before_the_rename_leaves_no_trace(
    tmp_path: Path, synthetic: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If not, half a release lies among the whole ones."""
    community = synthetic.make_community(tmp_path)
    synthetic.make_marts(community.paths.warehouse)
    with monkeypatch.context() as patch:
        patch.setattr(build_module, "write_report_card", _power_cut)
        with pytest.raises(SystemError):
            synthetic.build(community)
    assert list_releases(community.paths) == []
    report = synthetic.build(community, run_id="run-2")
    assert report.release_id.startswith("00001-")
    assert [item.name for item in community.paths.releases.iterdir() if item.name.startswith(".b")] == []


def test_a_night_killed_before_the_switch_is_taken_up(
    tmp_path: Path, synthetic: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If not, the same figures are published twice under two numbers."""
    community = synthetic.make_community(tmp_path)
    synthetic.make_marts(community.paths.warehouse)
    with monkeypatch.context() as patch:
        patch.setattr(build_module, "switch", _power_cut)
        with pytest.raises(SystemError):
            synthetic.build(community)
    assert not (community.paths.releases / "current").exists()
    report = synthetic.build(community, run_id="run-2")
    assert report.created and report.release_id.startswith("00001-")
    assert len(list_releases(community.paths)) == 1


def _power_cut(*_: object) -> None:
    raise SystemError("power cut")


def test_a_missing_mart_is_left_out_and_told(tmp_path: Path, synthetic: ModuleType) -> None:
    """If not, a table is missing and nobody knows why."""
    community = synthetic.make_community(tmp_path)
    synthetic.make_marts(community.paths.warehouse)
    with duckdb.connect(str(community.paths.warehouse)) as con:
        con.execute("drop table marts.mart_community_measure")
        con.execute("alter table marts.mart_gateway_status drop column since_date")
    report = synthetic.build(community)
    assert "pub_community_measure_v1" not in report.row_counts
    told = " ".join(read_manifest(report.path)["warnings"])
    assert "pub_community_measure_v1" in told and "pub_gateway_status_v1.since_date" in told


def test_without_rates_nothing_that_rests_on_them_is_published(tmp_path: Path, synthetic: ModuleType) -> None:
    """If not, gaps and trends of small groups go out unprotected."""
    community = synthetic.make_community(tmp_path)
    synthetic.make_marts(community.paths.warehouse)
    with duckdb.connect(str(community.paths.warehouse)) as con:
        con.execute("drop table marts.mart_indicator_rate")
    report = synthetic.build(community)
    assert not {
        "pub_indicator_trend_v1",
        "pub_disparity_gap_v1",
        "pub_gap_trend_v1",
        "pub_disparity_dimension_v1",
        "pub_gateway_gap_v1",
    } & set(report.row_counts)


def test_the_manifest_tells_no_size_of_a_tiny_file(release: Released) -> None:
    """If not, the public learns that a partner has two such students."""
    _, report = release
    rows = {d["partner_id"]: d["rows_accepted"] for d in read_manifest(report.path)["deliveries"]}
    assert rows == {"riverbend": 4200, "state": 3100, "tiny": None}


def test_workbook_opens_and_holds_the_outcomes(release: Released) -> None:
    """If not, staff who work in a spreadsheet have nothing."""
    _, report = release
    book = openpyxl.load_workbook(report.path / "workbook.xlsx", read_only=True)
    assert {"read me", "Indicator rates", "Disparity gaps", "Gateway status"} <= set(book.sheetnames)
    assert book["Indicator rates"]["A1"].value == "indicator_id"


def test_data_package_describes_every_csv(release: Released) -> None:
    """If not, an open-data portal cannot take the files."""
    _, report = release
    package = json.loads((report.path / "csv" / "datapackage.json").read_text())
    assert {r["path"] for r in package["resources"]} == {f.name for f in (report.path / "csv").glob("*.csv")}
    for resource in package["resources"]:
        header = (report.path / "csv" / resource["path"]).read_text().splitlines()[0]
        assert header == ",".join(field["name"] for field in resource["schema"]["fields"])


def test_the_quality_gates_verdict_travels_with_the_release(tmp_path: Path, synthetic: ModuleType) -> None:
    """If not, a reader cannot see which checks the figures passed."""
    community = synthetic.make_community(tmp_path)
    synthetic.make_marts(community.paths.warehouse)
    result = {
        "rule_id": "r",
        "table": "marts.m",
        "severity": "warn",
        "success": False,
        "why": "w",
        "unexpected_n": 2,
    }
    (community.paths.quality / "run-1.json").write_text(json.dumps({"results": [result]}))
    report = build_release(
        community.paths,
        Settings(now=synthetic.NOW),
        community,
        warehouse_db=community.paths.warehouse,
        run_id="run-1",
        deliveries=[],
        input_fingerprint="i",
        code_version="c",
    )
    audit = json.loads((report.path / "audits" / "quality.json").read_text())
    assert audit["failed"] == 1
    assert "unexpected_n" not in audit["results"][0]


def test_all_may_read_a_release_and_nobody_write_it(release: Released) -> None:
    """If not, the web server and the analysts' accounts find a closed door, or a published number is changed."""
    folder = release[1].path
    items = [folder, *folder.rglob("*")]
    modes = {(item.is_dir(), stat.S_IMODE(item.stat().st_mode)) for item in items}
    assert modes == {(True, 0o755), (False, 0o444)}
