"""dbt assets: every model, seed and test of `dbt_project`, run as one step on the working database.

What belongs here: handing the working database to dbt and translating names. What does not: SQL.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, dbt_assets

from orchestration import names, progress
from orchestration.community_resource import CommunityResource
from orchestration.dbt_manifest import DBT_PROJECT, manifest_path
from orchestration.working import prepare_working
from warehouse.working import building_path, put_in_place


class LayerTranslator(DagsterDbtTranslator):
    """Names dbt nodes as the graph names them: layer first, sources where they come from."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """`<layer>/<model>`; sources are `lake/<feed>` and `config/<table>`."""
        name = dbt_resource_props["name"]
        if dbt_resource_props["resource_type"] == "source":
            if name in ("crosswalk", "linkage_quality"):
                return names.CROSSWALK
            return dg.AssetKey([dbt_resource_props["source_name"], name])
        return dg.AssetKey([_layer(dbt_resource_props), name])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The layer, so that the graph reads as the data flows."""
        if dbt_resource_props["resource_type"] == "source":
            return names.LAKE
        return names.LAYER_GROUPS.get(_layer(dbt_resource_props), "other")

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str] | None:
        """The team that answers for the models."""
        return [names.OWNER]


def _layer(props: Mapping[str, Any]) -> str:
    if props["resource_type"] == "seed":
        return "seeds"
    parts = list(props.get("fqn", []))
    return parts[1] if len(parts) > 2 else "models"


@dbt_assets(
    manifest=manifest_path(),
    name="dbt_build",
    dagster_dbt_translator=LayerTranslator(
        settings=DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True)
    ),
)
def dbt_build(
    context: dg.AssetExecutionContext, community: CommunityResource, dbt: DbtCliResource
) -> Iterator[Any]:
    """Build the working database beside the present one, test it, and put it in place."""
    loaded = community.load()
    with progress.step("Tables built and tested"):
        prepare_working(loaded, community.settings(), community.ledger(loaded))
        os.environ["THROUGHLINE_WAREHOUSE_PATH"] = str(building_path(loaded.paths))
        # Unit tests speak of the models, not of tonight's data: they run with the tests of the project.
        command = ["build", "--exclude-resource-type", "unit_test"]
        yield from dbt.cli(command, context=context, target_path=loaded.paths.data / "dbt").stream()
        put_in_place(loaded.paths)


def dbt_resource() -> DbtCliResource:
    """The dbt command line on the project of this installation."""
    return DbtCliResource(
        project_dir=str(DBT_PROJECT),
        profiles_dir=str(DBT_PROJECT),
        dbt_executable=str(_dbt_executable()),
        global_config_flags=["--no-use-colors", "--no-send-anonymous-usage-stats", "--no-version-check"],
    )


def _dbt_executable() -> Path | str:
    import sys

    beside = Path(sys.executable).with_name("dbt")
    return beside if beside.exists() else "dbt"
