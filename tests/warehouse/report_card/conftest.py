"""One release of the synthetic community with a map and a language of its own, which tests only read."""

from __future__ import annotations

import importlib.util
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import duckdb
import pytest

from warehouse.community import load_community
from warehouse.ledger import Delivery, Ledger
from warehouse.report_card import build_data_room
from warehouse.settings import CommunityPaths, Settings

_SYNTHETIC = Path(__file__).parents[1] / "release" / "synthetic.py"
PLACES = ("zip:45201", "zip:45202", "zip:45203")


@pytest.fixture(scope="session")
def marts() -> ModuleType:
    name = "synthetic_marts_of_report_card"
    spec = importlib.util.spec_from_file_location(name, _SYNTHETIC)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def write_shapes(root: Path) -> None:
    """Three squares beside each other."""
    features = [
        {
            "type": "Feature",
            "properties": {"geography_id": place},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[n, 40], [n + 1, 40], [n + 1, 41], [n, 41], [n, 40]]],
            },
        }
        for n, place in enumerate(PLACES)
    ]
    (root / "shapes.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def add_places(database: Path) -> None:
    """Spread everyone's rates over three places, so that there is something to draw."""
    with duckdb.connect(str(database)) as con:
        for number, place in enumerate(PLACES):
            con.execute(
                f"""
                insert into core.dim_geography values ('{place}', '{place[4:]}', 'zip', true);
                insert into marts.mart_indicator_rate by name
                select * replace ('{place}' as geography_id, rate * (0.8 + 0.1 * {number}) as rate)
                from marts.mart_indicator_rate
                where geography_id = 'riverbend' and organization_key = 'all' and race_group = 'all'
                    and gender_group = 'all' and economic_group = 'all'
                """
            )


@pytest.fixture(scope="session")
def community_paths(tmp_path_factory: pytest.TempPathFactory, marts: ModuleType) -> CommunityPaths:
    """A community with one release; its name needs escaping."""
    community = marts.make_community(tmp_path_factory.mktemp("card") / "community")
    root = community.paths.root
    text = (root / "community.yml").read_text(encoding="utf-8")
    (root / "community.yml").write_text(
        text.replace("name: Riverbend Partnership", "name: Riverbend <b>& Partners</b>"), encoding="utf-8"
    )
    write_shapes(root)
    marts.make_marts(community.paths.warehouse)
    add_places(community.paths.warehouse)
    marts.build(marts.load_community(root))
    return CommunityPaths(root)


@pytest.fixture(scope="session")
def report(community_paths: CommunityPaths) -> Path:
    """The report card's folder."""
    return (community_paths.releases / "current" / "report").resolve()


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


@pytest.fixture(scope="session")
def room(community_paths: CommunityPaths) -> Path:
    """The data room's folder, with deliveries, match rates and effects to tell."""
    _add_marts(community_paths.warehouse)
    community = load_community(community_paths.root)
    ledger = Ledger.open(community_paths, Settings())
    receipts = community_paths.receipts / "riverbend"
    receipts.mkdir(parents=True)
    (receipts / "index.html").write_text("receipts", encoding="utf-8")
    for number in range(1, 14):
        ledger.record(_delivery(number), [])
    ledger.record(_delivery(14, status="refused", rows_accepted=0, rows_quarantined=0, rows_in=0), [])
    settings = Settings(now=datetime.fromisoformat("2024-11-15T02:30:00+00:00"))
    return build_data_room(community, settings, warehouse_db=community_paths.warehouse, ledger=ledger).parent
