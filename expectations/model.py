"""What a suite and a rule are, as read from YAML, and what comes of running them.

What belongs here: shapes and loading. What does not: Great Expectations (`expectations.run`).
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from expectations.limits import LimitedRule, Limits, chosen
from warehouse.shipped import shipped_yaml

SUITES = Path(__file__).parent / "suites"

Severity = Literal["block", "warn"]


class SuiteError(Exception):
    """A suite file is wrong; the message names the file and the field."""


class Rule(LimitedRule):
    """One quality rule: exactly one of `expect`, `must_hold` and `violations` says what is asked."""

    severity: Severity = Field(
        description="block: nothing is published when it fails; warn: told, not stopped."
    )
    why: str = Field(description="What is wrong when it fails, in plain words.")
    fix: str = Field(description="What to do about it.")
    owner: str | None = Field(None, description="Role to ask; default the suite's.")
    expect: str | None = Field(None, description="Class name of a Great Expectations expectation.")
    with_: dict[str, Any] = Field(default_factory=dict, alias="with", description="Arguments of `expect`.")
    must_hold: str | None = Field(None, description="SQL condition that every row must fulfil (null passes).")
    violations: str | None = Field(
        None,
        description="SQL query of violating rows; {table} is the suite's table, others by their full name.",
    )
    rejects: list[dict[str, Any]] = Field(description="Rows that the rule must reject.", min_length=1)
    repeat: int = Field(
        1, ge=1, description="How often `rejects` stand in the table, where a rule asks shares."
    )
    beside: dict[str, list[dict[str, Any]]] = Field(
        default_factory=dict,
        description="Rows of the other tables that the rule reads, where it must reject.",
    )

    @model_validator(mode="after")
    def _one_question(self) -> Rule:
        asked = [self.expect, self.must_hold, self.violations]
        if sum(part is not None for part in asked) != 1:
            raise ValueError("give exactly one of: expect, must_hold, violations")
        if idle := self.idle(f"{self.must_hold} {self.violations}"):
            raise ValueError(f"limits that its SQL does not read: {', '.join(idle)}")
        return self


class Suite(BaseModel):
    """The rules of one table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str = Field(pattern=r"^[a-z_]+\.[a-z0-9_]+$", description="schema.table in the working database.")
    owner: str = Field(description="Role that answers for the table.")
    optional: bool = Field(False, description="Whether an absent table passes without question.")
    rules: list[Rule] = Field(min_length=1, description="Rules in the order in which they are told.")


class RuleResult(BaseModel):
    """What came of one rule. It never holds a value of the table."""

    model_config = ConfigDict(frozen=True)

    rule_id: str
    table: str
    severity: Severity
    success: bool
    unexpected_n: int | None = None
    observed: str | None = None
    error: str | None = None
    why: str
    fix: str
    owner: str
    limits: dict[str, float] = Field(default_factory=dict, description="The rule's figures, as they were.")


class Since(BaseModel):
    """Since when a rule has failed without a break."""

    model_config = ConfigDict(frozen=True)

    run_id: str = Field(description="The first run in which it failed.")
    on: date | None = Field(None, description="Day of that run; empty where its report does not say.")

    def __str__(self) -> str:
        return f"{self.on} (run {self.run_id})" if self.on else f"run {self.run_id}"


class LinkageFigure(BaseModel):
    """How a source was linked, for all of its people or a group of them; later nights are held against it."""

    model_config = ConfigDict(frozen=True)

    feed_id: str
    partner_id: str
    dimension: str
    group_value: str
    person_n: int
    matched_n: int
    row_n: int | None = None
    unlinked_row_n: int | None = None
    source_person_n: int | None = None
    grey_zone_rate: float | None = None
    estimated_precision: float | None = None
    estimated_recall: float | None = None


class QualityReport(BaseModel):
    """All results of one run."""

    model_config = ConfigDict(frozen=True)

    run_id: str
    made_on: date | None = Field(None, description="Day of the run, by the clock of the settings.")
    results: list[RuleResult]
    row_counts: dict[str, int]
    linkage: list[LinkageFigure] = Field(
        default_factory=list, description="How well people were linked, as mart_linkage_quality told it."
    )
    held: list[str] = Field(
        default_factory=list,
        description="Deliveries without which the tables were built, each in a sentence.",
    )

    @property
    def blocking_failures(self) -> list[RuleResult]:
        """Failed rules that stop the release."""
        return [result for result in self.results if not result.success and result.severity == "block"]

    @property
    def warnings(self) -> list[RuleResult]:
        """Failed rules that are told and do not stop."""
        return [result for result in self.results if not result.success and result.severity == "warn"]


def load_suites(limits: Limits | None = None) -> tuple[Suite, ...]:
    """Every suite below `expectations/suites`, in order of path.

    Args:
        limits: figures of a community, in place of the shipped ones.

    Raises:
        SuiteError: a file breaks the model, or a rule id occurs twice.
    """
    shipped = _read_suites()
    if not limits:
        return shipped
    return tuple(suite.model_copy(update={"rules": chosen(suite.rules, limits)}) for suite in shipped)


@lru_cache(maxsize=1)
def _read_suites() -> tuple[Suite, ...]:
    suites: list[Suite] = []
    seen: dict[str, Path] = {}
    for file in sorted(SUITES.glob("*/*.yml")):
        try:
            suite = Suite.model_validate(shipped_yaml(file))
        except (ValueError, yaml.YAMLError) as error:
            raise SuiteError(f"{file}: {error}") from None
        for rule in suite.rules:
            if rule.id in seen:
                raise SuiteError(f"{file}: rule id '{rule.id}' is already used in {seen[rule.id]}")
            seen[rule.id] = file
        suites.append(suite)
    return tuple(suites)
