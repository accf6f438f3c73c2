"""The exposures of the dbt project name every model that a reader of releases rests on, and no other."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from orchestration.dbt_manifest import manifest_path
from warehouse.release import published_tables

ROOT = Path(__file__).parents[2]
EVERYTHING = {table.name for table in published_tables()}


@pytest.fixture(scope="module")
def exposures() -> dict[str, dict[str, Any]]:
    found = json.loads(manifest_path().read_text(encoding="utf-8"))["exposures"].values()
    return {exposure["name"]: exposure for exposure in found}


def _named_in(folder: str, pattern: str) -> set[str]:
    text = "".join(file.read_text(encoding="utf-8") for file in (ROOT / folder).rglob(pattern))
    return set(re.findall(r"\bpub_[a-z_]+_v\d+", text))


@pytest.mark.parametrize(
    ("name", "tables"),
    [
        ("report_card", _named_in("warehouse/report_card", "*.py")),
        ("bi_dashboards", EVERYTHING),
        ("open_data", EVERYTHING),
        ("semantic_layer", _named_in("dbt_project/semantic/models", "*.sql")),
    ],
)
def test_an_exposure_rests_on_the_sources_of_what_its_reader_reads(
    exposures: dict[str, dict[str, Any]], name: str, tables: set[str]
) -> None:
    """If not, who changes a model does not learn whose page or dashboard changes with it."""
    sources = {table.source.split(".")[1] for table in published_tables() if table.name in tables}
    assert len(tables) >= 5 and tables <= EVERYTHING
    rests_on = {node.split(".")[-1] for node in exposures[name]["depends_on"]["nodes"]}
    assert rests_on == sources


def test_every_exposure_has_an_owner_and_is_described(exposures: dict[str, dict[str, Any]]) -> None:
    """If not, nobody knows whom to tell."""
    assert len(exposures) == 4
    for exposure in exposures.values():
        assert exposure["owner"]["name"] and len(exposure["description"].split()) > 8, exposure["name"]
