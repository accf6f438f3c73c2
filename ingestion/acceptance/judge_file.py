"""Judging one file by one mapping: read, map, type, check; everything in memory, nothing stored.

What belongs here: the way from a file to judged rows. What does not: storing them (`store`).
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path

import duckdb

from ingestion.acceptance.expressions import as_how, canonical_expressions, fold, sources_of
from ingestion.acceptance.findings import Finding, row_finding
from ingestion.acceptance.judging import judged_sql
from ingestion.contracts import FeedContract
from ingestion.mapping import FeedMapping, Layout
from ingestion.readers import ReadResult, UnreadableFileError, read
from warehouse.duck import quote_identifier, sql_literal
from warehouse.settings import Settings

JUDGED = "judged"
_SHOWN_ROWS = 20


@dataclass(frozen=True)
class Judgement:
    """What a file is worth by one mapping; the rows lie in table `judged` unless it was refused."""

    status: str
    records_read: int = 0
    rows_in: int = 0
    accepted: int = 0
    quarantined: int = 0
    refused: int = 0
    not_applicable: int = 0
    findings: list[Finding] = field(default_factory=list)


def judge_file(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    mapping: FeedMapping,
    contract: FeedContract,
    settings: Settings,
    previous_rows: int | None = None,
) -> Judgement:
    """Judge a file; a file refused as a whole gives a judgement too, never an exception."""
    try:
        result = read(path, con, "source", mapping.read)
    except UnreadableFileError as error:
        return _refused(Finding(code=error.code, severity="refuse", why=error.why, fix=error.fix))
    columns = result.columns
    if mapping.unpivot:
        columns = _unpivot(con, result, mapping)
    present = {fold(name): name for name in columns}
    layout, finding = _choose_layout(mapping, present)
    if layout is None:
        assert finding is not None
        return replace(_refused(finding), records_read=result.records_read)
    findings = [*_reading_findings(result), *_extra_columns(mapping, layout, columns)]
    missing = _missing_required(contract, layout, present)
    if missing:
        return replace(_refused(*missing, *findings), records_read=result.records_read)
    total, scoped = _scope(con, mapping)
    expressions = canonical_expressions(mapping, layout, contract.columns, present, path.name)
    statement = judged_sql(contract, expressions, "source_rows", settings.clock().date())
    con.execute(f"create or replace table {JUDGED} as {statement}")
    findings += _row_findings(con, contract)
    bad = con.execute(f"select count(*) from {JUDGED} where len(_failures) > 0").fetchone()
    quarantined = int(bad[0]) if bad else 0
    judgement = Judgement(
        "accepted",
        result.records_read,
        total,
        scoped - quarantined,
        quarantined,
        result.refused_count,
        total - scoped,
        findings,
    )
    return _as_a_whole(judgement, mapping, previous_rows)


def _refused(*findings: Finding) -> Judgement:
    return Judgement("refused", findings=list(findings))


def _unpivot(con: duckdb.DuckDBPyConnection, result: ReadResult, mapping: FeedMapping) -> list[str]:
    """Turn one row of many variables into one row a variable; returns the new columns."""
    assert mapping.unpivot is not None
    pattern = re.compile(mapping.unpivot.pattern)
    parts: dict[str, dict[str, str]] = {}
    for name in result.columns:
        match = pattern.match(name)
        if match:
            parts.setdefault(match["variable"], {})[match["part"]] = name
    kinds = sorted({kind for found in parts.values() for kind in found})
    kept = ", ".join(quote_identifier(name) for name in mapping.unpivot.id_columns if name in result.columns)
    # A list of structs, unnested once: one pass over the wide rows however many variables they hold.
    structs = []
    for variable, found in parts.items():
        label = result.labels.get(found.get("E", next(iter(found.values()))), "")
        fields = ", ".join(
            f"'value_{kind}': {quote_identifier(found[kind]) if kind in found else 'null::varchar'}"
            for kind in kinds
        )
        structs.append(f"{{'variable': {sql_literal(variable)}, 'label': {sql_literal(label)}, {fields}}}")
    con.execute(
        f"create or replace table source as select row_number() over () as _record, * exclude (_v), unnest(_v) "
        f"from (select {kept}, unnest([{', '.join(structs)}]) as _v from source)"
        if parts
        else "create or replace table source as select *, null::varchar as variable from source where false"
    )
    return [*mapping.unpivot.id_columns, "variable", "label", *(f"value_{kind}" for kind in kinds)]


def _choose_layout(mapping: FeedMapping, present: dict[str, str]) -> tuple[Layout | None, Finding | None]:
    for layout in mapping.layouts:
        if all(fold(name) in present for name in layout.signature):
            return layout, None
    wanted = sorted(
        {name for layout in mapping.layouts for name in layout.signature if fold(name) not in present}
    )
    close = {name: difflib.get_close_matches(fold(name), present, n=1) for name in wanted}
    hints = "; ".join(
        f"'{name}' (found '{present[found[0]]}'?)" if found else f"'{name}'" for name, found in close.items()
    )
    finding = Finding(
        code="unknown_layout",
        severity="refuse",
        why=f"The columns fit no known layout; missing: {hints}.",
        fix="Send the agreed columns, or add a layout to the mapping.",
    )
    return None, finding


def _missing_required(contract: FeedContract, layout: Layout, present: dict[str, str]) -> list[Finding]:
    findings = []
    for column in contract.columns:
        entry = layout.columns.get(column.name)
        wanted = [] if entry is None else sources_of(as_how(entry))
        absent = [name for name in wanted if fold(name) not in present]
        if not absent and (entry is not None or not column.required):
            continue
        severity = "refuse" if column.required else "warn"
        named = ", ".join(f"'{name}'" for name in absent) or "no column mapped"
        close = [present[c] for name in absent for c in difflib.get_close_matches(fold(name), present, n=1)]
        hint = f" The file has '{close[0]}': was it renamed?" if close else ""
        findings.append(
            Finding(
                code="missing_column",
                severity=severity,
                column=column.name,
                why=f"The column for '{column.name}' is missing: {named}.{hint}",
                fix="Send the column, or mend the mapping.",
            )
        )
    return [f for f in findings if f.severity == "refuse"] and findings


def _extra_columns(mapping: FeedMapping, layout: Layout, columns: list[str]) -> list[Finding]:
    used = {fold(name) for entry in layout.columns.values() for name in sources_of(as_how(entry))}
    text = " ".join(as_how(e).expression or "" for e in layout.columns.values()) + (mapping.rows or "")
    patterns = [pattern.casefold() for pattern in layout.ignore]
    extra = [
        name
        for name in columns
        if fold(name) not in used
        and quote_identifier(name) not in text
        and not any(fnmatch(name.casefold(), pattern) for pattern in patterns)
    ]
    if not extra:
        return []
    shown = ", ".join(name[:60] for name in extra[:10])
    return [
        Finding(
            code="extra_column",
            severity="note",
            count=len(extra),
            why=f"{len(extra)} columns are not mapped and were left out: {shown}.",
            fix="Map them, or list them under `ignore`.",
        )
    ]


def _reading_findings(result: ReadResult) -> list[Finding]:
    if not result.refused_count:
        return []
    return [
        Finding(
            code="unreadable_record",
            severity="quarantine",
            count=result.refused_count,
            rows=[item.record for item in result.refused[:_SHOWN_ROWS]],
            why="Records do not have the form of the file: too many cells, or a broken quote.",
            fix="Export the file again, or mend the records named.",
        )
    ]


def _scope(con: duckdb.DuckDBPyConnection, mapping: FeedMapping) -> tuple[int, int]:
    """Make the view of the rows in scope; returns all rows and those in scope."""
    condition = f"where ({mapping.rows})" if mapping.rows else ""
    con.execute(f"create or replace view source_rows as select * from source {condition}")
    row = con.execute("select (select count(*) from source), (select count(*) from source_rows)").fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def _row_findings(con: duckdb.DuckDBPyConnection, contract: FeedContract) -> list[Finding]:
    rows = con.execute(
        f"""
        select failure, count(*), list_sort(min(_record, {_SHOWN_ROWS}))
        from (select _record, unnest(_failures) as failure from {JUDGED}) group by failure order by failure
        """
    ).fetchall()
    return [row_finding(contract, failure, count, list(records)) for failure, count, records in rows]


def _as_a_whole(judgement: Judgement, mapping: FeedMapping, previous_rows: int | None) -> Judgement:
    checks = mapping.checks
    if judgement.rows_in < checks.minimum_rows:
        finding = Finding(
            code="too_few_rows",
            severity="refuse",
            why=f"The file has {judgement.rows_in:,} rows; at least {checks.minimum_rows:,} are expected.",
            fix="Export the whole file again.",
        )
    elif previous_rows and judgement.accepted < checks.shrink_alert * previous_rows:
        finding = Finding(
            code="much_smaller_than_before",
            severity="warn" if checks.allow_shrink else "refuse",
            why=f"It has {judgement.accepted:,} good rows; the last delivery had {previous_rows:,}.",
            fix="Send the whole file, or set checks.allow_shrink in the mapping if it is right.",
        )
    else:
        return judgement
    status = "refused" if finding.severity == "refuse" else judgement.status
    return replace(judgement, status=status, findings=[finding, *judgement.findings])
