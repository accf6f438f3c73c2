"""What is published, as `published.yml` says: tables, columns, and what each number depends on.

What belongs here: the shape of that file and its loading. What does not: any query (`tables`, `protect`).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from warehouse.shipped import shipped_yaml

RATE = "pub_indicator_rate_v1"
SUPPRESSED = "is_suppressed"
SUPPRESSED_TYPE: Literal["boolean"] = "boolean"
SUPPRESSED_ABOUT = "Whether numbers of the row are withheld to protect people; one mark, whatever the reason."
RELEASE_ID = "release_id"
RELEASE_ABOUT = "Release that the row belongs to; the same in every table of a release."
CELL_KEYS = (
    "indicator_id",
    "cohort_year",
    "geography_id",
    "organization_key",
    "race_scheme",
    "race_group",
    "gender_group",
    "economic_group",
)
GROUP_KEYS = ("race_group", "gender_group", "economic_group")
GROUP_LABEL = "group_label"

ColumnType = Literal["varchar", "bigint", "double", "boolean", "date"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(_Frozen):
    """One published column."""

    type: ColumnType = Field(description="DuckDB type in which it is published.")
    about: str = Field(description="What it means, with its unit.")


class Dependency(_Frozen):
    """Columns that are withheld when a cell behind them is."""

    table: str = Field(RATE, description="Published table whose withheld rows are looked at.")
    cell: dict[str, str] = Field(
        default_factory=dict,
        description="Key of that table's row: a column, '=x' a value, '@geography_id' the community's geography, '*' any.",
    )
    where: str = Field("", description="Further SQL condition on the row `t` and the withheld row `c`.")
    columns: list[str] = Field(min_length=1, description="Columns that follow.")


class Corrected(_Frozen):
    """A p-value that is corrected for the others of its family.

    The least of several is what a correction gives, so it may be another row's: of withheld rows it would be told exactly.
    """

    column: str = Field(description="The corrected p-value.")
    of: str = Field(description="The p-value.")
    by: list[str] = Field(min_length=1, description="SQL expressions over the row that name its family.")
    judged: dict[str, str] = Field(
        default_factory=dict,
        description="Verdicts that rest on whether it is below 5 %, and SQL on the row where they do; withheld there, "
        "where others of the family are and could lift it to that.",
    )


class Jointly(_Frozen):
    """Columns that are made of a column of all rows of a family."""

    of: str = Field(description="That column; where it is withheld of one row, they are of all.")
    by: list[str] = Field(min_length=1, description="SQL expressions over the row that name its family.")
    columns: list[str] = Field(min_length=1, description="Columns that follow.")
    where: str = Field("true", description="SQL condition on the row that follows.")


class Minimum(_Frozen):
    """A row's own count of people, below whose minimum its columns are withheld."""

    count: str = Field(description="SQL expression over the row's columns; null or zero is no group.")
    columns: list[str] = Field(min_length=1, description="Columns that follow.")


class Harmless(_Frozen):
    """Numbers that are never withheld, because they tell of nobody."""

    why: str = Field(min_length=1, description="Why they do not.")
    columns: list[str] = Field(min_length=1, description="Which they are.")


