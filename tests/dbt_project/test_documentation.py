"""Every model, seed, source and column is documented, and what others build on is held to a contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

pytestmark = pytest.mark.xdist_group("dbt_golden")
CONTRACTED = ("core", "marts", "indicators")


@pytest.fixture(scope="module")
def manifest(golden: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """What dbt knows of the project after the build of the golden people."""
    (file,) = golden.execute("select path from duckdb_databases() where not internal").fetchone() or ("",)
    found: dict[str, Any] = json.loads((Path(file).with_suffix(".target") / "manifest.json").read_text())
    return found


def _built(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    nodes = [n for n in manifest["nodes"].values() if n["resource_type"] in ("model", "seed")]
    assert len(nodes) > 100
    return nodes


def test_every_model_and_seed_says_what_it_is(manifest: dict[str, Any]) -> None:
    """If not, an analyst finds a table that nobody explains."""
    undescribed = [n["name"] for n in _built(manifest) if len(n["description"].split()) < 5]
    undescribed += [s["name"] for s in manifest["sources"].values() if not s["description"]]
    undescribed += [m["name"] for m in manifest["exposures"].values() if not m["description"]]
    assert undescribed == []


def test_every_column_is_described_and_every_description_has_a_column(
    golden: duckdb.DuckDBPyConnection, manifest: dict[str, Any]
) -> None:
    """If not, `dbt docs` shows a column without a word, or words for a column that is gone."""
    columns: dict[tuple[str, str], set[str]] = {}
    for schema, table, column in golden.execute(
        "select table_schema, table_name, column_name from information_schema.columns"
    ).fetchall():
        columns.setdefault((schema, table), set()).add(column)
    wrong = []
    for node in _built(manifest):
        described = {name for name, column in node["columns"].items() if column["description"].strip()}
        real = columns.get((node["schema"], node["alias"]), described)
        wrong += [f"{node['name']}.{name}" for name in sorted(real ^ described)]
    assert wrong == []


def test_what_others_build_on_has_a_contract(manifest: dict[str, Any]) -> None:
    """If not, a column can change its type or vanish without a failing build."""
    loose = [
        n["name"]
        for n in _built(manifest)
        if n["resource_type"] == "model" and n["fqn"][1] in CONTRACTED and not n["contract"]["enforced"]
    ]
    assert loose == []
    untyped = [
        f"{n['name']}.{name}"
        for n in _built(manifest)
        if n["resource_type"] == "model" and n["fqn"][1] in CONTRACTED
        for name, column in n["columns"].items()
        if not column["data_type"]
    ]
    assert untyped == []
