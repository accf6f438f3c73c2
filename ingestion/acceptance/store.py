"""Storing judged rows: identifiers to the vault, the rest to the lake, what was put aside encrypted.

What belongs here: writing, each file beside and renamed. What does not: judging.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion.acceptance.judging import FLAGGED, JUDGED, ROWS, SCOPED, SOURCE, Plan, reasons_sql
from ingestion.acceptance.lake_file import write_lake_file
from ingestion.acceptance.requests import REMOVED, corrected, find_removed
from ingestion.readers.scratch import drop_table
from warehouse.duck import quote_identifier, sql_literal
from warehouse.lake import DELETED
from warehouse.ledger import LakeFile
from warehouse.settings import CommunityPaths
from warehouse.vault import IDENTIFIER_COLUMNS, source_person_key_sql

_CHUNK = 1 << 20
_MOST_SORTED = 200_000
_QUARANTINE_KEY = "quarantine"
_KEPT = "kept"


@dataclass(frozen=True)
class Target:
    """Where a delivery goes."""

    partner_id: str
    issuer_id: str
    delivery_id: str
    delivery_seq: int


def split_rows(con: duckdb.DuckDBPyConnection, plan: Plan, target: Target) -> None:
    """Make view `kept`: accepted rows with the delivery's columns and the source person's pseudonym.

    The pseudonym is computed once a person, not once a row.
    """
    contract = plan.contract
    issuer = plan.row_issuer(target.issuer_id, "j.")
    person, joined = "", ""
    if contract.has_person:
        other = ", _issuer" if plan.issuer else ""
        key = source_person_key_sql(plan.row_issuer(target.issuer_id), "person_id")
        con.execute(
            f"create or replace table person_keys as select person_id{other}, {key} as source_person_key "
            f"from (select distinct person_id{other} from {JUDGED} where {plan.good})"
        )
        person = "k.source_person_key,"
        same_issuer = " and k._issuer is not distinct from j._issuer" if plan.issuer else ""
        joined = f"left join person_keys k on k.person_id = j.person_id{same_issuer}"
    names = ", ".join(f"j.{quote_identifier(column.name)}" for column in contract.columns)
    derived = "".join(f", try({d.sql}) as {quote_identifier(d.name)}" for d in contract.derived)
    find_removed(con, plan, target.issuer_id)
    deleted = f", j.{DELETED}" if plan.deleted else ""
    accepted = f"""
        select {sql_literal(target.partner_id)} as partner_id, {issuer} as issuer_id,
            {sql_literal(target.delivery_id)} as delivery_id, {target.delivery_seq}::bigint as delivery_seq,
            j._record as source_row, {person} {names}{deleted}
        from {JUDGED} j {joined} where {plan.good} and j._record not in (from {REMOVED})"""
    con.execute(
        f"create or replace view {_KEPT} as with accepted as ({corrected(con, contract, accepted)}) "
        f"select *{derived} from accepted"
    )


def to_vault(con: duckdb.DuckDBPyConnection, plan: Plan, target: Target, *, replace: bool) -> None:
    """Put the identifiers of view `kept` into the vault, one row a distinct content; twice gives the same.

    Args:
        con: with the vault attached.
        plan: with the feed's contract.
        target: the delivery.
        replace: whether rows of this delivery may lie there already, from a run that was cut off.
    """
    contract = plan.contract
    if not contract.has_person:
        return
    # A row that takes a key out says nothing of the person.
    stays = f"and not {DELETED}" if plan.deleted else ""
    ours = {c.vault_column or c.name: c.name for c in contract.columns if c.class_ == "identifier"}
    vault_columns = [name for name in IDENTIFIER_COLUMNS if name in ours]
    chosen = ", ".join(quote_identifier(ours[name]) for name in vault_columns)
    con.execute("begin")
    try:
        if replace:
            con.execute(
                "delete from vault.identifier_record where delivery_id = $id", {"id": target.delivery_id}
            )
        con.execute(
            f"""
            insert into vault.identifier_record
                (source_person_key, partner_id, issuer_id, feed_id, delivery_id, delivery_seq, row_n, {", ".join(vault_columns)})
            select source_person_key, {sql_literal(target.partner_id)}, any_value(issuer_id), {sql_literal(contract.feed)},
                {sql_literal(target.delivery_id)}, {target.delivery_seq}, count(*), {chosen}
            from {_KEPT} where source_person_key is not null {stays} group by source_person_key, {chosen}
            """
        )
        con.execute("commit")
    except BaseException:
        con.execute("rollback")
        raise


def to_lake(
    con: duckdb.DuckDBPyConnection,
    paths: CommunityPaths,
    plan: Plan,
    periods: Mapping[str, int],
    target: Target,
) -> list[LakeFile]:
    """Write view `kept` without identifiers as Parquet, one file a period where periods replace each other.

    Where there are not so many rows that it takes long, they stand in the order of the partner's file, so that a lake
    file that has to be made again has the same bytes.
    """
    contract, names, constants = plan.contract, _lake_names(plan), _constants(plan, target)
    folder = paths.lake / contract.feed / target.partner_id / target.delivery_id
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = []
    for period, count in periods.items():
        single = period == "all" or len(periods) == 1
        where = "" if single else f"where {quote_identifier(str(contract.period_column))} = {int(period)}"
        path = folder / f"{period}.parquet"
        with _beside(path) as part:
            order = "order by source_row" if count <= _MOST_SORTED else ""
            rows = write_lake_file(con, f"{_KEPT} {where} {order}", names, constants, part)
        files.append(
            LakeFile(
                contract.feed,
                target.partner_id,
                target.delivery_id,
                target.delivery_seq,
                period,
                path.relative_to(paths.data).as_posix(),
                rows,
                file_hash(path),
            )
        )
    _sync_folder(folder)
    return files


def _lake_names(plan: Plan) -> list[str]:
    names = ["partner_id", "issuer_id", "delivery_id", "delivery_seq", "source_row"]
    names += ["source_person_key"] if plan.contract.has_person else []
    names += [name for name, _ in plan.contract.lake_columns]
    return names + ([DELETED] if plan.deleted else [])


def _constants(plan: Plan, target: Target) -> dict[str, str]:
    """SQL of the lake's columns that hold one value in all of a delivery: its own, and those that the file does not fill."""
    own = {
        "partner_id": sql_literal(target.partner_id),
        "delivery_id": sql_literal(target.delivery_id),
        "delivery_seq": f"{target.delivery_seq}::bigint",
    }
    if not plan.issuer:
        own["issuer_id"] = sql_literal(target.issuer_id)
    return own | {
        name: f"({canonical.typed})::{kind}"
        for name, kind in plan.contract.lake_columns
        if (canonical := plan.columns.get(name)) is not None and canonical.is_absent
    }


