"""The keyed hash that stands for a source's own person id wherever identifiers may not go.

What belongs here: HMAC-SHA256 as a DuckDB SQL expression. What does not: person keys, which are random.
"""

from __future__ import annotations

import duckdb

_INNER, _OUTER, _BLOCK = 0x36, 0x5C, 64
_INNER_VARIABLE, _OUTER_VARIABLE = "throughline_hmac_inner", "throughline_hmac_outer"


def set_key_variables(con: duckdb.DuckDBPyConnection, key: bytes) -> None:
    """Give a connection the padded key blobs that `source_person_key_sql` and `keyed_hash_sql` read.

    Args:
        con: the connection; the variables live and die with it and are never stored.
        key: at most 64 bytes, from `derived_key`.
    """
    padded = key.ljust(_BLOCK, b"\0")
    for name, mask in ((_INNER_VARIABLE, _INNER), (_OUTER_VARIABLE, _OUTER)):
        con.execute(f"set variable {name} = $pad::blob", {"pad": bytes(byte ^ mask for byte in padded)})


def source_person_key_sql(issuer_sql: str, id_sql: str) -> str:
    """SQL for the pseudonym of a source person: 32 hex characters, null where the id is null or blank.

    HMAC-SHA256 (RFC 2104) over issuer, unit separator and the trimmed id in capitals, cut to 128 bits.

    Args:
        issuer_sql: SQL for whose id it is.
        id_sql: SQL for the id as text.
    """
    message = f"({issuer_sql}) || chr(31) || nullif(upper(trim(({id_sql}))), '')"
    return keyed_hash_sql(message)


def keyed_hash_sql(message_sql: str) -> str:
    """SQL for HMAC-SHA256 of a text with the connection's key, cut to 32 hex characters."""
    inner = f"unhex(sha256(getvariable('{_INNER_VARIABLE}') || encode({message_sql})))"
    return f"left(sha256(getvariable('{_OUTER_VARIABLE}') || {inner}), 32)"
