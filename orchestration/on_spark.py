"""A build of the models on the community's Spark cluster, brought back into the working database.

What belongs here: how dbt is called for Spark, and what goes before and after it. What does not: the session and the
way of the tables (`warehouse.spark`), and the models, which are the same.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from warehouse import duck
from warehouse.community import Community
from warehouse.spark.exchange import exchange_folder, read_tables, write_sources
from warehouse.spark.session import cluster_of, defaults_file
from warehouse.working import building_path

TARGET = ("--target", "spark")
# Deep unions of the indicators need more stack than the JVM gives a thread by itself.
_STACK = "-Xss16m"


@contextmanager
def built_on_spark(community: Community, memory_limit: str) -> Iterator[None]:
    """Around a dbt build with `TARGET`: sources go out before it, and tables come back after it.

    Raises:
        SparkMissingError: no cluster is configured, no PySpark is here, or the cluster's secret is not set.
        SparkTablesError: the cluster left a table without a file.
    """
    config = cluster_of(community)
    with exchange_folder(community.paths, config) as folder:
        con = duck.connect(building_path(community.paths), memory_limit=memory_limit)
        try:
            write_sources(con, folder / "sources")
        finally:
            con.close()
        with (
            defaults_file(config, _options(folder)) as settings,
            _environment(
                {"SPARK_CONF_DIR": str(settings), "THROUGHLINE_SPARK_SOURCES": str(folder / "sources")}
            ),
        ):
            yield
        con = duck.connect(building_path(community.paths), memory_limit=memory_limit)
        try:
            read_tables(
                con, folder / "warehouse", _declared(community.paths.dbt / TARGET[1] / "manifest.json")
            )
        finally:
            con.close()


def _declared(manifest: Path) -> dict[str, dict[str, str]]:
    """Columns of the seeds, in order: the only tables of which Spark writes no file when they are empty."""
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"].values()
    return {
        f"{node['schema']}.{node['name']}": node["config"]["column_types"]
        for node in nodes
        if node["resource_type"] == "seed" and node["config"].get("column_types")
    }


def _options(folder: Path) -> dict[str, str]:
    """A catalog in the memory of dbt's own session; only the tables' files outlive it."""
    log = f"-Dderby.stream.error.file={folder / 'derby.log'}"
    return {
        "spark.app.name": "throughline models",
        "spark.ui.showConsoleProgress": "false",  # its bars would run into what dbt tells line by line
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.hadoop.javax.jdo.option.ConnectionURL": "jdbc:derby:memory:throughline;create=true",
        "spark.hadoop.datanucleus.schema.autoCreateAll": "true",
        "spark.hadoop.hive.metastore.schema.verification": "false",
        "spark.driver.extraJavaOptions": f"{_STACK} {log}",
        "spark.executor.extraJavaOptions": _STACK,
        "spark.sql.parquet.inferTimestampNTZ.enabled": "false",
    }


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
