"""How a set of published tables is described: files, dimensions, totals, counts, rates, what the public knows.

What belongs here: the shape of that YAML file and its loading. What does not: reading the tables (`tables`).
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatch
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator


class DisclosureInputError(ValueError):
    """A description or a table is wrong; the message names file, row, column, rule and fix."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Dimension(_Frozen):
    """One way in which people are grouped."""

    total: str = Field("all", description="Value that stands for everybody.")
    sums: dict[str, list[list[str]]] = Field(
        default_factory=dict,
        description="Value -> groupings of which each adds up to it. Empty: all other values add up to the total.",
    )
    additive: bool = Field(True, description="False: groups overlap, and only bound each other.")
    complete: bool = Field(True, description="False: people may be in none of the listed parts.")

    @model_validator(mode="before")
    @classmethod
    def _one_grouping(cls, value: object) -> object:
        if isinstance(value, dict) and isinstance(value.get("sums"), dict):
            sums = {
                parent: [parts] if parts and all(not isinstance(part, list) for part in parts) else parts
                for parent, parts in value["sums"].items()
            }
            return {
                **value,
                "sums": {str(p): [[str(v) for v in g] for g in groups] for p, groups in sums.items()},
            }
        return value


class Rate(_Frozen):
    """A published rate: numerator over denominator."""

    numerator: str = Field(description="Count column above the line.")
    denominator: str = Field(description="Count column below the line.")
    percent: bool = Field(True, description="Whether 50 means one half.")
    decimals: int = Field(1, ge=0, le=12, description="Decimals to which it is rounded.")


class TableDescription(_Frozen):
    """One table, or all the tables whose file name fits."""

    file: str = Field("*", description="File name, or a pattern with * and ?.")
    dimensions: list[str] = Field(description="Columns that name a cell; each is a dimension of that name.")
    fixed: dict[str, str] = Field(
        default_factory=dict, description="Dimensions that the whole table is one value of."
    )
    counts: list[str] = Field(min_length=1, description="Columns of counts, people first.")
    numerators: dict[str, str] = Field(
        default_factory=dict, description="Count column -> count column of which it is a part."
    )
    rates: dict[str, Rate] = Field(
        default_factory=dict, description="Column of a rate -> what it is a rate of."
    )
    follows: list[str] = Field(
        default_factory=list, description="Further columns that are withheld with their row."
    )
    labels: list[str] = Field(
        default_factory=list,
        description="Further columns of numbers that tell of nobody, such as a school's code.",
    )
    largest: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Count column -> columns of its largest contributors, largest first.",
    )
    public: list[str] = Field(default_factory=list, description="Count columns that the public knows anyway.")
    hide: Literal["row", "cell"] = Field("row", description="Whether a row's counts are withheld together.")
    earlier: bool = Field(
        False, description="An earlier release: what it shows is known, what it withholds not."
    )
    changed_by: int = Field(
        0, ge=0, description="Earlier release: most people by whom a cell may have changed since."
    )

    @model_validator(mode="after")
    def _names(self) -> TableDescription:
        named = [*self.numerators, *self.numerators.values(), *self.public, *self.largest]
        named += [name for rate in self.rates.values() for name in (rate.numerator, rate.denominator)]
        if self.changed_by and not self.earlier:
            raise ValueError("changed_by is of an earlier release; add `earlier: true`")
        unknown = sorted(set(named) - set(self.counts))
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: not among counts; list the column under counts")
        for part in self.numerators:
            above = [part]
            while (whole := self.numerators.get(above[-1])) is not None:
                if whole in above:
                    raise ValueError(
                        f"numerators: {part}: a part of itself; name the count that it is a part of"
                    )
                above.append(whole)
        return self


class Description(_Frozen):
    """All tables that are or will be public, as one."""

    dimensions: dict[str, Dimension] = Field(
        default_factory=dict, description="Dimensions; default: total is 'all'."
    )
    tables: list[TableDescription] = Field(
        min_length=1, description="Tables; the first that fits a file describes it."
    )
    marks: list[str] = Field(
        default_factory=lambda: ["", "*", "-", "s", "S", "n<10", "N<10", "PS", "DS", "suppressed"],
        description="What stands where a value is withheld.",
    )

    @model_validator(mode="after")
    def _dimensions_are_used(self) -> Description:
        used = {name for table in self.tables for name in (*table.dimensions, *table.fixed)}
        for name in self.dimensions:
            if name not in used:
                raise ValueError(
                    f"dimensions: {name}: no table has a dimension of that name (they have: {', '.join(sorted(used))}); "
                    "correct one of the two"
                )
        return self

    def table_of(self, file: Path) -> TableDescription:
        """The description of a file.

        Raises:
            DisclosureInputError: none fits.
        """
        for table in self.tables:
            if fnmatch(file.name, table.file):
                return table
        known = ", ".join(table.file for table in self.tables)
        raise DisclosureInputError(
            f"{file.name}: no entry under tables fits it (there are: {known}); add one"
        )

    def dimension(self, name: str) -> Dimension:
        """A dimension by name; one that is not described has the total 'all' and adds up."""
        return self.dimensions.get(name) or Dimension()  # type: ignore[call-arg]


def load_description(file: Path) -> Description:
    """Read a description.

    Raises:
        DisclosureInputError: the file is absent, is not YAML, or breaks the model.
    """
    try:
        content = yaml.safe_load(file.read_text("utf-8"))
        return Description.model_validate(content)
    except FileNotFoundError:
        raise DisclosureInputError(f"{file}: no such file; name the description with --describe") from None
    except yaml.YAMLError as error:
        raise DisclosureInputError(f"{file.name}: not YAML: {error}") from None
    except ValidationError as error:
        told = "; ".join(
            f"{_place(item['loc'])}: {item['msg']}{_meant(item['loc'])}" for item in error.errors()
        )
        raise DisclosureInputError(
            f"{file.name}: {told}. See `throughline disclosure protect --help`."
        ) from None


def _place(location: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in location) or "the whole file"


def _meant(location: Sequence[int | str]) -> str:
    """The field that a misspelt one is like."""
    fields = [
        name for model in (Description, TableDescription, Dimension, Rate) for name in model.model_fields
    ]
    last = str(location[-1]) if location else ""
    like = [] if last in fields else get_close_matches(last, fields, 1)
    return f" (did you mean {like[0]}?)" if like else ""
