"""Findings on rows: each reason with its count and the first rows, and codes that the mapping should learn.

What belongs here: summing up judged rows. What does not: judging them.
"""

from __future__ import annotations

from datetime import date

import duckdb

from ingestion.acceptance.findings import SHOWN_ROWS, Finding, row_finding
from ingestion.acceptance.judging import JUDGED, SCOPED, SOURCE, Plan, reasons_sql, rule_condition
from ingestion.mapping import Layout, as_how, sources_of, told_by_name

_UNTOLD = {
    "why": "It is read from the file's name, and this name does not tell it.",
    "fix": "Send the file under a name that does, or say it under `columns` in the mapping.",
}
# A value is told as an unknown code only when it is short and comes often: a name that slid into the wrong column
# does neither.
_CODE_LENGTH, _CODE_ROWS, _CODES_TOLD = 24, 3, 5


def quarantine_findings(
    con: duckdb.DuckDBPyConnection, plan: Plan, layout: Layout, is_unpivoted: bool
) -> list[Finding]:
    """One finding a reason, most frequent first."""
    number = "r._record"
    source = ""
    if is_unpivoted:
        number, source = "s._source_record", f"inner join {SOURCE} s on s._record = r._record"
    rows = con.execute(
        f"""
        select reason, count(*), list_sort(list_distinct(min({number}, {SHOWN_ROWS})))
        from (select _record, unnest(_reasons) as reason from ({reasons_sql(plan)})) r {source}
        group by reason order by count(*) desc, reason
        """
    ).fetchall()
    findings = []
    for reason, count, records in rows:
        subject = reason.partition("|")[2]
        entry = layout.columns.get(subject)
        named = ", ".join(sources_of(as_how(entry))) if entry is not None else None
        finding = row_finding(plan.contract, reason, count, list(records), (named or None))
        if finding.code == "required" and told_by_name(entry):
            finding = finding.model_copy(update=_UNTOLD)
        if finding.code == "unknown_code":
            codes = _unknown_codes(con, plan, subject)
            finding = finding.model_copy(update={"why": f"{finding.why}{codes}"})
        findings.append(finding)
    return findings


def warnings(con: duckdb.DuckDBPyConnection, plan: Plan, as_of: date) -> list[Finding]:
    """Rules that only warn, over the accepted rows."""
    findings = []
    for rule in plan.contract.rules:
        if rule.severity != "warn":
            continue
        row = con.execute(
            f"select count(*), list_sort(min(_record, {SHOWN_ROWS})) from {JUDGED} "
            f"where {plan.good} and not try({rule_condition(rule.sql, as_of)})"
        ).fetchone()
        if row and row[0]:
            findings.append(
                Finding(
                    code=rule.id, severity="warn", count=row[0], rows=list(row[1]), why=rule.why, fix=rule.fix
                )
            )
    return findings


def _unknown_codes(con: duckdb.DuckDBPyConnection, plan: Plan, subject: str) -> str:
    """The frequent unknown codes of a column that identifies nobody, as words for the finding."""
    column = next(column for column in plan.contract.columns if column.name == subject)
    canonical = plan.columns[subject]
    if column.class_ == "identifier" or not canonical.is_single:
        return ""
    position = next(n for n, check in enumerate(plan.checks) if check.name == f"unknown_code|{subject}")
    word, value = plan.bit(position)
    rows = con.execute(
        f"""
        select {canonical.source} as code, count(*) as n from {SCOPED}
        where _record in (select _record from {JUDGED} where {word} & {value} <> 0)
        group by code having n >= {_CODE_ROWS} and length(code) <= {_CODE_LENGTH}
        order by n desc, code limit {_CODES_TOLD}
        """
    ).fetchall()
    if not rows:
        return ""
    told = ", ".join(f"'{code}' ({count:,} rows)" for code, count in rows)
    return f" Not known: {told}."
