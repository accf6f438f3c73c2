"""What readers are told and what they answer.

What belongs here: hints, limits, results, errors. What does not: any format.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

KEPT_REFUSALS = 100


class UnreadableFileError(Exception):
    """A file is refused as a whole, with a code, the reason and the fix."""

    def __init__(self, code: str, why: str, fix: str) -> None:
        super().__init__(f"{why} {fix}")
        self.code, self.why, self.fix = code, why, fix


class FixedField(BaseModel):
    """One field of a fixed-width layout."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="Name of the column.")
    start: int = Field(ge=1, description="First position, from 1.")
    width: int = Field(ge=1, description="Number of characters.")


class ReadHints(BaseModel):
    """What is known of a file's form; everything else is detected."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str | None = Field(
        None,
        description="delimited, xlsx, xls, ods, json, jsonl, parquet, fixed_width, xml, zip, pgp.",
    )
    encoding: str | None = Field(None, description="Text encoding.")
    delimiter: str | None = Field(None, description="Field delimiter, of one or more characters.")
    quote: str | None = Field(None, description="Quote character; empty for none.")
    escape: str | None = Field(None, description="Character before a quote inside a quoted cell.")
    comment: str | None = Field(None, description="Lines that start with it are comments.")
    header_rows: int | None = Field(None, ge=0, description="How many rows the header has; 0 for none.")
    header_row: int | None = Field(None, ge=0, description="Line of the first header row, from 0.")
    header_names: int | None = Field(
        None, ge=0, description="Which of several header rows names the columns, from 0."
    )
    skip_footer_pattern: str | None = Field(
        None, description="Regular expression; lines that match it are no records."
    )
    sheet: str | int | None = Field(None, description="Sheet by name, pattern (*) or number, from 0.")
    layout: list[FixedField] | None = Field(None, description="Fixed-width layout.")
    record_path: str | None = Field(
        None, description="Repeating element (XML) or path to the list of records (JSON), joined by '/'."
    )
    member: str | None = Field(None, description="Name or pattern (*) of a file inside a zip.")
    columns: list[str] | None = Field(None, description="Names for a file without header.")
    long_records: Literal["refuse", "keep"] = Field(
        "refuse",
        description="What becomes of a record with more cells than the header: refused with its line, because "
        "its cells may stand under the wrong names; or kept, the extra cells in columns of their own.",
    )
    pgp_home: str | None = Field(
        None, description="Folder of the GnuPG keys; by default the one GnuPG itself is configured to use."
    )


class Limits(BaseModel):
    """Limits beyond which a file is refused: each bounds what a hostile or broken file may cost."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_bytes: int = Field(8_000_000_000, gt=0, description="Bytes of a file.")
    max_columns: int = Field(20_000, gt=0, description="Columns of a table.")
    max_field_bytes: int = Field(4_000_000, gt=0, description="Bytes of one cell.")
    max_record_bytes: int = Field(32_000_000, gt=0, description="Bytes of one line or record.")
    max_document_bytes: int = Field(
        500_000_000, gt=0, description="Bytes of a document that can only be read as a whole (JSON)."
    )
    max_zip_ratio: float = Field(200.0, gt=1, description="Unpacked over packed bytes of a zip member.")
    max_zip_members: int = Field(10_000, gt=0, description="Members of a zip.")
    max_zip_total: int = Field(8_000_000_000, gt=0, description="Unpacked bytes of a zip in all.")
    max_workbook_bytes: int = Field(
        1_500_000_000, gt=0, description="Unpacked bytes of a workbook, which is held in memory."
    )
    max_cells: int = Field(
        60_000_000, gt=0, description="Cells of one sheet, blanks within its area included."
    )
    max_depth: int = Field(60, gt=0, description="Nesting of XML or JSON.")


@dataclass(frozen=True)
class RefusedRecord:
    """A physical record that could not be read; never its content.

    Attributes:
        line: physical line on which it starts, from 1.
        record: number among the data records, from 1.
        reason: why it was refused.
    """

    line: int
    record: int
    reason: str


@dataclass(frozen=True)
class Member:
    """A part of a file that can be read as a table by itself.

    Attributes:
        name: member of a zip, sheet of a workbook, or repeating element of an XML document.
        kind: member, sheet or element.
        size: unpacked bytes of a member, records of an element, -1 when not known.
        hidden: a hidden sheet.
    """

    name: str
    kind: str
    size: int = -1
    hidden: bool = False


@dataclass(frozen=True)
class ReadResult:
    """What reading a file gave; the rows lie in the relation that was named.

    Attributes:
        columns: names of the columns, in order.
        records_read: data records met: rows of the relation plus refused ones.
        format: name of the format.
        encoding: text encoding, empty for formats that have none.
        dialect: how the format was read: delimiter, quote, sheet and the like.
        header: first header line (`row`, from 0, None without header) and number of header rows.
        labels: by column, the text of a second header row.
        refused: the first refused records.
        refused_count: how many there were.
        warnings: what was met and dealt with: code, severity, why, fix.
        physical: how many physical records were title, header, blank, comment, footer, data and so on.
    """

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
    physical: dict[str, int] = field(default_factory=dict)


def warning(
    code: str, why: str, fix: str = "Nothing need be done.", severity: str = "warn"
) -> dict[str, str]:
    """One thing met while reading, dealt with, and told."""
    return {"code": code, "severity": severity, "why": why, "fix": fix}


def listed(numbers: list[int], most: int = 10) -> str:
    """Line numbers for a message: the first ones, and how many more there are."""
    shown = ", ".join(f"{number:,}" for number in numbers[:most])
    return shown + (f" and {len(numbers) - most:,} more" if len(numbers) > most else "")


def unique_names(names: list[str]) -> list[str]:
    """Header text made unique: trimmed, blanks named by position, repeats numbered.

    Names that differ only by case count as repeats, because SQL does not tell them apart.
    """
    bases = [" ".join(str(name or "").split()) or f"column_{at}" for at, name in enumerate(names, start=1)]
    taken = {base.lower() for base in bases} | {"_record", "_line"}
    used: set[str] = {"_record", "_line"}
    result = []
    for base in bases:
        name, count = base, 1
        while name.lower() in used or (count > 1 and name.lower() in taken):
            count += 1
            name = f"{base}_{count}"
        used.add(name.lower())
        result.append(name)
    return result


def check_columns(count: int, limits: Limits) -> None:
    """Refuse a table of too many columns.

    Raises:
        UnreadableFileError: there are more than the limit.
    """
    if count > limits.max_columns:
        raise UnreadableFileError(
            "too_many_columns",
            f"It has {count:,} columns; the limit is {limits.max_columns:,}.",
            "Check the delimiter, or raise the limit.",
        )
