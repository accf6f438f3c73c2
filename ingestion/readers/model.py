"""What readers are told and what they answer.

What belongs here: hints, limits, results, errors. What does not: any format.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import duckdb
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from warehouse.limits import Limits

KEPT_REFUSALS = 100
# Opens one earlier drop after the other for as long as it is asked for the next.
Earlier = Callable[[], Iterator[Path]]

TableFormat = Literal[
    "delimited", "fixed_width", "json", "jsonl", "parquet", "xml", "xlsx", "xls", "ods"
]  # fmt: skip


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


class TablePart(BaseModel):
    """One table of a drop that holds several, as a query over them sees it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    member: str | None = Field(None, description="Name or pattern (*) of a file inside a zip.")
    record_path: str | None = Field(
        None, description="Repeating element (XML) or path to the records (JSON)."
    )
    explode: str | None = Field(None, description="Repeated part of a record that becomes a row each.")
    sheet: str | int | None = Field(None, description="Sheet of a workbook.")
    columns: list[str] = Field(
        default_factory=list, description="Columns that the query names and that a file may lack: null there."
    )
    optional: bool = Field(False, description="Whether it may be absent; it then has no rows.")
    every: bool = Field(
        False,
        description="Read every member of the zip that fits `member` and holds the element `record_path`, one under "
        "the other, instead of exactly one.",
    )


class ChangedParts(BaseModel):
    """How a drop says that it holds changes only, and how they are laid over the drops before it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    member: str = Field(description="File inside the zip that says of each part what it is.")
    name: str = Field(description="Its column of names.")
    value: str = Field(description="Its column of values.")
    listed: str = Field(
        description="Name under which a part is listed; {} stands for its file without suffix."
    )
    changes: str = Field(description="Value of a part that holds changes only.")
    absent: str = Field(description="Value of a part that the drop does not hold.")
    key: str = Field(description="Column by which a row of a part takes the place of an earlier one.")
    deleted: str = Field(description="SQL condition on a part's columns: such a row takes its key out.")


class ReadHints(BaseModel):
    """What is known of a file's form; everything else is detected."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: TableFormat | None = Field(
        None,
        description="Format of the table: delimited, fixed_width, json, jsonl, parquet, xml, xlsx, xls, ods. "
        "What a file is packed in (zip, gzip, pgp) is always detected.",
    )
    encoding: str | None = Field(None, description="Text encoding.")
    delimiter: str | None = Field(None, description="Field delimiter, of one or more characters.")
    quote: str | None = Field(None, description="Quote character; empty for none.")
    escape: str | None = Field(None, description="Character before a quote inside a quoted cell.")
    comment: str | None = Field(None, description="Lines that start with it are comments.")
    line_end: str | None = Field(
        None, min_length=1, max_length=2, description="What ends a line of delimited text."
    )
    skip_lines: int = Field(0, ge=0, description="Lines before the header or the first record to pass over.")
    width: int | None = Field(None, ge=1, description="How many columns a delimited file has.")
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
    explode: str | None = Field(
        None,
        description="A repeated part of an XML or JSON record, of which each becomes a row of its own that "
        "repeats the rest of the record.",
    )
    repeat_separator: str = Field(
        "|", min_length=1, description="Between the values of a part that an XML or JSON record repeats."
    )
    member: str | None = Field(None, description="Name or pattern (*) of a file inside a zip.")
    columns: list[str] | None = Field(None, description="Names for a file without header.")
    tables: dict[str, TablePart] = Field(
        default_factory=dict, description="Tables of the drop that `query` joins, by the name it gives them."
    )
    query: str | None = Field(
        None, description="One SELECT over `tables`; its rows are read as if they were the file's."
    )
    changes: ChangedParts | None = Field(
        None, description="For drops of `tables` that may hold changes only: what makes a whole of them."
    )
    long_records: Literal["refuse", "keep"] = Field(
        "refuse",
        description="What becomes of a record with more cells than the header: refused with its line, because "
        "its cells may stand under the wrong names; or kept, the extra cells in columns of their own.",
    )


@dataclass(frozen=True)
class Keys:
    """What opens encrypted drops.

    Attributes:
        pgp_home: folder of the GnuPG keys; GnuPG's own configured one when None.
        pgp_passphrase: passphrase of the private key.
    """

    pgp_home: Path | None = None
    pgp_passphrase: SecretStr | None = None


@dataclass(frozen=True)
class Request:
    """One file to read, and all that a format's module needs for it.

    Attributes:
        con: where the rows go, as table `relation`.
        careful: go record by record even where a faster way would do.
        expected: folded names of columns that the file may have, by which its header is known.
        inside: the containers (zip, gzip, pgp) out of which the file came, outermost first.
        earlier: the drops before this one, the latest first, for a file that holds changes only.
    """

    path: Path
    con: duckdb.DuckDBPyConnection
    relation: str
    hints: ReadHints
    limits: Limits
    keys: Keys = field(default_factory=Keys)
    careful: bool = False
    expected: frozenset[str] = frozenset()
    inside: tuple[str, ...] = ()
    earlier: Earlier | None = None


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


def fold_name(name: str) -> str:
    """Header text for comparison: case and spacing do not matter."""
    return " ".join(name.split()).casefold()


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


def check_records(count: int, limits: Limits) -> None:
    """Refuse a file of too many records.

    Raises:
        UnreadableFileError: there are more than the limit.
    """
    if count > limits.max_records:
        raise UnreadableFileError(
            "too_many_records",
            f"It has {count:,} records or more; the limit is {limits.max_records:,}.",
            "Split the file, or raise the limit.",
        )
