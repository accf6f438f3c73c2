"""The dbt command line of a night, without what a night does not need.

What belongs here: how dbt is called, and which of its nodes. What does not: what is built from what
(`warehouse.built`), and the asset that calls it (`orchestration.assets.models`).
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from dagster_dbt import DbtCliResource
from packaging import version

from orchestration.dbt_manifest import DBT_PROJECT, sources_hash

_STAMP = "parsed_of"
_PARSE = "partial_parse.msgpack"
_RESULTS = "run_results.json"
_TOLD = 10  # failures that are named one by one
_BUILT = ("model", "seed", "snapshot")


class NightlyDbt(DbtCliResource):
    """dbt without a second one started to ask its version, and without its adapter in this process.

    Both cost seconds each night; the adapter would only serve metadata of columns, which the contracts hold.
    """

    @cached_property
    def _cli_version(self) -> version.Version:
        return version.parse(importlib.metadata.version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> Any:
        return None


def dbt_resource() -> NightlyDbt:
    """The dbt command line on the project of this installation."""
    beside = Path(sys.executable).with_name("throughline-dbt")
    return NightlyDbt(
        project_dir=str(DBT_PROJECT),
        profiles_dir=str(DBT_PROJECT),
        dbt_executable=str(beside if beside.exists() else "throughline-dbt"),
        global_config_flags=[
            "--no-use-colors",
            "--no-send-anonymous-usage-stats",
            "--no-version-check",
            "--log-level-file=info",
        ],
    )


@contextmanager
def known_parse(target: Path) -> Iterator[list[str]]:
    """Flags for dbt: the last night's parse is used again as long as no file of the project changed.

    dbt's own check would not see a new indicator's file, because the union of indicators is found from the files.
    """
    stamp, wanted = target / _STAMP, sources_hash()
    known = stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted and (target / _PARSE).is_file()
    stamp.unlink(missing_ok=True)
    if not known:
        (target / _PARSE).unlink(missing_ok=True)
    yield ["--partial-parse"]
    stamp.write_text(wanted, encoding="utf-8")


def forget_results(target: Path) -> None:
    """Remove what dbt said of an earlier build, so that it is never taken for this one's."""
    (target / _RESULTS).unlink(missing_ok=True)


def what_failed(target: Path) -> str | None:
    """Which tests and tables of the build failed, by name; None where dbt ended before it built anything.

    Nothing of dbt's own messages is in it: they may quote values.
    """
    file = target / _RESULTS
    if not file.is_file():
        return None
    results = json.loads(file.read_text(encoding="utf-8"))["results"]
    failed = [_named(result) for result in results if result["status"] in ("fail", "error")]
    if not failed:
        return None
    more = [f"and {len(failed) - _TOLD} more"] if len(failed) > _TOLD else []
    return "\n".join(
        [
            *failed[:_TOLD],
            *more,
            "So the tables were not put in place, nothing is published, and the last release stays.",
            f"The SQL of each is under {target}/compiled, and dbt's own words are in {target}/dbt.log.",
        ]
    )


def _named(result: dict[str, Any]) -> str:
    kind, _, *name = result["unique_id"].split(".")
    told = name[0] if name else result["unique_id"]
    if result["status"] == "error":
        return f"{kind} {told} could not be run."
    return f"{kind} {told}: {result['failures'] or 0:,} rows break it."


@contextmanager
def leaving_out(tables: Sequence[str]) -> Iterator[list[str]]:
    """Arguments by which dbt leaves out these tables, and the tests that look at nothing else."""
    name, before = "DBT_INDIRECT_SELECTION", os.environ.get("DBT_INDIRECT_SELECTION")
    if tables:
        os.environ[name] = "cautious"
    try:
        yield ["--exclude", " ".join(tables)] if tables else []
    finally:
        os.environ.pop(name, None)
        if before is not None:
            os.environ[name] = before


def unaffected(manifest: dict[str, Any], changed: Sequence[str]) -> list[str]:
    """Names of models and seeds that do not follow from any of the changed sources."""
    wanted = set(changed)
    waiting = [
        key for key, node in manifest["sources"].items() if f"{node['source_name']}.{node['name']}" in wanted
    ]
    following: set[str] = set()
    while waiting:
        for child in manifest["child_map"].get(waiting.pop(), ()):
            if child not in following:
                following.add(child)
                waiting.append(child)
    return sorted(
        node["name"]
        for key, node in manifest["nodes"].items()
        if node["resource_type"] in _BUILT and key not in following
    )
