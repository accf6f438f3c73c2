"""Persons who asked to be removed or corrected, in deliveries that come later.

What belongs here: obeying requests that stand in the vault. What does not: making them (`warehouse.subjects`).
"""

from __future__ import annotations

from dataclasses import replace

import duckdb

from ingestion.acceptance.findings import Finding
from ingestion.acceptance.judge_file import Judgement
from ingestion.acceptance.judging import JUDGED, Plan
from ingestion.contracts import FeedContract
from warehouse.duck import quote_identifier, sql_literal
from warehouse.vault import source_person_key_sql

REMOVED = "removed_record"


def find_removed(con: duckdb.DuckDBPyConnection, plan: Plan, issuer_id: str) -> None:
    """Make table `removed_record`: judged rows, good or bad, of persons who asked to be left out."""
    con.execute(f"create or replace table {REMOVED} (_record bigint)")
    if not plan.contract.has_person or not _any(con, "vault.removed_subject"):
        return
    issuer = plan.row_issuer(issuer_id)
    con.execute(
        f"insert into {REMOVED} select _record from {JUDGED} where {source_person_key_sql(issuer, 'person_id')} in "
        "(select source_person_key from vault.removed_subject)"
    )


def without_removed(con: duckdb.DuckDBPyConnection, judgement: Judgement) -> Judgement:
    """The judgement with these rows counted as not meant for the feed."""
    plan = judgement.plan
    if plan is None or not _any(con, REMOVED):
        return judgement
    row = con.execute(
        f"select count(*) filter (where {plan.good}), count(*) from {JUDGED} where _record in (from {REMOVED})"
    ).fetchone()
    good, total = row if row else (0, 0)
    finding = Finding(
        code="removed_on_request",
        severity="note",
        count=total,
        why="Rows of persons who asked to be left out were not kept, and the file itself was not archived.",
        fix="Nothing to do.",
    )
    return replace(
        judgement,
        accepted=judgement.accepted - good,
        quarantined=judgement.quarantined - (total - good),
        not_applicable=judgement.not_applicable + total,
        findings=[*judgement.findings, finding],
    )


def corrected(con: duckdb.DuckDBPyConnection, contract: FeedContract, query: str) -> str:
    """The query of accepted rows with the corrected values of persons who asked for it."""
    if not contract.has_person or not _any(con, "vault.subject_correction"):
        return query
    asked = {
        row[0] for row in con.execute("select distinct column_name from vault.subject_correction").fetchall()
    }
    values = []
    for column in contract.columns:
        wanted = column.vault_column or column.name
        if column.class_ == "identifier" and wanted in asked:
            name = quote_identifier(column.name)
            values.append(
                f"coalesce((select try_cast(c.value as {column.sql_type}) from vault.subject_correction c "
                f"where c.source_person_key = q.source_person_key and c.column_name = {sql_literal(wanted)}), {name}) as {name}"
            )
    return f"select * replace ({', '.join(values)}) from ({query}) as q" if values else query


def _any(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    row = con.execute(f"select count(*) > 0 from {table}").fetchone()
    return bool(row and row[0])
