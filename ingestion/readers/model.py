"""What readers are told and what they answer.

What belongs here: hints, limits, results. What does not: any format.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class UnreadableFileError(Exception):
    """A file is refused as a whole, with a code, the reason and the fix."""

    def __init__(self, code: str, why: str, fix: str) -> None:
        super().__init__(f"{why} {fix}")
        self.code, self.why, self.fix = code, why, fix


class FixedField(BaseModel):
    """One field of a fixed-width layout."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    start: int = Field(ge=1, description="First position, from 1.")
    width: int = Field(ge=1, description="Number of characters.")


class ReadHints(BaseModel):
    """What is known of a file's form; everything else is detected."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str | None = Field(
        None, description="delimited, xlsx, xls, ods, json, jsonl, parquet, fixed_width, xml."
    )
    encoding: str | None = Field(None, description="Text encoding.")
    delimiter: str | None = Field(None, description="Field delimiter.")
    quote: str | None = Field(None, description="Quote character.")
    escape: str | None = Field(None, description="Escape character.")
    comment: str | None = Field(None, description="Lines that start with it are comments.")
    header_rows: int | None = Field(None, description="How many rows the header has.")
    header_row: int | None = Field(None, description="Line of the first header row, from 0.")
    header_names: int | None = Field(None, description="Which header row names the columns, from 0.")
    skip_footer_pattern: str | None = Field(None, description="Lines that match at the end are a footer.")
    sheet: str | int | None = Field(None, description="Sheet by name or number, from 0.")
    layout: list[FixedField] | None = Field(None, description="Fixed-width layout.")
    record_path: str | None = Field(None, description="Repeating element (XML) or list (JSON).")
    member: str | None = Field(None, description="Glob inside a zip.")
    columns: list[str] | None = Field(None, description="Names for a file without header.")


class Limits(BaseModel):
    """Limits beyond which a file is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_bytes: int = Field(8_000_000_000, description="Size of a file.")
    max_columns: int = Field(20_000, description="Columns.")
    max_field_bytes: int = Field(4_000_000, description="One field.")


@dataclass(frozen=True)
class RefusedRecord:
    """A physical record that could not be read; never its content."""

    line: int
    record: int
    reason: str


@dataclass(frozen=True)
class ReadResult:
    """What reading a file gave; the rows lie in the relation that was named."""

    columns: list[str]
    records_read: int
    format: str
    encoding: str = ""
    dialect: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    refused: list[RefusedRecord] = field(default_factory=list)
    refused_count: int = 0
    warnings: list[dict[str, str]] = field(default_factory=list)


def unique_names(names: list[str]) -> list[str]:
    """Header text made unique: trimmed, blanks named by position, repeats numbered."""
    seen: dict[str, int] = {}
    result = []
    for position, name in enumerate(names, start=1):
        base = " ".join(str(name or "").split()) or f"column_{position}"
        count = seen.get(base.lower(), 0) + 1
        seen[base.lower()] = count
        result.append(base if count == 1 else f"{base}_{count}")
    return result
