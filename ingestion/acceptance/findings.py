"""Findings: what is wrong with a file, why it matters, and how to fix it.

What belongs here: their shape and wording. What does not: finding them.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ingestion.contracts import FeedContract

_WORDS = {
    "required": ("A required value is empty.", "Fill the column in every row."),
    "type": (
        "A value is not of the column's type ({type}).",
        "Correct the value, or the format in the mapping.",
    ),
    "unknown_code": (
        "A code is not in the partner's code list.",
        "Correct the code, or add it to the mapping's code list.",
    ),
    "below_minimum": ("A value is below the least one allowed ({min}).", "Correct the value."),
    "above_maximum": ("A value is above the greatest one allowed ({max}).", "Correct the value."),
    "duplicate_row": ("The same row came before in this file.", "Send each row once."),
    "duplicate_key": (
        "Another row with the same key came before in this file; the first was taken.",
        "Send one row a key: {key}.",
    ),
}


class Finding(BaseModel):
    """One thing found in a file. It never holds a value of an identifying column."""

    model_config = ConfigDict(frozen=True)

    code: str
    severity: Literal["refuse", "quarantine", "warn", "note"]
    column: str | None = None
    count: int = 0
    rows: list[int] = Field(default_factory=list, description="First data records concerned, from 1.")
    why: str
    fix: str


def row_finding(contract: FeedContract, failure: str, count: int, rows: list[int]) -> Finding:
    """The finding for a failure code of the judging SQL."""
    code, _, subject = failure.partition("|")
    if code == "rule":
        rule = next(rule for rule in contract.rules if rule.id == subject)
        return Finding(
            code=rule.id, severity="quarantine", count=count, rows=rows, why=rule.why, fix=rule.fix
        )
    column = next((column for column in contract.columns if column.name == subject), None)
    words: dict[str, Any] = {
        "type": column.type if column else "",
        "min": column.min if column else "",
        "max": column.max if column else "",
        "key": ", ".join(contract.key),
    }
    why, fix = _WORDS[code]
    return Finding(
        code=code,
        severity="quarantine",
        column=subject or None,
        count=count,
        rows=rows,
        why=why.format(**words),
        fix=fix.format(**words),
    )
