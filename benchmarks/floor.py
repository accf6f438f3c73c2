"""The floor of a night: what has to be read, computed and written, as one plain DuckDB script.

What belongs here: the least that gives the same tables. What does not: anything that checks, protects or explains.

Run (by `night.py`): python benchmarks/floor.py COMMUNITY DROPS DATABASE, the last a copy of the working database.
"""

from __future__ import annotations

import json
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb
import fastexcel


def read_and_write(con: duckdb.DuckDBPyConnection, drops: Path, target: Path) -> None:
    """Every file as text to Parquet; the columns as DuckDB itself finds them."""
    target.mkdir(parents=True)
    for number, file in enumerate(sorted(item for item in drops.rglob("*") if item.is_file())):
        out = target / f"{number}.parquet"
        if file.suffix == ".xlsx":
            sheet = fastexcel.read_excel(file).load_sheet(0, dtypes="string").to_arrow()
            con.register("sheet", sheet)
            con.execute(f"copy sheet to '{out}' (compression zstd)")
            con.unregister("sheet")
        else:
            form = "all_varchar = true, ignore_errors = true, null_padding = true, strict_mode = false"
            for encoding in ("utf-8", "latin-1"):
                try:
                    con.execute(
                        f"copy (from read_csv('{file}', {form}, encoding = '{encoding}')) to '{out}' (compression zstd)"
                    )
                    break
                except duckdb.Error:
                    continue


def build(
    con: duckdb.DuckDBPyConnection, manifest: dict[str, dict[str, dict[str, object]]], compiled: Path
) -> None:
    """Every model, in order of what it reads."""
    models = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    order = TopologicalSorter({key: node["depends_on"]["nodes"] for key, node in models.items()})  # type: ignore[index]
    for key in order.static_order():
        node = models.get(key)
        if node is None:
            continue
        kind = "view" if node["config"]["materialized"] == "view" else "table"  # type: ignore[index]
        sql = (compiled / str(node["original_file_path"])).read_text(encoding="utf-8")
        con.execute(f'create or replace {kind} "{node["schema"]}"."{node["name"]}" as {sql}')


def main() -> None:
    """Read, build, write."""
    community, drops, database = map(Path, sys.argv[1:])
    target = community / "data" / "dbt"
    manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
    with duckdb.connect(str(database)) as con:
        con.execute("set preserve_insertion_order = false")
        read_and_write(con, drops, database.parent / "text")
        build(con, manifest, target / "compiled" / "throughline")
        marts = con.execute(
            "select table_name from information_schema.tables where table_schema = 'marts'"
        ).fetchall()
        for (name,) in marts:
            con.execute(f"copy marts.{name} to '{database.parent / name}.parquet' (compression zstd)")


if __name__ == "__main__":
    main()
