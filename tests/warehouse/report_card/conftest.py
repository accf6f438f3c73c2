"""One release of the synthetic community with a map and a language of its own, which tests only read."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import duckdb
import pytest

from warehouse.settings import CommunityPaths

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
