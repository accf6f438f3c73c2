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
    "bk_first_born": ("first_flat", "birth_year"),
    "bk_last_born": ("last_flat", "birth_year"),
    "bk_born_starts": ("birth_year", "left(first_flat, 2)", "left(last_flat, 3)"),
    "bk_born_ends": ("birth_year", "left(first_flat, 1)", "right(last_flat, 4)"),
    "bk_first_middle": ("first_flat", "case when length(middle_flat) > 1 then middle_flat end"),
    "bk_first_ends": ("first_flat", "right(last_flat, 4)"),
}
_LOOSE_PAIRS = 10  # at most this many pairs a record for each loose key
_ALL_KEYS = BLOCKING_KEYS | LOOSE_KEYS

_APART = "l.node <> r.node and (l.source <> r.source or not l.duplicate_free)"


def blocking_rules() -> list[str]:
    """The rules as SQL over two records l and r; two records of a source without duplicates never pair."""
    return [f"l.{left} = r.{right} and {_APART}" for left, right in key_pairs()]


def key_pairs() -> list[tuple[str, str]]:
    """Which key of one record is held against which of the other."""
    return [*((key, key) for key in _ALL_KEYS), *_CROSSED]


def blocking_limits(con: duckdb.DuckDBPyConnection, maximum: int) -> None:
    """Temp table `blocking_limit` (name, value): key values not to block by; a null value bars the whole key.

    Part of the model's state: it stays as it was found until the model is estimated anew.

    Args:
        con: connection with `link_record`.
        maximum: a value shared by more records than this costs much and tells little (a shelter's address).
    """
    keys = ", ".join(f"{_hash(parts)} as {key}" for key, parts in _ALL_KEYS.items())
    con.execute(f"create or replace temp table keyed as select {keys} from link_record")
    common = " union all ".join(
        f"select '{key}' as name, {key} as value from keyed where {key} is not null group by {key} "
        f"having count(*) > {int(maximum)}"
        for key in _ALL_KEYS
    )
    wide = " union all ".join(
        f"""select '{key}', null from (select count(*)::double as n from keyed where {key} is not null group by {key})
        having sum(n * (n - 1) / 2) > {_LOOSE_PAIRS} * (select count(*) from keyed)"""
        for key in LOOSE_KEYS
    )
    con.execute(f"create or replace temp table blocking_limit as {common} union all {wide}")
    con.execute("drop table keyed")


def add_blocking_keys(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Add the blocking keys, 64-bit hashes, to a table of standardised records; needs `blocking_limit`."""
    barred = {row[0] for row in con.execute("select name from blocking_limit where value is null").fetchall()}
    keys = {key: _hash(parts) for key, parts in _ALL_KEYS.items()} | {
        SWAPPED_KEY: _hash(("last_flat", "first_flat"))
    }
    made = ", ".join(
        f"null::ubigint as {key}"
        if key in barred
        else f"""case when {sql} not in (
            select value from blocking_limit where name = '{key}' and value is not null) then {sql} end as {key}"""
        for key, sql in keys.items()
    )
    con.execute(f"create or replace temp table {table} as select *, {made} from {table}")


def _hash(parts: tuple[str, ...]) -> str:
    filled = " and ".join(f"{part} is not null" for part in parts)
    return f"case when {filled} then hash({', '.join(parts)}) end"
