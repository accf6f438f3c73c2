"""Lake files: what a delivery's rows are, with columns of one value that cost nothing."""

from __future__ import annotations

from pathlib import Path

from ingestion.acceptance.lake_file import write_lake_file
from warehouse import duck

_NAMES = ["delivery_id", "delivery_seq", "name", "nothing", "half", "day"]


def test_constant_columns_stand_in_their_place_and_type(tmp_path: Path) -> None:
    """Consequence of failing: a column that no file fills shifts the others, or has another type in each delivery."""
    con = duck.connect()
    con.execute(
        "create table kept as select case when i % 3 > 0 then 'n' || i end as name, i / 2 as half, "
        "date '2024-01-01' + (i % 300)::integer as day from range(300000) r(i)"
    )
    constants = {"delivery_id": "'it''s'", "delivery_seq": "7::bigint", "nothing": "null::date"}
    path = tmp_path / "rows.parquet"
    assert write_lake_file(con, "kept where half >= 10", _NAMES, constants, path) == 299_980
    con.execute(f"create view written as from read_parquet('{path}')")
    kinds = con.execute("select column_name, column_type from (describe written)").fetchall()
    wanted = ["VARCHAR", "BIGINT", "VARCHAR", "DATE", "DOUBLE", "DATE"]
    assert kinds == list(zip(_NAMES, wanted, strict=True))
    rest = "select 'it''s', 7, name, null, half, day from kept where half >= 10"
    assert (
        con.execute(f"(from written except all {rest}) union all ({rest} except all from written)").fetchall()
        == []
    )


def test_a_file_without_rows_has_all_its_columns(tmp_path: Path) -> None:
    """Consequence of failing: a delivery of which nothing is kept breaks the tables over it."""
    con = duck.connect()
    con.execute("create table kept (name varchar, half double, day date)")
    constants = {"delivery_id": "'d'", "delivery_seq": "7::bigint", "nothing": "null::varchar"}
    assert write_lake_file(con, "kept", _NAMES, constants, tmp_path / "rows.parquet") == 0
    found = con.execute(f"from read_parquet('{tmp_path / 'rows.parquet'}')")
    assert [column[0] for column in found.description] == _NAMES
