"""Checks of a file as a whole: cut short, too small, of another year; none may replace good data.

What belongs here: what only the whole file shows. What does not: single rows (`judging`) and columns (`layouts`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb

from ingestion.acceptance.findings import Finding, file_finding
from ingestion.acceptance.judging import JUDGED, SOURCE, Plan
from ingestion.mapping import Checks, FeedMapping
from ingestion.readers import ReadResult
from warehouse.duck import quote_identifier

# A period of fewer rows than this can shrink by half for good reasons.
_TOO_FEW_TO_COMPARE = 20


@dataclass(frozen=True)
class Trailer:
    """What the last record said: whether it is one, and what is wrong with it."""

    record: int | None
    findings: list[Finding]


def read_trailer(con: duckdb.DuckDBPyConnection, result: ReadResult, checks: Checks) -> Trailer:
    """Hold the last record against the mapping's trailer and control count."""
    if checks.trailer_pattern is None and checks.control_count is None:
        return Trailer(None, [])
    cells = ", ".join(quote_identifier(name) for name in result.columns)
    last = con.execute(
        f"select _record, concat_ws(' ', {cells}) from {SOURCE} order by _record desc limit 1"
    ).fetchone()
    text = str(last[1]) if last else ""
    pattern = checks.trailer_pattern or checks.control_count or ""
    if last is None or not re.search(pattern, text):
        finding = file_finding(
            checks,
            "no_trailer",
            "refuse",
            why="The file does not end with its trailer record: it seems cut short.",
            fix="Export and send the whole file again.",
        )
        return Trailer(None, [finding])
    record = int(last[0])
    return Trailer(record, _count_findings(checks, text, result.records_read - 1))


def _count_findings(checks: Checks, text: str, records: int) -> list[Finding]:
    match = re.search(checks.control_count, text) if checks.control_count else None
    if match is None:
        return []
    stated = int(re.sub(r"\D", "", match.group(1)) or 0)
    if stated == records:
        return []
    return [
        file_finding(
            checks,
            "control_count_differs",
            "refuse",
            count=abs(stated - records),
            why=f"The trailer states {stated:,} records, the file holds {records:,}.",
            fix="Export and send the whole file again.",
        )
    ]


def period_counts(con: duckdb.DuckDBPyConnection, plan: Plan, mode: str) -> dict[str, int]:
    """Accepted rows by the period that they would replace; one period 'all' where there are none."""
    column = plan.contract.period_column if mode == "school_year_snapshot" else None
    if column is None:
        row = con.execute(f"select count(*) from {JUDGED} where {plan.good}").fetchone()
        return {"all": int(row[0])} if row and row[0] else {}
    rows = con.execute(
        f"select {quote_identifier(column)}, count(*) from {JUDGED} where {plan.good} group by 1 order by 1"
    ).fetchall()
    return {str(period): int(count) for period, count in rows}


def size_findings(
    mapping: FeedMapping, rows_in: int, accepted: Mapping[str, int], before: Mapping[str, int]
) -> list[Finding]:
    """Too few rows, no good row, or much fewer than the delivery that this one would replace."""
    checks, total = mapping.checks, sum(accepted.values())
    if rows_in < checks.minimum_rows:
        return [
            file_finding(
                checks,
                "too_few_rows",
                "refuse",
                why=f"The file has {rows_in:,} rows; at least {checks.minimum_rows:,} are expected.",
                fix="Export the whole file again.",
            )
        ]
    if rows_in and not total:
        why = "Not one row can be taken."
        return [Finding(code="no_good_row", severity="refuse", why=why, fix="See the findings below.")]
    return [
        file_finding(
            checks,
            "much_smaller_than_before",
            "warn" if checks.allow_shrink else "refuse",
            why=f"{_period(period)} {rows:,} good rows; the last delivery had {before[period]:,}.",
            fix="Send the whole file, or set `allow_shrink: true` under `checks` in the mapping if it is right.",
        )
        for period, rows in accepted.items()
        if before.get(period, 0) >= _TOO_FEW_TO_COMPARE and rows < checks.shrink_alert * before[period]
    ]


def year_findings(
    mapping: FeedMapping, periods: Iterable[str], file_name: str, this_year: int
) -> list[Finding]:
    """A school year that is not the file's, or that has not begun."""
    years = sorted(int(period) for period in periods if period.isdigit())
    wanted = _stated_year(mapping.checks.school_year, file_name)
    findings = []
    if years and wanted is not None and wanted not in years:
        findings.append(
            file_finding(
                mapping.checks,
                "wrong_school_year",
                "refuse",
                why=f"The file should be of school year {wanted}, its rows are of {', '.join(map(str, years))}.",
                fix="Send the file of the right year, or correct its name.",
            )
        )
    if years and years[0] > this_year + 1:
        findings.append(
            file_finding(
                mapping.checks,
                "future_school_year",
                "refuse",
                why=f"All rows are of school years from {years[0]} on, which are still to come.",
                fix="Correct the school year; it is named by its spring.",
            )
        )
    return findings


def _stated_year(rule: str | int | None, file_name: str) -> int | None:
    if rule is None or isinstance(rule, int):
        return rule
    if re.fullmatch(r"\d{4}", rule):
        return int(rule)
    match = re.search(rule, file_name)
    return int(match.group(1)) if match and match.groups() and match.group(1).isdigit() else None


def _period(period: str) -> str:
    return "It has" if period == "all" else f"School year {period} has"
