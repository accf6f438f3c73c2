"""Which pairs are worth comparing: equal values of a few keys, very common values left out.

What belongs here: the blocking keys of a record. What does not: the comparison of a pair.
"""

from __future__ import annotations

import duckdb

# Each key is null where a part is; a pair that shares one is compared. Names are as in `link_record`.
BLOCKING_KEYS: dict[str, tuple[str, ...]] = {
    "bk_name": ("first_flat", "last_flat"),
    "bk_dob_first": ("dob", "left(first_flat, 1)"),
    "bk_dob_last": ("dob", "left(last_flat, 1)"),
    "bk_dob_zip": ("dob", "zip"),
    "bk_last_zip": ("last_flat", "zip"),
    "bk_first_zip_year": ("first_flat", "zip", "birth_year"),
    "bk_last_year": ("last_flat", "birth_year", "left(first_flat, 1)"),
    "bk_first_year": ("first_flat", "dob_text[7:8]", "dob_text[5:6]"),
    "bk_street": ("street",),
    "bk_road_last": ("road", "last_flat"),
    "bk_road_first": ("road", "first_flat", "left(last_flat, 1)"),
    "bk_house_zip_last": ("house", "zip", "left(last_flat, 1)"),
    "bk_house_zip_first": ("house", "zip", "left(first_flat, 1)"),
    "bk_dob_house": ("dob", "house"),
    "bk_dob_formal": ("dob", "list_min(first_set)"),
    "bk_first_token": ("first_flat", "last_tokens[1]"),
    "bk_first_last_token": ("first_flat", "last_tokens[-1]"),
    "bk_phone": ("phone", "left(first_flat, 1)"),
    "bk_state_id": ("state_authority", "state_id"),
    "bk_ssn": ("ssn",),
}
SWAPPED_KEY = "bk_swapped"
# Pairs of keys that cross over: names in each other's place, and parts of a double name in either order.
_CROSSED = (
    ("bk_name", SWAPPED_KEY),
    ("bk_dob_first", "bk_dob_last"),
    ("bk_dob_last", "bk_dob_first"),
    ("bk_first_token", "bk_first_last_token"),
    ("bk_first_last_token", "bk_first_token"),
)
# Keys that help where records are few or scattered, and cost too much where many share a value.
LOOSE_KEYS: dict[str, tuple[str, ...]] = {
    "bk_dob": ("dob",),
    "bk_house_city": ("house", "city"),
    "bk_house_zip": ("house", "zip"),
    "bk_first_zip": ("first_flat", "zip"),
    "bk_first_last1": ("first_flat", "left(last_flat, 3)"),
    "bk_last_first1": ("last_flat", "left(first_flat, 3)"),
}
_LOOSE_PAIRS = 10  # at most this many pairs a record for each loose key
_ALL_KEYS = BLOCKING_KEYS | LOOSE_KEYS

_APART = "l.node <> r.node and (l.source <> r.source or not l.duplicate_free)"


def blocking_rules() -> list[str]:
    """The rules as SQL over two records l and r; two records of a source without duplicates never pair."""
    equal = [f"l.{key} = r.{key} and {_APART}" for key in _ALL_KEYS]
    return [*equal, f"l.bk_name = r.{SWAPPED_KEY} and {_APART}"]


def add_blocking_keys(con: duckdb.DuckDBPyConnection, table: str, maximum: int) -> None:
    """Add the blocking keys to a table of standardised records as 64-bit hashes.

    Args:
        con: connection.
        table: the table, replaced.
        maximum: a value shared by more source persons than this is left empty: it would cost much and tells
            little (a shelter's address, a filler).
    """
    hashes = [f"{_hash(parts)} as {key}" for key, parts in _ALL_KEYS.items()]
    con.execute(
        f"""create or replace temp table keyed as
        select *, {", ".join(hashes)}, {_hash(("last_flat", "first_flat"))} as {SWAPPED_KEY} from {table}"""
    )
    common = " union all ".join(
        f"select '{key}' as name, {key} as value from keyed where {key} is not null group by {key} "
        f"having count(*) > {maximum}"
        for key in _ALL_KEYS
    )
    con.execute(f"create or replace temp table common_key as {common}")
    too_wide = _too_wide(con)
    kept = ", ".join(
        f"null::ubigint as {key}"
        if key in too_wide
        else f"case when {key} not in (select value from common_key where name = '{key}') then {key} end as {key}"
        for key in _ALL_KEYS
    )
    con.execute(f"create or replace temp table {table} as select * replace ({kept}) from keyed")
    con.execute("drop table keyed")


def _too_wide(con: duckdb.DuckDBPyConnection) -> set[str]:
    """Loose keys that would bring more pairs than they are worth."""
    wide = set()
    for key in LOOSE_KEYS:
        row = con.execute(
            f"""select sum(n * (n - 1) / 2) > {_LOOSE_PAIRS} * (select count(*) from keyed)
            from (select count(*)::double as n from keyed where {key} is not null group by {key})"""
        ).fetchone()
        if row and row[0]:
            wide.add(key)
    return wide


def _hash(parts: tuple[str, ...]) -> str:
    filled = " and ".join(f"{part} is not null" for part in parts)
    return f"case when {filled} then hash({', '.join(parts)}) end"
