"""New deliveries held against those whose place they take: other people, many more rows, groups gone unknown.

What belongs here: the rules' shape, and asking them as SQL. What does not: what becomes of such a delivery (`holding`).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import yaml
from pydantic import Field, model_validator

from expectations.limits import LimitedRule, Limits, chosen
from expectations.model import SuiteError
from warehouse.shipped import shipped_yaml

# Where the rows lie: the schema of the connection's own database, and of another one attached under this name.
NEW, BEFORE = "lake", "earlier.lake"
_FILE = Path(__file__).with_name("drift.yml")


class DriftRule(LimitedRule):
    """One rule; see the head of `drift.yml`."""

    feeds: list[str] = Field(min_length=1, description="Feeds of which it is asked.")
    violations: str = Field(description="SQL query of the ids of deliveries that break it.")
    why: str = Field(description="What is wrong, in plain words.")
    fix: str = Field(description="What to do about it.")
    owner: str = Field(description="Role to ask.")
    rejects: dict[str, dict[str, Any]] = Field(description="Rows `new` and `before` for which it must hold.")

    @model_validator(mode="after")
    def _no_idle_limit(self) -> DriftRule:
        if idle := self.idle(self.violations):
            raise ValueError(f"limits that its SQL does not read: {', '.join(idle)}")
        return self

    def query(self, feed: str) -> str:
        """The query for one feed."""
        sql = self.asked(self.violations)
        return sql.replace("{new}", f"{NEW}.{feed}").replace("{before}", f"{BEFORE}.{feed}")

    @property
    def print(self) -> str:
        """A fingerprint of what it asks and says; a changed rule has another."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


def load_drift_rules(limits: Limits | None = None) -> tuple[DriftRule, ...]:
    """The rules, with a community's figures in place of the shipped ones.

    Raises:
        SuiteError: the file breaks the model, or an id occurs twice.
    """
    return tuple(chosen(_read(), limits or {}))


@lru_cache(maxsize=1)
def _read() -> tuple[DriftRule, ...]:
    try:
        rules = [DriftRule.model_validate(item) for item in shipped_yaml(_FILE)]
    except (ValueError, yaml.YAMLError) as error:
        raise SuiteError(f"{_FILE}: {error}") from None
    ids = [rule.id for rule in rules]
    for rule_id in ids:
        if ids.count(rule_id) > 1:
            raise SuiteError(f"{_FILE}: rule id '{rule_id}' is used twice")
    return tuple(rules)


def drifted(
    con: duckdb.DuckDBPyConnection, feeds: Collection[str], limits: Limits | None = None
) -> dict[str, list[DriftRule]]:
    """Which deliveries break which rules.

    Args:
        con: with schema `lake` over the new deliveries, and database `earlier` with one over those that they replace.
        feeds: feeds to be asked.
        limits: figures of the community.
    """
    found: dict[str, list[DriftRule]] = defaultdict(list)
    for rule in load_drift_rules(limits):
        for feed in sorted(set(rule.feeds) & set(feeds)):
            for (delivery_id,) in con.execute(rule.query(feed)).fetchall():
                found[delivery_id].append(rule)
    return dict(found)
