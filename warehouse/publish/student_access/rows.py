"""The rows that a partner may see: people it serves, under keys of its own, with the fields that it may see.

What belongs here: choosing and copying. What does not: who has a right (`target`) and how it is enforced (`tables`).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import duckdb
import psycopg
import pyarrow.csv

from warehouse.duck import quote_identifier, sql_literal
from warehouse.publish.base import PublishError
from warehouse.publish.student_access.tables import Access, Right
from warehouse.settings import CommunityPaths, Settings
from warehouse.vault import derived_key, vault_key
from warehouse.vault.pseudonym import keyed_hash_sql, set_key_variables

_MART = "working.marts.mart_person_journey"
_NEVER = {"person_key"}
_TYPES = {
    "VARCHAR": "text",
    "BIGINT": "bigint",
    "DOUBLE": "double precision",
    "BOOLEAN": "boolean",
    "DATE": "date",
}


def field_types(source: duckdb.DuckDBPyConnection, rights: Sequence[Right]) -> dict[str, str]:
    """PostgreSQL types of all fields that any partner may see, in the mart's order.

    Raises:
        PublishError: an agreement names a field that there is not.
    """
    known = {
        str(name): _TYPES[str(kind)] for name, kind, *_ in source.execute(f"describe {_MART}").fetchall()
    }
    allowed = {name: kind for name, kind in known.items() if name not in _NEVER}
    for right in rights:
        wrong = [name for name in right.fields if name not in allowed]
        if wrong:
            raise PublishError(
                f"Student access: the agreement of {right.partner_id} names '{wrong[0]}'; student_fields can be "
                f"{', '.join(allowed)}. Partners keep what they had."
            )
    wanted = {name for right in rights for name in right.fields}
    return {name: kind for name, kind in allowed.items() if name in wanted}


def load_partner(
    con: psycopg.Connection,
    source: duckdb.DuckDBPyConnection,
    access: Access,
    right: Right,
    release_id: str,
    paths: CommunityPaths,
    settings: Settings,
) -> None:
    """Copy one partner's rows into the table that is being made; what it may not see is never sent.

    The key of a student is a keyed hash of the person's key with a key of the partner's own, so that rows of two
    partners cannot be joined.
    """
    set_key_variables(
        source, derived_key(vault_key(settings, paths), f"project:student_access:{right.partner_id}")
    )
    columns = ", ".join(f"j.{quote_identifier(name)}" for name in right.fields)
    batches = source.execute(
        f"select {sql_literal(right.partner_id)} as partner_id, {keyed_hash_sql('j.person_key')} as student_key, "
        f"{sql_literal(release_id)} as release_id, {columns} from {_MART} j "
        f"where j.person_key in ({_served(source, right.partner_id)}) order by student_key"
    ).to_arrow_reader(100_000)
    names = ", ".join(
        quote_identifier(name) for name in ("partner_id", "student_key", "release_id", *right.fields)
    )
    options = pyarrow.csv.WriteOptions(include_header=False)
    statement = f"copy {access.being_made} ({names}) from stdin (format csv)"
    with con.cursor() as cursor, cursor.copy(statement.encode()) as stream:
        for batch in batches:
            text: Any = io.BytesIO()
            pyarrow.csv.write_csv(batch, text, options)
            stream.write(text.getvalue())


def _served(source: duckdb.DuckDBPyConnection, partner_id: str) -> str:
    """Query of the people of whom a partner delivered a record that is in force."""
    feeds = source.execute(
        "select table_name from information_schema.columns where table_catalog = 'working' and table_schema = 'lake' "
        "and column_name = 'source_person_key' and table_name not in ('crosswalk', 'household') order by 1"
    ).fetchall()
    records = " union ".join(
        f"select source_person_key from working.lake.{quote_identifier(name)} "
        f"where partner_id = {sql_literal(partner_id)}"
        for (name,) in feeds
    )
    return (
        "select c.person_key from working.staging.stg_person__crosswalk c "
        f"join ({records}) r on r.source_person_key = c.source_person_key"
    )
