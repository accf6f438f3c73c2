"""Storing judged rows: identifiers to the vault, the rest to the lake, what was put aside encrypted.

What belongs here: writing, each file beside and renamed. What does not: judging.
"""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion.acceptance.judge_file import JUDGED
from ingestion.contracts import FeedContract
from ingestion.mapping import FeedMapping, How
from warehouse.duck import quote_identifier, sql_literal
from warehouse.ledger import LakeFile
from warehouse.settings import CommunityPaths
from warehouse.vault import IDENTIFIER_COLUMNS, source_person_key_sql

_CHUNK = 1 << 20
_QUARANTINE_KEY = "quarantine"


@dataclass(frozen=True)
class Target:
    """Where a delivery goes."""

    partner_id: str
    issuer_id: str
    delivery_id: str
    delivery_seq: int


def split_rows(
    con: duckdb.DuckDBPyConnection, mapping: FeedMapping, contract: FeedContract, target: Target
) -> None:
    """Make table `kept`: accepted rows with the delivery's columns and the source person's pseudonym."""
    issuer = sql_literal(target.issuer_id)
    if isinstance(mapping.issuer, How) and mapping.issuer.expression:
        issuer = f"({mapping.issuer.expression})::varchar"
    person = (
        f"{source_person_key_sql(issuer, 'j.person_id')} as source_person_key," if contract.has_person else ""
    )
    derived = "".join(f", {d.sql} as {quote_identifier(d.name)}" for d in contract.derived)
    con.execute(
        f"""
        create or replace table kept as
        select {sql_literal(target.partner_id)} as partner_id, {issuer} as issuer_id,
            {sql_literal(target.delivery_id)} as delivery_id, {target.delivery_seq}::bigint as delivery_seq,
            j._record as source_row, {person} j.* exclude (_record, _failures) {derived}
        from {JUDGED} j inner join source_rows s on s._record = j._record
        where len(j._failures) = 0
        """
    )


def to_vault(con: duckdb.DuckDBPyConnection, contract: FeedContract, target: Target) -> None:
    """Put the identifiers of table `kept` into the vault, one row a distinct content; twice gives the same."""
    if not contract.has_person:
        return
    ours = {c.vault_column or c.name: c.name for c in contract.columns if c.class_ == "identifier"}
    chosen = ", ".join(
        quote_identifier(ours[name]) if name in ours else f"null as {name}" for name in IDENTIFIER_COLUMNS
    )
    con.execute("delete from vault.identifier_record where delivery_id = $id", {"id": target.delivery_id})
    con.execute(
        f"""
        insert into vault.identifier_record
            (source_person_key, partner_id, issuer_id, feed_id, delivery_id, delivery_seq,
             {", ".join(IDENTIFIER_COLUMNS)}, row_n)
        select source_person_key, partner_id, issuer_id, {sql_literal(contract.feed)}, delivery_id, delivery_seq,
            {chosen}, count(*)
        from kept where source_person_key is not null group by all
        """
    )


def to_lake(
    con: duckdb.DuckDBPyConnection, paths: CommunityPaths, contract: FeedContract, mode: str, target: Target
) -> list[LakeFile]:
    """Write table `kept` without identifiers as Parquet, one file a period where periods replace each other."""
    names = ["partner_id", "issuer_id", "delivery_id", "delivery_seq", "source_row"]
    names += ["source_person_key"] if contract.has_person else []
    names += [name for name, _ in contract.lake_columns]
    columns = ", ".join(quote_identifier(name) for name in names)
    folder = paths.lake / contract.feed / target.partner_id / target.delivery_id
    folder.mkdir(parents=True, exist_ok=True)
    conditions = {"all": "true"}
    if mode == "school_year_snapshot" and contract.period_column:
        column = quote_identifier(contract.period_column)
        periods = con.execute(f"select distinct {column} from kept order by 1").fetchall()
        conditions = {str(row[0]): f"{column} = {int(row[0])}" for row in periods}
    files = []
    for period, condition in conditions.items():
        path = folder / f"{period}.parquet"
        rows = _copy(con, f"select {columns} from kept where {condition} order by source_row", path)
        relative = path.relative_to(paths.data).as_posix()
        files.append(
            LakeFile(
                contract.feed,
                target.partner_id,
                target.delivery_id,
                target.delivery_seq,
                period,
                relative,
                rows,
                file_hash(path),
            )
        )
    return files


def to_quarantine(con: duckdb.DuckDBPyConnection, paths: CommunityPaths, target: Target, key: bytes) -> None:
    """Keep the rows that were put aside, as they stood, with every reason, in an encrypted Parquet file."""
    folder = paths.quarantine / target.partner_id
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    con.execute(f"pragma add_parquet_key('{_QUARANTINE_KEY}', '{base64.b64encode(key).decode()}')")
    query = (
        f"select s.*, array_to_string(j._failures, ';') as _failures from source s inner join {JUDGED} j "
        "on s._record = j._record where len(j._failures) > 0"
    )
    path = folder / f"{target.delivery_id}.parquet"
    _copy(con, query, path, f", encryption_config {{footer_key: '{_QUARANTINE_KEY}'}}")
    path.chmod(0o600)


def file_hash(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _copy(con: duckdb.DuckDBPyConnection, query: str, path: Path, options: str = "") -> int:
    """Write a query as Parquet beside its place, force it to disk, then rename: never half a file."""
    beside = path.with_name(f".{path.name}.part")
    row = con.execute(
        f"copy ({query}) to {sql_literal(str(beside))} (format parquet, compression zstd{options})"
    ).fetchone()
    with beside.open("rb") as stream:
        os.fsync(stream.fileno())
    beside.replace(path)
    return int(row[0]) if row else 0
