"""Figures of rules that a community may set otherwise: margins, shares, the fewest rows of which a share is asked.

What belongs here: putting a community's figures in the place of the shipped ones. What does not: the rules (`suites/`,
`drift.yml`), and where a community writes its own (`quality.limits` in `community.yml`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

# Chosen figures by rule id and name.
Limits = Mapping[str, Mapping[str, float]]


class LimitError(ValueError):
    """A community sets a figure that no rule has; the message names those there are."""


class LimitedRule(BaseModel):
    """What every rule has: an id, and the figures in its SQL that are a matter of judgement."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(
        pattern=r"^[a-z][a-z0-9_]*$", description="<table>_<what_must_hold>; unique over all rules."
    )
    limits: dict[str, float] = Field(
        default_factory=dict, description="Figures by name; `{name}` in the SQL stands for them."
    )

    def idle(self, sql: str) -> list[str]:
        """Figures that the SQL does not read: to set them would change nothing."""
        return [name for name in self.limits if f"{{{name}}}" not in sql]

    def asked(self, sql: str) -> str:
        """The SQL with the figures written in."""
        for name, value in self.limits.items():
            sql = sql.replace(f"{{{name}}}", f"{value:g}")
        return sql


_Some = TypeVar("_Some", bound=LimitedRule)


def chosen(rules: Iterable[_Some], limits: Limits) -> list[_Some]:
    """The rules with the community's figures in place of the shipped ones."""
    return [
        rule.model_copy(update={"limits": rule.limits | dict(limits[rule.id])}) if rule.id in limits else rule
        for rule in rules
    ]


def check_limits(rules: Iterable[LimitedRule], limits: Limits) -> None:
    """See that every figure chosen is one that a rule has.

    Raises:
        LimitError: a rule or a figure of it is unknown.
    """
    known = {rule.id: sorted(rule.limits) for rule in rules if rule.limits}
    for rule_id, figures in limits.items():
        place = f"community.yml: quality.limits.{rule_id}"
        if rule_id not in known:
            raise LimitError(
                f"{place}: no rule of this id has figures to set; `throughline quality rules` lists those that have"
            )
        for name in set(figures) - set(known[rule_id]):
            raise LimitError(f"{place}.{name}: unknown; allowed: {', '.join(known[rule_id])}")
