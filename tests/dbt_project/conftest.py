"""The golden people, built once for all tests of the dbt project."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent))
import lake as golden_lake

from warehouse.settings import CommunityPaths

GOLDEN = Path(__file__).parent / "golden"


def golden_files() -> dict[str, dict[str, Any]]:
    """The golden people of each indicator."""
    return {
        file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(GOLDEN.glob("*.yml"))
    }


def golden_rows(files: dict[str, dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """All golden people's rows by feed."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for indicator, golden in files.items():
        partner = golden["partner"]
        for feed, shared in golden.get("shared", {}).items():
            rows.setdefault(feed, []).extend({"partner_id": partner, **row} for row in shared)
        for name, person in golden["people"].items():
            for feed, given in person["lake"].items():
                rows.setdefault(feed, []).extend(
                    {"partner_id": partner, "person": f"{indicator}_{name}", **row} for row in given
                )
    return rows


GOLDEN_CONFIG: dict[str, list[dict[str, Any]]] = {
    "cut_score": [
        {"instrument_id": "STATE", "first_year": 2015, "cut_score": 700.0},
        {"instrument_id": "ALT2", "cut_score": 20.0},
    ],
    "indicator_choice": [
        {"outcome_id": outcome, "indicator_id": outcome, "role": "core"}
        for outcome in (
            "kindergarten_readiness",
            "early_grade_reading",
            "middle_grade_math",
            "high_school_graduation",
            "postsecondary_enrollment",
            "postsecondary_completion",
            "employment",
        )
    ],
}


@pytest.fixture(scope="session")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A working database with the golden people, built with every test of the project."""
    path = tmp_path_factory.mktemp("golden") / "warehouse.duckdb"
    golden_lake.make_database(path, golden_rows(golden_files()), config=GOLDEN_CONFIG)
    done = golden_lake.build(path)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    with duckdb.connect(str(path), read_only=True) as con:
        yield con


@pytest.fixture(scope="module")
def community(golden: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory) -> CommunityPaths:
    """The golden people's models, with tables to be filled."""
    file = Path(golden.execute("select path from duckdb_databases() where not internal").fetchall()[0][0])
    paths = CommunityPaths(tmp_path_factory.mktemp("gateways"))
    paths.warehouse.parent.mkdir(parents=True)
    shutil.copytree(file.with_suffix(".target") / "compiled", paths.data / "dbt" / "compiled")
    with duckdb.connect(str(paths.warehouse)) as con:
        con.execute(f"attach '{file}' as golden (read_only)")
        for schema in ("config", "core", "seeds", "marts"):
            con.execute(f"create schema {schema}")
            tables = con.execute(
                "select table_name from duckdb_tables() where database_name = 'golden' and schema_name = $s",
                {"s": schema},
            ).fetchall()
            for (table,) in tables:
                keep = schema in ("config", "seeds") or table == "mart_gateway_status"
                con.execute(
                    f"create table {schema}.{table} as from golden.{schema}.{table} {'' if keep else 'limit 0'}"
                )
    return paths
