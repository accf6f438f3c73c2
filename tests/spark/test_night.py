"""A night on a Spark cluster gives the tables and the release that DuckDB gives; `make test-spark`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from ruamel.yaml import YAML

from tests.spark.cluster import CLUSTER_VARIABLE, SMALL, Cluster
from warehouse.duck import quote_identifier
from warehouse.release import list_releases
from warehouse.settings import CommunityPaths

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]
PEOPLE = "500"
NOW = "2026-11-02T02:30:00+00:00"
BUILT = ("seeds", "intermediate", "core", "marts")
# Sums of floats come in another order on another engine.
EQUAL = 1e-9


def throughline(*arguments: str, **environment: str) -> None:
    """Run the command of this environment; its words only where it fails."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("throughline")), *arguments],
        env={**os.environ, "THROUGHLINE_NOW": NOW, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.fixture(scope="module")
def nights(
    tmp_path_factory: pytest.TempPathFactory, cluster: Cluster
) -> tuple[CommunityPaths, CommunityPaths]:
    """The sample community after its first night on DuckDB, and the same lake after its first night on the cluster."""
    on_duckdb, on_spark = (tmp_path_factory.mktemp(name) / "community" for name in ("duckdb", "spark"))
    throughline("demo", "--people", PEOPLE, "--dir", str(on_duckdb))
    shutil.copytree(on_duckdb, on_spark)
    for built in ("warehouse", "releases", "dbt", "quality"):
        shutil.rmtree(on_spark / "data" / built)
    file, yaml = on_spark / "community.yml", YAML()
    settings = yaml.load(file)
    settings["spark"] = {"master": cluster.master, "options": SMALL}
    with file.open("w", encoding="utf-8") as out:
        yaml.dump(settings, out)
    throughline("run", "--dir", str(on_spark), "--engine", "spark", **{CLUSTER_VARIABLE: cluster.secret})
    return CommunityPaths(on_duckdb), CommunityPaths(on_spark)


@pytest.fixture(scope="module")
def both(nights: tuple[CommunityPaths, CommunityPaths]) -> duckdb.DuckDBPyConnection:
    """Both working databases, attached as `one` and `other`."""
    con = duckdb.connect()
    for name, paths in zip(("one", "other"), nights, strict=True):
        con.execute(f"attach '{paths.warehouse}' as {name} (read_only)")
    return con


def _tables(con: duckdb.DuckDBPyConnection, database: str) -> list[tuple[str, str]]:
    return con.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = $database "
        "and list_contains($built, schema_name) order by all",
        {"database": database, "built": list(BUILT)},
    ).fetchall()


def _differing(con: duckdb.DuckDBPyConnection, one: str, other: str) -> str | None:
    """Columns that differ between two relations, with in how many rows; None where none does."""
    kinds = [
        [row[:2] for row in con.execute(f"describe from {relation}").fetchall()] for relation in (one, other)
    ]
    if kinds[0] != kinds[1]:
        return f"columns {set(kinds[0]) ^ set(kinds[1])}"
    exact = [quote_identifier(name) for name, kind in kinds[0] if kind not in ("DOUBLE", "FLOAT")]
    floats = [quote_identifier(name) for name, kind in kinds[0] if kind in ("DOUBLE", "FLOAT")]
    order = ", ".join([*exact, *(f"round({column}, 6)" for column in floats)])
    sides = [
        f"(select *, row_number() over (order by {order}) as numbered from {relation}) as {side}"
        for side, relation in (("l", one), ("r", other))
    ]
    same = [f"l.{column} is not distinct from r.{column}" for column in exact] + [
        f"(l.{column} is not distinct from r.{column} or abs(l.{column} - r.{column}) "
        f"<= {EQUAL} * greatest(1, abs(l.{column})))"
        for column in floats
    ]
    columns = [*exact, *floats]
    told = ", ".join(
        f"count(*) filter (not coalesce({s}, false)) as {c}" for s, c in zip(same, columns, strict=True)
    )
    found = con.execute(f"select {told} from {sides[0]} full join {sides[1]} using (numbered)").fetchall()[0]
    wrong = {column: n for column, n in zip(columns, found, strict=True) if n}
    return f"{wrong}" if wrong else None


def test_every_table_is_the_same_on_both_engines(both: duckdb.DuckDBPyConnection) -> None:
    """Else a community's figures depend on where it computes them."""
    tables = _tables(both, "one")
    assert tables == _tables(both, "other")
    assert len(tables) > 80
    names = [f"{quote_identifier(schema)}.{quote_identifier(table)}" for schema, table in tables]
    differing = {name: told for name in names if (told := _differing(both, f"one.{name}", f"other.{name}"))}
    assert not differing, "\n".join(f"{table}: {told}" for table, told in differing.items())


def test_the_comparison_finds_a_figure_that_differs(both: duckdb.DuckDBPyConnection) -> None:
    """A comparison that cannot fail would let any table through."""
    rate = "one.marts.mart_indicator_rate"
    changed = (
        f"(select * replace (rate + case when denominator_n = 30 then 2e-9 else 0 end as rate) from {rate})"
    )
    assert _differing(both, rate, rate) is None
    assert "rate" in str(_differing(both, rate, changed))
    assert _differing(both, rate, f"(from {rate} limit 10)") is not None


def test_the_release_is_the_same(nights: tuple[CommunityPaths, CommunityPaths]) -> None:
    """Gate, disclosure and release go on from the cluster's tables as from any."""
    one, other = (list_releases(paths)[-1] for paths in nights)
    assert list(one.tables) == list(other.tables)
    for table in one.tables:
        sides = [
            f"(select * exclude (release_id) from '{release.path}/tables/{table}.parquet')"
            for release in (one, other)
        ]
        assert _differing(duckdb.connect(), *sides) is None, table