def to_quarantine(
    con: duckdb.DuckDBPyConnection, paths: CommunityPaths, plan: Plan, target: Target, key: bytes
) -> None:
    """Keep the rows that were put aside, as they stood, with every reason, in an encrypted Parquet file."""
    folder = paths.quarantine / target.partner_id
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    con.execute(f"pragma add_parquet_key('{_QUARANTINE_KEY}', '{base64.b64encode(key).decode()}')")
    query = (
        f"select s._record as source_row, array_to_string(r._reasons, ';') as _reasons, s.* exclude (_record) "
        f"from {SOURCE} s inner join ({reasons_sql(plan)}) r on s._record = r._record "
        f"where s._record not in (from {REMOVED}) order by 1"
    )
    path = folder / f"{target.delivery_id}.parquet"
    with _beside(path) as part:
        con.execute(
            f"copy ({query}) to {sql_literal(str(part))} "
            f"(format parquet, compression zstd, encryption_config {{footer_key: '{_QUARANTINE_KEY}'}})"
        )


def forget(con: duckdb.DuckDBPyConnection) -> None:
    """Drop everything that judging one file made, so that the next one starts clean and memory is free."""
    for view in (_KEPT, JUDGED, SCOPED):
        con.execute(f"drop view if exists {view}")
    for relation in (ROWS, FLAGGED, "person_keys", "repeated", REMOVED, SOURCE):
        drop_table(con, relation)


def file_hash(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A place beside a file to write it at; then it is forced to disk and renamed: never half a file."""
    part = path.with_name(f".{path.name}.part")
    yield part
    part.chmod(0o600)
    with part.open("rb") as stream:
        os.fsync(stream.fileno())
    part.replace(path)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
