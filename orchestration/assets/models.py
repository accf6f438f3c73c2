"""dbt assets: every model, seed and test of `dbt_project`, run as one step on the working database.

What belongs here: handing the working database to dbt and translating names. What does not: SQL.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtCliRuntimeError,
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    dbt_assets,
)

from orchestration import names, prefetch, progress
from orchestration.community_resource import CommunityResource
from orchestration.dbt_command import forget_results, known_parse, leaving_out, unaffected, what_failed
from orchestration.dbt_manifest import manifest_path
from orchestration.on_spark import TARGET, built_on_spark
from orchestration.working import prepare_working
from warehouse.community import Community
from warehouse.fingerprint import code_version
from warehouse.settings import Settings
from warehouse.spark.session import SparkMissingError
from warehouse.working import building_path, put_in_place, rebuild_mark


class LayerTranslator(DagsterDbtTranslator):
    """Names dbt nodes as the graph names them: layer first, sources where they come from."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """`<layer>/<model>`; sources are `lake/<feed>` and `config/<table>`."""
        name = dbt_resource_props["name"]
        if dbt_resource_props["resource_type"] == "source":
            if name in ("crosswalk", "household", "linkage_quality"):
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
    """Build what changed of the working database beside the present one, test it, and put it in place."""
    loaded = community.load()
    prefetch.start()
    with progress.step("Tables built and tested"):
        settings = community.settings()
        code = f"{code_version()} {settings.engine}"
        changed = prepare_working(loaded, settings, community.ledger(loaded), code)
        if changed and settings.engine == "spark":
            changed = None  # a cluster keeps nothing from night to night
        manifest = json.loads(manifest_path().read_text(encoding="utf-8"))
        rest = [] if changed is None else unaffected(manifest, changed)
        yield from _unchanged(context, set(rest))
        if changed != []:
            try:
                with _engine(loaded, settings) as flags:
                    yield from _every_table_told(
                        context, set(rest), _build(context, loaded, dbt, changed, rest, flags)
                    )
            except Exception:
                # Whatever was wrong with what the last night left, the next one does not rest on it.
                rebuild_mark(loaded.paths).touch()
                raise
        put_in_place(loaded.paths)


@contextmanager
def _engine(community: Community, settings: Settings) -> Iterator[Sequence[str]]:
    """What the engine of the night wants around the build; dbt's flags for it."""
    if settings.engine == "duckdb":
        yield ()
        return
    try:
        with built_on_spark(community, settings.memory_limit):
            yield TARGET
    except SparkMissingError as error:
        raise dg.Failure(str(error), allow_retries=False) from error


def _build(
    context: dg.AssetExecutionContext,
    community: Community,
    dbt: DbtCliResource,
    changed: list[str] | None,
    rest: list[str],
    flags: Sequence[str],
) -> Iterator[Any]:
    """Run dbt on everything but the tables that nothing changed for."""
    os.environ["THROUGHLINE_WAREHOUSE_PATH"] = str(building_path(community.paths))
    # Unit tests speak of the models, not of tonight's data: they run with the tests of the project.
    command = ["build", "--exclude-resource-type", "unit_test"]
    context.log.info(
        f"Changed since the last build: {'everything' if changed is None else ', '.join(changed)}"
    )
    target = community.paths.dbt / "spark" if flags else community.paths.dbt
    forget_results(target)
    with known_parse(target) as parse, leaving_out(rest) as chosen:
        called = [*parse, *command, *flags, *chosen]
        try:
            yield from dbt.cli(called, context=context, target_path=target).stream()
        except DagsterDbtCliRuntimeError as error:
            told = what_failed(target)
            if told is None:
                raise
            raise dg.Failure(told) from error
    if flags:
        # Whoever asks after the night (what if, where a figure comes from) reads the models as DuckDB runs them.
        compiled = ["compile", "--no-introspect", "--no-populate-cache"]
        dbt.cli(compiled, target_path=community.paths.dbt).wait()


def _every_table_told(
    context: dg.AssetExecutionContext, others: set[str], events: Iterator[Any]
) -> Iterator[Any]:
    """Pass on what dbt tells of its tables.

    Raises:
        dagster.Failure: dbt ended well and a table is missing in what it told; the steps after it would be left out
            without a word.
    """
    told: set[str] = set()
    for event in events:
        if isinstance(event, dg.Output):
            told.add(event.output_name)
        yield event
    missing = sorted(
        key.to_user_string()
        for name, key in context.assets_def.keys_by_output_name.items()
        if name not in told and key.path[-1] not in others
    )
    if missing:
        raise dg.Failure(
            f"dbt ended well and told nothing of {len(missing)} tables ({', '.join(missing[:5])} ...): something else "
            "wrote into what it prints. Nothing is published; the next night builds everything anew."
        )


def _unchanged(context: dg.AssetExecutionContext, tables: set[str]) -> Iterator[dg.Output[None]]:
    """Tell of every table that stays as it is, in order; without a word of it the steps after it would not run."""
    outputs = {key: name for name, key in context.assets_def.keys_by_output_name.items()}
    for key in TopologicalSorter(context.assets_def.asset_deps).static_order():
        if key in outputs and key.path[-1] in tables:
            yield dg.Output(None, output_name=outputs[key], metadata={"rebuilt": False})
