"""Judging one file by one mapping: read, map, type, check; everything in memory, nothing stored.

What belongs here: the way from a file to judged rows. What does not: storing them (`store`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb

from ingestion.acceptance import layouts, row_findings, whole_file
from ingestion.acceptance.canonical import canonical_columns
from ingestion.acceptance.findings import SHOWN_ROWS, Finding
from ingestion.acceptance.judging import JUDGED, SCOPED, SOURCE, Plan, judge, make_plan
from ingestion.acceptance.unpivot import unpivot
from ingestion.contracts import FeedContract
from ingestion.mapping import FeedMapping, How, expected_columns, fold
from ingestion.readers import Earlier, Keys, ReadHints, ReadResult, UnreadableFileError, read
from warehouse.duck import quote_identifier, sql_literal
from warehouse.settings import Settings

_FIRST_MONTH = 7
_NO_FOOTER = "(?!)"  # a pattern that nothing fits


@dataclass(frozen=True)
class Judgement:
    """What a file is worth by one mapping; the rows lie in table `judged` unless it was refused.

    Attributes:
        status: accepted or refused (or what became of the file otherwise).
        records_read: physical data records of the file.
        rows_in: rows judged, after a wide table was turned; always accepted + quarantined + not_applicable, and
            refused where the file was refused as a whole.
        refused: rows of a refused file, or physical records that could not be read.
        periods: accepted rows by the period that they replace.
    """

    status: str
    records_read: int = 0
    rows_in: int = 0
    accepted: int = 0
    quarantined: int = 0
    refused: int = 0
    not_applicable: int = 0
    findings: list[Finding] = field(default_factory=list)
    periods: dict[str, int] = field(default_factory=dict)
    plan: Plan | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class _Scoped:
    total: int
    in_scope: int


def judge_file(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    mapping: FeedMapping,
    contract: FeedContract,
    settings: Settings,
    before: Mapping[str, int] | None = None,
    earlier: Earlier | None = None,
) -> Judgement:
    """Judge a file; a file refused as a whole gives a judgement too, never an exception.

    Args:
        con: where the tables `source` and `judged` are made.
        path: the file.
        mapping: how it is read.
        contract: what it must fulfil.
        settings: for the day of the run.
        before: accepted rows by period of what this delivery would replace.
        earlier: the deliveries in force before this one, the latest first, for a file that holds changes only.
    """
    try:
        keys = Keys(settings.pgp_home, settings.pgp_passphrase)
        result = read(
            path, con, SOURCE, _hints(mapping), settings.limits, keys, expected=expected_columns(mapping),
            earlier=earlier,
        )  # fmt: skip
    except UnreadableFileError as error:
        return _refused([Finding(code=error.code, severity="refuse", why=error.why, fix=error.fix)])
    trailer = whole_file.read_trailer(con, result, mapping.checks)
    findings = [*_reading_findings(result), *trailer.findings]
    columns = result.columns
    if mapping.unpivot:
        turned, wrong = unpivot(con, result, mapping.unpivot)
        if turned is None:
            return _refused([*wrong, *findings], result)
        columns = [*turned.columns, *turned.left_out]
    present = {fold(name): name for name in columns}
    file_name = os.fsencode(path.name).decode("utf-8", "replace")
    layout, wrong = layouts.choose_layout(mapping, present, file_name)
    if layout is None:
        return _refused([*wrong, *findings], result)
    findings += layouts.column_findings(mapping, contract, layout, columns)
    if any(finding.severity == "refuse" for finding in findings):
        return _refused(findings, result)
    absent = [name for name in mapping.optional_columns if fold(name) not in present]
    scoped = _scope(con, mapping, trailer.record, {"_file_name": file_name, **dict.fromkeys(absent)})
    sql = canonical_columns(mapping, layout, contract, present, file_name)
    issuer = mapping.issuer.expression if isinstance(mapping.issuer, How) else None
    today = settings.clock().date()
    plan = make_plan(contract, sql, today, issuer, mapping.deleted)
    judge(con, plan)
    mode = mapping.delivery_mode or contract.delivery_mode
    periods = whole_file.period_counts(con, plan, mode)
    if sum(periods.values()) < scoped.in_scope:
        findings += row_findings.quarantine_findings(con, plan, layout, mapping.unpivot is not None)
    findings += row_findings.warnings(con, plan, today)
    whole = whole_file.size_findings(mapping, scoped.total, periods, before or {})
    if contract.period_column and not any(finding.severity == "refuse" for finding in whole):
        whole += whole_file.year_findings(
            mapping,
            whole_file.period_counts(con, plan, "school_year_snapshot"),
            file_name,
            _school_year(today),
        )
    return _judged(result, scoped, plan, periods, [*whole, *findings])


def _hints(mapping: FeedMapping) -> ReadHints:
    """The mapping's hints; a record at the end that the mapping wants to see is no note to be set aside."""
    update: dict[str, str] = {}
    if mapping.member is not None:
        update["member"] = mapping.member
    if mapping.read.skip_footer_pattern is None and (
        mapping.checks.trailer_pattern or mapping.checks.control_count
    ):
        update["skip_footer_pattern"] = _NO_FOOTER
    return mapping.read.model_copy(update=update)