class PublishedTable(_Frozen):
    """One published table."""

    name: str = Field(pattern=r"^pub_[a-z_]+_v\d+$", description="Name, with its version.")
    source: str = Field(pattern=r"^[a-z]+\.[a-z0-9_]+$", description="schema.table of the working database.")
    title: str = Field(description="Title for people.")
    description: str = Field(description="What it holds, and its grain.")
    keys: list[str] = Field(min_length=1, description="Columns that name a row.")
    columns: dict[str, Column] = Field(description="Columns in the order in which they are published.")
    depends: list[Dependency] = Field(default_factory=list, description="What follows which cell.")
    minimum: Minimum | None = Field(None, description="The row's own minimum, if it counts people.")
    beside: dict[str, str] = Field(
        default_factory=dict,
        description="Further columns of `t`, unpublished: name -> SQL over the source's rows.",
    )
    corrected: Corrected | None = Field(None, description="The corrected p-value, if it has one.")
    jointly: list[Jointly] = Field(default_factory=list, description="What is made of several rows.")
    absent: str = Field(
        "",
        description="SQL query of rows that are added, with all withheld, where the source has none of the same key; "
        "'@source' is the source, '@geography_id' the community's geography.",
    )
    tells_nobody: list[Harmless] = Field(
        default_factory=list, description="Numbers that are never withheld, and why not."
    )
    volatile: list[str] = Field(default_factory=list, description="Columns left out of the table's hash.")
    workbook: str | None = Field(None, description="SQL condition of the rows in the workbook for people.")

    @field_validator("columns", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {
            name: {"type": pair[0], "about": pair[1]} if isinstance(pair, list) else pair
            for name, pair in value.items()
        }

    @model_validator(mode="after")
    def _columns_exist(self) -> PublishedTable:
        named = [*self.keys, *self.volatile, *(self.minimum.columns if self.minimum else [])]
        named += [column for dependency in self.depends for column in dependency.columns]
        named += [column for family in self.jointly for column in [family.of, *family.columns]]
        named += [self.corrected.column, self.corrected.of] if self.corrected else []
        named += [column for harmless in self.tells_nobody for column in harmless.columns]
        named += [*self.corrected.judged] if self.corrected else []
        unknown = sorted(set(named) - set(self.columns))
        if unknown:
            raise ValueError(f"{self.name} names columns that it does not publish: {', '.join(unknown)}")
        withheld = set(self.withheld_columns) & set(self.keys)
        if withheld:
            raise ValueError(f"{self.name} would withhold its own key: {', '.join(sorted(withheld))}")
        return self

    @model_validator(mode="after")
    def _numbers_are_accounted_for(self) -> PublishedTable:
        harmless = {column for entry in self.tells_nobody for column in entry.columns}
        free = {name for name, column in self.columns.items() if column.type in ("bigint", "double")}
        free -= {*self.keys, *self.withheld_columns, *harmless}
        if free:
            raise ValueError(
                f"{self.name} would always show numbers of which nothing says that they tell of nobody: "
                f"{', '.join(sorted(free))}; name what they depend on, their minimum, or why they tell of nobody"
            )
        return self

    @property
    def withheld_columns(self) -> list[str]:
        """Every column that may be withheld, in order."""
        may = {column for dependency in self.depends for column in dependency.columns}
        may |= set(self.minimum.columns) if self.minimum else set()
        may |= {column for family in self.jointly for column in family.columns}
        may |= set(self.corrected.judged) if self.corrected else set()
        return [name for name in self.columns if name in may]

    @property
    def is_protected(self) -> bool:
        """Whether any of its rows can be withheld; then it carries the mark."""
        return bool(self.withheld_columns)

    @property
    def all_columns(self) -> dict[str, Column]:
        """Its columns with the mark and the release's id, as they stand in the files."""
        mark = {SUPPRESSED: Column(type=SUPPRESSED_TYPE, about=SUPPRESSED_ABOUT)} if self.is_protected else {}
        return {**self.columns, **mark, RELEASE_ID: Column(type="varchar", about=RELEASE_ABOUT)}


def load_published(file: Path) -> tuple[PublishedTable, ...]:
    """Read a list of published tables.

    Raises:
        ValueError: an entry breaks the model, a name occurs twice, or a dependency names no table before it.
    """
    tables = tuple(PublishedTable.model_validate(item) for item in shipped_yaml(file))
    seen: set[str] = set()
    for table in tables:
        if table.name in seen:
            raise ValueError(f"{table.name} is published twice")
        absent = {d.table for d in table.depends} - seen - {table.name}
        if absent:
            raise ValueError(
                f"{table.name} depends on {', '.join(sorted(absent))}, which must stand before it"
            )
        seen.add(table.name)
    return tables


@lru_cache(maxsize=1)
def published_tables() -> tuple[PublishedTable, ...]:
    """What this installation publishes."""
    return load_published(Path(__file__).with_name("published.yml"))
