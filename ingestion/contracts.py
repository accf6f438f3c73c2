"""Feed contracts and option sets: what a feed's columns mean, and what each row must fulfil.

What belongs here: the models of `feeds/*.yml` and their loading. What does not: partners' layouts (`mapping`)
and the judging of rows (`acceptance`).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from warehouse.lake import FeedSpec
from warehouse.shipped import shipped_yaml

FEEDS = Path(__file__).parent / "feeds"

Mode = Literal["full_snapshot", "school_year_snapshot", "increment", "upsert"]
Cadence = Literal["daily", "weekly", "monthly", "quarterly", "termly", "yearly"]
_SQL_TYPES = {"integer": "BIGINT", "decimal": "DOUBLE", "date": "DATE", "boolean": "BOOLEAN"}


class ContractError(Exception):
    """A contract file is wrong; the message names file and field."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Column(_Frozen):
    """One canonical column of a feed."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="Canonical name.")
    type: Literal["text", "integer", "decimal", "date", "boolean", "option", "option_list"]
    options: str | None = Field(None, description="Option set, for option and option_list.")
    class_: Literal["identifier", "quasi", "open"] = Field(
        alias="class", description="Where the value may go."
    )
    required: bool = Field(False, description="Whether a row without it is put aside.")
    vault_column: str | None = Field(None, description="Column of the vault, where its name differs.")
    min: float | None = Field(None, description="Least value allowed.")
    max: float | None = Field(None, description="Greatest value allowed.")
    meaning: str = Field(description="Meaning, in words.")

    @property
    def sql_type(self) -> str:
        """DuckDB type of the typed value."""
        return _SQL_TYPES.get(self.type, "VARCHAR")


class Derived(_Frozen):
    """A column computed from typed ones in the split."""

    name: str
    type: Literal["text", "integer", "decimal", "date", "boolean"]
    class_: Literal["quasi", "open"] = Field(alias="class")
    sql: str = Field(description="Expression over the typed columns.")
    meaning: str

    @property
    def sql_type(self) -> str:
        """DuckDB type of the value."""
        return _SQL_TYPES.get(self.type, "VARCHAR")


class Rule(_Frozen):
    """A condition over a row's typed columns; null passes."""

    id: str
    sql: str = Field(description="Condition; `as_of_date` is the day of the run.")
    severity: Literal["quarantine", "warn"] = "quarantine"
    why: str
    fix: str


class FeedContract(_Frozen):
    """What one feed is: `feeds/<feed>.yml`."""

    feed: str
    title: str
    description: str
    grain: str
    stage: str
    delivery_mode: Mode
    cadence: Cadence
    period_column: str | None = None
    has_person: bool = True
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    derived: tuple[Derived, ...] = ()
    rules: tuple[Rule, ...] = ()

    @property
    def lake_columns(self) -> tuple[tuple[str, str], ...]:
        """Names and DuckDB types of the columns that go to the lake."""
        open_ones = [(c.name, c.sql_type) for c in self.columns if c.class_ != "identifier"]
        return (*open_ones, *((d.name, d.sql_type) for d in self.derived))

    def lake_spec(self) -> FeedSpec:
        """What the lake needs to know of the feed."""
        identifiers = {c.name for c in self.columns if c.class_ == "identifier"}
        key = tuple("source_person_key" if name in identifiers else name for name in self.key)
        return FeedSpec(self.feed, self.delivery_mode, self.has_person, self.lake_columns, key)


@lru_cache(maxsize=1)
def load_option_sets() -> dict[str, tuple[str, ...]]:
    """Every option set: its codes in order."""
    data = shipped_yaml(FEEDS / "option_sets.yml")
    return {name: tuple(str(code) for code in codes) for name, codes in data.items()}


@lru_cache(maxsize=1)
def load_contracts() -> dict[str, FeedContract]:
    """Every feed contract by id, in order of id.

    Raises:
        ContractError: a file breaks the model or names an unknown option set.
    """
    contracts: dict[str, FeedContract] = {}
    for file in sorted(FEEDS.glob("*.yml")):
        if file.stem == "option_sets":
            continue
        try:
            contract = FeedContract.model_validate(shipped_yaml(file))
        except ValidationError as error:
            raise ContractError(f"{file}: {error}") from None
        unknown = {c.options for c in contract.columns if c.options} - set(load_option_sets())
        if unknown:
            raise ContractError(f"{file}: unknown option sets {sorted(map(str, unknown))}")
        contracts[contract.feed] = contract
    return contracts
