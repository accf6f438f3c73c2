"""Readers never notice a release."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from warehouse.publish import configured_targets, publish_release
from warehouse.release import list_releases, prune
from warehouse.settings import Settings

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.xdist_group("postgres")]

RELEASES = 50
# Eight readers without a breath would measure how two cores are shared, not whether anybody is locked out.
BREATH = "0.02"
KINDS = ("duckdb_held_open", "duckdb_opened_anew", "postgresql_statements", "postgresql_transactions")


def _small_marts(database: Path, number: int) -> None:
    """Three tables whose figures change with every release."""
    database.unlink(missing_ok=True)
    with duckdb.connect(str(database)) as con:
        con.execute("create schema core; create schema marts")
        con.execute(
            f"create table core.dim_organization as select 'o' || i as organization_key, 'Name {number} ' || i as organization_name, "
            "'School' as organization_type, null::varchar as parent_organization_key from range(2000) t(i)"
        )
        con.execute(
            f"create table core.dim_geography as select 'g' || i as geography_id, 'Place {number} ' || i as geography_name, "
            "'tract' as geography_type, true as is_in_community from range(500) t(i)"
        )
        con.execute(
            "create table marts.mart_data_health as select 'p' || i as partner_id, 'k12_enrollment' as feed_id, "
            f"{number} as delivery_n, 1000 as row_n from range(100) t(i)"
        )


def test_readers_ask_without_pause_during_fifty_releases(
    database: Any,
    synthetic: Any,
    tmp_path: Path,
    settings_for: Callable[[Any], Settings],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If not, a dashboard fails, waits or mixes figures of two nights whenever a night ends."""
    community = synthetic.make_community(tmp_path / "town")
    # Nobody here looks at pages and workbook, which take most of the time.
    for step in ("write_report_card", "write_workbook"):
        monkeypatch.setattr(f"warehouse.release.build.{step}", lambda *_: None)
    settings = settings_for(database)
    assert list(configured_targets(community, settings)) == ["postgresql"]

    def release(number: int) -> str:
        _small_marts(community.paths.warehouse, number)
        report = synthetic.build(community, run_id=f"r{number}", fingerprint=f"i{number}")
        assert report.created
        (outcome,) = publish_release(community, settings, report.path)
        assert outcome.published, outcome.message
        return str(report.release_id)

    made = [release(0)]
    with database.connect(autocommit=True) as con:
        con.execute("grant usage on schema throughline to bi_reader")
        con.execute("grant select on all tables in schema throughline to bi_reader")
    end = tmp_path / "end"
    wheres = {
        "duckdb": str(community.paths.releases / "current"),
        "postgresql": database.url.replace("publisher@", "bi_reader@"),
    }
    readers = [
        subprocess.Popen(
            [
                sys.executable,
                str(Path(__file__).with_name("reader.py")),
                kind,
                wheres[kind.split("_")[0]],
                str(end),
                BREATH,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for kind in KINDS
        for _ in range(2)
    ]
    try:
        for number in range(1, RELEASES + 1):
            made.append(release(number))
            prune(community.paths, keep=5)
    finally:
        end.touch()
    told = []
    for reader in readers:
        out, error = reader.communicate(timeout=60)
        assert reader.returncode == 0, error
        told.append(json.loads(out))
    assert len(list_releases(community.paths)) == 5
    for result in told:
        print({name: value if name != "seen" else len(value) for name, value in result.items()})
    for result in told:
        assert result["mixed"] == 0, result
        assert result["longest"] < 1, result
        assert result["asked"] > RELEASES, result
        if result["kind"] == "duckdb_held_open":
            assert len(result["seen"]) == 1, result
        else:
            assert len(result["seen"]) > RELEASES / 2, result
            assert result["seen"] == [name for name in made if name in result["seen"]], result
