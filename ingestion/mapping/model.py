"""The model of a mapping: layouts, columns, codes, and limits on the file as a whole.

What belongs here: what `partners/<partner>/feeds/*.yml` may say. What does not: reading the files (`load`), or what else
must be true of them (`faults`).
"""

from __future__ import annotations

from fnmatch import fnmatch
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ingestion.contracts import Cadence, Mode
from ingestion.readers import ReadHints
from ingestion.readers.model import fold_name as fold


class _Frozen(BaseModel):
    # Codes such as 1 or 01 are numbers to YAML, and text to a partner.
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, coerce_numbers_to_str=True)


class How(_Frozen):
    """How one canonical column comes about: from a source column, a constant, the file's name, or an expression."""

    from_: str | list[str] | None = Field(None, alias="from", description="Source column, or several.")
    constant: str | int | float | None = Field(None, description="The same value in every row.")
    from_file_name: str | None = Field(
        None, description="Regular expression on the file's name; group 1 counts."
    )
    expression: str | None = Field(
        None, description="SQL over the source columns and `_file_name`, giving text."
    )
    date_format: str | list[str] | None = Field(None, description="strptime formats, tried in order.")
    codes: str | dict[str, str] | None = Field(None, description="Code list by name, or in place.")
    separator: str | None = Field(None, description="Separator inside a cell with several values.")
    convert: Literal["spring_year", "protected_number"] | None = Field(None, description="Named conversion.")
    scale: float | None = Field(None, description="Factor for numbers.")
    add: float | None = Field(None, description="Added to numbers, after the factor.")
    decimal_comma: bool = Field(False, description="Whether numbers are written 1.234,5.")


class Layout(_Frozen):
    """One layout of a file; chosen by its signature, or by the school year in the file's name."""

    name: str = Field("default", description="Name, for messages.")
    signature: list[str] = Field(default_factory=list, description="Source columns that must be present.")
    school_years: list[int] = Field(
        default_factory=list, description="First and last school year it is used for."
    )
    columns: dict[str, str | How] = Field(description="Canonical column: source column, or how.")
    ignore: list[str] = Field(default_factory=list, description="Known source columns left out; globs.")


class Unpivot(_Frozen):
    """A wide table of variables, each row of which becomes one row a variable."""

    id_columns: list[str] = Field(description="Columns that every resulting row keeps.")
    optional_columns: list[str] = Field(
        default_factory=list, description="More such columns that a file may lack; empty there."
    )
    pattern: str = Field(description="Regular expression with groups `variable` and `part`.")
    optional_parts: list[str] = Field(
        default_factory=list, description="Parts that a file may lack; empty there."
    )


FileCheck = Literal[
    "missing_column",
    "extra_column",
    "too_few_rows",
    "much_smaller_than_before",
    "no_trailer",
    "control_count_differs",
    "wrong_school_year",
    "future_school_year",
]
Severity = Literal["refuse", "warn", "note"]


class Checks(_Frozen):
    """What a file must fulfil as a whole, and how much it matters where it does not."""

    minimum_rows: int = Field(1, ge=0, description="Fewer rows refuse the file.")
    shrink_alert: float = Field(
        0.5, ge=0, le=1, description="Fewer rows than this share of the last delivery's refuse the file."
    )
    allow_shrink: bool = Field(False, description="Only tell, do not refuse, when it shrank.")
    trailer_pattern: str | None = Field(
        None, description="Regular expression that the last record must match; that record is no data."
    )
    control_count: str | None = Field(
        None, description="Regular expression on the last record; group 1 is the number of data records."
    )
    school_year: str | int | None = Field(
        None,
        description="School year of the file: a year, or a regular expression on the file's name, group 1 the year.",
    )
    severities: dict[FileCheck, Severity] = Field(
        default_factory=dict,
        description="Severity of a finding on the file as a whole, instead of its default.",
    )


class FeedMapping(_Frozen):
    """One mapping file."""

    feed: str = Field(description="Feed it fills.")
    standard: str | None = Field(
        None, description="Ready-made mapping of `ingestion/standards` that this one fills in or changes."
    )
    name: str = Field("", description="Id, unique within the partner; default the file's name.")
    partner_id: str = Field("", description="Set from the folder.")
    path: str = Field("", description="Set from the file.")
    file_pattern: list[str] | str = Field(description="Globs on the dropped file's name.")
    member: str | None = Field(None, description="Glob inside a zip.")
    issuer: str | How | None = Field(None, description="Whose person ids these are.")
    cadence: Cadence | None = Field(None, description="Instead of the contract's.")
    due: str | None = Field(None, description="MM-DD on which it is due.")
    delivery_mode: Mode | None = Field(None, description="Instead of the contract's.")
    rows: str | None = Field(
        None, description="SQL condition on source columns: other rows are out of scope."
    )
    deleted: str | None = Field(
        None,
        description="SQL condition on source columns: such a row takes its key out. For delivery_mode upsert.",
    )
    read: ReadHints = Field(default_factory=ReadHints, description="What is known of the file's form.")
    layouts: list[Layout] = Field(min_length=1, description="Layouts, the first that fits is used.")
    columns: dict[str, str | How] = Field(
        default_factory=dict, description="Columns that fill in or change those of every layout."
    )
    code_lists: dict[str, dict[str, str]] = Field(default_factory=dict, description="Named code lists.")
    optional_columns: list[str] = Field(
        default_factory=list, description="Source columns that a file may lack; empty there."
    )
    unpivot: Unpivot | None = Field(None, description="For wide tables.")
    checks: Checks = Field(default_factory=Checks, description="Limits on the file as a whole.")

    @property
    def patterns(self) -> list[str]:
        """The file patterns as a list."""
        return [self.file_pattern] if isinstance(self.file_pattern, str) else list(self.file_pattern)

    def takes(self, file_name: str) -> bool:
        """Whether a dropped file's name fits."""
        return any(fnmatch(file_name.lower(), pattern.lower()) for pattern in self.patterns)


def as_how(how: str | How) -> How:
    """A column's entry in its long form."""
    return How(from_=how) if isinstance(how, str) else how


def sources_of(how: How) -> list[str]:
    """Source columns that an entry reads by name."""
    if how.from_ is None:
        return []
    return [how.from_] if isinstance(how.from_, str) else list(how.from_)


def told_by_name(entry: str | How | None) -> bool:
    """Whether a column comes from the file's name alone."""
    if entry is None:
        return False
    how = as_how(entry)
    told = how.from_file_name is not None or "_file_name" in (how.expression or "")
    return told and not sources_of(how)


def expected_columns(mapping: FeedMapping) -> frozenset[str]:
    """Folded names of all source columns that the mapping's layouts read or know, by which a header is recognized."""
    names = {name for layout in mapping.layouts for name in [*layout.signature, *layout.ignore]}
    for layout in mapping.layouts:
        names |= {name for entry in layout.columns.values() for name in sources_of(as_how(entry))}
    return frozenset(map(fold, names - {"variable", "label"}))
