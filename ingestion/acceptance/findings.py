"""Findings: what is wrong with a file, why it matters, and how to fix it.

What belongs here: their shape and wording. What does not: finding them.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ingestion.contracts import FeedContract
from ingestion.mapping import Checks, FileCheck, Severity

SHOWN_ROWS = 20

_WORDS = {
    "required": ("A required value is empty.", "Fill the column in every row."),
    "type": (
        "A value is not {type}.",
        "Correct the value, or give its format in the mapping.",
    ),
    "unknown_code": (
        "A code is not in the partner's code list.",
        "Correct the code, or add it to the mapping's code list.",
    ),
    "below_minimum": ("A value is below the least one allowed ({min:g}).", "Correct the value."),
    "above_maximum": ("A value is above the greatest one allowed ({max:g}).", "Correct the value."),
    "expression_failed": (
        "The mapping's expression for the column cannot be computed from the row.",
        "Correct the values it reads, or the expression in the mapping.",
    ),
    "duplicate_row": ("The same row came before in this file.", "Send each row once."),
    "duplicate_key": (
        "Another row with the same key came before in this file, with other values; the first was taken.",
        "Send one row for each combination of {key}.",
    ),
}
_TYPES = {
    "integer": "a whole number",
    "decimal": "a number",
    "date": "a date in one of the known formats",
    "boolean": "yes or no",
}


class Finding(BaseModel):
    """One thing found in a file. It never holds a value of an identifying column."""

    model_config = ConfigDict(frozen=True)

    code: str = Field(description="Stable name.")
    severity: Literal["refuse", "hold", "quarantine", "warn", "note"] = Field(
        description="Whether it refused the file, holds it back, put rows aside, or is only told."
    )
    column: str | None = Field(None, description="Canonical column concerned.")
    source_column: str | None = Field(None, description="The same as the partner calls it.")
    count: int = Field(0, description="Rows or columns concerned.")
    rows: list[int] = Field(default_factory=list, description="First data records concerned, from 1.")
    why: str = Field(description="What is wrong.")
    fix: str = Field(description="What to do.")


def file_finding(
    checks: Checks,
    code: FileCheck,
    severity: Severity,
    *,
    why: str,
    fix: str,
    column: str | None = None,
    count: int = 0,
) -> Finding:
    """A finding on the file as a whole, of the severity that the mapping decides for it."""
    decided = checks.severities.get(code, severity)
    return Finding(code=code, severity=decided, column=column, count=count, why=why, fix=fix)


def row_finding(
    contract: FeedContract, reason: str, count: int, rows: list[int], source_column: str | None = None
) -> Finding:
    """The finding for a reason of the judging SQL, 'code|column or rule'."""
    code, _, subject = reason.partition("|")
    if code == "rule":
        rule = next(rule for rule in contract.rules if rule.id == subject)
        return Finding(
            code=rule.id, severity="quarantine", count=count, rows=rows, why=rule.why, fix=rule.fix
        )
    column = next((column for column in contract.columns if column.name == subject), None)
    words: dict[str, Any] = {
        "type": _TYPES.get(column.type, column.type) if column else "",
        "min": column.min if column and column.min is not None else 0,
        "max": column.max if column and column.max is not None else 0,
        "key": ", ".join(contract.key),
    }
    why, fix = _WORDS[code]
    return Finding(
        code=code,
        severity="quarantine",
        column=subject or None,
        source_column=source_column,
        count=count,
        rows=rows,
        why=why.format(**words),
        fix=fix.format(**words),
    )
