"""A night builds and tests what follows from what changed, as far as that changed anything."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import lake as golden_lake
import pytest

from warehouse import built

SOURCE, TABLE, CHILD = "lake.k12_fafsa", "fct_fafsa", "ind_fafsa_completion"
CHOSEN = ("build", "--exclude-resource-type", "unit_test", "--select", TABLE, CHILD)
# Rows of the child that its tests refuse: whoever looks at them finds two of each.
DOUBLED = f"insert into marts.{CHILD} from marts.{CHILD}"
UNIQUE = f"unique_together_{CHILD}_person_key__cohort_year"


@pytest.fixture
def warehouse(golden: duckdb.DuckDBPyConnection, tmp_path: Path) -> Path:
    """What a night with the golden people left, with a fault in a table that no test has looked at since."""
    found = golden.execute("select path from duckdb_databases() where not internal").fetchone()
    assert found
    path = tmp_path / "warehouse.duckdb"
    shutil.copy(found[0], path)
    with duckdb.connect(str(path)) as con:
        con.execute("create schema built")
        con.execute(DOUBLED)
    return path


def _tonight(path: Path, changed: list[str] | None, correction: str) -> dict[str, str]:
    """Build once more after a correction in the lake: what dbt did with each node."""
    with duckdb.connect(str(path)) as con:
        built.write_changed(con, changed)
        con.execute(correction)
    done = golden_lake.build(path, *CHOSEN)
    results = json.loads((path.with_suffix(".target") / "run_results.json").read_text(encoding="utf-8"))
    assert results["results"], done.stdout[-3000:]
    return {
        r["unique_id"].split(".")[2]: r["message"] if r["unique_id"].startswith("model") else r["status"]
        for r in results["results"]
    }


def _count(path: Path, table: str) -> int:
    with duckdb.connect(str(path), read_only=True) as con:
        return int(con.execute(f"select count(*) from {table}").fetchall()[0][0])


def test_what_comes_out_the_same_ends_the_chain(warehouse: Path) -> None:
    """If not, a correction of one row costs as much as a first night."""
    before = _count(warehouse, f"marts.{CHILD}")
    told = _tonight(warehouse, [SOURCE], "update lake.k12_fafsa set source_row = source_row + 1")
    assert (told[TABLE], told[CHILD], told[UNIQUE]) == ("OK", "SAME", "pass")
    assert _count(warehouse, f"marts.{CHILD}") == before
    with duckdb.connect(str(warehouse), read_only=True) as con:
        assert con.execute("from built.changed").fetchall() == [(SOURCE,)]


def test_what_follows_from_a_change_is_built_and_tested(warehouse: Path) -> None:
    """If not, figures of before a correction are published."""
    doubled = _count(warehouse, f"marts.{CHILD}")
    told = _tonight(warehouse, [SOURCE], "update lake.k12_fafsa set fafsa_status = 'Submitted'")
    assert (told[TABLE], told[CHILD], told[UNIQUE]) == ("OK", "OK", "pass")
    assert _count(warehouse, f"marts.{CHILD}") * 2 == doubled
    with duckdb.connect(str(warehouse), read_only=True) as con:
        assert con.execute("from built.changed order by 1").fetchall() == [(TABLE,), (CHILD,), (SOURCE,)]


def test_tests_run_where_a_table_that_they_look_at_changed(warehouse: Path) -> None:
    """If not, 'passed' would be said of rows that nobody looked at."""
    told = _tonight(warehouse, [SOURCE, CHILD], "select 1")
    assert (told[CHILD], told[UNIQUE]) == ("SAME", "fail")


def test_without_a_list_everything_is_built(warehouse: Path) -> None:
    """If not, `dbt build` by hand, or a night with other code, leaves tables as they were."""
    told = _tonight(warehouse, None, "select 1")
    assert (told[TABLE], told[CHILD], told[UNIQUE]) == ("OK", "OK", "pass")
