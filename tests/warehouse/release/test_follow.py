"""What the rate table withholds shows in no other published table."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import duckdb
import pytest
import yaml

from warehouse.release import published_tables, tables
from warehouse.release.follow import apply_protection
from warehouse.release.protect import Policy
from warehouse.release.spec import CELL_KEYS, RATE, load_published
from warehouse.release.tables import WORKING, hashed_columns, make_tables, table_hash

_POLICY = Policy(10, True, "riverbend")


def _withheld(database: Path, file: Path) -> None:
    """Write the keys of the rows that are withheld, companions too."""
    with duckdb.connect() as con:
        con.execute(f"attach '{database}' as {WORKING} (read_only)")
        rate = [table for table in published_tables() if table.name == RATE]
        make_tables(con, rate, _POLICY)
        con.execute(f"copy suppressed_cell to '{file}'")


def _hashes(database: Path, withheld: Path) -> dict[str, str]:
    """Hash of every published table where these rows are withheld."""
    found = {}
    with duckdb.connect() as con:
        con.execute(f"attach '{database}' as {WORKING} (read_only)")
        con.execute(f"create temp table suppressed_cell as from '{withheld}'")
        for table in published_tables():
            tables._select(con, table, f"{WORKING}.{table.source}")
            apply_protection(con, table, f"raw_{table.name}", _POLICY)
            found[table.name] = table_hash(con, table.name, hashed_columns(table))
    return found


def test_other_figures_of_withheld_rows_change_no_published_table(
    tmp_path: Path, synthetic: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If not, a gap, a trend, an index or a verdict tells what the rate table withholds."""
    before, after, withheld = (
        tmp_path / name for name in ("before.duckdb", "after.duckdb", "withheld.parquet")
    )
    synthetic.make_marts(before)
    _withheld(before, withheld)
    make_rates, moved = synthetic._rates, []

    def other_rates(con: duckdb.DuckDBPyConnection) -> None:
        make_rates(con)
        same = " and ".join(f"r.{name} = w.{name}" for name in CELL_KEYS)
        # So little that no other group becomes the best one: who that is, is shown where it is shown itself.
        moved.append(
            con.execute(
                "update marts.mart_indicator_rate r set eligible_n = eligible_n + 1, rate = rate * 0.9999, "
                "denominator_n = denominator_n + (denominator_n <> 29)::int, "
                "numerator_n = greatest(numerator_n - 1, 0), rate_low = 0, rate_high = 1, coverage_rate = 0.9 "
                f"from '{withheld}' w where {same}"
            ).fetchone()
        )

    monkeypatch.setattr(synthetic, "_rates", other_rates)
    synthetic.make_marts(after)
    assert moved[0][0] > 100
    one, other = _hashes(before, withheld), _hashes(after, withheld)
    assert {name for name in one if one[name] != other[name]} == set()


def test_a_small_count_is_withheld_of_the_gateways_too() -> None:
    """If not, six homeless students, withheld among the measures, stand in the evidence of a gateway."""
    wanted = {"pub_community_measure_v1", "pub_gateway_adjacent_v1"}
    with duckdb.connect() as con:
        for table in published_tables():
            if table.name not in wanted:
                continue
            columns = ", ".join(f'null::{column.type} as "{name}"' for name, column in table.columns.items())
            con.execute(f"create table given_{table.name} as select {columns} where false")
        con.execute(
            "insert into given_pub_community_measure_v1 (geography_id, measure_id, period_end_year, subgroup, unit, estimate) "
            "values ('here', 'homeless', 2022, 'all', 'count', 6), ('here', 'homeless', 2017, 'all', 'count', 40)"
        )
        con.execute(
            "insert into given_pub_gateway_adjacent_v1 (measure_id, geography_id, baseline_end_year, latest_end_year, "
            "baseline_estimate, latest_estimate, change, verdict) values ('homeless', 'here', 2017, 2022, 40, 6, -34, 'improved')"
        )
        for table in published_tables():
            if table.name in wanted:
                apply_protection(con, table, f"given_{table.name}", _POLICY)
        assert con.execute(
            "select baseline_estimate, latest_estimate, change, verdict, is_suppressed from pub_gateway_adjacent_v1"
        ).fetchall() == [(40, None, None, None, True)]


def test_a_number_that_is_always_shown_says_why_it_tells_of_nobody(tmp_path: Path) -> None:
    """If not, a newcomer's table publishes counts of people that no rule looks at."""
    table = {
        "name": "pub_bus_v1", "source": "marts.mart_bus", "title": "Buses", "description": "One row a route.",
        "keys": ["route"], "columns": {"route": ["varchar", "Route."], "rider_n": ["bigint", "Riders."]},
    }  # fmt: skip
    file = tmp_path / "published.yml"
    file.write_text(yaml.safe_dump([table]), encoding="utf-8")
    with pytest.raises(ValueError, match="nothing says that they tell of nobody: rider_n"):
        load_published(file)
    for cure in (
        {"tells_nobody": [{"why": "Seats, not people.", "columns": ["rider_n"]}]},
        {"minimum": {"count": "rider_n", "columns": ["rider_n"]}},
    ):
        file.write_text(yaml.safe_dump([table | cure]), encoding="utf-8")
        assert load_published(file)[0].name == "pub_bus_v1"
