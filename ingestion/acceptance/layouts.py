"""Which of a mapping's layouts fits a file, and which columns are missing, renamed or unknown.

What belongs here: the file's columns as a whole. What does not: its rows (`judging`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch

from ingestion.acceptance.findings import Finding, file_finding
from ingestion.contracts import Column, FeedContract
from ingestion.mapping import FeedMapping, Layout, as_how, fold, sources_of
from warehouse.duck import quote_identifier

_SHOWN = 10
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")


def choose_layout(
    mapping: FeedMapping, present: Mapping[str, str], file_name: str
) -> tuple[Layout | None, list[Finding]]:
    """The first layout whose signature stands in the file and whose school years fit the file's name."""
    years = [int(year) for year in _YEAR.findall(file_name)]
    for layout in mapping.layouts:
        signed = all(fold(name) in present for name in layout.signature)
        first, last = (
            (min(layout.school_years), max(layout.school_years)) if layout.school_years else (0, 9999)
        )
        in_years = not layout.school_years or not years or any(first <= year <= last for year in years)
        if signed and in_years:
            return layout, []
    wanted = sorted({n for layout in mapping.layouts for n in layout.signature if fold(n) not in present})
    named = "; ".join(f"'{name}'{_renamed(name, present)}" for name in wanted) or "no school year fits"
    finding = Finding(
        code="unknown_layout",
        severity="refuse",
        why=f"The columns fit no known layout of this file; missing: {named}.",
        fix="Send the agreed columns, or add a layout to the mapping.",
    )
    return None, [finding]


def column_findings(
    mapping: FeedMapping, contract: FeedContract, layout: Layout, columns: Sequence[str]
) -> list[Finding]:
    """Missing and unknown columns; a missing one that the contract requires refuses the file."""
    present = {fold(name): name for name in columns}
    missing = [
        finding
        for column in contract.columns
        if (finding := _missing(mapping, layout, column, present)) is not None
    ]
    return [*missing, *_extra(mapping, layout, columns)]


def _missing(
    mapping: FeedMapping, layout: Layout, column: Column, present: Mapping[str, str]
) -> Finding | None:
    entry = layout.columns.get(column.name)
    wanted = [] if entry is None else sources_of(as_how(entry))
    absent = [name for name in wanted if fold(name) not in present]
    optional = {fold(name) for name in mapping.optional_columns}
    if absent and not column.required and all(fold(name) in optional for name in absent):
        return None
    if not absent and (entry is not None or not column.required or _filled_otherwise(layout, column)):
        return None
    named = ", ".join(f"'{name}'{_renamed(name, present)}" for name in absent) or "no column is mapped"
    return file_finding(
        mapping.checks,
        "missing_column",
        "refuse" if column.required else "warn",
        column=column.name,
        why=f"The column for '{column.name}' is missing: {named}.",
        fix="Send the column under its agreed name, or mend the mapping.",
    )


def _filled_otherwise(layout: Layout, column: Column) -> bool:
    """Whether a protected number of another column fills this one."""
    return column.name == "value_status" and any(
        as_how(entry).convert == "protected_number" for entry in layout.columns.values()
    )


def _extra(mapping: FeedMapping, layout: Layout, columns: Sequence[str]) -> list[Finding]:
    used = {fold(name) for entry in layout.columns.values() for name in sources_of(as_how(entry))}
    issuer = (
        "" if mapping.issuer is None or isinstance(mapping.issuer, str) else mapping.issuer.expression or ""
    )
    expressions = [as_how(entry).expression or "" for entry in layout.columns.values()]
    text = " ".join([*expressions, mapping.rows or "", issuer]).casefold()
    ignored = [pattern.casefold() for pattern in layout.ignore]
    if mapping.unpivot:
        ignored += ["variable", "label", "value_*", *(name.casefold() for name in mapping.unpivot.id_columns)]
        ignored += [name.casefold() for name in mapping.unpivot.optional_columns]
    extra = [
        name
        for name in columns
        if fold(name) not in used
        and quote_identifier(name).casefold() not in text
        and not re.fullmatch(r"column_\d+", name)
        and not any(fnmatch(name.casefold(), pattern) for pattern in ignored)
    ]
    if not extra:
        return []
    shown = ", ".join(f"'{name[:60]}'" for name in extra[:_SHOWN])
    more = f" and {len(extra) - _SHOWN} more" if len(extra) > _SHOWN else ""
    return [
        file_finding(
            mapping.checks,
            "extra_column",
            "note",
            count=len(extra),
            why=f"Columns that are not mapped were left out: {shown}{more}.",
            fix="Map them, or list them under `ignore` in the layout.",
        )
    ]


def _renamed(name: str, present: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(fold(name), list(present), n=1, cutoff=0.7)
    return f" (was it renamed to '{present[close[0]][:60]}'?)" if close else ""
