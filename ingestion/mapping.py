"""A partner's mapping: how its own columns and codes become a feed's canonical ones.

What belongs here: the model of `partners/<partner>/feeds/*.yml` and its loading. What does not: applying it
(`acceptance`).
"""

from __future__ import annotations

import difflib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ingestion.contracts import Cadence, Mode, load_contracts
from ingestion.readers import ReadHints
from warehouse.community import Community, ConfigurationError, read_yaml


class MappingError(ConfigurationError):
    """A mapping is wrong; the message names file, place and what is allowed."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class How(_Frozen):
    """How one canonical column comes about: from a source column, a constant, the file's name, or an expression."""

    from_: str | list[str] | None = Field(None, alias="from", description="Source column, or several.")
    constant: str | int | float | None = Field(None, description="The same value in every row.")
    from_file_name: str | None = Field(
        None, description="Regular expression on the file's name; group 1 counts."
    )
    expression: str | None = Field(None, description="SQL over the source columns, giving text.")
    date_format: str | list[str] | None = Field(None, description="strptime formats, tried in order.")
    codes: str | dict[str, str] | None = Field(None, description="Code list by name, or in place.")
    separator: str | None = Field(None, description="Separator inside a cell with several values.")
    convert: Literal["spring_year", "protected_number"] | None = Field(None, description="Named conversion.")
    scale: float | None = Field(None, description="Factor for numbers.")
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
    pattern: str = Field(description="Regular expression with groups `variable` and `part`.")


class Checks(_Frozen):
    """Limits on a file as a whole."""

    minimum_rows: int = Field(1, ge=0, description="Fewer rows refuse the file.")
    shrink_alert: float = Field(
        0.5, ge=0, le=1, description="Less than this share of the last delivery refuses it."
    )
    allow_shrink: bool = Field(False, description="Only tell, do not refuse, when it shrank.")


class FeedMapping(_Frozen):
    """One mapping file."""

    feed: str = Field(description="Feed it fills.")
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
    read: ReadHints = Field(default_factory=ReadHints, description="What is known of the file's form.")
    layouts: list[Layout] = Field(min_length=1, description="Layouts, the first that fits is used.")
    code_lists: dict[str, dict[str, str]] = Field(default_factory=dict, description="Named code lists.")
    unpivot: Unpivot | None = Field(None, description="For wide tables.")
    checks: Checks = Field(default_factory=Checks, description="Limits on the file as a whole.")

    @property
    def patterns(self) -> list[str]:
        """The file patterns as a list."""
        return [self.file_pattern] if isinstance(self.file_pattern, str) else list(self.file_pattern)

    def takes(self, file_name: str) -> bool:
        """Whether a dropped file's name fits."""
        return any(fnmatch(file_name.lower(), pattern.lower()) for pattern in self.patterns)


def load_mappings(community: Community) -> list[FeedMapping]:
    """Every mapping of every partner, in order of partner and name.

    Raises:
        MappingError: a file is wrong, or names a feed or column that does not exist.
    """
    mappings: list[FeedMapping] = []
    for partner_id in sorted(community.partners):
        for file in sorted((community.paths.partners / partner_id / "feeds").glob("*.yml")):
            try:
                mapping = read_yaml(file, FeedMapping)
            except ConfigurationError as error:
                raise MappingError(str(error)) from None
            _check(file, mapping)
            update: dict[str, Any] = {
                "partner_id": partner_id,
                "path": str(file),
                "name": mapping.name or file.stem,
            }
            mappings.append(mapping.model_copy(update=update))
    return mappings


def _check(file: Path, mapping: FeedMapping) -> None:
    contracts = load_contracts()
    if mapping.feed not in contracts:
        raise MappingError(
            f"{file}: no feed '{mapping.feed}'{_near(mapping.feed, contracts)}. Feeds: {', '.join(contracts)}"
        )
    names = {column.name for column in contracts[mapping.feed].columns}
    for layout in mapping.layouts:
        for name, how in layout.columns.items():
            if name not in names:
                raise MappingError(
                    f"{file}: layout '{layout.name}': feed {mapping.feed} has no column '{name}'{_near(name, names)}"
                )
            codes = how.codes if isinstance(how, How) else None
            if isinstance(codes, str) and codes not in mapping.code_lists:
                raise MappingError(
                    f"{file}: column '{name}' names code list '{codes}', which is not in code_lists"
                )


def _near(name: str, known: object) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)  # type: ignore[call-overload]
    return f"; did you mean '{close[0]}'?" if close else ""