def _judged(
    result: ReadResult, scoped: _Scoped, plan: Plan, periods: dict[str, int], findings: list[Finding]
) -> Judgement:
    if any(finding.severity == "refuse" for finding in findings):
        return _refused(findings, result, scoped.total)
    accepted = sum(periods.values())
    return Judgement(
        "accepted",
        records_read=result.records_read,
        rows_in=scoped.total,
        accepted=accepted,
        quarantined=scoped.in_scope - accepted,
        refused=result.refused_count,
        not_applicable=scoped.total - scoped.in_scope,
        findings=findings,
        periods=periods,
        plan=plan,
    )


def _refused(findings: list[Finding], result: ReadResult | None = None, rows: int | None = None) -> Judgement:
    """A judgement in which every row of the file counts as refused."""
    read_ones = result.records_read if result else 0
    count = read_ones if rows is None else rows
    return Judgement("refused", records_read=read_ones, rows_in=count, refused=count, findings=findings)


def _reading_findings(result: ReadResult) -> list[Finding]:
    told = [
        Finding(
            code=warning.get("code", "reading"),
            severity="note" if warning.get("severity") == "note" else "warn",
            why=warning.get("why", ""),
            fix=warning.get("fix", ""),
        )
        for warning in result.warnings
    ]
    if result.refused_count:
        reasons = "; ".join(sorted({record.reason for record in result.refused})[:3])
        told.append(
            Finding(
                code="unreadable_record",
                severity="quarantine",
                count=result.refused_count,
                rows=sorted(record.record for record in result.refused)[:SHOWN_ROWS],
                why=f"Records do not have the form of the file: {reasons}.",
                fix="Export the file again, or mend the records named.",
            )
        )
    return told


def _scope(
    con: duckdb.DuckDBPyConnection, mapping: FeedMapping, trailer: int | None, added: Mapping[str, str | None]
) -> _Scoped:
    """Make the view of the rows in scope, without a trailer; counts all rows and those in scope.

    `added` are columns that the file does not hold and that expressions see: its name, and absent optional ones.
    """
    conditions = [f"({mapping.rows})"] if mapping.rows else []
    if trailer is not None:
        conditions.append(f"_record <> {trailer}")
    where = f"where {' and '.join(conditions)}" if conditions else ""
    more = ", ".join(
        f"{'null' if value is None else sql_literal(value)}::varchar as {quote_identifier(name)}"
        for name, value in added.items()
    )
    con.execute(f"create or replace view {SCOPED} as select * from (select *, {more} from {SOURCE}) {where}")
    # A trailer is no row at all, so it is in neither count.
    total = con.execute(f"select count(*) from {SOURCE}").fetchone()
    inside = con.execute(f"select count(*) from {SCOPED}").fetchone() if where else total
    assert total is not None and inside is not None  # noqa: S101 - an aggregate has a row
    return _Scoped(int(total[0]) - (trailer is not None), int(inside[0]))


def _school_year(day: date) -> int:
    return day.year + (day.month >= _FIRST_MONTH)


__all__ = ["JUDGED", "Judgement", "judge_file"]
