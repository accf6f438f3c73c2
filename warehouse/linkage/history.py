"""Reading back what person keys were: a key of long ago resolved, the crosswalk as it stood at any linkage.

What belongs here: questions to the history in the vault. What does not: changing it (`persons.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from warehouse.duck import quote_identifier, sql_literal
from warehouse.vault import keyed_hash_sql, set_key_variables


class UnknownKeyError(ValueError):
    """No such person key, linkage run or column; the message says which and what there is."""


@dataclass(frozen=True)
class KeyHistory:
    """What became of a person key.

    Attributes:
        status: active, merged, split or retired.
        present_keys: keys in use under which the records that ever had this key are now, those with most first.
        events: linkage run, kind and reason of each change, oldest first.
    """

    status: str
    present_keys: list[str]
    events: list[tuple[str, str, str]]


def key_history(con: duckdb.DuckDBPyConnection, person_key: str) -> KeyHistory:
    """Resolve a key, in use or not.

    A key whose records all left resolves to none. Resolution goes by the records, so it ends after any number of merges
    and splits.

    Raises:
        UnknownKeyError: the vault never gave this key.
    """
    row = con.execute("select status from vault.person where person_key = $k", {"k": person_key}).fetchone()
    if not row:
        raise UnknownKeyError("The vault never gave this person key.")
    now = con.execute(
        """select now.person_key from (
            select distinct source_person_key from vault.person_record where person_key = $k
        ) join vault.person_record as now using (source_person_key) where now.valid_to is null
        group by 1 order by count(*) desc, 1""",
        {"k": person_key},
    ).fetchall()
    events = con.execute(
        """select run_id, kind, reason from vault.person_event
        where list_contains(from_keys, $k) or list_contains(to_keys, $k) order by event_n""",
        {"k": person_key},
    ).fetchall()
    return KeyHistory(
        str(row[0]), [str(key) for (key,) in now], [(str(r), str(k), str(w)) for r, k, w in events]
    )


def sequence_of_run(con: duckdb.DuckDBPyConnection, run_id: str) -> int:
    """Number of the linkage that a run made.

    Raises:
        UnknownKeyError: no linkage of that run.
    """
    row = con.execute(
        "select max(sequence) from vault.linkage_run where run_id = $r", {"r": run_id}
    ).fetchone()
    if not row or row[0] is None:
        raise UnknownKeyError(
            f"No linkage was made by run {run_id}; `throughline link report` lists the last ones."
        )
    return int(row[0])


def crosswalk_as_of(con: duckdb.DuckDBPyConnection, sequence: int) -> pa.Table:
    """The crosswalk (source_person_key, person_key, link_confidence, link_stage) as a linkage left it."""
    return con.execute(
        """select source_person_key, person_key, link_confidence, link_stage from vault.person_record
        where valid_from <= $s and (valid_to is null or valid_to > $s) order by source_person_key""",
        {"s": sequence},
    ).fetch_arrow_table()


def write_extract(
    con: duckdb.DuckDBPyConnection,
    table: Path,
    target: Path,
    project_key: bytes,
    column: str = "person_key",
) -> int:
    """Copy a table with a project's own keyed hash in place of the person key; other projects cannot join it.

    Args:
        con: any connection; its key variables are set.
        table: Parquet or CSV with the person key.
        target: Parquet or CSV to write, by its ending.
        project_key: `derived_key(master, 'project:<id>')`.
        column: where the person key stands; it is written as `project_person_key`.

    Returns:
        Rows written.

    Raises:
        UnknownKeyError: the table has no such column, or names people in another one too.
    """
    source: Any = (
        con.read_parquet(str(table))
        if table.suffix == ".parquet"
        else con.read_csv(str(table), all_varchar=True)
    )
    if column not in source.columns:
        raise UnknownKeyError(f"{table}: no column '{column}'; it has: {', '.join(source.columns)}.")
    if other := {"source_person_key", "person_key"} & set(source.columns) - {column}:
        raise UnknownKeyError(
            f"{table}: column '{other.pop()}' would name the same people past the project; leave it out."
        )
    set_key_variables(con, project_key)
    con.register("extract_source", source)
    rest = "".join(f", {quote_identifier(name)}" for name in source.columns if name != column)
    form = "(format parquet, compression zstd)" if target.suffix == ".parquet" else "(header)"
    query = f"select {keyed_hash_sql(quote_identifier(column) + '::text')} as project_person_key{rest} from extract_source order by 1"
    con.execute(f"copy ({query}) to {sql_literal(str(target))} {form}")
    row = con.execute("select count(*) from extract_source").fetchone()
    con.unregister("extract_source")
    return int(row[0]) if row else 0
